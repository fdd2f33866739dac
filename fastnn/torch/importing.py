"""Networks from torch modules."""

from __future__ import annotations

from typing import Any

import torch

from .. import nn
from .._frames import errors_of_use
from ..nn.unsupported import Unsupported, refuse
from .layers import to_layer
from .state import as_array
from .tracing import traced

DTYPES = {torch.float32: "float32", torch.float64: "float64"}


@errors_of_use
def from_torch(module: torch.nn.Module) -> Any:
    """Make a network of a torch module, with its values.

    Parameters
    ----------
    module : torch.nn.Module
        A layer; a Sequential, also nested; or a module of your own whose forward torch.fx can trace: layers,
        `+ - * /`, cat, chunk, columns, sum, mean and amax over the features, products with parameters, elementwise
        functions, softmax, glu and F.dropout(x, p, self.training). Of float32 or float64.

    Returns
    -------
    net : Sequential, GraphModule or layer
        A `nn.Sequential` of a Sequential, a `nn.GraphModule` of a module that was traced, or the layer. It has copies
        of the values, the mode (`training`) and the frozen layers of the module; its names and those of the state dict
        are the same, but layers of a Sequential are counted.

    Raises
    ------
    TypeError
        If it has layers or operations that fastnn does not have: the message names all of them.
    ValueError
        If parameters are of several dtypes, or a layer is frozen in part.

    Notes
    -----
    Outputs, gradients and training steps are PyTorch's but for rounding. Dropout draws other numbers. A BatchNorm1d in
    eval mode within a module in training mode is `frozen`.

    Examples
    --------
    >>> import torch
    >>> import fastnn.torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    >>> net = fastnn.torch.from_torch(model)
    >>> list(net), net[0].weight.shape
    ([Linear(in_features=2, out_features=3), ReLU(), Linear(in_features=3, out_features=1)], (2, 3))
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    dtype = _dtype_of(module)
    reader = Reader(dtype)
    net = reader.top(module)
    refuse(reader.problems)
    net = net.double() if dtype == "float64" and getattr(net, "dtype", dtype) != dtype else net
    _check_shared(reader.pairs)
    for theirs, ours in reader.pairs:
        _copy(theirs, ours, module)
    return net.train(module.training)


class Reader:
    """Makes layers of modules, and remembers which of which.

    Attributes
    ----------
    pairs : list of (torch.nn.Module, Module)
        What is copied afterwards; of a traced module its own parameters.
    problems : list of str
        What fastnn does not have.
    """

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.pairs: list[tuple[torch.nn.Module, nn.Module]] = []
        self.problems: list[str] = []

    def top(self, module: torch.nn.Module) -> nn.Module:
        """The network of the whole module."""
        if type(module) is torch.nn.Sequential and not _repeats(module):
            return nn.Sequential(*map(self.layer, module), dtype=self.dtype)
        return self.layer(module)

    def layer(self, module: torch.nn.Module) -> nn.Module:
        """The layer of a module; one that does nothing, and a problem noted, where there is none."""
        if type(module) is torch.nn.Sequential and not _repeats(module):
            return nn.Sequential(*map(self.layer, module), dtype=self.dtype)
        if type(module).__module__.startswith("torch.nn.") and type(module) is not torch.nn.Sequential:
            return self.leaf(module)
        try:
            steps, leaves, parameters = traced(module)
        except Unsupported as problem:
            self.problems.append(str(problem))
            return nn.Identity()
        layers = {name: self.leaf(leaf) for name, leaf in leaves.items()}
        if self.problems:
            return nn.Identity()
        shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
        graph = nn.GraphModule(layers, steps, shapes, dtype=self.dtype)
        self.pairs.append((module, graph))
        return graph

    def leaf(self, module: torch.nn.Module) -> nn.Module:
        """The layer of a module of torch.nn."""
        try:
            layer = to_layer(module)
        except (Unsupported, ValueError) as problem:
            self.problems.append(str(problem))
            return nn.Identity()
        self.pairs.append((module, layer))
        return layer


def _repeats(module: torch.nn.Module) -> bool:
    """Whether a Sequential holds a layer twice, which is a graph here."""
    children = list(module)
    return len({id(child) for child in children}) < len(children)


def _dtype_of(module: torch.nn.Module) -> str:
    dtypes = {value.dtype for value in (*module.parameters(), *module.buffers()) if value.is_floating_point()}
    if len(dtypes) > 1:
        raise ValueError(f"module has parameters of {', '.join(sorted(map(str, dtypes)))}: use module.float()")
    dtype = dtypes.pop() if dtypes else torch.float32
    if dtype not in DTYPES:
        raise ValueError(f"module is {dtype}, networks are float32 or float64: use module.float()")
    return DTYPES[dtype]


def _check_shared(pairs: list[tuple[torch.nn.Module, nn.Module]]) -> None:
    """Raise ValueError if two layers have a parameter in common: they would be trained apart."""
    seen = set[int]()
    for theirs, ours in pairs:
        for name in ours.parameter_shapes():
            key = id(theirs.get_parameter(name))
            if key in seen:
                raise ValueError(
                    f"two modules share a parameter, {name} of {type(theirs).__name__}: write it as one layer, and use "
                    "it in a forward: functional.linear(h, self.encoder.weight.t())"
                )
            seen.add(key)


def _copy(theirs: torch.nn.Module, ours: nn.Module, root: torch.nn.Module) -> None:
    """Copy the values of a module to its layer, and whether they are trained."""
    names = list(ours.parameter_shapes())
    parameters = {name: theirs.get_parameter(name) for name in names}
    for name, parameter in parameters.items():
        value = as_array(parameter)
        ours[name] = value.T if isinstance(ours, nn.Linear) and name == "weight" else value
    for name in ours.buffers():
        ours.buffer(name)[...] = as_array(theirs.get_buffer(name))
    trained = {parameter.requires_grad for parameter in parameters.values()}
    if len(trained) > 1:
        raise ValueError(
            f"{type(theirs).__name__} has parameters that are trained and others that are not: layers are frozen as a "
            "whole, layer.requires_grad_(False)"
        )
    if trained == {False}:
        ours._set_trained(False)
    if isinstance(ours, nn.BatchNorm1d) and root.training and not theirs.training:
        ours.frozen = True

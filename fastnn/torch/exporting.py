"""Torch modules from networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as T

from .. import nn
from .._frames import errors_of_use
from ..nn.tracing.functions import Function, Tied
from ..nn.tracing.trace import Trace
from ..nn.unsupported import Unsupported
from . import modules
from .layers import to_module
from .state import state_dict

BINARY = {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div}
# Kernels whose functions have another name, or none, in torch.nn.functional.
KERNELS: dict[str, Callable[..., Tensor]] = {
    "affine": lambda x, scale, shift: x * scale + shift,
    "reciprocal": lambda x, scale: scale / x,
    "gelu_tanh": lambda x: T.gelu(x, approximate="tanh"),
}


@errors_of_use
def to_torch(net: nn.Module, in_features: int | None = None) -> torch.nn.Module:
    """Make a torch module of a network, with its values.

    Parameters
    ----------
    net : Module
        A network, a layer, or a module with a `forward`.
    in_features : int, optional
        Needed if the network takes any number of features and has modules with a `forward`.

    Returns
    -------
    module : torch.nn.Module
        With copies of the values, and the mode (`training`), frozen layers and dtype of the network. Its state dict has
        the names of the network's.

    Raises
    ------
    TypeError
        If it has layers that cannot be made in PyTorch, those written in Python for example: all of them are named.

    Examples
    --------
    >>> import fastnn.torch
    >>> from fastnn import nn
    >>> fastnn.torch.to_torch(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), seed=0))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
      (2): Linear(in_features=3, out_features=1, bias=True)
    )
    """
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a network or a layer, got {type(net).__name__}")
    writer = Writer()
    module = writer.module(net, in_features)
    if writer.problems:
        raise TypeError(f"PyTorch does not have {', '.join(dict.fromkeys(writer.problems))}")
    state = state_dict(net)
    floating = next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), torch.float32)
    module.to(floating).load_state_dict(state)
    frozen = {p.name for p in net.parameters() if not p.requires_grad}
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name not in frozen)
    for ours, theirs in writer.pairs:
        theirs.training = ours.training and not (isinstance(ours, nn.BatchNorm1d) and ours.frozen)
    return module


class Writer:
    """Makes torch modules of layers, and remembers which of which."""

    def __init__(self) -> None:
        self.pairs: list[tuple[nn.Module, torch.nn.Module]] = []
        self.problems: list[str] = []

    def module(self, layer: nn.Module, features: int | None) -> torch.nn.Module:
        """The module for a layer whose input has so many features; one that does nothing where there is none."""
        try:
            module = self._module(layer, features)
        except Unsupported as problem:
            self.problems.append(str(problem))
            return torch.nn.Identity()
        self.pairs.append((layer, module))
        return module

    def _module(self, layer: nn.Module, features: int | None) -> torch.nn.Module:
        hint = layer.in_features_hint()
        features = features if hint is None else hint
        if isinstance(layer, nn.Sequential):
            return torch.nn.Sequential(*self._chain(layer, features))
        if isinstance(layer, nn.Concat):
            children = layer.named_children().items()
            return modules.Concat({name: self.module(child, features) for name, child in children})
        if isinstance(layer, nn.Residual):
            return modules.Residual(**{n: self.module(child, features) for n, child in layer.named_children().items()})
        if layer._is_traced:
            return self._graph(layer, features)
        own = _own(layer)
        return to_module(layer) if own is None else own

    def _chain(self, net: nn.Sequential, features: int | None) -> list[torch.nn.Module]:
        made = []
        for layer in net:
            made.append(self.module(layer, features))
            hint = layer.in_features_hint()
            features = features if hint is None else hint
            features = None if features is None else layer.out_features_for(features)
        return made

    def _graph(self, module: nn.Module, features: int | None) -> torch.nn.Module:
        """The module for one with a forward: the steps of its trace, in training and in inference."""
        if features is None:
            raise TypeError(f"in_features must be given: {type(module).__name__} takes any number of features")
        layers: dict[str, torch.nn.Module] = {}
        steps = {}
        for training in (True, False):
            graph = Trace.of(module, features, training=training).graph
            steps[training] = [self._step(value, layers, graph, module) for value in graph.values[1:]], graph.output
        for name, layer in module.named_modules():  # those with values that no step calls
            if name and layer.state_shapes() and name not in layers:
                layers[name] = self.module(layer, None)
        return modules.Graph(layers, module.parameter_shapes(), steps)

    def _step(self, value: Any, layers: dict[str, torch.nn.Module], graph: Any, module: nn.Module) -> Any:
        """The function of the module and the values before that computes a value."""
        inputs = value.inputs
        if value.kind == "parameter":
            return _parameter(module, *value.source)
        if value.kind == "constant":
            row = torch.tensor(value.source)
            return lambda self, values: row.to(values[0].dtype)
        if value.kind == "concat":
            return lambda self, values: torch.cat([values[i].expand(*values[0].shape[:-1], -1) for i in inputs], -1)
        if value.kind == "sum":
            return lambda self, values: values[inputs[0]].sum(-1, keepdim=True)
        if value.kind == "expand":
            return lambda self, values: values[inputs[0]].expand(*values[inputs[0]].shape[:-1], value.cols)
        if value.kind in BINARY:
            function = BINARY[value.kind]
            return lambda self, values: function(values[inputs[0]], values[inputs[1]])
        layer = value.node.layer
        if isinstance(layer, Tied):
            return _tied(module, layer, inputs[0])
        name = next((n for n, part in module.named_modules() if part is layer), f"function{len(layers)}")
        if name not in layers:
            layers[name] = self.module(layer, graph.values[inputs[0]].cols)
        return lambda self, values: self.get_submodule(name)(values[inputs[0]])


def _own(layer: nn.Module) -> torch.nn.Module | None:
    """The module for a layer that PyTorch does not have; None for others."""
    if isinstance(layer, Function):
        function = KERNELS.get(layer.kernel) or getattr(T, layer.kernel, None) or getattr(torch, layer.kernel, None)
        if function is None:
            raise Unsupported(layer.kernel)
        return modules.Function(layer.kernel, lambda x: function(x, *layer.params))
    if isinstance(layer, nn.Columns):
        return modules.Function("columns", lambda x: x[..., list(layer._places(x.shape[-1]))])
    if isinstance(layer, nn.Maxout):
        size = layer.pool_size
        return modules.Function("maxout", lambda x: x.unflatten(-1, (-1, size)).amax(-1))
    if isinstance(layer, nn.SwiGLU):
        return modules.Function("swiglu", modules.swiglu)
    if isinstance(layer, nn.GaussianNoise):
        return modules.Function("noise", lambda x: x + layer._value() * torch.randn_like(x), training_only=True)
    if isinstance(layer, nn.GaussianDropout):
        p = layer._value()
        std = (p / (1 - p)) ** 0.5
        return modules.Function("dropout", lambda x: x * (1 + std * torch.randn_like(x)), training_only=True)
    if isinstance(layer, nn.Softmax) and layer.temperature != 1:
        of = T.log_softmax if isinstance(layer, nn.LogSoftmax) else T.softmax
        scale = (-1.0 if isinstance(layer, nn.Softmin) else 1.0) / layer.temperature
        return modules.Function(layer.kernel, lambda x: of(x * scale, dim=-1))
    if isinstance(layer, nn.Temperature):
        return modules.Temperature(next(iter(layer.parameter_shapes().values())))
    return None


def _place(module: nn.Module, layer: nn.Module, name: str) -> str:
    """The name that the parameter of a layer has in a module."""
    owner = next(key for key, part in module.named_modules() if part is layer)
    return f"{owner}.{name}" if owner else name


def _parameter(module: nn.Module, layer: nn.Module, name: str) -> Callable[..., Tensor]:
    place = _place(module, layer, name)
    return lambda self, values: self.get_parameter(place)


def _tied(module: nn.Module, layer: Tied, x: int) -> Callable[..., Tensor]:
    """x W + b with parameters of other layers; the weights of Linear layers are (out, in) in PyTorch."""
    places = {key: _place(module, *source) for key, source in layer.sources.items()}
    turned = layer.transposed == isinstance(layer.sources["weight"][0], nn.Linear)

    def step(self: Any, values: list[Tensor]) -> Tensor:
        weight = self.get_parameter(places["weight"])
        bias = self.get_parameter(places["bias"]) if "bias" in places else None
        return T.linear(values[x], weight.T if turned else weight.flatten(1), bias)  # a Bilinear's is read as a matrix

    return step

"""Files of whole networks: the architecture and all tensors in one file."""

from __future__ import annotations

from typing import Any, TypeVar

from .._frames import errors_of_use
from ..files.format import write
from ..files.objects import Target, label
from .architecture import Architecture
from .module import Module
from .network import Network
from .registry import LAYERS

Layer = TypeVar("Layer", bound=type[Module])

REGISTERED: dict[str, type[Module]] = {}


@errors_of_use
def register_layer(cls: Layer) -> Layer:
    """Register a layer class of your own by its name, so that `fastnn.load` finds it; usable as a decorator.

    Parameters
    ----------
    cls : subclass of nn.Module
        Its name must not be that of a layer of fastnn. A class of the same module and name replaces the earlier one.

    Returns
    -------
    cls : type
        The class itself.

    Raises
    ------
    TypeError
        If it is not a subclass of `nn.Module`.
    ValueError
        If another class of this name is known.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn
    >>> @fastnn.register_layer
    ... class Negate(nn.Module):
    ...     def forward(self, x):
    ...         return -x
    ...     def backward(self, grad_output):
    ...         return -grad_output
    """
    check_layer(cls)
    name = cls.__name__
    other = LAYERS.get(name, REGISTERED.get(name))
    if other not in (None, cls) and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"a layer class {name} is known already: {other.__module__}.{other.__qualname__}")
    REGISTERED[name] = cls
    return cls


@errors_of_use
def save(net: Network, path: Target) -> None:
    """Write a network as one file, at a path atomically; `Sequential.save(path)` calls this.

    Parameters
    ----------
    net : Sequential
    path : str, path-like or binary file object
        A file that is there is replaced. A file object is written where it is, and stays open.

    Raises
    ------
    TypeError, ValueError
        If an argument of a layer cannot be written as JSON or a tensor, layers are nested too deep, or a layer class of
        your own has the name of one of fastnn.
    OSError
        If the file cannot be written; the old file is then still there.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastnn import nn
    >>> from fastnn.nn.loading import load
    >>> from fastnn.nn.saving import save
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.safetensors")
    ...     save(net, path)
    ...     copy = load(path)
    >>> bool((copy.parameters().data == net.parameters().data).all())
    True
    """
    tensors = net.state_dict()
    try:
        alone = net._alone_with()
        description = {"architecture": Architecture(tensors).encode(alone or net, "net"), "tick": int(net._tick[0])}
        if alone is not None:
            description |= {"dtype": net.dtype, "seed": net.seed}
        if frozen := frozen_names(net):
            description["frozen"] = frozen
        if net.feature_names is not None:
            description["feature_names"] = list(net.feature_names)
    except RecursionError:
        raise ValueError(
            f"{label(path)} cannot be written: the network, or an argument of a layer, is nested too deep"
        ) from None
    write(path, "model", tensors, description)


def check_layer(cls: Any) -> None:
    """Raise TypeError unless `cls` is a class of layers."""
    if not (isinstance(cls, type) and issubclass(cls, Module)):
        raise TypeError(f"a layer class is a subclass of nn.Module, got {cls!r:.60}")


def frozen_names(net: Network) -> list[str]:
    """The names of the parameters that are not trained, see `Module.requires_grad_`."""
    return [p.name for p in net.parameters() if not p.requires_grad]

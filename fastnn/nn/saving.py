"""Whole models: the architecture and all tensors in one file."""

from __future__ import annotations

from typing import Any, TypeVar

from .._frames import errors_of_use
from .._schema import MOST_STEPS
from ..files.format import FileFormatError, read, write
from ..files.replace import Path
from .architecture import Architecture, built_in
from .module import Module
from .sequential import Sequential

Layer = TypeVar("Layer", bound=type[Module])

_registered: dict[str, type[Module]] = {}


@errors_of_use
def register_layer(cls: Layer) -> Layer:
    """Let `fastnn.load` find a layer class of your own by its name; usable as a decorator.

    Raises
    ------
    TypeError, ValueError
        If it is not a class of layers, or named like another one.

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
    from .. import nn

    _check_layer(cls)
    name = cls.__name__
    other = built_in(nn, Module).get(name, _registered.get(name))
    if other not in (None, cls) and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"a layer class {name} is known already: {other.__module__}.{other.__qualname__}")
    _registered[name] = cls
    return cls


@errors_of_use
def save(net: Sequential, path: Path) -> None:
    """Write a network as one file; see `Sequential.save`."""
    tensors = net.state_dict()
    try:
        description = {"architecture": Architecture(tensors).encode(net, "net"), "tick": int(net._tick[0])}
        if net.feature_names is not None:
            description["feature_names"] = list(net.feature_names)
    except RecursionError:
        raise ValueError(
            f"{path} cannot be written: the network, or an argument of a layer, is nested too deep"
        ) from None
    write(path, "model", tensors, description)


@errors_of_use
def load(path: Path, layers: dict[str, type[Module]] | None = None) -> Sequential:
    """The network that `net.save(path)` wrote.

    Parameters
    ----------
    path : str or path
    layers : dict of str to class, optional
        Layer classes of your own that the network has, by name: {"Scale": Scale}. Or register them once, by
        `fastnn.register_layer`.

    Returns
    -------
    net : Sequential
        Every parameter and every prediction has the bits that were saved.

    Raises
    ------
    FileFormatError
        If the file is truncated, changed or not of fastnn, or has a layer of an unknown class. The message says what is
        wrong. Nothing in a file is ever run.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import fastnn, os, tempfile
    >>> import numpy as np
    >>> from fastnn import nn
    >>> net, x = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), seed=0), np.ones((1, 2), "float32")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(os.path.join(folder, "net.safetensors"))
    ...     twin = fastnn.load(os.path.join(folder, "net.safetensors"))
    >>> bool((twin.predict(x) == net.predict(x)).all())
    True
    """
    if layers is not None and not isinstance(layers, dict):
        raise TypeError(f"layers must be a dict of names and classes, got {type(layers).__name__}")
    for cls in (layers or {}).values():
        _check_layer(cls)
    tensors, description = read(path, "model")
    try:
        net = Architecture(tensors, _registered | (layers or {})).network(description.get("architecture"))
        net.load_state_dict(tensors)  # those that are no argument of a layer
        tick = description.get("tick")
        if type(tick) is not int or not 0 <= tick <= MOST_STEPS:
            raise FileFormatError(f"tick must be a count, got {tick!r:.20}")
        net._tick[0] = tick
        net.feature_names = _names(description.get("feature_names"), net.in_features)
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"{path}: {error}") from error
    return net


def _names(names: Any, features: int | None) -> tuple[str, ...] | None:
    """The names of the columns that a file has, checked."""
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FileFormatError(f"feature_names must be a list of words, got {names!r:.40}")
    if features is not None and len(names) != features:
        raise FileFormatError(f"feature_names must be one for each of {features} features, got {len(names)}")
    return tuple(names)


def _check_layer(cls: Any) -> None:
    if not (isinstance(cls, type) and issubclass(cls, Module)):
        raise TypeError(f"a layer class is a subclass of nn.Module, got {cls!r:.60}")

"""Files of whole networks: the architecture and all tensors in one file."""

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
    """Write a network as one file, atomically; `Sequential.save(path)` calls this.

    Parameters
    ----------
    net : Sequential
    path : str or path-like
        A file that is there is replaced.

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
    >>> from fastnn.files.model import load, save
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
    """Load the network that `net.save(path)` wrote.

    Parameters
    ----------
    path : str or path-like
    layers : dict of str to class, optional
        Layer classes of your own that the network has, by name: {"Scale": Scale}; or register them once with
        `fastnn.register_layer`.

    Returns
    -------
    net : Sequential
        Every parameter, and so every prediction, has the bits that were saved, NaN too.

    Raises
    ------
    FileFormatError
        If the file is truncated, damaged or not written by fastnn, or has a layer of an unknown class. The message says
        what is wrong. No code in a file is ever run.
    TypeError
        If `layers` is not a dict of layer classes, or `path` is not a path.
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
    ...     copy = fastnn.load(os.path.join(folder, "net.safetensors"))
    >>> bool((copy.predict(x) == net.predict(x)).all())
    True
    """
    if layers is not None and not isinstance(layers, dict):
        raise TypeError(f"layers must be a dict of names and classes, got {type(layers).__name__}")
    for cls in (layers or {}).values():
        _check_layer(cls)
    tensors, description = read(path, "model")
    try:
        net = Architecture(tensors, _registered | (layers or {})).network(description.get("architecture"))
        net.load_state_dict(tensors)  # also those that are not arguments of a layer
        tick = description.get("tick")
        if type(tick) is not int or not 0 <= tick <= MOST_STEPS:
            raise FileFormatError(f"tick must be a count, got {tick!r:.20}")
        net._tick[0] = tick
        net.feature_names = _names(description.get("feature_names"), net.in_features)
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"{path}: {error}") from error
    return net


def _names(names: Any, features: int | None) -> tuple[str, ...] | None:
    """The column names in a file, checked; None if there are none."""
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FileFormatError(f"feature_names must be a list of words, got {names!r:.40}")
    if features is not None and len(names) != features:
        raise FileFormatError(f"feature_names must be one for each of {features} features, got {len(names)}")
    return tuple(names)


def _check_layer(cls: Any) -> None:
    """Raise TypeError unless it is a subclass of `nn.Module`."""
    if not (isinstance(cls, type) and issubclass(cls, Module)):
        raise TypeError(f"a layer class is a subclass of nn.Module, got {cls!r:.60}")

"""Whole networks read from files."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._frames import errors_of_use
from .._schema import MOST_STEPS
from ..files.format import FileFormatError, read
from ..files.objects import Source, label
from .architecture import Architecture
from .module import Module
from .saving import REGISTERED, check_layer
from .sequential import Sequential


@errors_of_use
def load(path: Source, layers: dict[str, type[Module]] | None = None) -> Sequential:
    """Load the network that `net.save(path)` wrote.

    Parameters
    ----------
    path : str, path-like, binary file object or bytes
        A file object is read from where it is to its end, and stays open. Bytes are the content of a file.
    layers : dict of str to class, optional
        Layer classes of your own that the network has, by name: {"Scale": Scale}; or register them once with
        `fastnn.register_layer`.

    Returns
    -------
    net : Sequential
        Every parameter, and so every prediction, has the bits that were saved, NaN too. Layers whose parameters were
        frozen (see `Module.requires_grad_`) are frozen.

    Raises
    ------
    FileFormatError
        If the file is truncated, damaged or not written by fastnn, or has a layer of an unknown class. The message says
        what is wrong. No code in a file is ever run.
    TypeError
        If `layers` is not a dict of layer classes, or `path` is none of these, or a file object for text.
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

    Without a file, by a file object or as bytes:

    >>> import io
    >>> file = io.BytesIO()
    >>> net.save(file)
    >>> bool((fastnn.load(file.getvalue()).predict(x) == net.predict(x)).all())
    True
    """
    if layers is not None and not isinstance(layers, dict):
        raise TypeError(f"layers must be a dict of names and classes, got {type(layers).__name__}")
    for cls in (layers or {}).values():
        check_layer(cls)
    tensors, description = read(path, "model")
    try:
        net = Architecture(tensors, REGISTERED | (layers or {})).network(
            description.get("architecture"), description.get("dtype"), description.get("seed")
        )
        net.load_state_dict(tensors)  # also those that are not arguments of a layer
        tick = description.get("tick")
        if type(tick) is not int or not 0 <= tick <= MOST_STEPS:
            raise FileFormatError(f"tick must be a count, got {tick!r:.20}")
        net._tick[0] = tick
        _freeze(net, description.get("frozen", []))
        net.feature_names = _names(description.get("feature_names"), net.in_features)
    except (ValueError, TypeError) as error:
        raise FileFormatError(f"{label(path)}: {error}") from error
    return net._alone_with() or net


def _names(names: Any, features: int | None) -> tuple[str, ...] | None:
    """The column names in a file, checked; None if there are none."""
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FileFormatError(f"feature_names must be a list of words, got {names!r:.40}")
    if features is not None and len(names) != features:
        raise FileFormatError(f"feature_names must be one for each of {features} features, got {len(names)}")
    return tuple(names)


def _freeze(net: Sequential, names: Any) -> None:
    """Freeze the layers that have the parameters of these names; FileFormatError if no layers have just these."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FileFormatError(f"frozen must be a list of names of parameters, got {names!r:.40}")
    params, wanted = net.parameters(), set(names)
    if unknown := wanted.difference(p.name for p in params):
        raise FileFormatError(f"frozen: no parameter {min(unknown)!r:.60}")
    frozen = np.array([p.name in wanted for p in params], bool)
    for name, module in net.named_modules():
        first, after = params.stretch(f"{name}." if name else "")
        if frozen[first:after].all() and params.trained[first:after].any():
            module.requires_grad_(False)
    if (frozen == params.trained).any():
        raise FileFormatError("frozen must have all parameters of a layer or none of them")

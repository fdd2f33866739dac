"""An architecture as JSON: layers by the names of their classes, with the arguments that make them anew.

What JSON has stands for itself. Everything else is an object with one key that says what it is: {"layer": "Linear",
"arguments": {...}}, {"init": ...}, {"tuple": [...]}, {"dict": [[key, value], ...]}, {"slice": [start, stop, step]},
{"range": ...}, {"float": "nan"}, {"array": [...], "dtype": ..., "shape": [...]}.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import nn
from ..nn import init
from ..nn.arguments import arguments_of, make
from ..nn.module import Module
from .format import FileFormatError


def built_in(module: Any, base: type) -> dict[str, type]:
    """The public classes of `module` below `base`."""
    names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
    classes = {name: getattr(module, name) for name in names}
    return {
        name: cls
        for name, cls in classes.items()
        if isinstance(cls, type) and issubclass(cls, base) and cls is not base
    }


# -- to JSON -----------------------------------------------------------------------------------------------------------


def encode_layer(layer: Module, where: str) -> dict[str, Any]:
    """A layer, or a network, as JSON.

    Raises
    ------
    TypeError, ValueError
        If an argument is something that a file cannot hold.
    """
    name = type(layer).__name__
    public = built_in(nn, Module)
    if name in public and public[name] is not type(layer):
        raise ValueError(f"{where}: a layer class of your own must not be named {name}, as one of fastnn is")
    arguments = {key: _encode(value, f"{where}: {name}({key}=)") for key, value in layer.config().items()}
    return {"layer": name, "arguments": arguments}


def _encode(value: Any, where: str) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Module):
        return encode_layer(value, where)
    if isinstance(value, np.generic):
        return _encode(value.item(), where)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list):
        return [_encode(item, where) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, where) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_encode(key, where), _encode(item, where)] for key, item in value.items()]}
    if isinstance(value, (slice, range)):
        parts = [value.start, value.stop, value.step]
        return {type(value).__name__: [_encode(part, where) for part in parts]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        items = [_encode(item, where) for item in value.ravel().tolist()]
        return {"array": items, "dtype": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if type(value) in built_in(init, object).values():
        arguments = {key: _encode(item, where) for key, item in arguments_of(value).items()}
        return {"init": type(value).__name__, "arguments": arguments}
    if callable(value) and where.endswith("_init=)"):
        return None  # a rule of the user's own: it has done its work, its values are in the tensors
    raise TypeError(
        f"{where}: a file cannot hold {type(value).__name__} {value!r:.60}: let config() return plain values"
    )


# -- from JSON ---------------------------------------------------------------------------------------------------------


class Builder:
    """Makes layers from JSON.

    Parameters
    ----------
    layers : dict of str to class
        Layer classes besides those of `nn`, by name.
    budget : int
        Number of values in the file: an architecture that has more is refused before memory is asked for.
    """

    def __init__(self, layers: dict[str, type], budget: int) -> None:
        self.layers = built_in(nn, Module) | layers
        self.budget = budget
        self._rules: list[tuple[Module, dict[str, Any]]] = []

    def network(self, spec: Any) -> nn.Sequential:
        """The network, with its parameters at 0: drawing them, only to overwrite them, can take long."""
        try:
            net = self._layer(spec, "architecture")
        except RecursionError:
            raise FileFormatError("architecture: nested too deep") from None
        if not isinstance(net, nn.Sequential):
            raise FileFormatError(f"architecture: a {type(net).__name__}, not a Sequential")
        for layer, rules in self._rules:
            layer._inits = rules
        return net

    def _layer(self, spec: Any, where: str) -> Module:
        name = spec.get("layer") if isinstance(spec, dict) else None
        if not isinstance(name, str):
            raise FileFormatError(f"{where}: not a layer: {spec!r:.60}")
        if name not in self.layers:
            raise FileFormatError(
                f"{where}: no layer class {name!r} is known: fastnn.load(path, layers={{{name!r}: ...}}) tells it, "
                "or fastnn.register_layer(...)"
            )
        layer: Module = self._make(self.layers[name], spec, where)
        self._rules.append((layer, layer._inits))
        layer._inits = dict.fromkeys(layer._inits, 0.0)
        return layer

    def _make(self, cls: type, spec: dict[str, Any], where: str) -> Any:
        arguments = spec.get("arguments")
        where = f"{where}: {cls.__name__}"
        if not isinstance(arguments, dict):
            raise FileFormatError(f"{where} without arguments")
        decoded = {key: self._decode(value, f"{where}({key}=)") for key, value in arguments.items()}
        size = sum(math.prod(s) for m in _modules(list(decoded.values())) for s in m.parameter_shapes().values())
        if size > self.budget:
            raise FileFormatError(f"{where}: {size} parameters, but the file has {self.budget} values")
        try:
            return make(cls, decoded)
        except (FileFormatError, RecursionError):
            raise
        except Exception as error:
            raise FileFormatError(f"{where} cannot be made: {error}") from error

    def _decode(self, spec: Any, where: str) -> Any:
        if isinstance(spec, list):
            return [self._decode(item, where) for item in spec]
        if not isinstance(spec, dict):
            return spec
        kind, content = next(iter(spec.items()), (None, None))
        if kind == "layer":
            return self._layer(spec, where)
        if kind == "init" and content in (rules := built_in(init, object)):
            return self._make(rules[content], spec, where)
        try:
            return self._plain(kind, content, spec, where)
        except (TypeError, ValueError, LookupError, OverflowError, MemoryError) as error:
            raise FileFormatError(f"{where}: {spec!r:.60} is nothing that fastnn writes ({error})") from None

    def _plain(self, kind: str | None, content: Any, spec: dict[str, Any], where: str) -> Any:
        """A value that JSON has no form of its own for."""
        if kind == "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content]
        items = self._decode(content, where)
        if kind == "array":
            return np.array(items, np.dtype(spec["dtype"])).reshape(spec["shape"])
        makers: dict[str | None, Any] = {"tuple": tuple, "dict": dict}
        ranges: dict[str | None, Any] = {"slice": slice, "range": range}
        return ranges[kind](*items) if kind in ranges else makers[kind](items)


def _modules(values: list[Any]) -> Iterator[Module]:
    """All layers among nested values, and those within them."""
    for value in values:
        if isinstance(value, Module):
            yield value
            yield from _modules(list(value.children()))
        elif isinstance(value, (list, tuple)):
            yield from _modules(list(value))
        elif isinstance(value, dict):
            yield from _modules(list(value.values()))

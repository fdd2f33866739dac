"""An architecture as JSON: layers as the names of their classes and the arguments of their constructors.

{"layer": "Linear", "arguments": {...}}, and initializers likewise: {"init": ..., "arguments": {...}}.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation import Array
from ..files.format import FileFormatError
from ..files.values import Values
from .arguments import arguments_of, make
from .module import Module
from .network import most_values
from .registry import INITIALIZERS, LAYERS


class Architecture(Values):
    """Converts layers to JSON and back.

    Parameters
    ----------
    tensors : dict of str to ndarray
        The tensors of the file, with those of the parameters. A network with more values than these is refused before
        memory is allocated for it.
    layers : dict of str to class, optional
        Layer classes besides those of `nn`, by name.

    Examples
    --------
    >>> from fastnn import nn
    >>> from fastnn.nn.architecture import Architecture
    >>> spec = Architecture({}).encode(nn.Sequential(nn.ReLU()), "net")
    >>> Architecture({}).network(spec)[0]
    ReLU()
    """

    def __init__(self, tensors: dict[str, Array], layers: dict[str, type] | None = None) -> None:
        super().__init__(tensors)
        self.public, self.rules = LAYERS, INITIALIZERS
        self.layers = self.public | (layers or {})
        self.budget = sum(array.size for array in tensors.values())
        self._inits: list[tuple[Module, dict[str, Any]]] = []

    # -- to JSON -------------------------------------------------------------------------------------------------------

    def encode(self, value: Any, where: str) -> Any:
        """`value` as JSON: layers and initializers, and what `Values.encode` takes.

        Raises
        ------
        TypeError
            If the file cannot hold an argument of a layer.
        ValueError
            If a layer class of your own has the name of one of fastnn.
        """
        if isinstance(value, Module):
            return self._encode_layer(value, where)
        if type(value) in self.rules.values():
            arguments = {key: self.encode(item, where) for key, item in arguments_of(value).items()}
            return {"init": type(value).__name__, "arguments": arguments}
        if where.endswith("_init=)") and not isinstance(value, (int, float, str, np.generic)):
            return None  # an array or a user's own initializer: no longer needed, the values are in the tensors
        return super().encode(value, where)

    def _encode_layer(self, layer: Module, where: str) -> dict[str, Any]:
        name = type(layer).__name__
        if self.public.get(name, type(layer)) is not type(layer):
            raise ValueError(f"{where}: a layer class of your own must not be named {name}, as one of fastnn is")
        arguments = {key: self.encode(value, f"{where}: {name}({key}=)") for key, value in layer.config().items()}
        return {"layer": name, "arguments": arguments}

    # -- from JSON -----------------------------------------------------------------------------------------------------

    def network(self, spec: Any, dtype: Any = None, seed: Any = None) -> Any:
        """The network of a description, with all parameters 0: random initial values would be overwritten anyway.

        A module that was used alone has its dtype and seed in the file.

        Raises
        ------
        FileFormatError
            If the description is damaged or nested too deep, a layer class is unknown or refuses its arguments, or the
            network has more values than the tensors of the file.
        """
        token = most_values.set(self.budget)
        try:
            net = self._layer(spec, "architecture")
        except RecursionError:
            raise FileFormatError("architecture: nested too deep") from None
        finally:
            most_values.reset(token)
        if dtype is not None:
            net = _network_of(net, dtype, seed)
        elif not isinstance(net, LAYERS["Sequential"]):
            raise FileFormatError(f"architecture: a {type(net).__name__}, not a Sequential")
        for layer, inits in self._inits:
            layer._inits = inits
        return net

    def decode(self, spec: Any, where: str) -> Any:
        """The layer, initializer or other value of a description; FileFormatError if there is none."""
        if isinstance(spec, dict) and "layer" in spec:
            return self._layer(spec, where)
        if isinstance(spec, dict) and spec.get("init") in self.rules:
            return self._make(self.rules[spec["init"]], spec, where)
        return super().decode(spec, where)

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
        self._inits.append((layer, layer._inits))
        layer._inits = dict.fromkeys(layer._inits, 0.0)
        return layer

    def _make(self, cls: type, spec: dict[str, Any], where: str) -> Any:
        arguments = spec.get("arguments")
        where = f"{where}: {cls.__name__}"
        if not isinstance(arguments, dict):
            raise FileFormatError(f"{where} without arguments")
        decoded = {key: self.decode(value, f"{where}({key}=)") for key, value in arguments.items()}
        try:
            return make(cls, decoded)
        except (MemoryError, RecursionError, SystemError):  # NumPy raises SystemError in some places for lack of memory
            raise
        except Exception as error:
            raise FileFormatError(f"{where} cannot be made: {error}") from error


def _network_of(module: Module, dtype: Any, seed: Any) -> Any:
    """The network of a module that is used alone."""
    if dtype not in ("float32", "float64") or type(seed) is not int or not 0 <= seed < 2**64 or module.is_network:
        raise FileFormatError(f"a module needs a dtype and a seed, got {dtype!r:.20} and {seed!r:.20}")
    net: Any = module._alone(dtype)
    net.__dict__["seed"] = seed  # it is fixed otherwise
    return net

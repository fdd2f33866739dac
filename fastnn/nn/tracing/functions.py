"""Functions of arrays as layers without parameters: what a `forward` calls beside its layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..._core import dispatch
from ..activations.rrelu import RReLU
from ..activations.softmax import LogSoftmax, Softmax, Softmin
from ..columns import Columns
from ..dropout import Dropout
from ..gates import GLU, Maxout, SwiGLU
from ..module import Module
from .errors import TraceError

if TYPE_CHECKING:
    from ...compiler.builder import Builder


class Function(Module):
    """An elementwise function: a kernel and its parameters."""

    def __init__(self, kernel: str, params: tuple[float, ...]) -> None:
        super().__init__()
        if f"{kernel}_backward" not in dispatch.PLACES:
            raise TraceError(f"{kernel} has no gradient")
        self.kernel, self.params = kernel, params

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.activation(self, label, self.kernel, self.params)

    def extra_repr(self) -> str:
        return ", ".join(f"{value:g}" for value in self.params)


class Tied(Module):
    """A product with a parameter of another layer, or its transpose, and perhaps a bias.

    A transposed weight of more than two axes is read as a matrix: its first axis, and all others.
    """

    def __init__(self, weight: Any, bias: Any) -> None:
        super().__init__()
        self.sources = {"weight": (weight.layer, weight.name)} | (
            {} if bias is None else {"bias": (bias.layer, bias.name)}
        )
        self.transposed, self.sizes = weight.transposed, (math.prod(weight.sizes[:-1]), weight.sizes[-1])

    def array(self, name: str) -> Any:
        return self._of(name, "array")

    def gradient(self, name: str) -> Any:
        return self._of(name, "gradient")

    def _of(self, name: str, what: str) -> Any:
        layer, own = self.sources.get(name, (None, ""))
        array = None if layer is None else getattr(layer, what)(own)
        return array if array is None or array.ndim < 3 else array.reshape(len(array), -1)

    def trained_names(self) -> tuple[str, ...]:
        return tuple(name for name, (layer, own) in self.sources.items() if own in layer.trained_names())

    def in_features_hint(self) -> int:
        return self.sizes[0]

    def out_features_for(self, in_features: int) -> int:
        return self.sizes[1]

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.linear(self, label, transposed=self.transposed)


def _softmax(layer: type[Softmax]) -> Callable[..., Module]:
    def make(axis: int = -1, temperature: float = 1.0) -> Module:
        if axis not in (-1, 1):
            raise TraceError(f"{layer.kernel} is over the features, axis=-1, not {axis}")
        return layer(temperature=temperature)

    return make


def _rrelu(lower: float, upper: float, training: bool) -> Module:
    return RReLU(lower, upper) if training else Function("leaky_relu", ((lower + upper) / 2,))


def _dropout(p: float = 0.5, training: bool = True) -> Module:
    return Dropout(p if training else 0.0)


# Functions of `fastnn.functional` that are no elementwise kernels, with the arguments that they pass to `apply`.
LAYERS: dict[str, Callable[..., Module]] = {
    "softmax": _softmax(Softmax),
    "softmin": _softmax(Softmin),
    "log_softmax": _softmax(LogSoftmax),
    "glu": GLU,
    "swiglu": SwiGLU,
    "maxout": Maxout,
    "dropout": _dropout,
    "rrelu": _rrelu,
    "columns": Columns,
}


def as_layer(name: str, args: tuple[Any, ...]) -> Module:
    """The layer for a function: a kernel with its numbers, or one of `LAYERS`."""
    if name in LAYERS:
        return LAYERS[name](*args)
    if dispatch.PLACES.get(name, (0, ""))[1] == "map1":
        return Function(name, args)
    raise TraceError(f"{name} has no compiled form")

"""Symbols: what a `forward` that is traced is given in place of arrays. Operators add values to the trace."""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

import numpy as np

from ...functional._symbolic import Symbolic
from .errors import TraceError, UnknownAttributeError

UFUNCS = {
    np.add: "add",
    np.subtract: "subtract",
    np.multiply: "multiply",
    np.divide: "divide",
    np.negative: "negative",
    np.exp: "exp",
    np.expm1: "expm1",
    np.log: "log",
    np.log1p: "log1p",
    np.tanh: "tanh",
    np.reciprocal: "reciprocal",
}


class Trace(Protocol):
    """What operators and functions of symbols add values to: `trace.Trace`."""

    def function(self, name: str, *args: Any) -> Symbol:
        """The call of a function of `functional`."""

    def layer(self, layer: Any, x: Symbol) -> Symbol:
        """The call of a layer."""

    def binary(self, kind: str, a: Any, b: Any) -> Symbol:
        """A sum, difference, product or quotient."""

    def concat(self, parts: Any, axis: Any) -> Symbol:
        """Matrices side by side."""

    def sum(self, x: Symbol) -> Symbol:
        """The sum over the features."""

    def columns(self, x: Symbol, key: Any) -> Symbol:
        """Some columns."""

    def linear(self, x: Symbol, weight: Any, bias: Any) -> Symbol:
        """A product with a parameter."""

    def width(self, symbol: Symbol) -> int:
        """The features of a symbol."""


class Symbol(Symbolic):
    """A matrix (rows, features) whose values are not known yet.

    Attributes
    ----------
    features : int or None
        Its columns; None while they are not known.
    """

    __slots__ = ("features", "number", "trace")

    def __init__(self, trace: Trace, number: int, features: int | None) -> None:
        self.trace, self.number, self.features = trace, number, features

    @property
    def shape(self) -> tuple[None, int | None]:
        """(None, features): the number of rows is not known."""
        return None, self.features

    @property
    def ndim(self) -> int:
        """2"""
        return 2

    @property
    def dtype(self) -> NoReturn:
        """Not known: a network is compiled in one dtype, whatever `forward` does."""
        raise TraceError("the dtype is that of the network, and not known here")

    def apply(self, name: str, *args: Any) -> Symbol:
        return self.trace.function(name, *args)

    def call(self, layer: Any) -> Symbol:
        return self.trace.layer(layer, self)

    def concat(self, parts: Any, axis: Any) -> Symbol:
        return self.trace.concat(parts, axis)

    # -- operators -----------------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Symbol:
        return self.trace.binary("add", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return self.trace.binary("add", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return self.trace.binary("subtract", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self.trace.binary("subtract", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return self.trace.binary("multiply", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return self.trace.binary("multiply", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return self.trace.binary("divide", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self.trace.binary("divide", other, self)

    def __neg__(self) -> Symbol:
        return self.trace.binary("multiply", self, -1.0)

    def __pos__(self) -> Symbol:
        return self

    def __pow__(self, power: Any) -> Symbol:
        if power == -1:
            return self.trace.binary("divide", 1.0, self)
        if power not in (1, 2, 3, 4):
            raise TraceError(f"x ** {power!r}: only the powers -1, 1, 2, 3 and 4, which are products")
        result = self
        for _ in range(int(power) - 1):
            result = result * self
        return result

    def __matmul__(self, other: Any) -> Symbol:
        return self.trace.linear(self, other, None)

    def __getitem__(self, key: Any) -> Symbol:
        return self.trace.columns(self, key)

    # -- over the features ---------------------------------------------------------------------------------------------

    def sum(self, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Symbol:
        """The sum over the features, of shape (rows, 1): dim must be -1 or 1, and keepdim True."""
        _check_reduction("sum", dim, axis, keepdim or keepdims)
        return self.trace.sum(self)

    def mean(self, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Symbol:
        """The mean over the features, likewise."""
        _check_reduction("mean", dim, axis, keepdim or keepdims)
        return self.trace.sum(self) / self.trace.width(self)

    def max(self, dim: Any = None, keepdim: bool = False, *, axis: Any = None, keepdims: bool = False) -> Symbol:
        """The largest feature, likewise; its gradient goes to the first of equal ones."""
        _check_reduction("max", dim, axis, keepdim or keepdims)
        return self.trace.function("maxout", self, self.trace.width(self))

    amax = max

    # -- NumPy ---------------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Symbol:
        name = UFUNCS.get(ufunc)
        if name is None or method != "__call__" or keywords:
            raise TraceError(f"np.{getattr(ufunc, '__name__', ufunc)} has no compiled form")
        if name == "negative":
            return -self
        return self.trace.binary(name, *inputs) if len(inputs) == 2 else self.trace.function(name, self)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Symbol:
        if function in (np.sum, np.mean, np.max) and args and args[0] is self:
            result: Symbol = getattr(self, function.__name__)(*args[1:], **keywords)
            return result
        if function in (np.concatenate, np.hstack):
            axis = keywords.get("axis", args[1] if len(args) > 1 else 0) if function is np.concatenate else 1
            return self.trace.concat(args[0], axis)
        raise TraceError(f"np.{function.__name__} has no compiled form")

    def __array__(self, *args: Any, **keywords: Any) -> NoReturn:
        raise TraceError("this function takes arrays, and x has no values yet")

    # -- what needs values ---------------------------------------------------------------------------------------------

    def __bool__(self) -> NoReturn:
        raise TraceError("it depends on the values of x, which are not known while it is traced: if, while, and, or")

    def __iter__(self) -> NoReturn:
        raise TraceError("the rows of x cannot be gone through: there is no loop over samples")

    def __len__(self) -> NoReturn:
        raise TraceError("the number of rows is not known")

    def __float__(self) -> NoReturn:
        raise TraceError("x has no values yet")

    __int__ = __index__ = __float__

    def _compared(self, other: Any) -> NoReturn:
        raise TraceError("a comparison of values has no compiled form")

    __lt__ = __le__ = __gt__ = __ge__ = _compared

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TraceError("columns cannot be written: join parts by fastnn.concat")

    def __getattr__(self, name: str) -> NoReturn:
        raise UnknownAttributeError(f"a matrix that is traced has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"Symbol(rows, {self.features})"


class ParameterSymbol(Symbol):
    """A parameter of a module, `self["name"]` in its forward: a row for each sample, or the matrix of a product."""

    __slots__ = ("layer", "name", "sizes", "transposed")

    def __init__(self, trace: Trace, layer: Any, name: str, transposed: bool = False) -> None:
        shape = layer.parameter_shapes()[name]
        self.layer, self.name, self.transposed = layer, name, transposed
        self.sizes: tuple[int, ...] = shape[::-1] if transposed else shape
        super().__init__(trace, -1, self.sizes[-1] if self.sizes else 1)

    @property
    def T(self) -> ParameterSymbol:
        """The transpose, as the matrix of a product: x @ self.encoder.weight.T."""
        return ParameterSymbol(self.trace, self.layer, self.name, not self.transposed)

    @property
    def shape(self) -> Any:
        """Of the parameter."""
        return self.sizes

    @property
    def ndim(self) -> int:
        return len(self.sizes)

    def __repr__(self) -> str:
        return self.name + (".T" if self.transposed else "")


def _check_reduction(name: str, dim: Any, axis: Any, keep: bool) -> None:
    """Raise TraceError unless a reduction is one over the features that keeps the axis."""
    given = dim if axis is None else axis
    if given not in (-1, 1) or not keep:
        raise TraceError(f"x.{name} is over the features, and keeps their axis: x.{name}(dim=-1, keepdim=True)")

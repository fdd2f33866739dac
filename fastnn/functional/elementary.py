"""Elementary functions, elementwise: what the activations and losses are made of."""

from typing import Any

from ._elementwise import Array, binary, documented, unary

__all__ = ["add", "erf", "exp", "expm1", "log", "log1p"]

_exp, _expm1, _log, _log1p, _erf = (unary(name) for name in ("exp", "expm1", "log", "log1p", "erf"))
_add = binary("add", first="x", second="other")


@documented()
def exp(x: Any, *, out: Array | None = None) -> Array:
    """Exponential.

    y = e^x
    """
    return _exp(x, out)


@documented()
def expm1(x: Any, *, out: Array | None = None) -> Array:
    """Exponential minus one, accurate near 0.

    y = e^x - 1
    """
    return _expm1(x, out)


@documented()
def log(x: Any, *, out: Array | None = None) -> Array:
    """Natural logarithm.

    y = log(x);  log(0) is -inf, and NaN below 0
    """
    return _log(x, out)


@documented()
def log1p(x: Any, *, out: Array | None = None) -> Array:
    """Natural logarithm of one plus x, accurate near 0.

    y = log(1 + x);  log1p(-1) is -inf, and NaN below -1
    """
    return _log1p(x, out)


@documented()
def erf(x: Any, *, out: Array | None = None) -> Array:
    """Error function.

    y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x
    """
    return _erf(x, out)


@documented(other="ndarray, shape and dtype of x")
def add(x: Any, other: Any, *, out: Array | None = None) -> Array:
    """Sum of two arrays of one shape.

    y = x + other
    """
    return _add(x, other, out)

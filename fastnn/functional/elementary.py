"""Elementary functions, elementwise; activations and losses are built from them."""

from typing import Any

from ._elementwise import Array, binary, documented, unary

__all__ = ["add", "erf", "exp", "expm1", "log", "log1p"]

_exp, _expm1, _log, _log1p, _erf = (unary(name) for name in ("exp", "expm1", "log", "log1p", "erf"))
_add = binary("add", first="x", second="other")


@documented()
def exp(x: Any, *, out: Array | None = None) -> Array:
    """Exponential.

    y = e^x

    >>> F.exp(np.array([0.0, 1.0])).round(4)
    array([1.    , 2.7183])
    """
    return _exp(x, out)


@documented()
def expm1(x: Any, *, out: Array | None = None) -> Array:
    """Exponential minus one, accurate near 0.

    y = e^x - 1

    >>> F.expm1(np.array([0.0, 1.0])).round(4)
    array([0.    , 1.7183])
    """
    return _expm1(x, out)


@documented()
def log(x: Any, *, out: Array | None = None) -> Array:
    """Natural logarithm.

    y = log(x)

    It is -inf at 0 and NaN below.

    >>> F.log(np.array([0.0, 1.0, 2.0])).round(4)
    array([  -inf, 0.    , 0.6931])
    """
    return _log(x, out)


@documented()
def log1p(x: Any, *, out: Array | None = None) -> Array:
    """Natural logarithm of one plus x, accurate near 0.

    y = log(1 + x)

    It is -inf at -1 and NaN below.

    >>> F.log1p(np.array([-1.0, 0.0, 1.0])).round(4)
    array([  -inf, 0.    , 0.6931])
    """
    return _log1p(x, out)


@documented()
def erf(x: Any, *, out: Array | None = None) -> Array:
    """Error function.

    y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x

    >>> F.erf(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.8427,  0.    ,  0.8427])
    """
    return _erf(x, out)


@documented(other="ndarray, shape and dtype of x")
def add(x: Any, other: Any, *, out: Array | None = None) -> Array:
    """Sum of two arrays of one shape; nothing is broadcast.

    y = x + other

    Notes
    -----
    A shape of other that is not that of x is a ValueError, another dtype a TypeError.

    >>> F.add(np.array([1.0, 2.0]), np.array([0.5, 0.25]))
    array([1.5 , 2.25])
    """
    return _add(x, other, out)

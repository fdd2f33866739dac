"""Elementary functions, elementwise; activations and losses are built from them."""

from typing import Any

from ._elementwise import Array, binary, documented, unary

__all__ = [
    "add",
    "affine",
    "affine_backward",
    "divide",
    "erf",
    "erf_backward",
    "exp",
    "exp_backward",
    "expm1",
    "expm1_backward",
    "log",
    "log1p",
    "log1p_backward",
    "log_backward",
    "multiply",
    "reciprocal",
    "reciprocal_backward",
    "subtract",
]

_exp, _expm1, _log, _log1p, _erf = (unary(name) for name in ("exp", "expm1", "log", "log1p", "erf"))
_exp_backward = binary("exp_backward", second="output")
_expm1_backward, _log_backward, _log1p_backward, _erf_backward = (
    binary(f"{name}_backward") for name in ("expm1", "log", "log1p", "erf")
)
_add, _subtract, _multiply, _divide = (
    binary(name, first="x", second="other") for name in ("add", "subtract", "multiply", "divide")
)
_affine = unary("affine", names=("scale", "shift"))
_affine_backward = binary("affine_backward", names=("scale", "shift"))
_reciprocal = unary("reciprocal", names=("scale",))
_reciprocal_backward = binary("reciprocal_backward", names=("scale",))

# Of the docstrings below.
OTHER = "ndarray, shape and dtype of x"
FACTOR = "float, default 1.0"
ZERO = "float, default -0.0"


@documented()
def exp(x: Any, *, out: Array | None = None) -> Array:
    """Exponential.

    y = e^x

    >>> F.exp(np.array([0.0, 1.0])).round(4)
    array([1.    , 2.7183])
    """
    return _exp(x, out)


@documented()
def exp_backward(grad_output: Any, output: Any, *, out: Array | None = None) -> Array:
    """Gradient of `exp`; takes its output, which is its derivative.

    grad_x = grad_output * output

    >>> F.exp_backward(np.array([0.5, 2.0]), np.array([3.0, 0.25]))
    array([1.5, 0.5])
    """
    return _exp_backward(grad_output, output, out)


@documented()
def expm1(x: Any, *, out: Array | None = None) -> Array:
    """Exponential minus one, accurate near 0.

    y = e^x - 1

    >>> F.expm1(np.array([0.0, 1.0])).round(4)
    array([0.    , 1.7183])
    """
    return _expm1(x, out)


@documented()
def expm1_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `expm1`; takes the input, since output + 1 has lost the digits of e^x for negative x.

    grad_x = grad_output * e^x

    >>> F.expm1_backward(np.ones(2), np.array([0.0, 1.0])).round(4)
    array([1.    , 2.7183])
    """
    return _expm1_backward(grad_output, x, out)


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
def log_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `log`.

    grad_x = grad_output / x

    It is that also where x < 0, as in PyTorch.

    >>> F.log_backward(np.ones(3), np.array([0.0, 0.5, 2.0]))
    array([inf, 2. , 0.5])
    """
    return _log_backward(grad_output, x, out)


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
def log1p_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `log1p`.

    grad_x = grad_output / (1 + x)

    It is that also where x < -1, as in PyTorch.

    >>> F.log1p_backward(np.ones(3), np.array([-1.0, 0.0, 3.0]))
    array([ inf, 1.  , 0.25])
    """
    return _log1p_backward(grad_output, x, out)


@documented()
def erf(x: Any, *, out: Array | None = None) -> Array:
    """Error function.

    y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x

    >>> F.erf(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.8427,  0.    ,  0.8427])
    """
    return _erf(x, out)


@documented()
def erf_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `erf`.

    grad_x = grad_output * 2 / sqrt(pi) * exp(-x^2)

    >>> F.erf_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.4151, 1.1284, 0.4151])
    """
    return _erf_backward(grad_output, x, out)


@documented(other=OTHER)
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


@documented(other=OTHER)
def subtract(x: Any, other: Any, *, out: Array | None = None) -> Array:
    """Difference of two arrays of one shape; nothing is broadcast.

    y = x - other

    Notes
    -----
    A shape of other that is not that of x is a ValueError, another dtype a TypeError.

    >>> F.subtract(np.array([1.0, 2.0]), np.array([0.5, 0.25]))
    array([0.5 , 1.75])
    """
    return _subtract(x, other, out)


@documented(other=OTHER)
def multiply(x: Any, other: Any, *, out: Array | None = None) -> Array:
    """Product of two arrays of one shape; nothing is broadcast.

    y = x * other, element by element

    Notes
    -----
    A shape of other that is not that of x is a ValueError, another dtype a TypeError.

    >>> F.multiply(np.array([1.0, 2.0]), np.array([0.5, 0.25]))
    array([0.5, 0.5])
    """
    return _multiply(x, other, out)


@documented(other=OTHER)
def divide(x: Any, other: Any, *, out: Array | None = None) -> Array:
    """Quotient of two arrays of one shape; nothing is broadcast.

    y = x / other

    It follows IEEE 754: 1 / 0 is inf, 0 / 0 is NaN.

    Notes
    -----
    A shape of other that is not that of x is a ValueError, another dtype a TypeError.

    >>> F.divide(np.array([1.0, 2.0]), np.array([0.5, 0.25]))
    array([2., 8.])
    """
    return _divide(x, other, out)


@documented(scale=FACTOR, shift=ZERO)
def affine(x: Any, scale: float = 1.0, shift: float = -0.0, *, out: Array | None = None) -> Array:
    """Product and sum with numbers, each rounded.

    y = scale * x + shift

    Notes
    -----
    The default shift leaves the sign of a product of 0 as it is: -0.0 + -0.0 is -0.0.

    >>> F.affine(np.array([1.0, 2.0]), 2.0, 0.5)
    array([2.5, 4.5])
    """
    return _affine(x, out, scale, shift)


@documented(nan="NaN in grad_output gives NaN; x is not read.", scale=FACTOR, shift=ZERO)
def affine_backward(
    grad_output: Any, x: Any, scale: float = 1.0, shift: float = -0.0, *, out: Array | None = None
) -> Array:
    """Gradient of `affine`.

    grad_x = scale * grad_output

    >>> F.affine_backward(np.array([1.0, 2.0]), np.array([0.0, 0.0]), 2.0)
    array([2., 4.])
    """
    return _affine_backward(grad_output, x, out, scale, shift)


@documented(scale=FACTOR)
def reciprocal(x: Any, scale: float = 1.0, *, out: Array | None = None) -> Array:
    """A number divided by an array.

    y = scale / x

    Notes
    -----
    It follows IEEE 754: 1 / 0 is inf, 1 / -0.0 is -inf.

    >>> F.reciprocal(np.array([1.0, 2.0]), 3.0)
    array([3. , 1.5])
    """
    return _reciprocal(x, out, scale)


@documented(scale=FACTOR)
def reciprocal_backward(grad_output: Any, x: Any, scale: float = 1.0, *, out: Array | None = None) -> Array:
    """Gradient of `reciprocal`.

    grad_x = -grad_output * scale / x^2

    Notes
    -----
    The square is not computed: the result overflows only where it is itself out of range.

    >>> F.reciprocal_backward(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    array([-1.  , -0.25])
    """
    return _reciprocal_backward(grad_output, x, out, scale)

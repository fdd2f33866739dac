"""Self-gated units, elementwise: x times a factor between 0 and 1 that grows with x."""

from typing import Any

from .. import _validation as check
from ._elementwise import NAN_UNLESS, Array, binary, documented, unary

__all__ = [
    "gelu",
    "gelu_backward",
    "hardswish",
    "hardswish_backward",
    "mish",
    "mish_backward",
    "silu",
    "silu_backward",
]

# Of the docstrings below.
UNKNOWN_FORM = "approximate is anything else"

_gelu = unary("gelu", approximate="none")
_gelu_tanh = unary("gelu_tanh", "gelu", approximate="tanh")
_gelu_backward = binary("gelu_backward", approximate="none")
_gelu_tanh_backward = binary("gelu_tanh_backward", "gelu_backward", approximate="tanh")


@documented(values=UNKNOWN_FORM, approximate='{"none", "tanh"}, default "none"')
def gelu(x: Any, approximate: str = "none", *, out: Array | None = None) -> Array:
    """Gaussian error linear unit (Hendrycks and Gimpel 2016).

    y = x * Phi(x),  Phi(x) = (1 + erf(x / sqrt(2))) / 2
    y = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2     with approximate="tanh"

    Notes
    -----
    Both forms avoid the cancellation that these formulas have for negative x. The first is within 4 ULP everywhere. The
    error of the second grows with the argument of tanh, which is rounded before its exponential is taken: it is within
    4 ULP above x = -0.8, 40 ULP above -5, and 200 ULP (float64: 1,600) below, where |y| is smaller than 2e-6.

    >>> F.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    if approximate == "none":
        return _gelu(x, out)
    check.check_choice("approximate", approximate, ("none", "tanh"))
    return _gelu_tanh(x, out)


@documented(values=UNKNOWN_FORM, approximate='{"none", "tanh"}, default "none"')
def gelu_backward(grad_output: Any, x: Any, approximate: str = "none", *, out: Array | None = None) -> Array:
    """Gradient of `gelu`, in the same form.

    grad_x = grad_output * (Phi(x) + x * phi(x)),  phi(x) = exp(-x^2 / 2) / sqrt(2 pi)

    Notes
    -----
    The gradient is 0 at x = -0.7518 (tanh: -0.7525), where the two terms cancel: between -2 and 0 the error is below
    2 eps * |grad_output|, where eps is 1.2e-7 in float32 and 2.2e-16 in float64. Elsewhere it is, in ULP, about that of
    `gelu`.

    >>> F.gelu_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.0833,  0.5   ,  1.0833])
    """
    if approximate == "none":
        return _gelu_backward(grad_output, x, out)
    check.check_choice("approximate", approximate, ("none", "tanh"))
    return _gelu_tanh_backward(grad_output, x, out)


_silu = unary("silu")
_silu_backward = binary("silu_backward")


@documented()
def silu(x: Any, *, out: Array | None = None) -> Array:
    """Sigmoid linear unit, also called swish (Elfwing, Uchibe and Doya 2017; Ramachandran, Zoph and Le 2017).

    y = x * sigmoid(x) = x / (1 + exp(-x))

    Notes
    -----
    Within 6 ULP for x < 2, measured, down to where y is denormal. silu(-inf) is -0.0, the limit; PyTorch's is NaN.

    >>> F.silu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    return _silu(x, out)


@documented()
def silu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `silu`.

    grad_x = grad_output * s * (1 + x * (1 - s)),  s = sigmoid(x)

    Notes
    -----
    Within 6 ULP for x < -5, measured, down to where the gradient is denormal.

    >>> F.silu_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.0723, 0.5   , 0.9277])
    """
    return _silu_backward(grad_output, x, out)


_mish = unary("mish")
_mish_backward = binary("mish_backward")


@documented()
def mish(x: Any, *, out: Array | None = None) -> Array:
    """Mish (Misra 2019).

    y = x * tanh(log(1 + exp(x)))

    Notes
    -----
    Within 6 ULP for x < 2, measured, down to where y is denormal. mish(-inf) is -0.0, the limit.

    >>> F.mish(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.3034,  0.    ,  0.8651])
    """
    return _mish(x, out)


@documented()
def mish_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `mish`.

    grad_x = grad_output * (t + x * (1 - t^2) * sigmoid(x)),  t = tanh(log(1 + exp(x)))

    Notes
    -----
    Within 6 ULP for x < -5, measured, down to where the gradient is denormal.

    >>> F.mish_backward(np.ones(3), np.array([-1.0, 0.0, 1.0])).round(4)
    array([0.0592, 0.6   , 1.049 ])
    """
    return _mish_backward(grad_output, x, out)


_hardswish = unary("hardswish")
_hardswish_backward = binary("hardswish_backward")


@documented()
def hardswish(x: Any, *, out: Array | None = None) -> Array:
    """Piecewise linear swish (Howard et al. 2019).

    y = x * min(max(x + 3, 0), 6) / 6

    hardswish(-inf) is -0.0, the limit.

    >>> F.hardswish(np.array([-1.5, 0.0, 1.5, 4.0]))
    array([-0.375,  0.   ,  1.125,  4.   ])
    """
    return _hardswish(x, out)


@documented(nan="NaN in x gives NaN. " + NAN_UNLESS.format("x <= -3"))
def hardswish_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `hardswish`.

    grad_x = grad_output * (x / 3 + 1 / 2) where -3 < x < 3, grad_output above, 0 below

    >>> F.hardswish_backward(np.ones(4), np.array([-4.0, 0.0, 1.5, 4.0]))
    array([0. , 0.5, 1. , 1. ])
    """
    return _hardswish_backward(grad_output, x, out)

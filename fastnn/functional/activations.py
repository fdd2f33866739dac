"""Activation functions and their gradients, elementwise.

The gradients of sigmoid and tanh take the output, as ATen's do; all others take the input. Infinities give the limit of
the function; at a kink the gradient is PyTorch's.
"""

from typing import Any

from .. import _validation as check
from .._core.activations import ASCENDING, NOT_ZERO
from ._elementwise import Array, binary, documented, unary

__all__ = [
    "celu", "celu_backward", "elu", "elu_backward", "gelu", "gelu_backward", "hardsigmoid", "hardsigmoid_backward",
    "hardswish", "hardswish_backward", "hardtanh", "hardtanh_backward", "leaky_relu", "leaky_relu_backward", "mish",
    "mish_backward", "relu", "relu6", "relu6_backward", "relu_backward", "selu", "selu_backward", "sigmoid",
    "sigmoid_backward", "silu", "silu_backward", "softplus", "softplus_backward", "softsign", "softsign_backward",
    "tanh", "tanh_backward",
]  # fmt: skip

# Of the docstrings below: parameters, values that raise, and NaN in the gradients that select.
SLOPE = "float, default 0.01\n    Slope where x <= 0."
ALPHA = "float, default 1.0"
NOT_0 = "float, default 1.0, not 0"
INTERVAL = {"min_val": "float, default -1.0", "max_val": "float, default 1.0, above min_val"}
NO_INTERVAL = "max_val is not above min_val"
UNKNOWN_FORM = "approximate is anything else"
NAN_UNLESS = "NaN in grad_output gives NaN, but 0 where {}."
PASSES = f"Where x is NaN the gradient is grad_output, as in PyTorch. {NAN_UNLESS}"
SCALED = "NaN in grad_output gives NaN. Where x is NaN the gradient is negative_slope * grad_output."

_sigmoid = unary("sigmoid")
_sigmoid_backward = binary("sigmoid_backward", second="output")


@documented()
def sigmoid(x: Any, *, out: Array | None = None) -> Array:
    """Logistic function.

    y = 1 / (1 + exp(-x))

    Its range is (0, 1); rounding makes it 0 or 1 far from 0.

    >>> F.sigmoid(np.array([-2.0, 0.0, 2.0])).round(4)
    array([0.1192, 0.5   , 0.8808])
    """
    return _sigmoid(x, out)


@documented()
def sigmoid_backward(grad_output: Any, output: Any, *, out: Array | None = None) -> Array:
    """Gradient of `sigmoid`; takes its output, as ATen's.

    grad_x = grad_output * output * (1 - output)

    >>> F.sigmoid_backward(np.ones(2), np.array([0.5, 0.25]))
    array([0.25  , 0.1875])
    """
    return _sigmoid_backward(grad_output, output, out)


_tanh = unary("tanh")
_tanh_backward = binary("tanh_backward", second="output")


@documented()
def tanh(x: Any, *, out: Array | None = None) -> Array:
    """Hyperbolic tangent.

    y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))

    >>> F.tanh(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.7616,  0.    ,  0.7616])
    """
    return _tanh(x, out)


@documented()
def tanh_backward(grad_output: Any, output: Any, *, out: Array | None = None) -> Array:
    """Gradient of `tanh`; takes its output, as ATen's.

    grad_x = grad_output * (1 - output^2)

    >>> F.tanh_backward(np.ones(2), np.array([0.0, 0.5]))
    array([1.  , 0.75])
    """
    return _tanh_backward(grad_output, output, out)


_relu = unary("relu")
_relu_backward = binary("relu_backward")


@documented()
def relu(x: Any, *, out: Array | None = None) -> Array:
    """Rectified linear unit (Nair and Hinton 2010).

    y = max(0, x)

    relu(-0.0) is -0.0.

    >>> F.relu(np.array([-1.5, 0.0, 2.5]))
    array([0. , 0. , 2.5])
    """
    return _relu(x, out)


@documented(nan=PASSES.format("x <= 0"))
def relu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `relu`.

    grad_x = grad_output where x > 0, else 0

    >>> F.relu_backward(np.ones(3), np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    """
    return _relu_backward(grad_output, x, out)


_leaky_relu = unary("leaky_relu", names=("negative_slope",))
_leaky_relu_backward = binary("leaky_relu_backward", names=("negative_slope",))


@documented(negative_slope=SLOPE)
def leaky_relu(x: Any, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Leaky rectified linear unit (Maas, Hannun and Ng 2013).

    y = x where x > 0, else negative_slope * x

    >>> F.leaky_relu(np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([-0.5,  0. ,  3. ])
    """
    return _leaky_relu(x, out, negative_slope)


@documented(nan=SCALED, negative_slope=SLOPE)
def leaky_relu_backward(grad_output: Any, x: Any, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Gradient of `leaky_relu`.

    grad_x = grad_output where x > 0, else negative_slope * grad_output

    >>> F.leaky_relu_backward(np.ones(3), np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([0.25, 0.25, 1.  ])
    """
    return _leaky_relu_backward(grad_output, x, out, negative_slope)


_elu = unary("elu", names=("alpha",))
_elu_backward = binary("elu_backward", names=("alpha",))


@documented(alpha=ALPHA)
def elu(x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Exponential linear unit (Clevert, Unterthiner and Hochreiter 2015).

    y = x where x > 0, else alpha * (exp(x) - 1)

    >>> F.elu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """
    return _elu(x, out, alpha)


@documented(alpha=ALPHA)
def elu_backward(grad_output: Any, x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Gradient of `elu`.

    grad_x = grad_output where x > 0, else grad_output * alpha * exp(x)

    >>> F.elu_backward(np.ones(3), np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.3679, 1.    , 1.    ])
    """
    return _elu_backward(grad_output, x, out, alpha)


_selu = unary("selu")
_selu_backward = binary("selu_backward")


@documented()
def selu(x: Any, *, out: Array | None = None) -> Array:
    """Scaled exponential linear unit (Klambauer et al. 2017).

    y = 1.0507 * (x where x > 0, else 1.6733 * (exp(x) - 1))

    The constants, here in full precision, keep mean 0 and variance 1 from layer to layer.

    >>> F.selu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-1.1113,  0.    ,  2.1014])
    """
    return _selu(x, out)


@documented()
def selu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `selu`.

    grad_x = 1.0507 * grad_output * (1 where x > 0, else 1.6733 * exp(x))

    >>> F.selu_backward(np.ones(3), np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.6468, 1.7581, 1.0507])
    """
    return _selu_backward(grad_output, x, out)


_celu = unary("celu", names=("alpha",), rule=NOT_ZERO)
_celu_backward = binary("celu_backward", names=("alpha",), rule=NOT_ZERO)


@documented(values="alpha is 0", alpha=NOT_0)
def celu(x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Continuously differentiable exponential linear unit (Barron 2017).

    y = x where x > 0, else alpha * (exp(x / alpha) - 1)

    >>> F.celu(np.array([-1.0, 0.0, 2.0]), alpha=2.0).round(4)
    array([-0.7869,  0.    ,  2.    ])
    """
    return _celu(x, out, alpha)


@documented(values="alpha is 0", alpha=NOT_0)
def celu_backward(grad_output: Any, x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Gradient of `celu`.

    grad_x = grad_output where x > 0, else grad_output * exp(x / alpha)

    >>> F.celu_backward(np.ones(3), np.array([-1.0, 0.0, 2.0]), alpha=2.0).round(4)
    array([0.6065, 1.    , 1.    ])
    """
    return _celu_backward(grad_output, x, out, alpha)


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


_softplus = unary("softplus", names=("beta", "threshold"), rule=NOT_ZERO)
_softplus_backward = binary("softplus_backward", names=("beta", "threshold"), rule=NOT_ZERO)


@documented(values="beta is 0", beta=NOT_0, threshold="float, default 20.0")
def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0, *, out: Array | None = None) -> Array:
    """Smooth rectifier (Dugas et al. 2001).

    y = log(1 + exp(beta * x)) / beta, or x where beta * x > threshold

    Notes
    -----
    With beta = 1 within 6 ULP for -12 < x < 2, measured.

    >>> F.softplus(np.array([-1.0, 0.0, 30.0])).round(4)
    array([ 0.3133,  0.6931, 30.    ])
    """
    return _softplus(x, out, beta, threshold)


@documented(values="beta is 0", beta=NOT_0, threshold="float, default 20.0")
def softplus_backward(
    grad_output: Any, x: Any, beta: float = 1.0, threshold: float = 20.0, *, out: Array | None = None
) -> Array:
    """Gradient of `softplus`.

    grad_x = grad_output * sigmoid(beta * x), or grad_output where beta * x > threshold

    >>> F.softplus_backward(np.ones(3), np.array([-1.0, 0.0, 30.0])).round(4)
    array([0.2689, 0.5   , 1.    ])
    """
    return _softplus_backward(grad_output, x, out, beta, threshold)


_softsign = unary("softsign")
_softsign_backward = binary("softsign_backward")


@documented()
def softsign(x: Any, *, out: Array | None = None) -> Array:
    """Softsign (Bergstra et al. 2009).

    y = x / (1 + |x|)

    >>> F.softsign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """
    return _softsign(x, out)


@documented()
def softsign_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `softsign`.

    grad_x = grad_output / (1 + |x|)^2

    >>> F.softsign_backward(np.ones(3), np.array([-1.0, 0.0, 3.0]))
    array([0.25  , 1.    , 0.0625])
    """
    return _softsign_backward(grad_output, x, out)


_hardsigmoid = unary("hardsigmoid")
_hardsigmoid_backward = binary("hardsigmoid_backward")


@documented()
def hardsigmoid(x: Any, *, out: Array | None = None) -> Array:
    """Piecewise linear sigmoid, with PyTorch's slope of 1/6.

    y = min(max(x + 3, 0), 6) / 6

    >>> F.hardsigmoid(np.array([-4.0, 0.0, 1.5, 4.0]))
    array([0.  , 0.5 , 0.75, 1.  ])
    """
    return _hardsigmoid(x, out)


@documented(nan="The gradient is 0 where x is NaN. " + NAN_UNLESS.format("x <= -3 or x >= 3"))
def hardsigmoid_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `hardsigmoid`.

    grad_x = grad_output / 6 where -3 < x < 3, else 0

    >>> F.hardsigmoid_backward(np.full(3, 3.0), np.array([-4.0, 0.0, 4.0]))
    array([0. , 0.5, 0. ])
    """
    return _hardsigmoid_backward(grad_output, x, out)


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


_hardtanh = unary("hardtanh", names=("min_val", "max_val"), rule=ASCENDING)
_hardtanh_backward = binary("hardtanh_backward", names=("min_val", "max_val"), rule=ASCENDING)


@documented(values=NO_INTERVAL, **INTERVAL)
def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0, *, out: Array | None = None) -> Array:
    """Clamp to an interval.

    y = min(max(x, min_val), max_val)

    >>> F.hardtanh(np.array([-2.0, 0.5, 3.0]))
    array([-1. ,  0.5,  1. ])
    """
    return _hardtanh(x, out, min_val, max_val)


@documented(nan=PASSES.format("the slope is 0"), values=NO_INTERVAL, **INTERVAL)
def hardtanh_backward(
    grad_output: Any, x: Any, min_val: float = -1.0, max_val: float = 1.0, *, out: Array | None = None
) -> Array:
    """Gradient of `hardtanh`.

    grad_x = grad_output where min_val < x < max_val, else 0

    >>> F.hardtanh_backward(np.ones(3), np.array([-2.0, 0.5, 1.0]))
    array([0., 1., 0.])
    """
    return _hardtanh_backward(grad_output, x, out, min_val, max_val)


_relu6 = unary("relu6")
_relu6_backward = binary("relu6_backward")


@documented()
def relu6(x: Any, *, out: Array | None = None) -> Array:
    """Rectified linear unit limited to 6 (Krizhevsky 2010).

    y = min(max(0, x), 6)

    >>> F.relu6(np.array([-1.0, 2.5, 8.0]))
    array([0. , 2.5, 6. ])
    """
    return _relu6(x, out)


@documented(nan=PASSES.format("x <= 0 or x >= 6"))
def relu6_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `relu6`.

    grad_x = grad_output where 0 < x < 6, else 0

    >>> F.relu6_backward(np.ones(3), np.array([-1.0, 2.5, 8.0]))
    array([0., 1., 0.])
    """
    return _relu6_backward(grad_output, x, out)

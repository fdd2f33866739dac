"""Activation functions and their gradients, elementwise.

The gradients of sigmoid and tanh take the output, as ATen's do; all others take the input.
"""

from typing import Any

from .. import _validation as check
from ._elementwise import Array, binary, documented, unary

__all__ = [
    "celu", "celu_backward", "elu", "elu_backward", "gelu", "gelu_backward", "hardsigmoid", "hardsigmoid_backward",
    "hardswish", "hardswish_backward", "hardtanh", "hardtanh_backward", "leaky_relu", "leaky_relu_backward", "mish",
    "mish_backward", "relu", "relu6", "relu6_backward", "relu_backward", "selu", "selu_backward", "sigmoid",
    "sigmoid_backward", "silu", "silu_backward", "softplus", "softplus_backward", "softsign", "softsign_backward",
    "tanh", "tanh_backward",
]  # fmt: skip

_sigmoid = unary("sigmoid")
_sigmoid_backward = binary("sigmoid_backward", second="output")


@documented()
def sigmoid(x: Any, *, out: Array | None = None) -> Array:
    """Logistic function.

    y = 1 / (1 + exp(-x))

    Its range is (0, 1); it saturates at both ends.
    """
    return _sigmoid(x, out)


@documented()
def sigmoid_backward(grad_output: Any, output: Any, *, out: Array | None = None) -> Array:
    """Gradient of `sigmoid`.

    grad_x = grad_output * output * (1 - output)
    """
    return _sigmoid_backward(grad_output, output, out)


_tanh = unary("tanh")
_tanh_backward = binary("tanh_backward", second="output")


@documented()
def tanh(x: Any, *, out: Array | None = None) -> Array:
    """Hyperbolic tangent.

    y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))
    """
    return _tanh(x, out)


@documented()
def tanh_backward(grad_output: Any, output: Any, *, out: Array | None = None) -> Array:
    """Gradient of `tanh`.

    grad_x = grad_output * (1 - output^2)
    """
    return _tanh_backward(grad_output, output, out)


_relu = unary("relu")
_relu_backward = binary("relu_backward")


@documented()
def relu(x: Any, *, out: Array | None = None) -> Array:
    """Rectified linear unit.

    y = max(0, x)

    relu(-0.0) is -0.0.
    """
    return _relu(x, out)


@documented()
def relu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `relu`.

    grad_x = grad_output where x > 0, else 0

    Where x is NaN the gradient passes, as in PyTorch.
    """
    return _relu_backward(grad_output, x, out)


_leaky_relu = unary("leaky_relu", names=("negative_slope",))
_leaky_relu_backward = binary("leaky_relu_backward", names=("negative_slope",))


@documented(negative_slope="float, default 0.01")
def leaky_relu(x: Any, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Leaky rectified linear unit.

    y = x where x > 0, else negative_slope * x
    """
    return _leaky_relu(x, out, negative_slope)


@documented(negative_slope="float, default 0.01")
def leaky_relu_backward(grad_output: Any, x: Any, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Gradient of `leaky_relu`.

    grad_x = grad_output where x > 0, else negative_slope * grad_output
    """
    return _leaky_relu_backward(grad_output, x, out, negative_slope)


_elu = unary("elu", names=("alpha",))
_elu_backward = binary("elu_backward", names=("alpha",))


@documented(alpha="float, default 1.0")
def elu(x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Exponential linear unit (Clevert, Unterthiner and Hochreiter 2015).

    y = x where x > 0, else alpha * (exp(x) - 1)
    """
    return _elu(x, out, alpha)


@documented(alpha="float, default 1.0")
def elu_backward(grad_output: Any, x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Gradient of `elu`.

    grad_x = grad_output where x > 0, else grad_output * alpha * exp(x)
    """
    return _elu_backward(grad_output, x, out, alpha)


_selu = unary("selu")
_selu_backward = binary("selu_backward")


@documented()
def selu(x: Any, *, out: Array | None = None) -> Array:
    """Scaled exponential linear unit (Klambauer et al. 2017).

    y = 1.0507 * (x where x > 0, else 1.6733 * (exp(x) - 1))

    The constants, to full precision, keep mean 0 and variance 1 through layers.
    """
    return _selu(x, out)


@documented()
def selu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `selu`.

    grad_x = 1.0507 * grad_output * (1 where x > 0, else 1.6733 * exp(x))
    """
    return _selu_backward(grad_output, x, out)


_celu = unary("celu", names=("alpha",))
_celu_backward = binary("celu_backward", names=("alpha",))


@documented(alpha="float, default 1.0, not 0")
def celu(x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Continuously differentiable exponential linear unit (Barron 2017).

    y = x where x > 0, else alpha * (exp(x / alpha) - 1)
    """
    if alpha == 0:
        raise ValueError("alpha must not be 0")
    return _celu(x, out, alpha)


@documented(alpha="float, default 1.0, not 0")
def celu_backward(grad_output: Any, x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Gradient of `celu`.

    grad_x = grad_output where x > 0, else grad_output * exp(x / alpha)
    """
    if alpha == 0:
        raise ValueError("alpha must not be 0")
    return _celu_backward(grad_output, x, out, alpha)


_gelu = unary("gelu", approximate="none")
_gelu_tanh = unary("gelu_tanh", "gelu", approximate="tanh")
_gelu_backward = binary("gelu_backward", approximate="none")
_gelu_tanh_backward = binary("gelu_tanh_backward", "gelu_backward", approximate="tanh")


@documented(approximate='"none" or "tanh", default "none"')
def gelu(x: Any, approximate: str = "none", *, out: Array | None = None) -> Array:
    """Gaussian error linear unit (Hendrycks and Gimpel 2016).

    y = x * Phi(x),  Phi(x) = (1 + erf(x / sqrt(2))) / 2
    y = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2     with approximate="tanh"

    Both are computed without the cancellation of these formulas for negative x: the first is within 4 ULP everywhere.
    The error of the second grows with the argument of tanh, which is rounded before its exponential is taken: it is
    within 4 ULP above x = -0.8, 40 above -5, and 200 (float64: 1,600) below, where y is smaller than 2e-6.
    """
    if approximate == "none":
        return _gelu(x, out)
    check.check_choice("approximate", approximate, ("none", "tanh"))
    return _gelu_tanh(x, out)


@documented(approximate='"none" or "tanh", default "none"')
def gelu_backward(grad_output: Any, x: Any, approximate: str = "none", *, out: Array | None = None) -> Array:
    """Gradient of `gelu`, in the same form.

    grad_x = grad_output * (Phi(x) + x * phi(x)),  phi(x) = exp(-x^2 / 2) / sqrt(2 pi)

    It is 0 at x = -0.7518 (tanh: -0.7525), where the two terms cancel: between -2 and 0 the error is below 2 eps times
    grad_output, eps being 1.2e-7 or 2.2e-16, and elsewhere, in ULP, about that of `gelu`.
    """
    if approximate == "none":
        return _gelu_backward(grad_output, x, out)
    check.check_choice("approximate", approximate, ("none", "tanh"))
    return _gelu_tanh_backward(grad_output, x, out)


_silu = unary("silu")
_silu_backward = binary("silu_backward")


@documented()
def silu(x: Any, *, out: Array | None = None) -> Array:
    """Sigmoid linear unit, also called swish.

    y = x / (1 + exp(-x))
    """
    return _silu(x, out)


@documented()
def silu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `silu`.

    grad_x = grad_output * s * (1 + x * (1 - s)),  s = sigmoid(x)
    """
    return _silu_backward(grad_output, x, out)


_mish = unary("mish")
_mish_backward = binary("mish_backward")


@documented()
def mish(x: Any, *, out: Array | None = None) -> Array:
    """Mish (Misra 2019).

    y = x * tanh(log(1 + exp(x)))
    """
    return _mish(x, out)


@documented()
def mish_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `mish`.

    grad_x = grad_output * (t + x * (1 - t^2) * sigmoid(x)),  t = tanh(log(1 + exp(x)))
    """
    return _mish_backward(grad_output, x, out)


_softplus = unary("softplus", names=("beta", "threshold"))
_softplus_backward = binary("softplus_backward", names=("beta", "threshold"))


@documented(beta="float, default 1.0, not 0", threshold="float, default 20.0")
def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0, *, out: Array | None = None) -> Array:
    """Smooth rectifier.

    y = log(1 + exp(beta * x)) / beta, or x where beta * x > threshold
    """
    if beta == 0:
        raise ValueError("beta must not be 0")
    return _softplus(x, out, beta, threshold)


@documented(beta="float, default 1.0, not 0", threshold="float, default 20.0")
def softplus_backward(
    grad_output: Any, x: Any, beta: float = 1.0, threshold: float = 20.0, *, out: Array | None = None
) -> Array:
    """Gradient of `softplus`.

    grad_x = grad_output * sigmoid(beta * x), or grad_output where beta * x > threshold
    """
    if beta == 0:
        raise ValueError("beta must not be 0")
    return _softplus_backward(grad_output, x, out, beta, threshold)


_softsign = unary("softsign")
_softsign_backward = binary("softsign_backward")


@documented()
def softsign(x: Any, *, out: Array | None = None) -> Array:
    """Softsign.

    y = x / (1 + |x|)
    """
    return _softsign(x, out)


@documented()
def softsign_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `softsign`.

    grad_x = grad_output / (1 + |x|)^2
    """
    return _softsign_backward(grad_output, x, out)


_hardsigmoid = unary("hardsigmoid")
_hardsigmoid_backward = binary("hardsigmoid_backward")


@documented()
def hardsigmoid(x: Any, *, out: Array | None = None) -> Array:
    """Piecewise linear sigmoid.

    y = min(max(x + 3, 0), 6) / 6
    """
    return _hardsigmoid(x, out)


@documented()
def hardsigmoid_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `hardsigmoid`.

    grad_x = grad_output / 6 where -3 < x < 3, else 0
    """
    return _hardsigmoid_backward(grad_output, x, out)


_hardswish = unary("hardswish")
_hardswish_backward = binary("hardswish_backward")


@documented()
def hardswish(x: Any, *, out: Array | None = None) -> Array:
    """Piecewise linear swish (Howard et al. 2019).

    y = x * min(max(x + 3, 0), 6) / 6
    """
    return _hardswish(x, out)


@documented()
def hardswish_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `hardswish`.

    grad_x = grad_output * (x / 3 + 1 / 2) where -3 < x < 3, grad_output above, 0 below
    """
    return _hardswish_backward(grad_output, x, out)


_hardtanh = unary("hardtanh", names=("min_val", "max_val"))
_hardtanh_backward = binary("hardtanh_backward", names=("min_val", "max_val"))


@documented(min_val="float, default -1.0", max_val="float, default 1.0, above min_val")
def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0, *, out: Array | None = None) -> Array:
    """Clamp.

    y = min(max(x, min_val), max_val)
    """
    if not min_val < max_val:
        raise ValueError(f"max_val must be greater than min_val, got {min_val} and {max_val}")
    return _hardtanh(x, out, min_val, max_val)


@documented(min_val="float, default -1.0", max_val="float, default 1.0, above min_val")
def hardtanh_backward(
    grad_output: Any, x: Any, min_val: float = -1.0, max_val: float = 1.0, *, out: Array | None = None
) -> Array:
    """Gradient of `hardtanh`.

    grad_x = grad_output where min_val < x < max_val, else 0
    """
    if not min_val < max_val:
        raise ValueError(f"max_val must be greater than min_val, got {min_val} and {max_val}")
    return _hardtanh_backward(grad_output, x, out, min_val, max_val)


_relu6 = unary("relu6")
_relu6_backward = binary("relu6_backward")


@documented()
def relu6(x: Any, *, out: Array | None = None) -> Array:
    """Rectified linear unit capped at 6.

    y = min(max(0, x), 6)
    """
    return _relu6(x, out)


@documented()
def relu6_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `relu6`.

    grad_x = grad_output where 0 < x < 6, else 0
    """
    return _relu6_backward(grad_output, x, out)

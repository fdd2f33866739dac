"""Activation functions and their gradients, elementwise, with PyTorch's names, formulas and defaults.

Every `f(x, ...)` returns an array like `x`, float32 or float64, of any shape. Every
`f_backward(grad_output, x, ...)` returns the gradient with respect to `x`; `grad_output` is like `x`.
`sigmoid_backward` and `tanh_backward` take the output instead of `x`, as ATen's do. Hyperparameters are Python floats,
which do not change the dtype.

Forward, NaN gives NaN, infinities give the limit of the function (PyTorch gives NaN for silu(-inf) and similar ones),
and no function warns. At a kink, and at NaN, the gradients follow PyTorch.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import elementary, shrinks
from .elementary import Array, map_float64

__all__ = [
    "celu",
    "celu_backward",
    "elu",
    "elu_backward",
    "gelu",
    "gelu_backward",
    "hardsigmoid",
    "hardsigmoid_backward",
    "hardswish",
    "hardswish_backward",
    "hardtanh",
    "hardtanh_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "logit",
    "logit_backward",
    "logsigmoid",
    "logsigmoid_backward",
    "mish",
    "mish_backward",
    "relu",
    "relu6",
    "relu6_backward",
    "relu_backward",
    "selu",
    "selu_backward",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "silu_backward",
    "softplus",
    "softplus_backward",
    "softsign",
    "softsign_backward",
    "tanh",
    "tanh_backward",
    "threshold",
    "threshold_backward",
]

# Klambauer et al. 2017, "Self-Normalizing Neural Networks", equation 14.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

# Hendrycks and Gimpel 2016, "Gaussian Error Linear Units": the cubic inside the tanh approximation.
GELU_CUBIC = 0.044715
GELU_LOGIT_SCALE = 2.0 * math.sqrt(2.0 / math.pi)

# Beyond +-SATURATION each smooth gate (sigmoid, normal CDF, mish's tanh) is exactly 0 or 1 in both dtypes, so
# clipping there changes no value and avoids products inf * 0.
SATURATION = 1000.0

# From here on mish's gate rounds to 1; exp(MISH_SATURATION)**2 does not overflow in float32.
MISH_SATURATION = 40.0


@np.errstate(all="ignore")
def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), computed from exp(-|x|), which does not overflow and is accurate in the left tail."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


@np.errstate(all="ignore")
def sigmoid_backward(grad_output: Array, output: Array) -> Array:
    """Return grad_output * (1 - output) * output, with output = sigmoid(x)."""
    return grad_output * (output * (1 - output))


@np.errstate(all="ignore")
def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent, 2 sigmoid(2x) - 1."""
    return np.tanh(x)


@np.errstate(all="ignore")
def tanh_backward(grad_output: Array, output: Array) -> Array:
    """Return grad_output * (1 - output**2), with output = tanh(x)."""
    return grad_output * (1 - output * output)


def relu(x: Array) -> Array:
    """Return x, but 0 where x < 0; -0.0 stays -0.0."""
    return np.where(x < 0, 0, x)


def relu_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output, but 0 where x <= 0; grad_output where x is NaN (as ATen's threshold_backward)."""
    return np.where(x <= 0, 0, grad_output)


@np.errstate(all="ignore")
def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """Return x where x > 0, else negative_slope * x."""
    return np.where(x > 0, x, negative_slope * x)


@np.errstate(all="ignore")
def leaky_relu_backward(grad_output: Array, x: Array, negative_slope: float = 0.01) -> Array:
    """Return grad_output where x > 0, else negative_slope * grad_output."""
    return np.where(x > 0, grad_output, negative_slope * grad_output)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """Return x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015)."""
    return _exponential_linear(x, alpha, width=1.0)


def elu_backward(grad_output: Array, x: Array, alpha: float = 1.0) -> Array:
    """Return grad_output where x > 0, else grad_output * alpha * exp(x): alpha at 0."""
    return _exponential_linear_backward(grad_output, x, alpha, width=1.0)


@np.errstate(all="ignore")
def selu(x: Array) -> Array:
    """Return SELU_SCALE * elu(x, SELU_ALPHA) (Klambauer et al. 2017)."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


@np.errstate(all="ignore")
def selu_backward(grad_output: Array, x: Array) -> Array:
    """Return the gradient of selu: SELU_SCALE where x > 0, else SELU_SCALE * SELU_ALPHA * exp(x)."""
    return SELU_SCALE * elu_backward(grad_output, x, SELU_ALPHA)


def celu(x: Array, alpha: float = 1.0) -> Array:
    """Return x where x > 0, else alpha * (exp(x / alpha) - 1), for alpha > 0 (Barron 2017)."""
    return _exponential_linear(x, alpha, width=alpha)


def celu_backward(grad_output: Array, x: Array, alpha: float = 1.0) -> Array:
    """Return grad_output where x > 0, else grad_output * exp(x / alpha)."""
    return _exponential_linear_backward(grad_output, x, 1.0, width=alpha)


@np.errstate(all="ignore")
def _exponential_linear(x: Array, alpha: float, width: float) -> Array:
    """Return x where x > 0, else alpha * expm1(x / width): elu and celu."""
    return np.where(x > 0, x, alpha * np.expm1(x / width))


@np.errstate(all="ignore")
def _exponential_linear_backward(grad_output: Array, x: Array, slope: float, width: float) -> Array:
    return np.where(x > 0, grad_output, grad_output * (slope * np.exp(x / width)))


@np.errstate(all="ignore")
def gelu(x: Array, approximate: str = "none") -> Array:
    """Return x * Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016); -0.0 at -inf.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "none": Phi(x) = erfc(-x / sqrt(2)) / 2, which does not cancel for x < 0. In float64 its relative
        error there grows as x**2 ULP, from the rounding of the argument.
        "tanh": Phi(x) = (1 + tanh(u)) / 2 = sigmoid(2u), u = sqrt(2/pi) * (x + 0.044715 x**3).
    """
    gate = sigmoid(_gelu_logit(x)) if approximate == "tanh" else _normal_cdf(x)
    return _gated(x, gate)


@np.errstate(all="ignore")
def gelu_backward(grad_output: Array, x: Array, approximate: str = "none") -> Array:
    """Return grad_output * (Phi(x) + x * Phi'(x)), with Phi according to `approximate`."""
    x = np.clip(x, -SATURATION, SATURATION)
    if approximate == "tanh":
        logit_slope = GELU_LOGIT_SCALE * (1 + 3 * GELU_CUBIC * x * x)
        return grad_output * _logistic_gated_slope(_gelu_logit(x), x * logit_slope)
    density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return grad_output * (_normal_cdf(x) + x * density)


def _gelu_logit(x: Array) -> Array:
    """Return 2u of gelu's tanh form: 1 + tanh(u) = 2 sigmoid(2u), and sigmoid is accurate in the left tail."""
    return GELU_LOGIT_SCALE * (x + GELU_CUBIC * x * x * x)


def _normal_cdf(x: Array) -> Array:
    return map_float64(lambda value: 0.5 * math.erfc(-math.sqrt(0.5) * value), x).astype(x.dtype)


def silu(x: Array) -> Array:
    """Return x * sigmoid(x), also called swish; -0.0 at -inf."""
    return _gated(x, sigmoid(x))


@np.errstate(all="ignore")
def silu_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output * s * (1 + x * (1 - s)), with s = sigmoid(x)."""
    x = np.clip(x, -SATURATION, SATURATION)
    root = np.exp(np.minimum(x, 0) / 2)  # s = root^2 / (1 + root^2) where x < 0: the product with x may be denormal
    tail = root * (root / (1 + root * root) * (1 + x / (1 + root * root)))
    return grad_output * np.where(x < 0, tail, _logistic_gated_slope(x, x))


@np.errstate(all="ignore")
def mish(x: Array) -> Array:
    """Return x * tanh(log(1 + exp(x))) (Misra 2019); -0.0 at -inf.

    With e = exp(x) and n = e (e + 2) the tanh is n / (n + 2): one exponential and no cancellation.
    """
    _, n = _mish_terms(x)
    return _gated(x, n / (n + 2))


@np.errstate(all="ignore")
def mish_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output * (w + x * w'), w = n / (n + 2) as in `mish`, so w' = 4 e (e + 1) / (n + 2)**2."""
    x = np.clip(x, -SATURATION, MISH_SATURATION)
    e, n = _mish_terms(x)
    # e / (n + 2) is a factor of both terms; one at a time, since the square overflows float32. As a product of roots,
    # since a denormal e would have lost its digits.
    root = np.exp(x / 2)
    return grad_output * (root * (root / (n + 2) * ((e + 2) + 4 * x * ((e + 1) / (n + 2)))))


def _mish_terms(x: Array) -> tuple[Array, Array]:
    e = np.exp(np.minimum(x, MISH_SATURATION))
    return e, e * (e + 2)


@np.errstate(all="ignore")
def _gated(x: Array, gate: Array) -> Array:
    """Return x * gate, for a gate that goes to 0 faster than x grows: the limit at -inf is -0.0."""
    return np.maximum(x, -SATURATION) * gate


def _logistic_gated_slope(logit: Array, x_times_logit_slope: Array) -> Array:
    """Return the derivative of x * sigmoid(logit(x))."""
    # sigmoid(-logit) is 1 - sigmoid(logit) without the cancellation
    return sigmoid(logit) * (1 + x_times_logit_slope * sigmoid(-logit))


@np.errstate(all="ignore")
def softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Return log(1 + exp(beta x)) / beta, and x itself where beta x > threshold."""
    z = beta * x
    return np.where(z > threshold, x, (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta)


@np.errstate(all="ignore")
def softplus_backward(grad_output: Array, x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Return grad_output * sigmoid(beta x), and grad_output itself where beta x > threshold."""
    z = beta * x
    return np.where(z > threshold, grad_output, grad_output * sigmoid(z))


@np.errstate(all="ignore")
def softsign(x: Array) -> Array:
    """Return x / (1 + |x|); +-1 at +-inf."""
    return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x)))


@np.errstate(all="ignore")
def softsign_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output / (1 + |x|)**2."""
    return grad_output / (1 + np.abs(x)) ** 2


@np.errstate(all="ignore")
def hardsigmoid(x: Array) -> Array:
    """Return min(max(x + 3, 0), 6) / 6."""
    return relu6(x + 3) / 6


@np.errstate(all="ignore")
def hardsigmoid_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output / 6 where -3 < x < 3, else 0 (at NaN too, as in ATen)."""
    return np.where((x > -3) & (x < 3), grad_output / 6, 0)


def hardswish(x: Array) -> Array:
    """Return x * hardsigmoid(x) (Howard et al. 2019, "Searching for MobileNetV3"); -0.0 at -inf."""
    return _gated(x, hardsigmoid(x))


@np.errstate(all="ignore")
def hardswish_backward(grad_output: Array, x: Array) -> Array:
    """Return 0 where x <= -3, grad_output where x >= 3, else grad_output * (x / 3 + 1 / 2)."""
    return np.where(x <= -3, 0, np.where(x >= 3, grad_output, grad_output * (x / 3 + 0.5)))


def hardtanh(x: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """Return x clamped to [min_val, max_val]; x itself where it equals a bound, so -0.0 stays -0.0."""
    return np.where(x < min_val, min_val, np.where(x > max_val, max_val, x))


def hardtanh_backward(grad_output: Array, x: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """Return grad_output, but 0 where x <= min_val or x >= max_val; grad_output where x is NaN."""
    return np.where((x <= min_val) | (x >= max_val), 0, grad_output)


def relu6(x: Array) -> Array:
    """Return min(max(x, 0), 6); -0.0 stays -0.0."""
    return hardtanh(x, 0.0, 6.0)


def relu6_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output, but 0 where x <= 0 or x >= 6; grad_output where x is NaN."""
    return hardtanh_backward(grad_output, x, 0.0, 6.0)


@np.errstate(all="ignore")
def logit(x: Array, eps: float | None = None) -> Array:
    """Return log(x / (1 - x)), with eps of x clamped to [eps, 1 - eps].

    From 1/4 on it is computed as log1p((2x - 1) / (1 - x)), where 2x - 1 is exact.
    """
    if eps is not None:
        x = np.clip(x, eps, 1 - x.dtype.type(eps))
    x = x + 0.0  # -0.0 counts as 0.0
    return np.where(x < 0.25, np.log(x) - np.log1p(-x), np.log1p((2 * x - 1) / (1 - x)))


@np.errstate(all="ignore")
def logit_backward(grad_output: Array, x: Array, eps: float | None = None) -> Array:
    """Return grad_output / (x (1 - x)); outside [eps, 1 - eps] 0, or without eps NaN outside [0, 1]."""
    low, other = (0.0, math.nan) if eps is None else (eps, 0.0)
    outside = (x < low) | (x > 1 - x.dtype.type(low))
    return np.where(outside, other, grad_output / (x * (1 - x))).astype(x.dtype)


@np.errstate(all="ignore")
def logsigmoid(x: Array) -> Array:
    """Return log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)): both terms have one sign."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@np.errstate(all="ignore")
def logsigmoid_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output * sigmoid(-x)."""
    return grad_output * sigmoid(-x)


def threshold(x: Array, threshold: float = 0.0, value: float = 0.0) -> Array:
    """Return value where x <= threshold, else x: NaN stays."""
    return np.where(x <= threshold, x.dtype.type(value), x)


def threshold_backward(grad_output: Array, x: Array, threshold: float = 0.0, value: float = 0.0) -> Array:
    """Return 0 where x <= threshold, else grad_output: that, too, where x is NaN."""
    return np.where(x <= threshold, 0, grad_output)


def named(name: str) -> Callable[..., Any]:
    """Return the elementwise function of this name, here, among the shrinks or the elementary ones."""
    function: Callable[..., Any] = globals().get(name) or getattr(shrinks, name, None) or getattr(elementary, name)
    return function

"""Rectifiers, elementwise: the identity for large x, and a constant, a line or an exponential to the left."""

from typing import Any

from .._core.activations import NOT_ZERO
from ._elementwise import PASSES, Array, binary, documented, unary

__all__ = [
    "celu",
    "celu_backward",
    "elu",
    "elu_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "relu",
    "relu6",
    "relu6_backward",
    "relu_backward",
    "selu",
    "selu_backward",
    "softplus",
    "softplus_backward",
    "threshold",
    "threshold_backward",
]

# Of the docstrings below.
SLOPE = "float other than NaN, default 0.01\n    Slope where x <= 0."
ALPHA = "float other than NaN, default 1.0"
NOT_0 = "float other than 0 and NaN, default 1.0"
SCALED = "NaN in grad_output gives NaN. Where x is NaN the gradient is negative_slope * grad_output."

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


_leaky_relu = unary("leaky_relu", names=("negative_slope",))
_leaky_relu_backward = binary("leaky_relu_backward", names=("negative_slope",))


@documented(values="negative_slope is NaN", negative_slope=SLOPE)
def leaky_relu(x: Any, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Leaky rectified linear unit (Maas, Hannun and Ng 2013).

    y = x where x > 0, else negative_slope * x

    >>> F.leaky_relu(np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([-0.5,  0. ,  3. ])
    """
    return _leaky_relu(x, out, negative_slope)


@documented(nan=SCALED, values="negative_slope is NaN", negative_slope=SLOPE)
def leaky_relu_backward(grad_output: Any, x: Any, negative_slope: float = 0.01, *, out: Array | None = None) -> Array:
    """Gradient of `leaky_relu`.

    grad_x = grad_output where x > 0, else negative_slope * grad_output

    >>> F.leaky_relu_backward(np.ones(3), np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    array([0.25, 0.25, 1.  ])
    """
    return _leaky_relu_backward(grad_output, x, out, negative_slope)


_elu = unary("elu", names=("alpha",))
_elu_backward = binary("elu_backward", names=("alpha",))


@documented(values="alpha is NaN", alpha=ALPHA)
def elu(x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Exponential linear unit (Clevert, Unterthiner and Hochreiter 2015).

    y = x where x > 0, else alpha * (exp(x) - 1)

    >>> F.elu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.6321,  0.    ,  2.    ])
    """
    return _elu(x, out, alpha)


@documented(values="alpha is NaN", alpha=ALPHA)
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


@documented(values="alpha is 0 or NaN", alpha=NOT_0)
def celu(x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Continuously differentiable exponential linear unit (Barron 2017).

    y = x where x > 0, else alpha * (exp(x / alpha) - 1)

    >>> F.celu(np.array([-1.0, 0.0, 2.0]), alpha=2.0).round(4)
    array([-0.7869,  0.    ,  2.    ])
    """
    return _celu(x, out, alpha)


@documented(values="alpha is 0 or NaN", alpha=NOT_0)
def celu_backward(grad_output: Any, x: Any, alpha: float = 1.0, *, out: Array | None = None) -> Array:
    """Gradient of `celu`.

    grad_x = grad_output where x > 0, else grad_output * exp(x / alpha)

    >>> F.celu_backward(np.ones(3), np.array([-1.0, 0.0, 2.0]), alpha=2.0).round(4)
    array([0.6065, 1.    , 1.    ])
    """
    return _celu_backward(grad_output, x, out, alpha)


_softplus = unary("softplus", names=("beta", "threshold"), rule=NOT_ZERO)
_softplus_backward = binary("softplus_backward", names=("beta", "threshold"), rule=NOT_ZERO)


@documented(values="a parameter is NaN, or beta is 0", beta=NOT_0, threshold="float, default 20.0")
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


@documented(values="a parameter is NaN, or beta is 0", beta=NOT_0, threshold="float, default 20.0")
def softplus_backward(
    grad_output: Any, x: Any, beta: float = 1.0, threshold: float = 20.0, *, out: Array | None = None
) -> Array:
    """Gradient of `softplus`.

    grad_x = grad_output * sigmoid(beta * x), or grad_output where beta * x > threshold

    >>> F.softplus_backward(np.ones(3), np.array([-1.0, 0.0, 30.0])).round(4)
    array([0.2689, 0.5   , 1.    ])
    """
    return _softplus_backward(grad_output, x, out, beta, threshold)


_threshold = unary("threshold", names=("threshold", "value"))
_threshold_backward = binary("threshold_backward", names=("threshold", "value"))
THRESHOLD = {
    "threshold": "float other than NaN, default 0.0",
    "value": "float other than NaN, default 0.0\n    In the place of x that are not above the threshold.",
}


@documented(values="a parameter is NaN", **THRESHOLD)
def threshold(x: Any, threshold: float = 0.0, value: float = 0.0, *, out: Array | None = None) -> Array:
    """Replace what is not above a threshold.

    y = x where x > threshold, else value

    >>> F.threshold(np.array([-1.0, 0.5, 2.0]), 0.5, 0.25)
    array([0.25, 0.25, 2.  ])
    """
    return _threshold(x, out, threshold, value)


@documented(nan=PASSES.format("x <= threshold"), values="a parameter is NaN", **THRESHOLD)
def threshold_backward(
    grad_output: Any, x: Any, threshold: float = 0.0, value: float = 0.0, *, out: Array | None = None
) -> Array:
    """Gradient of `threshold`; the value has no part in it.

    grad_x = grad_output where x > threshold, else 0

    >>> F.threshold_backward(np.ones(3), np.array([-1.0, 0.5, 2.0]), 0.5)
    array([0., 0., 1.])
    """
    return _threshold_backward(grad_output, x, out, threshold, value)

"""Sigmoids, elementwise: bounded functions that grow from a lower limit to an upper one.

Here are also the logarithm and the inverse of the logistic function.
"""

from typing import Any

from .. import _validation as check
from .._core.activations import ASCENDING
from ._elementwise import NAN_UNLESS, PASSES, Array, binary, documented, unary

__all__ = [
    "hardsigmoid",
    "hardsigmoid_backward",
    "hardtanh",
    "hardtanh_backward",
    "logit",
    "logit_backward",
    "logsigmoid",
    "logsigmoid_backward",
    "sigmoid",
    "sigmoid_backward",
    "softsign",
    "softsign_backward",
    "tanh",
    "tanh_backward",
]

# Of the docstrings below.
INTERVAL = {"min_val": "float, default -1.0", "max_val": "float, default 1.0, above min_val"}
EPS = "float in [0, 0.5], optional\n    Clamp x to [eps, 1 - eps]."
NO_EPS = "eps is not in [0, 0.5]"
NO_INTERVAL = "max_val is not above min_val"

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


_logsigmoid = unary("logsigmoid")
_logsigmoid_backward = binary("logsigmoid_backward")


@documented()
def logsigmoid(x: Any, *, out: Array | None = None) -> Array:
    """Logarithm of the logistic function.

    y = log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|))

    Notes
    -----
    Within 2 ULP everywhere, measured: for large x it is -exp(-x), for very negative x it is x.

    >>> F.logsigmoid(np.array([-100.0, 0.0, 2.0])).round(4)
    array([-100.    ,   -0.6931,   -0.1269])
    """
    return _logsigmoid(x, out)


@documented()
def logsigmoid_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `logsigmoid`.

    grad_x = grad_output * sigmoid(-x)

    >>> F.logsigmoid_backward(np.ones(3), np.array([-100.0, 0.0, 2.0])).round(4)
    array([1.    , 0.5   , 0.1192])
    """
    return _logsigmoid_backward(grad_output, x, out)


_logit = unary("logit")
_logit_backward = binary("logit_backward")
# Their second parameter is 1 to say that x is clamped.
_logit_of_clamped = unary("logit", names=("eps",))
_logit_of_clamped_backward = binary("logit_backward", names=("eps",))


@documented(nan="NaN gives NaN, and so does x outside [0, 1] without eps.", values=NO_EPS, eps=EPS)
def logit(x: Any, eps: float | None = None, *, out: Array | None = None) -> Array:
    """Logarithm of the odds: the inverse of `sigmoid`.

    y = log(x / (1 - x))

    Notes
    -----
    Within 2 ULP everywhere, measured, also near x = 1/2, where the logarithm is near 0.

    >>> F.logit(np.array([0.0, 0.5, 0.75])).round(4)
    array([  -inf, 0.    , 1.0986])
    >>> F.logit(np.array([-1.0, 0.5, 1.0]), eps=0.25).round(4)
    array([-1.0986,  0.    ,  1.0986])
    """
    if eps is None:
        return _logit(x, out)
    return _logit_of_clamped(x, out, check.check_number("eps", eps, at_least=0.0, at_most=0.5), 1.0)


@documented(
    nan="NaN in grad_output or x gives NaN, and so does x outside [0, 1] without eps. With eps the gradient is 0\n"
    "outside [eps, 1 - eps].",
    values=NO_EPS,
    eps=EPS,
)
def logit_backward(grad_output: Any, x: Any, eps: float | None = None, *, out: Array | None = None) -> Array:
    """Gradient of `logit`.

    grad_x = grad_output / (x * (1 - x)), or 0 where x is clamped

    >>> F.logit_backward(np.ones(3), np.array([0.0, 0.5, 0.75]), eps=0.25).round(4)
    array([0.    , 4.    , 5.3333])
    """
    if eps is None:
        return _logit_backward(grad_output, x, out)
    eps = check.check_number("eps", eps, at_least=0.0, at_most=0.5)
    return _logit_of_clamped_backward(grad_output, x, out, eps, 1.0)

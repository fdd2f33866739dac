"""Shrinks, elementwise: functions that move x towards 0, or make small x 0."""

from typing import Any

from .._core.activations import NOT_NEGATIVE
from ._elementwise import Array, binary, documented, unary

__all__ = [
    "hardshrink",
    "hardshrink_backward",
    "softshrink",
    "softshrink_backward",
    "tanhshrink",
    "tanhshrink_backward",
]

# Of the docstrings below.
LAMBD = "float, at least 0, default 0.5"
NO_LAMBD = "lambd is negative or NaN"
KEPT = "NaN in x gives grad_output, as in PyTorch. NaN in grad_output gives NaN, but 0 where |x| <= lambd."

_tanhshrink = unary("tanhshrink")
_tanhshrink_backward = binary("tanhshrink_backward")


@documented()
def tanhshrink(x: Any, *, out: Array | None = None) -> Array:
    """Tanh shrink.

    y = x - tanh(x)

    Notes
    -----
    Within 5 ULP everywhere, measured: near 0, where it is x^3 / 3, nothing cancels.

    >>> F.tanhshrink(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.2384,  0.    ,  1.036 ])
    """
    return _tanhshrink(x, out)


@documented()
def tanhshrink_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `tanhshrink`.

    grad_x = grad_output * tanh(x)^2

    >>> F.tanhshrink_backward(np.ones(3), np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.58  , 0.    , 0.9293])
    """
    return _tanhshrink_backward(grad_output, x, out)


_softshrink = unary("softshrink", names=("lambd",), rule=NOT_NEGATIVE)
_softshrink_backward = binary("softshrink_backward", names=("lambd",), rule=NOT_NEGATIVE)


@documented(values=NO_LAMBD, lambd=LAMBD)
def softshrink(x: Any, lambd: float = 0.5, *, out: Array | None = None) -> Array:
    """Soft shrink, or soft thresholding (Donoho 1995).

    y = x - lambd where x > lambd, x + lambd where x < -lambd, else 0

    >>> F.softshrink(np.array([-2.0, 0.25, 2.0]))
    array([-1.5,  0. ,  1.5])
    """
    return _softshrink(x, out, lambd)


@documented(nan=KEPT, values=NO_LAMBD, lambd=LAMBD)
def softshrink_backward(grad_output: Any, x: Any, lambd: float = 0.5, *, out: Array | None = None) -> Array:
    """Gradient of `softshrink`.

    grad_x = grad_output where |x| > lambd, else 0

    >>> F.softshrink_backward(np.ones(3), np.array([-2.0, 0.5, 2.0]))
    array([1., 0., 1.])
    """
    return _softshrink_backward(grad_output, x, out, lambd)


_hardshrink = unary("hardshrink", names=("lambd",), rule=NOT_NEGATIVE)
_hardshrink_backward = binary("hardshrink_backward", names=("lambd",), rule=NOT_NEGATIVE)


@documented(values=NO_LAMBD, lambd=LAMBD)
def hardshrink(x: Any, lambd: float = 0.5, *, out: Array | None = None) -> Array:
    """Hard shrink, or hard thresholding (Donoho and Johnstone 1994).

    y = x where |x| > lambd, else 0

    >>> F.hardshrink(np.array([-2.0, 0.25, 2.0]))
    array([-2.,  0.,  2.])
    """
    return _hardshrink(x, out, lambd)


@documented(nan=KEPT, values=NO_LAMBD, lambd=LAMBD)
def hardshrink_backward(grad_output: Any, x: Any, lambd: float = 0.5, *, out: Array | None = None) -> Array:
    """Gradient of `hardshrink`.

    grad_x = grad_output where |x| > lambd, else 0

    >>> F.hardshrink_backward(np.ones(3), np.array([-2.0, 0.5, 2.0]))
    array([1., 0., 1.])
    """
    return _hardshrink_backward(grad_output, x, out, lambd)

"""The rectifier with random slopes, drawn from counter-based random streams, and its gradient."""

from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core.dropout import Noise
from .._core.dropout import rrelu_backward as rrelu_backward_kernel
from .._frames import SHORT_ERRORS
from ._documentation import documented
from ._elementwise import Array, reference_function
from ._symbolic import Symbolic
from .rectifiers import leaky_relu, leaky_relu_backward

__all__ = ["rrelu", "rrelu_backward"]

INFINITE = float("inf")
_KERNEL = Noise("rrelu")

PARAMETERS = """lower, upper : float, finite, default 1/8 and 1/3
    The interval of the slopes; lower is at most upper.
training : bool, default False
    Draw slopes; otherwise the slope is (lower + upper) / 2.
seed, stream, start : int in [0, 2^64)
    In training, where seed is required. The slope of element i (in C order) is made from word start + i of the random
    stream (seed, stream), Philox4x32-10 (Salmon et al. 2011). So the gradient can draw the same slopes again."""

FORWARD = f"""
Parameters
----------
x : ndarray of float32 or float64, any shape
{PARAMETERS}
out : ndarray like x, optional
    Written and returned; may be x itself.

Returns
-------
y : ndarray, shape and dtype of x

Raises
------
TypeError
    If x is not float32 or float64, a number has the wrong type, seed is missing in training, or out has another dtype.
ValueError
    If a number is out of its range, lower is above upper, or out has another shape or is not C-contiguous, aligned and
    writable.

Notes
-----
NaN gives NaN.
"""

BACKWARD = f"""
Parameters
----------
grad_output : ndarray of float32 or float64, any shape
    Gradient of the loss with respect to the output.
x : ndarray, shape and dtype of grad_output
    The input of `rrelu`.
{PARAMETERS}
out : ndarray like grad_output, optional
    Written and returned; may be one of the inputs.

Returns
-------
grad_x : ndarray, shape and dtype of grad_output

Raises
------
TypeError, ValueError
    As `rrelu`; also if the arrays differ in dtype or shape.

Notes
-----
NaN in grad_output gives NaN. Where x is NaN the gradient is grad_output in training, else slope * grad_output, as in
PyTorch.
"""


@documented(FORWARD)
def rrelu(
    x: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    seed: int | None = None,
    stream: int = 0,
    start: int = 0,
    out: Array | None = None,
) -> Array:
    """Randomized leaky rectified linear unit (Xu, Wang, Chen and Li 2015).

    y = x where x > 0, else slope * x,   slope = (lower + upper) / 2, in training uniform on [lower, upper)

    >>> F.rrelu(np.array([-4.0, 2.0]), 0.25, 0.75)
    array([-2.,  2.])
    >>> F.rrelu(np.array([-1.0, -1.0, 2.0]), training=True, seed=0).round(4)
    array([-0.2081, -0.3084,  2.    ])
    """
    with SHORT_ERRORS:
        low, high = check_interval(lower, upper)
        if isinstance(x, Symbolic):
            symbol: Array = x.apply("rrelu", x, low, high, check.check_bool("training", training))
            return symbol
        if not check.check_bool("training", training):
            return leaky_relu(x, (low + high) / 2, out=out)
        words = _words(seed, stream, start)
        x = check.as_array("x", x)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("rrelu")(x, low, high, True, seed=words[0], stream=words[1], start=words[2])
        else:
            _KERNEL.run(check.without_overlap(x, y, in_place=True), y, low, *words, high)
        return check.scalar_or(y, out)


@documented(BACKWARD)
def rrelu_backward(
    grad_output: Any,
    x: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    seed: int | None = None,
    stream: int = 0,
    start: int = 0,
    out: Array | None = None,
) -> Array:
    """Gradient of `rrelu`: the same slopes.

    grad_x = grad_output where x > 0, else slope * grad_output

    >>> F.rrelu_backward(np.ones(2), np.array([-4.0, 2.0]), 0.25, 0.75)
    array([0.5, 1. ])
    """
    with SHORT_ERRORS:
        low, high = check_interval(lower, upper)
        if not check.check_bool("training", training):
            return leaky_relu_backward(grad_output, x, (low + high) / 2, out=out)
        words = _words(seed, stream, start)
        g, x = check.as_array("grad_output", grad_output), check.as_array("x", x)
        check.check_same_dtype(grad_output=g, x=x)
        check.check_same_shape(x=x, grad_output=g)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            function = reference_function("rrelu_backward")
            y[...] = function(g, x, low, high, True, seed=words[0], stream=words[1], start=words[2])
        else:
            g, x = (check.without_overlap(array, y, in_place=True) for array in (g, x))
            rrelu_backward_kernel(g, x, y, low, high, *words)
        return check.scalar_or(y, out)


def check_interval(lower: Any, upper: Any) -> tuple[float, float]:
    """The bounds of the slopes as floats; TypeError or ValueError unless they are finite and ascend."""
    low, high = (
        check.check_number(name, value, above=-INFINITE, below=INFINITE)
        for name, value in (("lower", lower), ("upper", upper))
    )
    if low > high:
        raise ValueError(f"upper must be at least lower, got {lower} and {upper}")
    return low, high


def _words(seed: Any, stream: Any, start: Any) -> tuple[int, int, int]:
    """Which random words are drawn."""
    if seed is None:
        raise TypeError("rrelu draws slopes in training: pass a seed, an int")
    return check.check_words(seed, stream, start)

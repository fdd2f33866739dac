"""Dropout and noise for training, drawn from counter-based random streams, and their gradients."""

from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core.dropout import Noise
from .._frames import SHORT_ERRORS
from ._documentation import documented
from ._elementwise import Array, reference_function
from ._symbolic import Symbolic

__all__ = [
    "alpha_dropout",
    "alpha_dropout_backward",
    "dropout",
    "dropout_backward",
    "gaussian_dropout",
    "gaussian_dropout_backward",
    "gaussian_noise",
]

BELOW_1 = 1 - 2.0**-53  # the largest p of gaussian_dropout
# By operation, the largest value of its parameter.
LARGEST = {"dropout": 1.0, "alpha_dropout": 1.0, "gaussian_dropout": BELOW_1, "gaussian_noise": float("inf")}
_KERNELS = {name: Noise(name) for name in (*LARGEST, "alpha_dropout_backward")}


FORWARD = """
Parameters
----------
x : ndarray of float32 or float64, any shape
{params}seed, stream, start : int in [0, 2^64)
    {random}
out : ndarray like x, optional
    Written and returned; may be x itself.

Returns
-------
y : ndarray, shape and dtype of x

Raises
------
TypeError
    If x is not float32 or float64, a number has the wrong type, or out has another dtype.
ValueError
    If {values}, seed, stream or start is out of its range, or out has another shape or is not C-contiguous,
    aligned and writable.

Notes
-----
{nan}
"""

BACKWARD = """
Parameters
----------
grad_output : ndarray of float32 or float64, any shape
    Gradient of the loss with respect to the output.
{same}
    As given to `{forward}`.
out : ndarray like grad_output, optional
    Written and returned; may be grad_output itself.

Returns
-------
grad_x : ndarray, shape and dtype of grad_output

Raises
------
TypeError, ValueError
    As `{forward}`.

Notes
-----
{nan}
"""

PROBABILITY = "p : float in [0, 1], default 0.5\n    Probability of an element to be dropped.\n"
TRAINING = "training : bool, default True\n"
BELOW_ONE = "p : float in [0, 1), default 0.5\n    The variance of the factors is p / (1 - p).\n"
DEVIATION = "std : float, at least 0, default 1.0\n    Standard deviation of the noise.\n"
MASK = """Element i (in C order) is kept where word start + i of the random stream (seed, stream), Philox4x32-10
    (Salmon et al. 2011), is at least floor(p * 2^32). So the gradient can draw the same mask again."""
NORMAL = """z of element i (in C order) is made from word start + i of the random stream (seed, stream), Philox4x32-10
    (Salmon et al. 2011), by the inverse of the normal distribution function (Wichura 1988, AS 241)."""


@documented(
    FORWARD,
    params=PROBABILITY + TRAINING,
    random=MASK,
    values="p is not in [0, 1]",
    nan="NaN that is dropped becomes 0, other NaN stays.",
)
def dropout(
    x: Any,
    p: float = 0.5,
    training: bool = True,
    *,
    seed: int | None = None,
    stream: int = 0,
    start: int = 0,
    out: Array | None = None,
) -> Array:
    """Inverted dropout (Srivastava et al. 2014): zero each element with probability p, scale the others by 1 / (1 - p).

    y = x / (1 - p) where x is kept, else 0

    Without `training` y = x. The seed is required, except in the `forward` of a module, where that of the network
    counts: `F.dropout(x, 0.5, self.training)`.

    >>> F.dropout(np.array([1.0, 2.0, 3.0, 4.0]), p=0.5, seed=0)
    array([0., 4., 6., 8.])
    """
    if isinstance(x, Symbolic):
        return x.apply("dropout", x, p, training)
    if seed is None:
        raise TypeError("dropout() needs a seed: dropout(x, p, seed=...)")
    return _noise("dropout", "dropout", "x", x, p if training else 0.0, seed, stream, start, out)


@documented(BACKWARD, nan="NaN becomes 0 where x was dropped.")
def dropout_backward(
    grad_output: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Gradient of `dropout`: the same mask and scale.

    grad_x = grad_output / (1 - p) where x was kept, else 0

    >>> F.dropout_backward(np.ones(4), p=0.5, seed=0)
    array([0., 2., 2., 2.])
    """
    return _noise("dropout", "dropout", "grad_output", grad_output, p, seed, stream, start, out)


@documented(
    FORWARD,
    params=PROBABILITY,
    random=MASK,
    values="p is not in [0, 1]",
    nan="NaN that is dropped becomes the number of all dropped elements, other NaN stays.",
)
def alpha_dropout(
    x: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Dropout for `selu` (Klambauer et al. 2017), which keeps mean 0 and variance 1.

    y = a * (x where it is kept, else l) - a * l * p,   a = 1 / sqrt((1 - p) * (1 + p * l^2)),   l = -1.7580993

    l is the limit of selu at -inf. The mask is that of `dropout`. p = 1 gives 0 everywhere, as in PyTorch.

    >>> F.alpha_dropout(np.zeros(4), p=0.5, seed=0).round(4)
    array([-0.7792,  0.7792,  0.7792,  0.7792])
    """
    return _noise("alpha_dropout", "alpha_dropout", "x", x, p, seed, stream, start, out)


@documented(BACKWARD, nan="NaN becomes 0 where x was dropped.")
def alpha_dropout_backward(
    grad_output: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Gradient of `alpha_dropout`.

    grad_x = a * grad_output where x was kept, else 0

    >>> F.alpha_dropout_backward(np.ones(4), p=0.5, seed=0).round(4)
    array([0.    , 0.8864, 0.8864, 0.8864])
    """
    name = "alpha_dropout"
    return _noise(f"{name}_backward", name, "grad_output", grad_output, p, seed, stream, start, out)


@documented(
    FORWARD,
    params=DEVIATION,
    random=NORMAL,
    values="std is negative",
    nan="NaN gives NaN. A random word has 2^32 values, so |z| is at most 6.2.",
)
def gaussian_noise(
    x: Any, std: float = 1.0, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Add normal noise of mean 0 (Keras' GaussianNoise).

    y = x + std * z

    z has mean 0 and variance 1. The gradient with respect to x is grad_output as it is, so there is no function for it.

    >>> F.gaussian_noise(np.array([1.0, 2.0]), std=0.1, seed=0).round(4)
    array([1.0256, 1.8822])
    """
    return _noise("gaussian_noise", "gaussian_noise", "x", x, std, seed, stream, start, out, parameter="std")


@documented(FORWARD, params=BELOW_ONE, random=NORMAL, values="p is not in [0, 1)", nan="NaN gives NaN.")
def gaussian_dropout(
    x: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Multiply by normal noise of mean 1 and the variance of `dropout`'s factors (Srivastava et al. 2014).

    y = x * (1 + z * sqrt(p / (1 - p)))

    z is that of `gaussian_noise`.

    >>> F.gaussian_dropout(np.array([1.0, 2.0]), p=0.5, seed=0).round(4)
    array([ 1.2558, -0.3552])
    """
    return _noise("gaussian_dropout", "gaussian_dropout", "x", x, p, seed, stream, start, out)


@documented(BACKWARD, nan="NaN gives NaN.")
def gaussian_dropout_backward(
    grad_output: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Gradient of `gaussian_dropout`: the same factors.

    grad_x = grad_output * (1 + z * sqrt(p / (1 - p)))

    >>> F.gaussian_dropout_backward(np.ones(2), p=0.5, seed=0).round(4)
    array([ 1.2558, -0.1776])
    """
    name = "gaussian_dropout"
    return _noise(name, name, "grad_output", grad_output, p, seed, stream, start, out)


def _noise(
    kernel: str,
    name: str,
    argument: str,
    x: Any,
    value: float,
    seed: int,
    stream: int,
    start: int,
    out: Array | None,
    parameter: str = "p",
) -> Array:
    """Run `kernel`, that of the operation `name` or of its gradient, on x, which messages call `argument`."""
    quick = _KERNELS[kernel].quick(x, value, seed, stream, start, LARGEST[name], out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x = check.as_array(argument, x)
        value = check_parameter(name, parameter, value)
        seed, stream, start = check.check_words(seed, stream, start)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function(kernel)(x, value, seed=seed, stream=stream, start=start)
        else:
            _KERNELS[kernel].run(check.without_overlap(x, y, in_place=True), y, value, seed, stream, start)
        return check.scalar_or(y, out)


def check_parameter(name: str, parameter: str, value: Any) -> float:
    """The parameter of the operation `name` as a float within its bounds; ValueError or TypeError otherwise."""
    if LARGEST[name] == BELOW_1:
        return check.check_number(parameter, value, at_least=0.0, below=1.0)
    if LARGEST[name] == 1.0:
        return check.check_number(parameter, value, at_least=0.0, at_most=1.0)
    return check.check_number(parameter, value, at_least=0.0)

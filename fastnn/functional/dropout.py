"""Dropout and its kin: noise for training, drawn from counter-based random streams."""

from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core.dropout import Noise
from .._frames import USE, shortened
from ._elementwise import Array, reference_function

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
LARGEST = {"dropout": 1.0, "alpha_dropout": 1.0, "gaussian_dropout": BELOW_1, "gaussian_noise": float("inf")}
_KERNELS = {name: Noise(name) for name in (*LARGEST, "alpha_dropout_backward")}


def dropout(x: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None) -> Array:
    """Inverted dropout (Srivastava et al. 2014): zero each element with probability p, scale the others by 1 / (1 - p).

    Parameters
    ----------
    x : ndarray of float32 or float64, any shape
    p : float in [0, 1], default 0.5
        Probability of an element to be zeroed.
    seed, stream, start : int in [0, 2^64)
        Element i (in C order) is kept where word start + i of the random stream (seed, stream), Philox4x32-10, is at
        least p * 2^32. So the mask depends on nothing else, and `dropout_backward` draws it again.
    out : ndarray like x, optional
        Written and returned; may be x itself.

    Returns
    -------
    y : ndarray, shape and dtype of x; NaN that is dropped becomes 0

    Raises
    ------
    ValueError
        If p is not in [0, 1].
    """
    return _noise("dropout", "dropout", "x", x, p, seed, stream, start, out)


def dropout_backward(
    grad_output: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Gradient of `dropout`: the same mask and scale on grad_output; parameters as given to `dropout`."""
    return _noise("dropout", "dropout", "grad_output", grad_output, p, seed, stream, start, out)


def alpha_dropout(
    x: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Dropout for `selu` (Klambauer et al. 2017): inputs of mean 0 and variance 1 keep both.

    y = a * (x where it is kept, else l) - a * l * p,   a = 1 / sqrt((1 - p) * (1 + p * l^2)),   l = -1.7580993

    l is the limit of selu at -inf. The mask is that of `dropout`; p = 1 gives 0 everywhere, as PyTorch's.
    Parameters, result and errors are those of `dropout`.
    """
    return _noise("alpha_dropout", "alpha_dropout", "x", x, p, seed, stream, start, out)


def alpha_dropout_backward(
    grad_output: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Gradient of `alpha_dropout`: a * grad_output where the element was kept, else 0."""
    name = "alpha_dropout"
    return _noise(f"{name}_backward", name, "grad_output", grad_output, p, seed, stream, start, out)


def gaussian_noise(
    x: Any, std: float = 1.0, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Add normal noise of mean 0 (Keras' GaussianNoise); its gradient is grad_output as it is.

    y = x + std * z

    Parameters
    ----------
    x : ndarray of float32 or float64, any shape
    std : float of at least 0, default 1.0
    seed, stream, start : int in [0, 2^64)
        z of element i (in C order) is made of word start + i of the random stream (seed, stream), Philox4x32-10, by the
        inverse of the normal distribution function (Wichura's AS 241).
    out : ndarray like x, optional
        Written and returned; may be x itself.

    Returns
    -------
    y : ndarray, shape and dtype of x

    Raises
    ------
    ValueError
        If std is negative.

    Notes
    -----
    A word has 2^32 values, so the largest noise is 6.2 std.
    """
    return _noise("gaussian_noise", "gaussian_noise", "x", x, std, seed, stream, start, out, parameter="std")


def gaussian_dropout(
    x: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Multiply by normal noise of mean 1 and the variance that `dropout` has (Srivastava et al. 2014).

    y = x * (1 + z * sqrt(p / (1 - p)))

    z is that of `gaussian_noise`; p is below 1. Other parameters, result and errors are those of `dropout`.
    """
    return _noise("gaussian_dropout", "gaussian_dropout", "x", x, p, seed, stream, start, out)


def gaussian_dropout_backward(
    grad_output: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Gradient of `gaussian_dropout`: the same factors on grad_output."""
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
    """The kernel of the operation `name` or of its gradient, with its one parameter."""
    quick = _KERNELS[kernel].quick(x, value, seed, stream, start, LARGEST[name], out)
    if quick is not None:
        return quick
    try:
        x = check.as_array(argument, x)
        value = check_parameter(name, parameter, value)
        seed, stream, start = (
            check.check_integer(which, number, at_least=0, at_most=2**64 - 1)
            for which, number in (("seed", seed), ("stream", stream), ("start", start))
        )
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function(kernel)(x, value, seed=seed, stream=stream, start=start)
            return y
        return _KERNELS[kernel].run(check.without_overlap(x, y, in_place=True), y, value, seed, stream, start)
    except USE as error:
        raise shortened(error)  # noqa: B904


def check_parameter(name: str, parameter: str, value: Any) -> float:
    """The parameter of the operation `name` as a float within its bounds; ValueError or TypeError otherwise."""
    if LARGEST[name] == BELOW_1:
        return check.check_number(parameter, value, at_least=0.0, below=1.0)
    if LARGEST[name] == 1.0:
        return check.check_number(parameter, value, at_least=0.0, at_most=1.0)
    return check.check_number(parameter, value, at_least=0.0)

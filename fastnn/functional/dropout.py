"""Dropout and its gradient."""

from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core import dropout as core
from ._elementwise import Array, reference_function

__all__ = ["dropout", "dropout_backward"]


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
    return _dropout("x", x, p, seed, stream, start, out)


def dropout_backward(
    grad_output: Any, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0, out: Array | None = None
) -> Array:
    """Gradient of `dropout`: the same mask and scale on grad_output; parameters as given to `dropout`."""
    return _dropout("grad_output", grad_output, p, seed, stream, start, out)


def _dropout(name: str, x: Any, p: float, seed: int, stream: int, start: int, out: Array | None) -> Array:
    if out is None:
        quick = core.quick_dropout(x, p, seed, stream, start)
        if quick is not None:
            return quick
    x = check.as_array(name, x)
    p = check.check_number("p", p, at_least=0.0, at_most=1.0)
    seed, stream, start = (
        check.check_integer(which, value, at_least=0, at_most=2**64 - 1)
        for which, value in (("seed", seed), ("stream", stream), ("start", start))
    )
    y = check.check_output(out, x.shape, x.dtype)
    if dispatch.get_reference():
        y[...] = reference_function("dropout")(x, p, seed=seed, stream=stream, start=start)
        return y
    core.dropout(check.without_overlap(x, y, in_place=True), y, p, seed, stream, start)
    return y

"""Inverted dropout, from a counter-based stream of random words."""

import numpy as np

from .elementary import Array
from .random import philox_uint32

__all__ = ["dropout", "dropout_backward"]


@np.errstate(all="ignore")
def dropout(x: Array, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0) -> Array:
    """Return x with each element dropped (made 0) with probability p, and the others scaled by 1 / (1 - p).

    Element i in C order is kept iff word `start + i` of the stream is at least floor(p * 2**32), so any part
    of an array can be computed alone. p = 1 drops everything. Dropped NaN becomes 0, kept NaN stays.

    Parameters
    ----------
    x : ndarray of float32 or float64, any shape
    p : float in [0, 1]
    seed, stream : integers that name the stream, see `philox_uint32`
    start : position in the stream of x's first element
    """
    words = philox_uint32(seed, stream, start, x.size).reshape(x.shape)
    scale = 1.0 / (1.0 - p) if p < 1.0 else 0.0
    return np.where(words >= int(p * 2**32), x * scale, 0)


def dropout_backward(grad_output: Array, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0) -> Array:
    """Return the gradient of `dropout`: dropout is linear, so the same mask and the same scale."""
    return dropout(grad_output, p, seed=seed, stream=stream, start=start)

"""Dropout, alpha dropout, Gaussian noise and random slopes, from a counter-based stream of random words.

Element i in C order uses word `start + i` of the stream, so any part of an array can be computed separately. Common
parameters:

x : ndarray of float32 or float64, any shape
seed, stream : integers that name the stream, see `philox_uint32`
start : position in the stream of x's first element
"""

import math

import numpy as np

from .activations import leaky_relu_backward
from .elementary import Array
from .random import normal, philox_uint32

__all__ = [
    "alpha_dropout",
    "alpha_dropout_backward",
    "dropout",
    "dropout_backward",
    "gaussian_dropout",
    "gaussian_dropout_backward",
    "gaussian_noise",
    "rrelu",
    "rrelu_backward",
]

# The limit of selu at -infinity: -scale * alpha of Klambauer et al. 2017.
ALPHA_LOW = -1.7580993408473768599402175208123


@np.errstate(all="ignore")
def dropout(
    x: Array, p: float = 0.5, training: bool = True, *, seed: int | None = None, stream: int = 0, start: int = 0
) -> Array:
    """Return x with each element set to 0 with probability p, and the others scaled by 1 / (1 - p).

    An element is kept iff its word is at least floor(p * 2**32). p = 1 drops everything. Dropped NaN becomes
    0, kept NaN stays. Without `training` nothing is dropped; `seed` is required.
    """
    if seed is None:
        raise TypeError("dropout() needs a seed")
    p = p if training else 0.0
    scale = 1.0 / (1.0 - p) if p < 1.0 else 0.0
    return np.where(_kept(x, p, seed, stream, start), _scaled(x, scale), 0)


def dropout_backward(grad_output: Array, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0) -> Array:
    """Return the gradient of `dropout`: dropout is linear, so the same mask and the same scale."""
    return dropout(grad_output, p, seed=seed, stream=stream, start=start)


@np.errstate(all="ignore")
def alpha_dropout(x: Array, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0) -> Array:
    """Return scale * (x, or ALPHA_LOW where dropped) + shift, which keeps mean 0 and variance 1.

    scale = 1 / sqrt((1 - p) (1 + p ALPHA_LOW^2)) and shift = -scale ALPHA_LOW p: Klambauer et al. 2017, and
    PyTorch. The mask is that of `dropout`. p = 1 gives 0 everywhere.
    """
    scale = _alpha_scale(p)
    shift = -ALPHA_LOW * p * scale
    dropped = x.dtype.type(ALPHA_LOW * scale + shift)
    return np.where(_kept(x, p, seed, stream, start), _scaled(x, scale, shift), dropped)


@np.errstate(all="ignore")
def alpha_dropout_backward(grad_output: Array, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0) -> Array:
    """Return the gradient of `alpha_dropout`: grad_output * scale where the element was kept, else 0."""
    return np.where(_kept(grad_output, p, seed, stream, start), _scaled(grad_output, _alpha_scale(p)), 0)


@np.errstate(all="ignore")
def gaussian_noise(x: Array, std: float = 1.0, *, seed: int, stream: int = 0, start: int = 0) -> Array:
    """Return x + std * z, z being `normal` numbers of the stream."""
    return x + std * _normal(x, seed, stream, start)


@np.errstate(all="ignore")
def gaussian_dropout(x: Array, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0) -> Array:
    """Return x * (1 + z * sqrt(p / (1 - p))): the mean and the variance of `dropout` (Srivastava et al. 2014)."""
    return x * (1 + math.sqrt(p / (1 - p)) * _normal(x, seed, stream, start))


def gaussian_dropout_backward(
    grad_output: Array, p: float = 0.5, *, seed: int, stream: int = 0, start: int = 0
) -> Array:
    """Return the gradient of `gaussian_dropout`, which is linear: the same factors."""
    return gaussian_dropout(grad_output, p, seed=seed, stream=stream, start=start)


def rrelu(
    x: Array,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    seed: int | None = None,
    stream: int = 0,
    start: int = 0,
) -> Array:
    """Return x where x > 0, else slope * x (Xu et al. 2015).

    The slope is (lower + upper) / 2, or in training uniform on [lower, upper): element i has its word / 2**32 of the
    way. The product is computed in double.
    """
    return rrelu_backward(x, x, lower, upper, training, seed=seed, stream=stream, start=start)


@np.errstate(all="ignore")
def rrelu_backward(
    grad_output: Array,
    x: Array,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    seed: int | None = None,
    stream: int = 0,
    start: int = 0,
) -> Array:
    """Return grad_output where x > 0, else slope * grad_output; where x is NaN grad_output in training, as in ATen."""
    if not training:
        return leaky_relu_backward(grad_output, x, (lower + upper) / 2)
    assert seed is not None
    slopes = lower + (upper - lower) * (philox_uint32(seed, stream, start, x.size).reshape(x.shape) * 2.0**-32)
    scaled = (grad_output.astype(np.result_type(grad_output, "float64")) * slopes).astype(grad_output.dtype)
    return np.where(x <= 0, scaled, grad_output)


def _scaled(x: Array, scale: float, shift: float = 0.0) -> Array:
    """Return x * scale + shift, computed in double so that it is rounded to float32 only once."""
    y = x.astype(np.result_type(x, "float64")) * scale
    return (y + shift if shift else y).astype(x.dtype)  # not + 0, which would lose the sign of -0


def _kept(x: Array, p: float, seed: int, stream: int, start: int) -> Array:
    return philox_uint32(seed, stream, start, x.size).reshape(x.shape) >= int(p * 2**32)


def _alpha_scale(p: float) -> float:
    return 1.0 / math.sqrt((1.0 - p) * (1.0 + p * ALPHA_LOW * ALPHA_LOW)) if p < 1.0 else 0.0


def _normal(x: Array, seed: int, stream: int, start: int) -> Array:
    return normal(seed, stream, start, x.size, x.dtype).reshape(x.shape)

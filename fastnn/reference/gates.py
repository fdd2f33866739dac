"""Gates: operations that compute one feature from several neighbours, or from two halves of the last axis."""

import numpy as np

from .activations import sigmoid, silu, silu_backward
from .elementary import Array

__all__ = ["glu", "glu_backward", "maxout", "maxout_backward", "swiglu", "swiglu_backward"]


@np.errstate(all="ignore")
def glu(x: Array) -> Array:
    """Return a * sigmoid(b), a and b being the halves of the last axis (Dauphin et al. 2017)."""
    a, b = np.split(x, 2, axis=-1)
    return a * sigmoid(b)


@np.errstate(all="ignore")
def glu_backward(grad_output: Array, x: Array) -> Array:
    """Return the gradients of both halves, concatenated; 1 - sigmoid(b) is sigmoid(-b), without cancellation."""
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([grad_output * sigmoid(b), grad_output * a * (sigmoid(b) * sigmoid(-b))], axis=-1)


@np.errstate(all="ignore")
def swiglu(x: Array) -> Array:
    """Return silu(a) * b, a and b being the halves of the last axis (Shazeer 2020)."""
    a, b = np.split(x, 2, axis=-1)
    return silu(a) * b


@np.errstate(all="ignore")
def swiglu_backward(grad_output: Array, x: Array) -> Array:
    """Return the gradients of both halves, concatenated."""
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([silu_backward(grad_output * b, a), grad_output * silu(a)], axis=-1)


def maxout(x: Array, pool_size: int = 2) -> Array:
    """Return the largest of each pool_size consecutive features (Goodfellow et al. 2013); NaN passes."""
    pools, best = _pools(x, pool_size)
    return np.take_along_axis(pools, best, axis=-1)[..., 0]


def maxout_backward(grad_output: Array, x: Array, pool_size: int = 2) -> Array:
    """Return grad_output where a feature was the largest of its pool (the first of equal ones), else 0."""
    pools, best = _pools(x, pool_size)
    grad_x = np.zeros_like(pools)
    np.put_along_axis(grad_x, best, grad_output[..., np.newaxis], axis=-1)
    return grad_x.reshape(x.shape)


def _pools(x: Array, pool_size: int) -> tuple[Array, Array]:
    """Return x with a last axis of pool_size, and the index of the largest in it; NaN counts as the largest."""
    pools = x.reshape(*x.shape[:-1], x.shape[-1] // pool_size, pool_size)
    return pools, pools.argmax(axis=-1)[..., np.newaxis]

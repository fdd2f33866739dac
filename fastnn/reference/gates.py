"""Gates: operations that compute one feature from several neighbours, or from two halves, along an axis."""

import numpy as np

from .activations import sigmoid, silu, silu_backward
from .elementary import Array

__all__ = ["glu", "glu_backward", "maxout", "maxout_backward", "swiglu", "swiglu_backward"]


@np.errstate(all="ignore")
def glu(x: Array, dim: int = -1) -> Array:
    """Return a * sigmoid(b), a and b being the halves along an axis (Dauphin et al. 2017)."""
    a, b = np.split(x, 2, axis=dim)
    return a * sigmoid(b)


@np.errstate(all="ignore")
def glu_backward(grad_output: Array, x: Array, dim: int = -1) -> Array:
    """Return the gradients of both halves, concatenated; 1 - sigmoid(b) is sigmoid(-b), without cancellation."""
    a, b = np.split(x, 2, axis=dim)
    return np.concatenate([grad_output * sigmoid(b), grad_output * a * (sigmoid(b) * sigmoid(-b))], axis=dim)


@np.errstate(all="ignore")
def swiglu(x: Array, dim: int = -1) -> Array:
    """Return silu(a) * b, a and b being the halves along an axis (Shazeer 2020)."""
    a, b = np.split(x, 2, axis=dim)
    return silu(a) * b


@np.errstate(all="ignore")
def swiglu_backward(grad_output: Array, x: Array, dim: int = -1) -> Array:
    """Return the gradients of both halves, concatenated."""
    a, b = np.split(x, 2, axis=dim)
    return np.concatenate([silu_backward(grad_output * b, a), grad_output * silu(a)], axis=dim)


def maxout(x: Array, pool_size: int = 2, dim: int = -1) -> Array:
    """Return the largest of each pool_size consecutive features (Goodfellow et al. 2013); NaN passes."""
    pools, best = _pools(np.moveaxis(x, dim, -1), pool_size)
    return np.moveaxis(np.take_along_axis(pools, best, axis=-1)[..., 0], -1, dim)


def maxout_backward(grad_output: Array, x: Array, pool_size: int = 2, dim: int = -1) -> Array:
    """Return grad_output where a feature was the largest of its pool (the first of equal ones), else 0."""
    moved = np.moveaxis(x, dim, -1)
    pools, best = _pools(moved, pool_size)
    grad_x = np.zeros_like(pools)
    np.put_along_axis(grad_x, best, np.moveaxis(grad_output, dim, -1)[..., np.newaxis], axis=-1)
    return np.moveaxis(grad_x.reshape(moved.shape), -1, dim)


def _pools(x: Array, pool_size: int) -> tuple[Array, Array]:
    """Return x with a last axis of pool_size, and the index of the largest in it; NaN counts as the largest."""
    pools = x.reshape(*x.shape[:-1], x.shape[-1] // pool_size, pool_size)
    return pools, pools.argmax(axis=-1)[..., np.newaxis]

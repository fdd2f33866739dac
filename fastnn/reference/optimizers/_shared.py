"""Common parts of the updates."""

import numpy as np

from ..elementary import Array
from ..parameters import lerp_


def gradient(
    param: Array, grad: Array, lr: float, weight_decay: float, maximize: bool, decoupled: bool = False
) -> Array:
    """Return g, the gradient of the loss plus weight_decay / 2 * |param|**2; or, if decoupled, shrink param itself."""
    if maximize:
        grad = -grad
    if weight_decay == 0:
        return grad
    if decoupled:
        param *= 1 - lr * weight_decay
        return grad
    return grad + weight_decay * param


def root(square: Array, eps: float, compat: str) -> Array:
    """Return the root of an average of squares, with eps added: under the root for keras, after it otherwise."""
    return np.sqrt(square + eps) if compat == "keras" else np.sqrt(square) + eps


def over_root(a: Array, root: Array) -> Array:
    """Return a / root, where a root of 0 (eps = 0 and no gradient so far) gives 0, not NaN.

    The root is at least that of the smallest positive number, as all roots of positive numbers are.
    """
    return a / np.maximum(root, np.sqrt(np.finfo(root.dtype).smallest_subnormal))


def average_moments(exp_avg: Array, exp_avg_sq: Array, grad: Array, betas: tuple[float, float]) -> None:
    """Update Adam's averages of the gradient and of its square."""
    lerp_(exp_avg, grad, 1 - betas[0])
    average_square(exp_avg_sq, grad, betas[1])


def average_square(average: Array, value: Array, decay: float) -> None:
    """Set average = decay * average + (1 - decay) * value**2."""
    average *= decay
    average += (1 - decay) * value * value

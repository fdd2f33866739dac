"""Losses of relative errors; the conventions are those of `losses`."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .elementary import Array

__all__ = [
    "mape_loss",
    "mape_loss_backward",
    "msle_loss",
    "msle_loss_backward",
]


@np.errstate(all="ignore")
def mape_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    eps: float = 1e-7,
) -> Any:
    """Return 100 |input - target| / max(|target|, eps), the absolute error in percent of the target."""
    return reduced(np.abs(input - target) * _percent(target, eps), reduction, sample_weight)


@np.errstate(all="ignore")
def mape_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    eps: float = 1e-7,
) -> Array:
    """Return the gradient of `mape_loss`: 100 / max(|target|, eps) with the sign of input - target, 0 at 0."""
    slope = np.sign(input - target) * _percent(target, eps)
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


def _percent(target: Array, eps: float) -> Array:
    return 100 / np.maximum(np.abs(target), eps)


@np.errstate(all="ignore")
def msle_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    eps: float = 1e-7,
) -> Any:
    """Return (log(1 + x) - log(1 + t))**2 of input x and target t, both at least eps."""
    difference = np.log1p(np.maximum(input, eps)) - np.log1p(np.maximum(target, eps))
    return reduced(difference * difference, reduction, sample_weight)


@np.errstate(all="ignore")
def msle_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    eps: float = 1e-7,
) -> Array:
    """Return the gradient of `msle_loss`: 2 (log(1 + x) - log(1 + t)) / (1 + x), and 0 where x is not above eps."""
    held = np.maximum(input, eps)
    difference = np.log1p(held) - np.log1p(np.maximum(target, eps))
    slope = 2 * difference / (1 + held)
    slope = np.where(input <= eps, 0 * slope + 0, slope)
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)

"""Losses of what networks compute of two samples, with a gradient for each; the conventions are those of `losses`.

A clamped term passes its gradient on at the clamp itself, as PyTorch's does.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .elementary import Array, unit_scale

__all__ = [
    "cosine_embedding_loss",
    "cosine_embedding_loss_backward",
    "hinge_embedding_loss",
    "hinge_embedding_loss_backward",
    "margin_ranking_loss",
    "margin_ranking_loss_backward",
]

COSINE_EPS = 1e-12  # under the root of a norm, as in ATen


def slope_of(gap: Array) -> Array:
    """Return the derivative of max(0, gap): 1 where gap is not below 0; NaN stays."""
    return np.where(gap >= 0, 1, np.where(gap < 0, 0, gap)).astype(gap.dtype)


@np.errstate(all="ignore")
def hinge_embedding_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 1.0,
) -> Any:
    """Return x where the target is 1, max(0, margin - x) where it is -1."""
    loss = np.where(target == 1, input, np.maximum(margin - input, 0)) + 0 * target
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def hinge_embedding_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 1.0,
) -> Array:
    """Return the gradient of `hinge_embedding_loss`: 1, or -1 where margin - x is not below 0."""
    one = np.where(np.isnan(input), input, 1)
    slope = np.where(target == 1, one, 0 - slope_of(margin - input)) + 0 * target
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


@np.errstate(all="ignore")
def margin_ranking_loss(
    input1: Array,
    input2: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 0.0,
) -> Any:
    """Return max(0, margin - t (x1 - x2)): 0 where the one that t says is larger by the margin."""
    return reduced(np.maximum(margin - target * (input1 - input2), 0), reduction, sample_weight)


@np.errstate(all="ignore")
def margin_ranking_loss_backward(
    grad_output: ArrayLike,
    input1: Array,
    input2: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 0.0,
) -> tuple[Array, Array]:
    """Return the gradients of `margin_ranking_loss`: -t and t where it is not clamped."""
    slope = target * slope_of(margin - target * (input1 - input2))
    reaching = upstream(grad_output, input1, reduction, sample_weight)
    return shared(reaching, 0 - slope), shared(reaching, slope)


@np.errstate(all="ignore")
def cosine_embedding_loss(
    input1: Array,
    input2: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 0.0,
) -> Any:
    """Return 1 - cos(x1, x2) for rows whose target is 1, max(0, cos(x1, x2) - margin) for -1."""
    cosine, *_ = _cosine(input1, input2)
    loss = np.where(target == 1, 1 - cosine, np.maximum(cosine - margin, 0)) + 0 * target
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def cosine_embedding_loss_backward(
    grad_output: ArrayLike,
    input1: Array,
    input2: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 0.0,
) -> tuple[Array, Array]:
    """Return the gradients of `cosine_embedding_loss`, by (x2 / |x2| - cos x1 / |x1|) / |x1| and the like."""
    cosine, unit1, unit2, norm1, norm2 = _cosine(input1, input2)
    slope = np.where(target == 1, -1, slope_of(cosine - margin)) + 0 * target
    reaching = shared(upstream(grad_output, cosine, reduction, sample_weight), slope)[:, np.newaxis]
    cosine = cosine[:, np.newaxis]
    return reaching * ((unit2 - cosine * unit1) / norm1), reaching * ((unit1 - cosine * unit2) / norm2)


def _cosine(x: Array, y: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return the cosines, the rows over their norms, and these, the roots of sums of squares + COSINE_EPS."""
    norms = []
    for rows in (x, y):
        scale = np.minimum(unit_scale(rows, 1), 1)  # against overflow
        scale = np.where(scale == 0, 1, scale)
        squares = ((rows * scale) ** 2).sum(axis=1, keepdims=True) + COSINE_EPS * scale * scale
        norms.append(np.sqrt(squares).astype(x.dtype) / scale)
    units = x / norms[0], y / norms[1]
    return (units[0] * units[1]).sum(axis=1), *units, *norms

"""Losses of rows each of whose columns may be set, one number per row; the conventions are those of `losses`."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .binary_losses import binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_backward
from .elementary import Array

__all__ = [
    "dice_loss",
    "dice_loss_backward",
    "multilabel_margin_loss",
    "multilabel_margin_loss_backward",
    "multilabel_soft_margin_loss",
    "multilabel_soft_margin_loss_backward",
]


@np.errstate(all="ignore")
def dice_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    smooth: float = 0.0,
    eps: float = 1e-7,
    axis: int | None = 1,
) -> Any:
    """Return 1 - (2 sum(x t) + smooth) / (sum(x) + sum(t) + smooth + eps), the sums over each row, or over everything.

    axis : 1, or None for one loss of the whole arrays
    """
    share, _ = _dice(_as_rows(input, axis), _as_rows(target, axis), smooth, eps)
    return reduced(1 - share, reduction, sample_weight)


@np.errstate(all="ignore")
def dice_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    smooth: float = 0.0,
    eps: float = 1e-7,
    axis: int | None = 1,
) -> Array:
    """Return the gradient of `dice_loss`: what is subtracted from 1, less 2 t, over sum(x) + sum(t) + smooth + eps."""
    t = _as_rows(target, axis)
    share, both = _dice(_as_rows(input, axis), t, smooth, eps)
    reaching = upstream(grad_output, share, reduction, sample_weight)
    slope = (share / both)[:, np.newaxis] - (2 / both)[:, np.newaxis] * t
    return shared(reaching[:, np.newaxis], slope).reshape(input.shape)


def _as_rows(x: Array, axis: int | None) -> Array:
    return x.reshape(1, -1) if axis is None else x.reshape(len(x), int(np.prod(x.shape[1:])))


def _dice(x: Array, t: Array, smooth: float, eps: float) -> tuple[Any, Any]:
    """Return what is subtracted from 1, and its denominator, for each row."""
    both = x.sum(axis=1) + t.sum(axis=1) + x.dtype.type(smooth + eps)
    return (2 * (x * t).sum(axis=1) + x.dtype.type(smooth)) / both, both


def multi_hot(target: Array, input: Array) -> Array:
    """Return how often each column is among the labels of a row, which end at the first negative one.

    Targets that are no integers are such counts already.
    """
    if not np.issubdtype(target.dtype, np.integer):
        return target.astype(input.dtype)
    counts = np.zeros_like(input)
    rows, places = np.nonzero(np.logical_and.accumulate(target >= 0, axis=1))
    np.add.at(counts, (rows, target[rows, places]), 1)
    return counts


@np.errstate(all="ignore")
def multilabel_margin_loss(
    input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None
) -> Any:
    """Return sum of max(0, 1 - x_j + x_i) over labels j and columns i that are none, over the number of columns.

    target : integers of shape (rows, n), the labels of each row, ended by a negative number unless there are n
    """
    each = [_margins(x, times)[0] for x, times in zip(input, multi_hot(target, input), strict=True)]
    return reduced(np.array(each, input.dtype) / max(input.shape[1], 1), reduction, sample_weight)


@np.errstate(all="ignore")
def multilabel_margin_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `multilabel_margin_loss`: 1 / columns for each i, less that for j, of terms above 0."""
    slope = np.zeros_like(input)
    for row, x, times in zip(slope, input, multi_hot(target, input), strict=True):
        row[...] = _margins(x, times)[1] / len(x)
    reaching = upstream(grad_output, input.sum(axis=1), reduction, sample_weight)
    return shared(reaching[:, np.newaxis], slope)


def _margins(x: Array, times: Array) -> tuple[Any, Array]:
    """Return the sum of max(0, 1 - x_j + x_i) of one row and its gradient; `times` says how often j is a label."""
    others, slope = times == 0, np.zeros_like(x)
    total = x.dtype.type(0)
    for label in np.flatnonzero(~others):
        gaps = 1 - x[label] + x[others]
        step = times[label] * np.where(gaps > 0, 1, np.where(gaps <= 0, 0, gaps)).astype(x.dtype)
        total += times[label] * np.maximum(gaps, 0).sum()
        slope[others] += step
        slope[label] -= step.sum()
    return total, slope


def multilabel_soft_margin_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Any:
    """Return the mean over the columns of `binary_cross_entropy_with_logits`, times `weight`, of shape (columns,)."""
    loss = binary_cross_entropy_with_logits(input, target, "none", weight=weight)
    return reduced(loss.sum(axis=1) / input.shape[1], reduction, sample_weight)


@np.errstate(all="ignore")
def multilabel_soft_margin_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `multilabel_soft_margin_loss`: weight (sigmoid(x) - t) / columns."""
    slope = binary_cross_entropy_with_logits_backward(1.0, input, target, "sum", weight=weight)
    reaching = upstream(grad_output, input.sum(axis=1), reduction, sample_weight)[:, np.newaxis]
    return shared(reaching, slope) / input.shape[1]

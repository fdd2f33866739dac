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
    counts = multi_hot(target, input)
    gaps = np.maximum(_gaps(input, counts), 0)
    return reduced(shared(_pairs(counts), gaps).sum(axis=(1, 2)) / input.shape[1], reduction, sample_weight)


@np.errstate(all="ignore")
def multilabel_margin_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `multilabel_margin_loss`: 1 / columns for each i, less that for j, of terms above 0."""
    counts = multi_hot(target, input)
    gaps = _gaps(input, counts)
    slope = shared(_pairs(counts), np.where(gaps > 0, 1, np.where(gaps <= 0, 0, gaps))) / input.shape[1]
    reaching = upstream(grad_output, input[:, 0], reduction, sample_weight)
    return shared(reaching[:, np.newaxis], slope.sum(axis=1) - slope.sum(axis=2))


def _gaps(input: Array, counts: Array) -> Array:
    """Return 1 - x_j + x_i for each row, label j and column i that is none; 0 for other pairs."""
    gaps = (1 - input)[:, :, np.newaxis] + input[:, np.newaxis, :]
    return np.where(_pairs(counts) == 0, 0, gaps)


def _pairs(counts: Array) -> Array:
    return counts[:, :, np.newaxis] * (counts == 0)[:, np.newaxis, :]


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
    reaching = upstream(grad_output, input[:, 0], reduction, sample_weight)[:, np.newaxis]
    return shared(reaching, slope) / input.shape[1]

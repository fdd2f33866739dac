"""Common parts of the losses: weights of elements, the reduction, and the gradient of the reduction."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .elementary import Array


@np.errstate(all="ignore")
def shared(share: Any, y: Array) -> Any:
    """Return share * y, but 0 where share is 0 and y infinite; NaN stays."""
    return share * np.where(np.equal(share, 0), np.clip(y, -1e30, 1e30), y)


def element_weights(loss: Array, sample_weight: ArrayLike | None) -> Array:
    """Return the weight of every element of the loss: that of its sample, or 1."""
    if sample_weight is None:
        return np.ones_like(loss)
    weight = np.asarray(sample_weight, dtype=loss.dtype)
    trailing = (1,) * (loss.ndim - weight.ndim)
    return np.broadcast_to(weight.reshape(weight.shape + trailing), loss.shape)


def reduced(loss: Array, reduction: str, sample_weight: ArrayLike | None, share: ArrayLike = 1) -> Any:
    """Return the weighted loss of every element, or its sum or mean.

    In the mean an element counts with its weight, times `share` if that is given.
    """
    weight = element_weights(loss, sample_weight)
    weighted = shared(weight, loss)
    return weighted if reduction == "none" else weighted.sum() / _divisor(weight * share, reduction)


def upstream(
    grad_output: ArrayLike, loss: Array, reduction: str, sample_weight: ArrayLike | None, share: ArrayLike = 1
) -> Array:
    """Return the gradient of the reduced loss by every element; only shape and dtype of `loss` are used."""
    weight = element_weights(loss, sample_weight)
    if reduction != "none":
        weight = weight / _divisor(weight * share, reduction)
    return np.asarray(grad_output, dtype=loss.dtype) * weight


def _divisor(counts: Array, reduction: str) -> Any:
    """Return the divisor of the sum of losses: for "mean" the weighted number of elements, for "batchmean" of rows."""
    if reduction == "sum":
        return counts.dtype.type(1)
    return counts.sum() / (counts[:1].size if reduction == "batchmean" else 1)

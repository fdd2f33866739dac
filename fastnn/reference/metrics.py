"""Counts from which metrics are computed, added up batch by batch in float64.

`target` is an array of class indices (rows,), or has a row for each sample. Then the class is the index of the largest
entry; or with `columns` each column is a label, true where the target is above 1/2 and predicted where the output is
above `threshold`. `weight` has a number for each sample. Class indices out of range are not counted.
"""

import numpy as np

from .elementary import Array

__all__ = ["count_classes", "count_correct", "count_errors", "count_top"]


def count_correct(x: Array, target: Array, weight: Array, threshold: float, columns: bool) -> Array:
    """Sums of weights of correct and of all predictions, shape (2,). Of several labels a sample, each counts."""
    right = (x > threshold) == (target > 0.5) if columns else (x.argmax(1) == _classes(target))[:, None]
    if weight.ndim > 1:
        return np.array([(weight * right).sum(), weight.sum()], "float64")
    return np.array([weight @ right.sum(1), weight.sum() * right.shape[1]], "float64")


def count_classes(x: Array, target: Array, weight: Array, threshold: float, columns: bool) -> Array:
    """Weights of true positives, predicted positives and positives of each class: shape (3, classes)."""
    if columns and x.shape[1] > 1:
        called, true = x > threshold, target > 0.5
    else:
        single = x.shape[1] == 1 and columns
        labels = np.arange(max(2, x.shape[1]))
        called = ((x[:, 0] > threshold) if single else x.argmax(1))[:, None] == labels
        true = ((target[:, 0] > 0.5) if single else _classes(target))[:, None] == labels
        called[~true.any(1)] = False
    if weight.ndim > 1:
        return np.array([(weight * which).sum(0) for which in (called & true, called, true)], "float64")
    return np.array([weight @ (called & true), weight @ called, weight @ true], "float64")


def count_top(x: Array, target: Array, weight: Array, k: float) -> Array:
    """Weights of samples whose class is among the k largest outputs (later ones first if equal), and of all: (2,)."""
    classes = _classes(target)
    known = (classes >= 0) & (classes < x.shape[1])
    x, classes, weight = x[known], classes[known, None], weight[known]
    x = np.where(np.isnan(x), np.inf, x)  # a sort puts NaN last
    own = np.take_along_axis(x, classes, 1)
    rank = ((x > own) | ((x == own) & (np.arange(x.shape[1]) > classes))).sum(1)
    return np.array([weight @ (rank < k), weight.sum()], "float64")


def count_errors(counts: Array, x: Array, target: Array, weight: Array) -> None:
    """Add a batch to `counts`, in place.

    These are the sum of weights and the number of samples; then for each output the summed |error|, the summed squared
    error, the mean of the targets and their summed squared distance from it, updated by each sample without
    cancellation (West, "Updating mean and variance estimates: an improved method", 1979), and the sum of weights.
    `weight` has a number for each sample, or for each element.
    """
    absolute, squared, mean, spread, weights = counts[2:].reshape(5, -1)
    error, elements = x.astype("float64") - target, weight if weight.ndim > 1 else weight[:, None]
    absolute += _weighted(elements, np.abs(error))
    squared += _weighted(elements, error**2)
    for t, w in zip(target.astype("float64"), elements.astype("float64"), strict=True):
        counts[:2] += w.mean(), 1
        weights += w
        distance = t - mean
        mean += np.where(w, distance * (w / np.where(weights, weights, 1)), 0)
        spread += np.where(w, w * distance * (t - mean), 0)


def _weighted(weight: Array, values: Array) -> Array:
    """Sums over the rows; a weight of 0 takes out a value that is not finite."""
    return np.where(weight, weight * values, 0).sum(0)


def _classes(target: Array) -> Array:
    return target if target.ndim == 1 else target.argmax(1)

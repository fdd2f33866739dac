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
    cancellation (West, "Updating mean and variance estimates: an improved method", 1979).
    """
    absolute, squared, mean, spread = counts[2:].reshape(4, -1)
    error = x.astype("float64") - target
    absolute += weight @ np.abs(error)
    squared += weight @ error**2
    for t, w in zip(target.astype("float64"), weight.astype("float64"), strict=True):
        counts[:2] += w, 1
        if w:
            distance = t - mean
            mean += distance * (w / counts[0])
            spread += w * distance * (t - mean)


def _classes(target: Array) -> Array:
    return target if target.ndim == 1 else target.argmax(1)

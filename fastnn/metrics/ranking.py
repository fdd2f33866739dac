"""Metrics of scores that rank samples: the area under the ROC curve, with the numbers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_finite, as_names, as_weight, check_rows
from .classification import as_indices


@errors_of_use
def roc_auc(y_true: Any, y_score: Any, *, average: str | None = "macro", sample_weight: Any = None) -> Any:
    """Area under the ROC curve (AUC): the probability that a positive sample has a larger score than a negative one.

        auc = sum_ij w_i w_j ([s_i > s_j] + 1/2 [s_i = s_j]) / sum_ij w_i w_j    i positive, j negative

    Parameters
    ----------
    y_true : array_like
        Two labels, shape (n,), of which the larger is positive (one label alone is positive if it is 1); or class
        indices, shape (n,); or 0 and 1 with a column for each label, shape (n, labels).
    y_score : array_like of real numbers
        For two labels any scores, shape (n,) or (n, 1). For class indices probabilities, shape (n, classes): each class
        is compared with the rest. For columns of labels any scores, shape (n, labels).
    average : {"macro", "weighted", None}, default "macro"
        Over classes or labels: the mean; the mean weighted by the positive samples of each; or an array with the value
        of each. Not used for shape (n,).
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.

    Returns
    -------
    float, or with `average=None` an ndarray of float64, shape (classes,)
        Between 0 and 1; 0.5 is that of constant scores. NaN if there are no positive or no negative samples; such a
        class makes the "macro" mean NaN, and a class without positive samples is left out of the "weighted" mean.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, a score is infinite or NaN, probabilities of classes do not add up
        to 1 in each row, there are more than two labels for one score a sample, or a weight is negative or not finite.
    TypeError
        If scores are not real numbers, or class indices not integers.

    Notes
    -----
    Source: `sklearn.metrics.roc_auc_score`, with `multi_class="ovr", labels=range(classes)` for class indices. The
    formula is that of Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic
    (ROC) curve", 1982; it is computed by sorting, in O(n log n).

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    >>> metrics.roc_auc([0, 1, 2], [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]], average=None).tolist()
    [0.75, 1.0, 0.5]
    """
    check.check_choice("average", average, ("macro", "weighted", None))
    true, score = as_names("y_true", y_true), as_finite("y_score", y_score)
    check_rows(y_true=true, y_score=score)
    true, score = (a.reshape(-1) if a.shape[1:] == (1,) else a for a in (true, score))
    weight = as_weight(sample_weight, len(true))
    if true.ndim == score.ndim == 1:
        return binary_auc(_positive(true), score, weight)
    if true.ndim == 1 and score.ndim == 2:
        if not np.allclose(score.sum(1), 1):
            raise ValueError("y_score must be probabilities, which add up to 1 in each row, for class indices")
        true = as_indices(true, score.shape[1])[:, None] == np.arange(score.shape[1])
    if true.shape != score.shape or true.ndim != 2:
        raise ValueError(f"y_true and y_score must have fitting shapes, got {true.shape} and {score.shape}")
    return columns_auc(true == 1, score, weight, average)


def columns_auc(positive: Array, score: Array, weight: Array, average: str | None) -> Any:
    """The area for each column, averaged as by `roc_auc`.

    Parameters
    ----------
    positive : ndarray of bool, shape (n, columns)
    score : ndarray of float64, shape (n, columns)
    weight : ndarray of float64, shape (n,)
    average : {"macro", "weighted", None}

    Returns
    -------
    float, or with `average=None` an ndarray of float64, shape (columns,)
    """
    areas = np.array([binary_auc(p, s, weight) for p, s in zip(positive.T, score.T, strict=True)])
    if average is None:
        return areas
    shares = weight @ positive if average == "weighted" else np.ones(len(areas))
    counted = shares != 0  # a class without positive samples has no area, and weight 0
    return float(np.average(areas[counted], weights=shares[counted])) if counted.any() else float("nan")


def binary_auc(positive: Array, score: Array, weight: Array) -> float:
    """The area for one score a sample.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    score : ndarray of float64, shape (n,)
        Finite.
    weight : ndarray of float64, shape (n,)

    Returns
    -------
    float
        NaN if the positive or the negative samples have no weight.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.metrics.ranking import binary_auc
    >>> binary_auc(np.array([True, False, True]), np.array([3.0, 2.0, 1.0]), np.ones(3))
    0.5
    """
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # of each run of equal scores
    positives = np.add.reduceat(np.where(positive, weight, 0.0)[order], first)
    negatives = np.add.reduceat(np.where(positive, 0.0, weight)[order], first)
    below = np.cumsum(negatives) - negatives
    total = positives.sum() * negatives.sum()
    return float(positives @ (below + negatives / 2) / total) if total else float("nan")


def _positive(labels: Array) -> Array:
    """Whether each label is the larger of the two; of one label alone, whether it is 1."""
    names = np.unique(labels)
    if len(names) > 2:
        raise ValueError(f"y_score must have shape (n, {len(names)}) for {len(names)} classes, got one score a sample")
    return labels == names[-1] if len(names) == 2 or names[0] == 1 else np.zeros(len(labels), bool)

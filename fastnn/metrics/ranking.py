"""Metrics of scores, as rankings: the area under the ROC curve, with scikit-learn's definition and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_finite, as_names, as_weight, check_rows
from .classification import as_indices


@errors_of_use
def roc_auc(y_true: Any, y_score: Any, *, average: str | None = "macro", sample_weight: Any = None) -> Any:
    """Area under the ROC curve: how often a positive sample has the larger score than a negative one; ties count half.

    Parameters
    ----------
    y_true : array of two labels, shape (n,), the larger one positive; of class indices, shape (n,); or of 0 and 1,
        shape (n, labels)
    y_score : array
        Of shape (n,) or (n, 1) for two labels, any scores; of shape (n, classes) for class indices, probabilities, each
        class against the rest; of shape (n, labels), any scores.
    average : {"macro", "weighted", None}, default "macro"
        Over classes or labels: the mean; weighted by their samples; or an array, a value each.
    sample_weight : array of shape (n,), optional

    Returns
    -------
    float, or ndarray with `average=None`. nan where one of the two sorts of samples is missing.

    Raises
    ------
    ValueError
        If shapes do not fit, a score is not finite, or rows of scores of classes do not add up to 1.

    Notes
    -----
    `sklearn.metrics.roc_auc_score`, with `multi_class="ovr", labels=range(classes)` for class indices.
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
    """The area for each column, averaged."""
    areas = np.array([binary_auc(p, s, weight) for p, s in zip(positive.T, score.T, strict=True)])
    if average is None:
        return areas
    shares = weight @ positive if average == "weighted" else np.ones(len(areas))
    counted = shares != 0  # a class that does not occur has no area, and no say in a weighted mean
    return float(np.average(areas[counted], weights=shares[counted])) if counted.any() else float("nan")


def binary_auc(positive: Array, score: Array, weight: Array) -> float:
    """The area for one score a sample."""
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # of each run of equal scores
    positives = np.add.reduceat(np.where(positive, weight, 0.0)[order], first)
    negatives = np.add.reduceat(np.where(positive, 0.0, weight)[order], first)
    below = np.cumsum(negatives) - negatives
    total = positives.sum() * negatives.sum()
    return float(positives @ (below + negatives / 2) / total) if total else float("nan")


def _positive(labels: Array) -> Array:
    """Where the larger of two labels stands."""
    names = np.unique(labels)
    if len(names) > 2:
        raise ValueError(f"y_score must have shape (n, {len(names)}) for {len(names)} classes, got one score a sample")
    return labels == names[-1] if len(names) == 2 or names[0] == 1 else np.zeros(len(labels), bool)

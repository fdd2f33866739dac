"""Accuracy, top-k accuracy and the confusion matrix, with the definitions and numbers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_finite, as_indices, as_label_set, as_labels, as_names, as_weight, check_rows, places


@errors_of_use
def accuracy(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Accuracy: the fraction of samples that are classified correctly.

        accuracy = sum_i w_i [y_pred_i = y_true_i] / sum_i w_i

    Parameters
    ----------
    y_true : array_like of labels, shape (n,), or of 0 and 1, shape (n, labels)
        Labels are integers, booleans or strings. Shape (n, 1) is taken as (n,).
    y_pred : array_like like y_true, or of scores of shape (n, classes)
        Of scores, the index of the largest one in a row is the predicted label, the first one if several are equal.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.

    Returns
    -------
    float
        Between 0 and 1; NaN if all weights are 0.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, a label is a fraction, infinite or NaN, one array has strings and
        the other numbers, or a weight is negative or not finite.
    TypeError
        If labels are neither numbers nor strings, or numbers and strings mixed in one array.

    Notes
    -----
    With a column for each label, a sample is correct if all its labels are (subset accuracy). A NaN among scores counts
    as the largest. Source: `sklearn.metrics.accuracy_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.accuracy([0, 1, 2, 1], [0, 1, 1, 1])
    0.75
    >>> metrics.accuracy([0, 1], [[0.9, 0.1], [0.8, 0.2]])  # scores
    0.5
    """
    true, pred = as_labels(y_true, y_pred)
    right = true == pred if true.ndim == 1 else (true == pred).all(1)
    weight = as_weight(sample_weight, len(true))
    return _share(right, weight)


@errors_of_use
def top_k_accuracy(y_true: Any, y_score: Any, *, k: int = 2, sample_weight: Any = None) -> float:
    """Top-k accuracy: the fraction of samples whose class is among the k with the largest scores.

        top_k_accuracy = sum_i w_i [rank of class y_true_i in row i of y_score < k] / sum_i w_i

    Parameters
    ----------
    y_true : array_like of integers, shape (n,)
        Class indices from 0 to classes - 1.
    y_score : array_like of numbers, shape (n, classes)
        Logits or probabilities. Of equal scores, that of the later class counts as the larger one.
    k : int, default 2
        1 or more. The result is 1 if it is at least `classes`.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.

    Returns
    -------
    float
        Between 0 and 1; NaN if all weights are 0.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, a class index is out of range, a score is infinite or NaN, `k` is
        less than 1, or a weight is negative or not finite.
    TypeError
        If `y_true` or `k` is not of integers, or `y_score` not of real numbers.

    Notes
    -----
    Source: `sklearn.metrics.top_k_accuracy_score(y_true, y_score, k=k, labels=range(classes))`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> scores = [[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]
    >>> metrics.top_k_accuracy([0, 1, 2, 0], scores, k=1)
    0.5
    >>> metrics.top_k_accuracy([0, 1, 2, 0], scores, k=2)
    0.75
    """
    true, score = as_names("y_true", y_true), as_finite("y_score", y_score)
    check_rows(y_true=true, y_score=score)
    if true.ndim != 1 or score.ndim != 2:
        raise ValueError(f"y_true must have shape (n,) and y_score (n, classes), got {true.shape} and {score.shape}")
    k = check.check_integer("k", k, at_least=1)
    of_class = score[np.arange(len(true)), as_indices(true, score.shape[1])][:, None]
    later = np.arange(score.shape[1]) > true[:, None]
    rank = ((score > of_class) | ((score == of_class) & later)).sum(1)
    return _share(rank < k, as_weight(sample_weight, len(true)))


@errors_of_use
def confusion_matrix(
    y_true: Any, y_pred: Any, *, labels: Any = None, sample_weight: Any = None, normalize: str | None = None
) -> Array:
    """Confusion matrix: the number of samples of class i (row) that were predicted as class j (column).

        matrix[i, j] = sum_n w_n [y_true_n = labels[i]] [y_pred_n = labels[j]]

    Parameters
    ----------
    y_true : array_like of labels, shape (n,)
        Integers, booleans or strings.
    y_pred : array_like of labels, shape (n,), or of scores, shape (n, classes)
        Of scores, the index of the largest one in a row is the predicted label.
    labels : array_like, shape (classes,), optional
        The labels to count, in this order; by default all that occur in y_true or y_pred, sorted. Samples with other
        labels are left out.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.
    normalize : {"true", "pred", "all", None}, default None
        Divide by the sum of each row, of each column, or of the whole matrix. 0 / 0 is 0.

    Returns
    -------
    matrix : ndarray of shape (classes, classes)
        Of int64; of float64 with `sample_weight` or `normalize`.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, no label of `labels` occurs in y_true, one occurs twice in it,
        `normalize` is not one of its options, or a label or weight is out of range as in `accuracy`.
    TypeError
        If labels are neither numbers nor strings.

    Notes
    -----
    Source: `sklearn.metrics.confusion_matrix`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1]).tolist()
    [[1, 1], [0, 2]]
    >>> metrics.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], normalize="true").tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    true, pred = as_labels(y_true, y_pred)
    if true.ndim != 1:
        raise ValueError("a confusion matrix is of one label a sample: y_true must have shape (n,)")
    check.check_choice("normalize", normalize, ("true", "pred", "all", None))
    names = np.union1d(true, pred) if labels is None else as_label_set(labels, true)
    if labels is not None and not np.isin(names, true).any():
        raise ValueError("labels: at least one of them must occur in y_true")
    row, column = places(true, names), places(pred, names)
    known = (row >= 0) & (column >= 0)
    matrix = np.zeros((len(names), len(names)))
    np.add.at(matrix, (row[known], column[known]), as_weight(sample_weight, len(true))[known])
    if normalize is None:
        return matrix.astype("int64") if sample_weight is None else matrix
    total = matrix.sum(axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True)
    return np.divide(matrix, total, out=np.zeros_like(matrix), where=total != 0)


def _share(right: Array, weight: Array) -> float:
    """The weighted fraction of samples that are correct; NaN if all weights are 0."""
    total = weight.sum()
    return float(weight[right].sum() / total) if total else float("nan")

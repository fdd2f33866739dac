"""Metrics of scores that rank samples: areas under curves, with the numbers of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import WORDS, Array, as_column_of, as_finite, as_names, as_weight, check_rows, refuse_fractions

AVERAGES = ("macro", "weighted", "micro", "samples", None)


@errors_of_use
def roc_auc(
    y_true: Any,
    y_score: Any,
    *,
    labels: Any = None,
    average: str | None = "macro",
    multi_class: str = "ovr",
    max_fpr: float | None = None,
    sample_weight: Any = None,
) -> Any:
    """Area under the ROC curve (AUC): the probability that a positive sample has a larger score than a negative one.

        auc = sum_ij w_i w_j ([s_i > s_j] + 1/2 [s_i = s_j]) / sum_ij w_i w_j    i positive, j negative

    Parameters
    ----------
    y_true : array_like
        Two labels, shape (n,), of which the larger is positive (one label alone is positive if it is 1); or labels of
        classes, shape (n,); or 0 and 1 with a column for each label, shape (n, labels).
    y_score : array_like of real numbers
        For two labels any scores, shape (n,) or (n, 1). For classes probabilities, shape (n, classes). For columns of
        labels any scores, shape (n, labels).
    labels : array_like, shape (classes,), optional
        The label of each column of probabilities, in ascending order. By default the labels that occur, sorted, if
        there are as many as columns, and otherwise class indices.
    average : {"macro", "weighted", "micro", "samples", None}, default "macro"
        Over classes or labels: the mean; the mean weighted by the positive samples of each; the area of all entries of
        the matrix together; for columns of labels the mean of the areas of each sample; or an array with the value of
        each. Not used for shape (n,).
    multi_class : {"ovr", "ovo"}, default "ovr"
        For classes: each is compared with the rest, or each pair of classes with one another, in the samples of both
        (Hand and Till 2001), with `average` "macro", or "weighted" by the samples of each pair.
    max_fpr : float, optional
        Only the part of the curve with a false positive rate up to this, standardized to 0.5 for constant scores and 1
        at most (McClish 1989). Above 0 and at most 1; not for classes.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.

    Returns
    -------
    float, or with `average=None` an ndarray of float64, shape (classes,)
        Between 0 and 1; 0.5 is that of constant scores. NaN if there are no positive or no negative samples; such a
        class makes the "macro" mean NaN, and a class without positive samples is left out of the "weighted" mean, and
        of the pairs of "ovo".

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, a score is infinite or NaN, probabilities of classes do not add up
        to 1 in each row, there are more than two labels for one score a sample, labels do not match columns, an option
        is not one of its choices or not for such targets, or a weight is negative or not finite.
    TypeError
        If scores are not real numbers, or labels that are fewer than columns not integers.

    Notes
    -----
    Source: `sklearn.metrics.roc_auc_score`, which knows no weights for "ovo". The formula is that of Hanley and McNeil,
    "The meaning and use of the area under a receiver operating characteristic (ROC) curve", 1982; it is computed by
    sorting, in O(n log n).

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    >>> metrics.roc_auc([0, 1, 2], [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25]], average=None).tolist()
    [0.75, 1.0, 0.5]
    >>> metrics.roc_auc([[1, 0], [0, 1], [1, 1]], [[0.9, 0.8], [0.2, 0.7], [0.1, 0.6]], average="micro")
    0.5
    """
    check.check_choice("average", average, AVERAGES)
    check.check_choice("multi_class", multi_class, ("ovr", "ovo"))
    if max_fpr is not None:
        max_fpr = check.check_number("max_fpr", max_fpr, above=0.0, at_most=1.0)
    true, score = _arguments(y_true, y_score)
    weight = as_weight(sample_weight, len(true))
    if true.ndim == score.ndim == 1:
        return binary_auc(_positive(true), score, weight, max_fpr)
    classes = score.shape[1] if true.ndim == 1 and score.ndim == 2 else 0
    if classes:
        if not np.allclose(score.sum(1), 1):
            raise ValueError("y_score must be probabilities, which add up to 1 in each row, for class indices")
        _check_options(average, multi_class, max_fpr)
        column = as_column_of(true, classes, labels, "y_score")
        if multi_class == "ovo":
            return _pairs_auc(column, score, weight, average)
        true = column[:, None] == np.arange(classes)
    return columns_auc(_columns(true, score), score, weight, average, max_fpr)


@errors_of_use
def average_precision(
    y_true: Any,
    y_score: Any,
    *,
    labels: Any = None,
    average: str | None = "macro",
    pos_label: Any = 1,
    sample_weight: Any = None,
) -> Any:
    """Average precision (AP): the precision at each threshold, weighted by the recall gained there.

        ap = sum_n (recall_n - recall_{n-1}) precision_n    over the distinct scores, from the largest on

    Parameters
    ----------
    y_true : array_like
        Two labels, shape (n,); or labels of classes, shape (n,); or 0 and 1 with a column for each label, shape
        (n, labels).
    y_score : array_like of real numbers, shape (n,), (n, 1), (n, classes) or (n, labels)
        Any scores, larger for positive samples. With several columns each class is compared with the rest.
    labels : array_like, shape (classes,), optional
        The label of each column, as for `roc_auc`.
    average : {"macro", "weighted", "micro", "samples", None}, default "macro"
        Over classes or labels: the mean; the mean weighted by the positive samples of each; the value of all entries of
        the matrix together; the mean of the values of each sample; or an array with the value of each. Not used for one
        score a sample.
    pos_label : int, bool or str, default 1
        The positive one of two labels; fixed to 1 for several columns.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.

    Returns
    -------
    float, or with `average=None` an ndarray of float64, shape (classes,)
        Between 0 and 1; constant scores have the fraction of positive samples. 0 if there are no positive samples. NaN
        if all weights are 0.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, a score is infinite or NaN, there are more than two labels for one
        score a sample, `pos_label` is not among two labels or not 1 for several columns, labels do not match columns,
        `average` is not one of its options, or a weight is negative or not finite.
    TypeError
        If scores are not real numbers, or labels that are fewer than columns not integers.

    Notes
    -----
    The area under the curve of precision over recall, as a sum of rectangles, without interpolation. Source:
    `sklearn.metrics.average_precision_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.average_precision([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4])
    0.8333333333333333
    >>> metrics.average_precision([[1, 0], [0, 1]], [[0.9, 0.2], [0.1, 0.1]], average=None).tolist()
    [1.0, 0.5]
    """
    check.check_choice("average", average, AVERAGES)
    true, score = _arguments(y_true, y_score)
    weight = as_weight(sample_weight, len(true))
    if true.ndim == score.ndim == 1:
        return binary_precision(_is_label(true, pos_label), score, weight)
    if isinstance(pos_label, str) or pos_label != 1:
        raise ValueError(f"pos_label must be 1 for several columns of scores, got {pos_label!r}")
    if true.ndim == 1 and score.ndim == 2:
        true = as_column_of(true, score.shape[1], labels, "y_score")[:, None] == np.arange(score.shape[1])
    return columns_precision(_columns(true, score), score, weight, average)


def columns_auc(positive: Array, score: Array, weight: Array, average: str | None, max_fpr: float | None = None) -> Any:
    """The area for each column, averaged as by `roc_auc`.

    Parameters
    ----------
    positive : ndarray of bool, shape (n, columns)
    score : ndarray of float64, shape (n, columns)
    weight : ndarray of float64, shape (n,)
    average : {"macro", "weighted", "micro", "samples", None}
    max_fpr : float, optional

    Returns
    -------
    float, or with `average=None` an ndarray of float64, shape (columns,)
    """
    return _over_columns(partial(binary_auc, max_fpr=max_fpr), positive, score, weight, average)


def columns_precision(positive: Array, score: Array, weight: Array, average: str | None) -> Any:
    """The average precision of each column, averaged as by `average_precision`; parameters as for `columns_auc`."""
    if average == "weighted" and weight.any() and not (weight @ positive).any():
        return 0.0
    return _over_columns(binary_precision, positive, score, weight, average)


def binary_auc(positive: Array, score: Array, weight: Array, max_fpr: float | None = None) -> float:
    """The area for one score a sample.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    score : ndarray of float64, shape (n,)
        Finite.
    weight : ndarray of float64, shape (n,)
    max_fpr : float, optional
        The standardized area up to this false positive rate.

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
    positives, negatives = _runs(positive, score, weight)
    total = positives.sum() * negatives.sum()
    if not total:
        return float("nan")
    if max_fpr is None or max_fpr == 1:
        below = np.cumsum(negatives) - negatives
        return float(positives @ (below + negatives / 2) / total)
    rates = [np.append(0.0, np.cumsum(counts[::-1])) for counts in (negatives, positives)]
    x, y = (rate / rate[-1] for rate in rates)
    stop = np.searchsorted(x, max_fpr, "right")
    end = np.interp(max_fpr, x[stop - 1 : stop + 1], y[stop - 1 : stop + 1])
    area = np.trapezoid(np.append(y[:stop], end), np.append(x[:stop], max_fpr))
    least = max_fpr**2 / 2
    return float((1 + (area - least) / (max_fpr - least)) / 2)


def binary_precision(positive: Array, score: Array, weight: Array) -> float:
    """The average precision for one score a sample; parameters as for `binary_auc`. NaN if there is no weight.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.metrics.ranking import binary_precision
    >>> binary_precision(np.array([False, True]), np.array([2.0, 1.0]), np.ones(2))
    0.5
    """
    if not weight.any():
        return float("nan")
    positives, negatives = (counts[::-1] for counts in _runs(positive, score, weight))
    hits, total = np.cumsum(positives), positives.sum()
    if not total:
        return 0.0
    called = hits + np.cumsum(negatives)
    precision = np.divide(hits, called, out=np.zeros(len(hits)), where=called != 0)
    return float(positives @ precision / total)


def _runs(positive: Array, score: Array, weight: Array) -> tuple[Array, Array]:
    """Weights of the positive and of the negative samples of each distinct score, from the smallest on."""
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # of each run of equal scores
    return (
        np.add.reduceat(np.where(positive, weight, 0.0)[order], first),
        np.add.reduceat(np.where(positive, 0.0, weight)[order], first),
    )


def _over_columns(
    function: Callable[[Array, Array, Array], float], positive: Array, score: Array, weight: Array, average: str | None
) -> Any:
    """The value of each column, or of all entries or each row, averaged."""
    if average == "micro":
        return function(positive.reshape(-1), score.reshape(-1), np.repeat(weight, positive.shape[1]))
    if average == "samples":
        positive, score, shares = positive.T[:, weight > 0], score.T[:, weight > 0], weight[weight > 0]
        weight = np.ones(len(positive))
    else:
        shares = weight @ positive if average == "weighted" else np.ones(positive.shape[1])
    values = np.array([function(p, s, weight) for p, s in zip(positive.T, score.T, strict=True)])
    if average is None:
        return values
    counted = shares != 0  # a class without positive samples has no area, and weight 0
    return float(np.average(values[counted], weights=shares[counted])) if counted.any() else float("nan")


def _pairs_auc(column: Array, score: Array, weight: Array, average: str | None) -> float:
    """The mean over pairs of classes of the two areas of one class against the other, in the samples of both."""
    sizes = np.bincount(column, weight, score.shape[1])
    values, shares = [], []
    for a, b in combinations(np.flatnonzero(sizes), 2):
        both = (column == a) | (column == b)
        areas = [binary_auc(column[both] == one, score[both, one], weight[both]) for one in (a, b)]
        values.append(sum(areas) / 2)
        shares.append(sizes[a] + sizes[b] if average == "weighted" else 1.0)
    return float(np.average(values, weights=shares)) if values else float("nan")


def _arguments(y_true: Any, y_score: Any) -> tuple[Array, Array]:
    """Labels and scores, a single column as shape (n,)."""
    true, score = as_names("y_true", y_true), as_finite("y_score", y_score)
    check_rows(y_true=true, y_score=score)
    true, score = (a.reshape(-1) if a.shape[1:] == (1,) else a for a in (true, score))
    refuse_fractions("y_true", true)
    return true, score


def _columns(true: Array, score: Array) -> Array:
    """Whether each label of each sample is 1, shape (n, labels)."""
    if true.shape != score.shape or true.ndim != 2:
        raise ValueError(f"y_true and y_score must have fitting shapes, got {true.shape} and {score.shape}")
    if true.dtype.kind in WORDS or not np.isin(true, (0, 1)).all():
        raise ValueError("y_true must consist of 0 and 1 where it has a column for each label")
    positive: Array = true == 1
    return positive


def _check_options(average: str | None, multi_class: str, max_fpr: float | None) -> None:
    """Raise ValueError for options that do not go with classes."""
    if max_fpr not in (None, 1.0):
        raise ValueError(f"max_fpr must be None for more than two classes, got {max_fpr}")
    averages = ("macro", "weighted", "micro", None) if multi_class == "ovr" else ("macro", "weighted")
    if average not in averages:
        raise ValueError(f"average must be one of {', '.join(map(repr, averages))} for classes with "
                         f"multi_class={multi_class!r}, got {average!r}")  # fmt: skip


def _positive(labels: Array) -> Array:
    """Whether each label is the larger of the two; of one label alone, whether it is 1."""
    names = _two(labels)
    return labels == names[-1] if len(names) == 2 or names[0] == 1 else np.zeros(len(labels), bool)


def _is_label(labels: Array, pos_label: Any) -> Array:
    """Whether each label is `pos_label`, one of the two."""
    names = _two(labels)
    if len(names) == 2 and pos_label not in names:
        raise ValueError(f"pos_label must be one of {names.tolist()}, got {pos_label!r}")
    positive: Array = labels == np.array(pos_label)
    return positive


def _two(labels: Array) -> Array:
    """The distinct labels, at most two."""
    names = np.unique(labels)
    if len(names) > 2:
        raise ValueError(f"y_score must have shape (n, {len(names)}) for {len(names)} classes, got one score a sample")
    return names

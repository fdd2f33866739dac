"""Metrics of predicted labels, with scikit-learn's names, definitions and numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_finite, as_labels, as_names, as_weight, check_rows

AVERAGES = ("binary", "micro", "macro", "weighted", None)


class Counts(NamedTuple):
    """Sums of weights for each class: of samples that are it and were called it, were called it, are it."""

    right: Array
    called: Array
    true: Array

    def rate(self, kind: str, average: str | None, zero_division: float) -> Any:
        """Precision, recall or F1; `average` is not "binary" here."""
        counts = Counts(*(c.sum(keepdims=True) for c in self)) if average == "micro" else self
        right, total = counts.right, {"precision": counts.called, "recall": counts.true}.get(kind)
        if total is None:  # 2 / (1 / precision + 1 / recall)
            right, total = 2 * right, counts.true + counts.called
        rates = np.divide(right, total, out=np.full(len(right), float(zero_division)), where=total != 0)
        if average is None:
            return rates
        numbers = ~np.isnan(rates)
        if not numbers.any():
            return float("nan")
        weights = counts.true[numbers] if average == "weighted" and counts.true[numbers].any() else None
        return float(np.average(rates[numbers], weights=weights))


@errors_of_use
def accuracy(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Share of samples whose labels are right.

    Parameters
    ----------
    y_true : array of labels, shape (n,), or of 0 and 1, shape (n, labels)
    y_pred : array like y_true, or scores of shape (n, classes), of which the largest counts
    sample_weight : array of shape (n,), optional

    Notes
    -----
    With a column for each label a sample is right if all its labels are. `sklearn.metrics.accuracy_score`.
    """
    true, pred = as_labels(y_true, y_pred)
    right = true == pred if true.ndim == 1 else (true == pred).all(1)
    weight = as_weight(sample_weight, len(true))
    return _share(right, weight)


@errors_of_use
def top_k_accuracy(y_true: Any, y_score: Any, *, k: int = 2, sample_weight: Any = None) -> float:
    """Share of samples whose class is among the k with the largest scores.

    Parameters
    ----------
    y_true : array of class indices, shape (n,)
    y_score : array of shape (n, classes)
        Of equal scores that of the later class counts as the larger one.
    k : int, default 2
    sample_weight : array of shape (n,), optional

    Notes
    -----
    `sklearn.metrics.top_k_accuracy_score(y_true, y_score, k=k, labels=range(classes))`.
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
    """Number of samples of each class (a row) that were given each label (a column).

    Parameters
    ----------
    y_true : array of labels, shape (n,)
    y_pred : array of labels, shape (n,), or scores of shape (n, classes), of which the largest counts
    labels : array, optional
        The labels to count, in this order; by default all that occur, sorted.
    sample_weight : array of shape (n,), optional
    normalize : {"true", "pred", "all", None}, default None
        Divide by the sums of rows, of columns, or by the whole sum; what has none is 0.

    Returns
    -------
    matrix : ndarray of int64, or of float64 with weights or normalized

    Notes
    -----
    `sklearn.metrics.confusion_matrix`.
    """
    true, pred = as_labels(y_true, y_pred)
    if true.ndim != 1:
        raise ValueError("a confusion matrix is of one label a sample: y_true must have shape (n,)")
    check.check_choice("normalize", normalize, ("true", "pred", "all", None))
    names = np.union1d(true, pred) if labels is None else as_names("labels", labels)
    if labels is not None and not np.isin(names, true).any():
        raise ValueError("labels: at least one of them must occur in y_true")
    row, column = _places(true, names), _places(pred, names)
    known = (row >= 0) & (column >= 0)
    matrix = np.zeros((len(names), len(names)))
    np.add.at(matrix, (row[known], column[known]), as_weight(sample_weight, len(true))[known])
    if normalize is None:
        return matrix.astype("int64") if sample_weight is None else matrix
    total = matrix.sum(axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True)
    return np.divide(matrix, total, out=np.zeros_like(matrix), where=total != 0)


@errors_of_use
def precision(
    y_true: Any,
    y_pred: Any,
    *,
    average: str | None = "binary",
    pos_label: Any = 1,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """Share of what was called a class that is it: tp / (tp + fp).

    Parameters
    ----------
    y_true : array of labels, shape (n,), or of 0 and 1, shape (n, labels)
    y_pred : array like y_true, or scores of shape (n, classes), of which the largest counts
    average : {"binary", "micro", "macro", "weighted", None}, default "binary"
        "binary": of the class `pos_label` where there are two; "micro": of all decisions together; "macro": the mean
        over classes; "weighted": weighted by the samples of each class; None: an array, a value a class.
    pos_label : default 1
    sample_weight : array of shape (n,), optional
    zero_division : float, default 0
        What stands for 0 / 0. If it is nan, such classes are left out of averages.

    Returns
    -------
    float, or ndarray with `average=None`: a value for each label that occurs, sorted.

    Raises
    ------
    ValueError
        If shapes do not fit, or `average="binary"` is asked for more than two labels.

    Notes
    -----
    `sklearn.metrics.precision_score`, which warns of 0 / 0 unless `zero_division` is given.
    """
    return _rate("precision", y_true, y_pred, average, pos_label, sample_weight, zero_division)


@errors_of_use
def recall(
    y_true: Any,
    y_pred: Any,
    *,
    average: str | None = "binary",
    pos_label: Any = 1,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """Share of a class that was called it: tp / (tp + fn). Everything else is as in `precision`."""
    return _rate("recall", y_true, y_pred, average, pos_label, sample_weight, zero_division)


@errors_of_use
def f1(
    y_true: Any,
    y_pred: Any,
    *,
    average: str | None = "binary",
    pos_label: Any = 1,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """The harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn). Everything else is as in `precision`."""
    return _rate("f1", y_true, y_pred, average, pos_label, sample_weight, zero_division)


def check_average(average: Any, zero_division: Any) -> float:
    """Check `average`; `zero_division` as a number, which may be nan."""
    check.check_choice("average", average, AVERAGES)
    if isinstance(zero_division, float) and np.isnan(zero_division):
        return zero_division
    return check.check_number("zero_division", zero_division, at_least=0.0, at_most=1.0)


def as_indices(labels: Array, classes: int) -> Array:
    """Class indices; an error where one is none."""
    if labels.dtype.kind not in "iu":
        raise TypeError(f"y_true must be integer class indices, got {labels.dtype}")
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise ValueError(f"y_true[{bad[0]}] is {labels[bad[0]]}: class indices must be between 0 and {classes - 1}")
    return labels.astype("int64")


def _rate(
    kind: str, y_true: Any, y_pred: Any, average: Any, pos_label: Any, sample_weight: Any, zero_division: Any
) -> Any:
    zero_division = check_average(average, zero_division)
    true, pred = as_labels(y_true, y_pred)
    weight = as_weight(sample_weight, len(true))
    if true.ndim == 2:
        if average == "binary":
            raise ValueError("average must be 'micro', 'macro', 'weighted' or None for more than one label a sample")
        hits = (true == 1, pred == 1)
    else:
        names = np.union1d(true, pred)
        if average == "binary":
            names = _positive(names, pos_label)
        hits = (true[:, None] == names, pred[:, None] == names)
    counts = Counts(weight @ (hits[0] & hits[1]), weight @ hits[1], weight @ hits[0])
    rates = counts.rate(kind, None if average == "binary" else average, zero_division)
    return float(rates[0]) if average == "binary" else rates


def _positive(names: Array, pos_label: Any) -> Array:
    """The one class that counts, of at most two."""
    if len(names) > 2:
        raise ValueError(
            f"average must be 'micro', 'macro', 'weighted' or None for {len(names)} labels: 'binary' is for two"
        )
    if len(names) == 2 and pos_label not in names:
        raise ValueError(f"pos_label must be one of {names.tolist()}, got {pos_label!r}")
    return np.array([pos_label])


def _places(labels: Array, names: Array) -> Array:
    """The index of each label in `names`, -1 where it is not among them."""
    order = np.argsort(names, kind="stable")
    place = order[np.minimum(np.searchsorted(names, labels, sorter=order), len(names) - 1)]
    return np.where(names[place] == labels, place, -1)


def _share(right: Array, weight: Array) -> float:
    total = weight.sum()
    return float(weight[right].sum() / total) if total else float("nan")

"""Precision, recall and F1, with the definitions and numbers of scikit-learn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_labels, as_weight

AVERAGES = ("binary", "micro", "macro", "weighted", None)


class Counts(NamedTuple):
    """Sums of sample weights for each class, arrays of float64 of shape (classes,).

    `positives` counts the samples of the class, `predicted` those predicted as it, `true_positives` those of both.
    """

    true_positives: Array
    predicted: Array
    positives: Array

    def rate(self, kind: str, average: str | None, zero_division: float) -> Any:
        """The rate of this kind ("precision", "recall", "f1"), with an `average` other than "binary"."""
        counts = Counts(*(c.sum(keepdims=True) for c in self)) if average == "micro" else self
        hits, total = counts.true_positives, {"precision": counts.predicted, "recall": counts.positives}.get(kind)
        if total is None:  # 2 / (1 / precision + 1 / recall)
            hits, total = 2 * hits, counts.positives + counts.predicted
        rates = np.divide(hits, total, out=np.full(len(hits), float(zero_division)), where=total != 0)
        if average is None:
            return rates
        numbers = ~np.isnan(rates)
        if not numbers.any():
            return float("nan")
        weights = counts.positives[numbers] if average == "weighted" and counts.positives[numbers].any() else None
        return float(np.average(rates[numbers], weights=weights))


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
    """Precision: true positives divided by predicted positives, tp / (tp + fp).

    Parameters
    ----------
    y_true : array_like of labels, shape (n,), or of 0 and 1, shape (n, labels)
        Labels are integers, booleans or strings. Shape (n, 1) is taken as (n,).
    y_pred : array_like like y_true, or of scores of shape (n, classes)
        Of scores, the index of the largest one in a row is the predicted label.
    average : {"binary", "micro", "macro", "weighted", None}, default "binary"
        "binary": the value of class `pos_label`, for at most two labels; "micro": from the counts summed over classes;
        "macro": mean over classes; "weighted": mean over classes, weighted by the samples of each in y_true; None: no
        average.
    pos_label : int, bool or str, default 1
        The positive class of `average="binary"`; not used otherwise.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.
    zero_division : float, default 0.0
        The value of 0 / 0, between 0 and 1 or NaN. With NaN such classes are left out of averages.

    Returns
    -------
    float, or with `average=None` an ndarray of float64
        Between 0 and 1. The array has a value for each label that occurs in y_true or y_pred, sorted, or for each
        column.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, `average="binary"` is given for more than two labels or for
        columns of labels, `pos_label` does not occur among two labels, `zero_division` is out of range, or a label or
        weight is out of range as in `accuracy`.
    TypeError
        If labels are neither numbers nor strings, or `zero_division` is not a number.

    Notes
    -----
    Source: `sklearn.metrics.precision_score`, which also warns of 0 / 0.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.precision([1, 0, 1, 1, 1], [1, 1, 0, 0, 0])
    0.5
    >>> metrics.precision([0, 0, 1, 2], [0, 1, 1, 0], average=None).tolist()
    [0.5, 0.5, 0.0]
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
    """Recall: true positives divided by positives, tp / (tp + fn).

    Also called sensitivity or true positive rate.

    Parameters
    ----------
    y_true, y_pred, average, pos_label, sample_weight, zero_division
        As for `precision`, with the same defaults.

    Returns
    -------
    float, or with `average=None` an ndarray of float64
        As `precision`, which raises the same errors.

    Notes
    -----
    Source: `sklearn.metrics.recall_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.recall([1, 0, 1, 1, 1], [1, 1, 0, 0, 0])
    0.25
    >>> metrics.recall([0, 0, 1, 1], [0, 1, 1, 1], average="macro")
    0.75
    """
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
    """F1 score, the harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn).

    Parameters
    ----------
    y_true, y_pred, average, pos_label, sample_weight, zero_division
        As for `precision`, with the same defaults.

    Returns
    -------
    float, or with `average=None` an ndarray of float64
        As `precision`, which raises the same errors.

    Notes
    -----
    "macro" is the mean of the F1 of classes, not the F1 of mean precision and recall. Source:
    `sklearn.metrics.f1_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.f1([1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 1])
    0.5
    >>> metrics.f1([0, 1, 2, 2], [0, 1, 1, 0], average="micro")
    0.5
    """
    return _rate("f1", y_true, y_pred, average, pos_label, sample_weight, zero_division)


def check_average(average: Any, zero_division: Any) -> float:
    """Check `average`, and return `zero_division` as a float: between 0 and 1, or NaN."""
    check.check_choice("average", average, AVERAGES)
    if isinstance(zero_division, float) and np.isnan(zero_division):
        return zero_division
    return check.check_number("zero_division", zero_division, at_least=0.0, at_most=1.0)


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
    """The positive class, in an array of length 1; ValueError if there are more than two classes."""
    if len(names) > 2:
        raise ValueError(
            f"average must be 'micro', 'macro', 'weighted' or None for {len(names)} labels: 'binary' is for two"
        )
    if len(names) == 2 and pos_label not in names:
        raise ValueError(f"pos_label must be one of {names.tolist()}, got {pos_label!r}")
    return np.array([pos_label])

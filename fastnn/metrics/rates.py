"""Counts of true and false predictions of each class, and the rates that are computed from them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import _validation as check
from ._inputs import Array, as_column_indices, as_label_set, as_labels, as_undefined, as_weight

AVERAGES = ("binary", "micro", "macro", "weighted", "samples", None)


class Counts(NamedTuple):
    """Sums of sample weights for each class, arrays of float64 of shape (classes,).

    `positives` counts the samples of the class, `predicted` those predicted as it, `true_positives` those of both,
    `negatives` the samples of other classes.
    """

    true_positives: Array
    predicted: Array
    positives: Array
    negatives: Array

    @classmethod
    def of_classes(cls, counts: Array) -> Counts:
        """From the counts of classes that exclude each other, shape (3, classes): the first three fields."""
        positives = counts[2]  # the negatives of one class alone are exactly 0: sums without it, not a difference
        before, after = np.cumsum(positives)[:-1], np.cumsum(positives[::-1])[-2::-1]
        return cls(counts[0], counts[1], positives, np.append(0.0, before) + np.append(after, 0.0))

    def rate(self, kind: str, average: str | None, zero_division: float, sample_weight: Array | None = None) -> Any:
        """The rate of this kind, with an `average` other than "binary".

        Parameters
        ----------
        kind : {"precision", "recall", "f1", "jaccard", "specificity"}
        average : {"micro", "macro", "weighted", "samples", None}
        zero_division : float
            The value of 0 / 0; NaN leaves it out of averages.
        sample_weight : ndarray of shape (n,), optional
            Weights for "samples", where the counts are those of each sample.
        """
        counts = Counts(*(c.sum(keepdims=True) for c in self)) if average == "micro" else self
        part, whole = counts._fraction(kind)
        rates = np.divide(part, whole, out=np.full(len(part), float(zero_division)), where=whole != 0)
        if average is None:
            return rates
        weights = {"weighted": counts.positives, "samples": sample_weight}.get(average)
        numbers = ~np.isnan(rates)
        if average == "samples" and weights is not None and not weights.any():
            return float("nan")
        if not numbers.any():
            return float("nan")
        weights = None if weights is None or not weights[numbers].any() else weights[numbers]
        return float(np.average(rates[numbers], weights=weights))

    def _fraction(self, kind: str) -> tuple[Array, Array]:
        """Numerator and denominator."""
        hits, predicted, positives, negatives = self
        if kind == "specificity":
            return np.maximum(negatives - (predicted - hits), 0.0), negatives  # rounding must not leave less than 0
        if kind == "f1":  # 2 / (1 / precision + 1 / recall)
            return 2 * hits, positives + predicted
        return hits, {"precision": predicted, "recall": positives, "jaccard": positives + predicted - hits}[kind]


def check_average(average: Any, zero_division: Any, averages: tuple[str | None, ...] = AVERAGES) -> float:
    """Check `average`, and return `zero_division` as a float: between 0 and 1, or NaN."""
    check.check_choice("average", average, averages)
    return as_undefined("zero_division", zero_division)


def rate(
    kind: str,
    y_true: Any,
    y_pred: Any,
    labels: Any,
    average: Any,
    pos_label: Any,
    sample_weight: Any,
    zero_division: Any,
) -> Any:
    """The rate of this kind, with the arguments of `fastnn.metrics.precision`.

    Examples
    --------
    >>> from fastnn.metrics.rates import rate
    >>> rate("recall", [0, 1, 1, 2], [0, 1, 2, 2], [1, 2], None, 1, None, 0.0).tolist()
    [0.5, 1.0]
    """
    zero_division = check_average(average, zero_division)
    true, pred = as_labels(y_true, y_pred)
    weight = as_weight(sample_weight, len(true))
    if true.ndim == 2:
        if average == "binary":
            raise ValueError(
                "average must be 'micro', 'macro', 'weighted', 'samples' or None for more than one label a sample"
            )
        columns = slice(None) if labels is None else as_column_indices(labels, true.shape[1])
        positive, called = true[:, columns] == 1, pred[:, columns] == 1
    else:
        if average == "samples":
            raise ValueError("average='samples' needs y_true with a column for each label, shape (n, labels)")
        names = np.union1d(true, pred)
        if average == "binary":
            names = positive_label(names, pos_label)
        elif labels is not None:
            names = as_label_set(labels, true)
        positive, called = true[:, None] == names, pred[:, None] == names
    if average == "samples":
        positive, called, of_each = positive.T, called.T, np.ones(positive.shape[1])
        return _counts(positive, called, of_each).rate(kind, average, zero_division, weight)
    rates = _counts(positive, called, weight).rate(kind, None if average == "binary" else average, zero_division)
    return float(rates[0]) if average == "binary" else rates


def positive_label(names: Array, pos_label: Any) -> Array:
    """The positive class, in an array of length 1; ValueError if there are more than two classes."""
    if len(names) > 2:
        raise ValueError(
            f"average must be 'micro', 'macro', 'weighted' or None for {len(names)} labels: 'binary' is for two"
        )
    if len(names) == 2 and pos_label not in names:
        raise ValueError(f"pos_label must be one of {names.tolist()}, got {pos_label!r}")
    return np.array([pos_label])


def _counts(positive: Array, called: Array, weight: Array) -> Counts:
    """Counts for each column of arrays of bool of shape (n, columns)."""
    return Counts(weight @ (positive & called), weight @ called, weight @ positive, weight @ ~positive)

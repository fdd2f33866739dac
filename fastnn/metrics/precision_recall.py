"""Precision, recall, F1, specificity and the Jaccard index, with the definitions and numbers of scikit-learn."""

from __future__ import annotations

from typing import Any

from .._frames import errors_of_use
from .rates import rate


@errors_of_use
def precision(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
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
    labels : array_like, shape (classes,), optional
        The classes to average over, in this order, or of columns their indices; by default all that occur in y_true or
        y_pred, sorted. Samples of other classes count as negatives. Not used by `average="binary"`.
    average : {"binary", "micro", "macro", "weighted", "samples", None}, default "binary"
        "binary": the value of class `pos_label`, for at most two labels; "micro": from the counts summed over classes;
        "macro": mean over classes; "weighted": mean over classes, weighted by the samples of each in y_true; "samples",
        for columns of labels: mean over samples of the value of each; None: no average.
    pos_label : int, bool or str, default 1
        The positive class of `average="binary"`; not used otherwise.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.
    zero_division : float, default 0.0
        The value of 0 / 0, between 0 and 1 or NaN. With NaN such classes are left out of averages.

    Returns
    -------
    float, or with `average=None` an ndarray of float64
        Between 0 and 1. The array has a value for each of `labels`, or for each column.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, `average="binary"` is given for more than two labels or for
        columns of labels, "samples" without such columns, `pos_label` does not occur among two labels, `labels` has a
        label twice or of another sort than y_true, `zero_division` is out of range, or a label or weight is out of
        range as in `accuracy`.
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
    return rate("precision", y_true, y_pred, labels, average, pos_label, sample_weight, zero_division)


@errors_of_use
def recall(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    average: str | None = "binary",
    pos_label: Any = 1,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """Recall: true positives divided by positives, tp / (tp + fn).

    Also called sensitivity or true positive rate.

    Parameters
    ----------
    y_true, y_pred, labels, average, pos_label, sample_weight, zero_division
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
    return rate("recall", y_true, y_pred, labels, average, pos_label, sample_weight, zero_division)


@errors_of_use
def f1(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    average: str | None = "binary",
    pos_label: Any = 1,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """F1 score, the harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn).

    Parameters
    ----------
    y_true, y_pred, labels, average, pos_label, sample_weight, zero_division
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
    return rate("f1", y_true, y_pred, labels, average, pos_label, sample_weight, zero_division)


@errors_of_use
def specificity(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    average: str | None = "binary",
    pos_label: Any = 1,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """Specificity: true negatives divided by negatives, tn / (tn + fp).

    Also called true negative rate or selectivity; of two classes it is the recall of the other one.

    Parameters
    ----------
    y_true, y_pred, labels, average, pos_label, sample_weight, zero_division
        As for `precision`, with the same defaults.

    Returns
    -------
    float, or with `average=None` an ndarray of float64
        As `precision`, which raises the same errors.

    Notes
    -----
    Of more than two classes the negatives of one are the samples of all others. "weighted" has the weights of `recall`,
    the positives of each class. Source: `imblearn.metrics.specificity_score`; the counts are those of
    `sklearn.metrics.multilabel_confusion_matrix`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.specificity([0, 0, 0, 0, 1], [0, 0, 0, 1, 1])
    0.75
    >>> metrics.specificity([0, 1, 2, 2], [0, 1, 2, 0], average=None).round(4).tolist()
    [0.6667, 1.0, 1.0]
    """
    return rate("specificity", y_true, y_pred, labels, average, pos_label, sample_weight, zero_division)


@errors_of_use
def jaccard(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    average: str | None = "binary",
    pos_label: Any = 1,
    sample_weight: Any = None,
    zero_division: float = 0.0,
) -> Any:
    """Jaccard index: samples in both of two sets divided by those in either, tp / (tp + fp + fn).

    Also called intersection over union (IoU). The sets are the positives and the predicted positives.

    Parameters
    ----------
    y_true, y_pred, labels, average, pos_label, sample_weight, zero_division
        As for `precision`, with the same defaults.

    Returns
    -------
    float, or with `average=None` an ndarray of float64
        As `precision`, which raises the same errors.

    Notes
    -----
    With J the Jaccard index, F1 is 2 J / (1 + J). Source: `sklearn.metrics.jaccard_score`, which also warns of 0 / 0.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.jaccard([1, 1, 1, 0], [1, 1, 0, 1])
    0.5
    >>> metrics.jaccard([[1, 1, 0], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]], average="samples")
    0.75
    """
    return rate("jaccard", y_true, y_pred, labels, average, pos_label, sample_weight, zero_division)

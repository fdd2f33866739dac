"""Agreement of predicted and true classes in one number: Matthews correlation, Cohen's kappa, balanced accuracy.

Definitions and numbers are those of scikit-learn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ._inputs import Array, as_label_set, as_labels, as_undefined, as_weight, places


@errors_of_use
def matthews_corrcoef(y_true: Any, y_pred: Any, *, sample_weight: Any = None, zero_division: float = 0.0) -> float:
    """Matthews correlation coefficient (MCC): the correlation of true and predicted classes.

        mcc = (tp tn - fp fn) / sqrt((tp + fp) (tp + fn) (tn + fp) (tn + fn))    for two classes
        mcc = (c s - sum_k p_k t_k) / sqrt((s^2 - sum_k p_k^2) (s^2 - sum_k t_k^2))

    with s samples, c of them predicted correctly, t_k of class k and p_k predicted as class k.

    Parameters
    ----------
    y_true : array_like of labels, shape (n,)
        Integers, booleans or strings.
    y_pred : array_like of labels, shape (n,), or of scores, shape (n, classes)
        Of scores, the index of the largest one in a row is the predicted label.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.
    zero_division : float, default 0.0
        The value of 0 / 0, where all targets or all predictions are one class: between -1 and 1, or NaN.

    Returns
    -------
    float
        1 for predictions that are all correct, 0 for those independent of the targets, -1 for two classes all confused.
        NaN if all weights are 0.

    Raises
    ------
    ValueError
        If y_true has a column for each label, shapes do not match, there are no samples, `zero_division` is out of
        range, or a label or weight is out of range as in `accuracy`.
    TypeError
        If labels are neither numbers nor strings, or `zero_division` is not a number.

    Notes
    -----
    Source: `sklearn.metrics.matthews_corrcoef`; for more than two classes Gorodkin, "Comparing two K-category
    assignments by a K-category correlation coefficient", 2004.

    Examples
    --------
    >>> from fastnn import metrics
    >>> round(metrics.matthews_corrcoef([1, 1, 1, 0], [1, 0, 1, 1]), 4)
    -0.3333
    >>> metrics.matthews_corrcoef(["a", "b", "c", "c"], ["a", "b", "c", "c"])
    1.0
    """
    undefined = as_undefined("zero_division", zero_division, at_least=-1.0)
    return correlation(_class_counts(y_true, y_pred, sample_weight), undefined)


@errors_of_use
def cohen_kappa(
    y_true: Any,
    y_pred: Any,
    *,
    labels: Any = None,
    weights: str | None = None,
    sample_weight: Any = None,
    zero_division: float = np.nan,
) -> float:
    """Cohen's kappa: the agreement of two raters beyond that expected by chance.

        kappa = 1 - sum_ij v_ij o_ij / sum_ij v_ij e_ij

    with o_ij the fraction of samples of class i predicted as class j, e_ij the product of the fractions of both, and
    v_ij the cost of taking i for j.

    Parameters
    ----------
    y_true, y_pred : array_like of labels, shape (n,)
        Integers, booleans or strings; y_pred may be scores, shape (n, classes). Kappa is symmetric in both.
    labels : array_like, shape (classes,), optional
        The labels to count, in the order of the weights; by default all that occur, sorted. Samples with other labels
        are left out.
    weights : {None, "linear", "quadratic"}, default None
        The cost v_ij: 1 for different classes, |i - j|, or (i - j)^2, of places i and j in `labels`.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.
    zero_division : float, default NaN
        The value of 0 / 0, where both raters know only one class, or nothing is counted: between -1 and 1, or NaN.

    Returns
    -------
    float
        1 for complete agreement, 0 for that of chance, -1 or more.

    Raises
    ------
    ValueError
        If y_true has a column for each label, no label of `labels` occurs in y_true, `weights` is not one of its
        options, or an argument is out of range as for `matthews_corrcoef`.
    TypeError
        If labels are neither numbers nor strings, or `zero_division` is not a number.

    Notes
    -----
    Source: `sklearn.metrics.cohen_kappa_score`, where `zero_division` is `replace_undefined_by`; Cohen, "A coefficient
    of agreement for nominal scales", 1960.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.cohen_kappa([0, 0, 1, 1], [0, 1, 1, 1])
    0.5
    >>> metrics.cohen_kappa([0, 1, 2, 0], [0, 1, 1, 0], weights="quadratic")
    0.75
    """
    check.check_choice("weights", weights, (None, "linear", "quadratic"))
    undefined = as_undefined("zero_division", zero_division, at_least=-1.0)
    true, pred, weight = _single(y_true, y_pred, sample_weight)
    names = np.union1d(true, pred) if labels is None else as_label_set(labels, true)
    if labels is not None and not np.isin(names, true).any():
        raise ValueError("labels: at least one of them must occur in y_true")
    row, column = places(true, names), places(pred, names)
    known = (row >= 0) & (column >= 0)
    row, column, weight = row[known], column[known], weight[known]
    if weights is None:
        return kappa(_counts_of_places(row, column, weight, len(names)), undefined)
    return weighted_kappa(row, column, weight, weights, undefined)


@errors_of_use
def balanced_accuracy(y_true: Any, y_pred: Any, *, adjusted: bool = False, sample_weight: Any = None) -> float:
    """Balanced accuracy: the mean over classes of the recall of each.

        balanced_accuracy = 1/K sum_k tp_k / t_k    over the K classes with t_k > 0 samples

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As for `matthews_corrcoef`, with the same defaults.
    adjusted : bool, default False
        Subtract 1/K, the value of chance, and divide by 1 - 1/K.

    Returns
    -------
    float
        Between 0 and 1; adjusted 0 or less for chance or worse. NaN if all weights are 0, or adjusted for one class.

    Raises
    ------
    ValueError
        As `matthews_corrcoef`.
    TypeError
        If labels are neither numbers nor strings, or `adjusted` is not a bool.

    Notes
    -----
    It is the accuracy with each class weighted equally. Source: `sklearn.metrics.balanced_accuracy_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.balanced_accuracy([0, 0, 0, 0, 1], [0, 0, 0, 0, 0])
    0.5
    >>> metrics.balanced_accuracy([0, 0, 1, 1], [0, 1, 1, 1], adjusted=True)
    0.5
    """
    check.check_bool("adjusted", adjusted)
    return mean_recall(_class_counts(y_true, y_pred, sample_weight), adjusted)


@errors_of_use
def hamming_loss(y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> float:
    """Hamming loss: the fraction of labels that are predicted incorrectly.

        hamming_loss = sum_il w_i [y_pred_il != y_true_il] / (L sum_i w_i)    with L labels a sample

    Parameters
    ----------
    y_true, y_pred, sample_weight
        As for `accuracy`, with the same defaults.

    Returns
    -------
    float
        Between 0 and 1; 0 is best. NaN if all weights are 0.

    Raises
    ------
    ValueError, TypeError
        As `accuracy`.

    Notes
    -----
    With one label a sample it is 1 - accuracy. Source: `sklearn.metrics.hamming_loss`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.hamming_loss([0, 1, 2, 3], [0, 1, 2, 2])
    0.25
    >>> metrics.hamming_loss([[0, 1], [1, 1]], [[0, 0], [0, 0]])
    0.75
    """
    true, pred = as_labels(y_true, y_pred)
    weight = as_weight(sample_weight, len(true))
    wrong = (true != pred).reshape(len(true), -1).mean(1)
    total = weight.sum()
    return float(weight @ wrong / total) if total else float("nan")


def correlation(counts: Array, undefined: float) -> float:
    """The Matthews correlation coefficient from counts of classes.

    Parameters
    ----------
    counts : ndarray of float64, shape (3, classes)
        Weights of true positives, predicted positives and positives of each class.
    undefined : float
        The value of 0 / 0.

    Returns
    -------
    float
        NaN if nothing was counted.
    """
    (hits, predicted, positives), total = _scaled(counts)
    if not total:
        return float("nan")
    spreads = predicted @ _others(predicted), positives @ _others(positives)
    covariance = hits.sum() * total - predicted @ positives
    product = spreads[0] * spreads[1]
    return float(covariance / np.sqrt(product)) if product else undefined


def kappa(counts: Array, undefined: float) -> float:
    """Cohen's kappa without weights, from counts of classes; parameters as for `correlation`."""
    (hits, predicted, positives), total = _scaled(counts)
    expected = positives @ _others(predicted)
    return float(1 - (positives - hits).sum() * total / expected) if expected else undefined


def weighted_kappa(row: Array, column: Array, weight: Array, weights: str, undefined: float) -> float:
    """Cohen's kappa with weights "linear" or "quadratic".

    Parameters
    ----------
    row, column : ndarray of int64, shape (n,)
        Places of the true and of the predicted class.
    weight : ndarray of float64, shape (n,)
        Sample weights.
    weights : {"linear", "quadratic"}
    undefined : float
        The value of 0 / 0.
    """
    total = weight.sum()
    if not total:
        return undefined
    size = int(max(row.max(), column.max())) + 1
    true, pred = np.bincount(row, weight, size), np.bincount(column, weight, size)
    true, pred = true / true.sum(), pred / pred.sum()  # exactly 1 for one class alone
    power = 1 if weights == "linear" else 2
    observed = weight @ np.abs(row - column).astype("float64") ** power / total
    place = np.arange(size, dtype="float64")
    if power == 1:  # E|i - j| is the sum of F (1 - G) + G (1 - F), with the distributions F and G
        below, above = np.cumsum(true), np.cumsum(pred)
        expected = below @ _rest(pred) + above @ _rest(true)
    else:
        middle = true @ place, pred @ place
        expected = true @ (place - middle[0]) ** 2 + pred @ (place - middle[1]) ** 2 + (middle[0] - middle[1]) ** 2
    return float(1 - observed / expected) if expected else undefined


def mean_recall(counts: Array, adjusted: bool) -> float:
    """Balanced accuracy from counts of classes, as for `correlation`."""
    hits, _, positives = counts
    known = positives > 0
    if not known.any():
        return float("nan")
    score, chance = (hits[known] / positives[known]).mean(), 1 / known.sum()
    if not adjusted:
        return float(score)
    return float((score - chance) / (1 - chance)) if chance < 1 else float("nan")


def _single(y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Array, Array, Array]:
    """Labels, of shape (n,), and sample weights."""
    true, pred = as_labels(y_true, y_pred)
    if true.ndim != 1:
        raise ValueError("y_true must have one label a sample, shape (n,): give each column of labels by itself")
    return true, pred, as_weight(sample_weight, len(true))


def _class_counts(y_true: Any, y_pred: Any, sample_weight: Any) -> Array:
    """Weights of true positives, predicted positives and positives of each class that occurs: shape (3, classes)."""
    true, pred, weight = _single(y_true, y_pred, sample_weight)
    names = np.union1d(true, pred)
    return _counts_of_places(np.searchsorted(names, true), np.searchsorted(names, pred), weight, len(names))


def _counts_of_places(row: Array, column: Array, weight: Array, classes: int) -> Array:
    right = row == column
    counts = (
        np.bincount(row[right], weight[right], classes),
        np.bincount(column, weight, classes),
        np.bincount(row, weight, classes),
    )
    return np.array(counts, "float64")


def _scaled(counts: Array) -> tuple[Array, float]:
    """Counts times a power of two, so that no product of three overflows, and the sum of the positives."""
    counts = counts * np.ldexp(1.0, -int(np.frexp(counts[2].sum())[1]))
    return counts, float(counts[2].sum())


def _others(counts: Array) -> Array:
    """For each class the sum of the counts of all others, exactly 0 if they are 0."""
    return np.append(0.0, np.cumsum(counts)[:-1]) + _rest(counts)


def _rest(counts: Array) -> Array:
    """For each class the sum of the counts of later ones."""
    return np.append(np.cumsum(counts[::-1])[-2::-1], 0.0)

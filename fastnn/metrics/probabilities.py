"""Metrics of predicted probabilities: log loss and Brier score, with the definitions and numbers of scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use, frames_to_caller
from ._inputs import (
    WORDS,
    Array,
    as_column_of,
    as_finite,
    as_label_set,
    as_names,
    as_weight,
    check_rows,
    refuse_fractions,
)


@errors_of_use
def log_loss(
    y_true: Any, y_proba: Any, *, labels: Any = None, normalize: bool = True, sample_weight: Any = None
) -> float:
    """Log loss or cross-entropy: the mean negative logarithm of the probability of the true class.

        log_loss = -sum_i w_i log(y_proba[i, class of y_true_i]) / sum_i w_i

    Parameters
    ----------
    y_true : array_like of labels, shape (n,), or of one-hot rows, shape (n, classes)
        Integers, booleans or strings; of two labels the larger is positive.
    y_proba : array_like of real numbers, shape (n, classes), or of the positive class, shape (n,) or (n, 1)
        Probabilities, which add up to 1 in each row. They are limited to [eps, 1 - eps], with the machine epsilon of
        their dtype, so that the loss is finite.
    labels : array_like, shape (classes,), optional
        The label of each column, in ascending order; needed where not every class occurs in y_true. By default the
        labels that occur, if there are as many as columns, and otherwise class indices. For one column: both labels.
    normalize : bool, default True
        The mean over samples, or the sum.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.

    Returns
    -------
    float
        0 or more; 0 is best. NaN if all weights are 0.

    Raises
    ------
    ValueError
        If shapes do not match, there are no samples, a probability is not in [0, 1], labels do not match columns or are
        not in order, there is only one label for one column without `labels`, or a weight is negative or not
        finite.
    TypeError
        If probabilities are not real numbers, or labels neither numbers nor strings.

    Warns
    -----
    UserWarning
        If probabilities of classes do not add up to 1 in each row.

    Notes
    -----
    Source: `sklearn.metrics.log_loss`, which sorts `labels`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> round(metrics.log_loss([0, 1, 1], [0.5, 0.5, 0.5]), 4)
    0.6931
    >>> metrics.log_loss(["no", "yes"], [[1.0, 0.0], [0.0, 1.0]]) < 1e-15
    True
    """
    check.check_bool("normalize", normalize)
    true, proba, eps = _arguments(y_true, y_proba)
    weight = as_weight(sample_weight, len(true))
    target, proba = _classes(true, proba, eps, labels)
    losses = cross_entropies(target, proba, eps)
    total = weight.sum()
    if not total:
        return float("nan")
    return float(weight @ losses / total) if normalize else float(weight @ losses)


@errors_of_use
def brier(
    y_true: Any,
    y_proba: Any,
    *,
    labels: Any = None,
    pos_label: Any = None,
    scale_by_half: bool | str = "auto",
    sample_weight: Any = None,
) -> float:
    """Brier score: the mean squared distance of predicted probabilities from the true class.

        brier = sum_i w_i (y_proba_i - y_true_i)^2 / sum_i w_i                     one probability, y_true 0 or 1
        brier = sum_i w_i sum_k (y_proba_ik - [y_true_i = k])^2 / sum_i w_i        three or more classes

    Parameters
    ----------
    y_true : array_like of labels, shape (n,), or of one-hot rows, shape (n, classes)
        Integers, booleans or strings.
    y_proba : array_like of real numbers, shape (n, classes), or of the positive class, shape (n,) or (n, 1)
        Probabilities, which add up to 1 in each row.
    labels : array_like, shape (classes,), optional
        The label of each column, as for `log_loss`; not used for one column.
    pos_label : int, bool or str, optional
        The positive label, for one column; by default 1 where labels are among -1, 0 and 1, and otherwise the larger
        one. Strings need it.
    scale_by_half : bool or "auto", default "auto"
        Halve the sum over classes, so that it is between 0 and 1 instead of 2; "auto" does for two classes. The formula
        for one probability is halved.
    sample_weight : array_like of shape (n,), optional
        0 or more and finite; default 1 for each sample.

    Returns
    -------
    float
        0 or more; 0 is best. NaN if all weights are 0.

    Raises
    ------
    ValueError
        As `log_loss`; also if `pos_label` is not among two labels, or is needed and not given, or `scale_by_half` is
        not one of its options.
    TypeError
        If probabilities are not real numbers, or labels neither numbers nor strings.

    Warns
    -----
    UserWarning
        If probabilities of classes do not add up to 1 in each row.

    Notes
    -----
    Source: `sklearn.metrics.brier_score_loss`; Brier, "Verification of forecasts expressed in terms of probability",
    1950.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.brier([0, 1, 1, 0], [0.5, 0.5, 1.0, 0.0])
    0.125
    >>> round(metrics.brier([0, 1, 2], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]), 4)
    0.1667
    """
    check.check_choice("scale_by_half", scale_by_half, (True, False, "auto"))
    true, proba, eps = _arguments(y_true, y_proba)
    weight = as_weight(sample_weight, len(true))
    if proba.shape[1] == 1:
        target, proba = _two_columns(_is_positive(true, pos_label)), np.hstack([1 - proba, proba])
    else:
        target, proba = _classes(true, proba, eps, labels)
    errors = ((proba - target) ** 2).sum(1)
    if scale_by_half is True or (scale_by_half == "auto" and proba.shape[1] < 3):
        errors = errors / 2
    total = weight.sum()
    return float(weight @ errors / total) if total else float("nan")


def cross_entropies(target: Array, proba: Array, eps: float) -> Array:
    """The negative logarithm of the probability of the true class of each sample, limited to [eps, 1 - eps].

    Parameters
    ----------
    target, proba : ndarray of float64, shape (n, classes)
    eps : float

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    losses: Array = -(target * np.log(np.clip(proba, eps, 1 - eps))).sum(1)
    return losses


def _arguments(y_true: Any, y_proba: Any) -> tuple[Array, Array, float]:
    """Labels, probabilities of shape (n, columns) in float64, and the epsilon of the dtype they had."""
    true, given = as_names("y_true", y_true), check.as_objects("y_proba", y_proba)
    proba = as_finite("y_proba", given)
    check_rows(y_true=true, y_proba=proba)
    true = true.reshape(-1) if true.shape[1:] == (1,) else true
    proba = proba.reshape(-1, 1) if proba.ndim == 1 else proba
    if proba.ndim != 2 or true.ndim > 2 or (true.ndim == 2 and true.shape != proba.shape):
        raise ValueError(f"y_true must have shape (n,) and y_proba (n, classes), got {true.shape} and {proba.shape}")
    outside = np.argwhere((proba < 0) | (proba > 1))
    if len(outside):
        row, column = map(int, outside[0])
        raise ValueError(f"y_proba must be probabilities, between 0 and 1, got {proba[row, column]} in row {row}")
    refuse_fractions("y_true", true)
    return true, proba, float(np.finfo(given.dtype if given.dtype.kind == "f" else "float64").eps)


def _classes(true: Array, proba: Array, eps: float, labels: Any) -> tuple[Array, Array]:
    """One-hot targets and probabilities, both of float64 and shape (n, classes)."""
    if proba.shape[1] == 1:
        return _two_columns(_is_last(true, labels)), np.hstack([1 - proba, proba])
    sums = proba.sum(1)
    off = np.flatnonzero(~np.isclose(sums, 1, rtol=eps**0.5, atol=1e-8))
    if off.size:
        warnings.warn(f"y_proba should add up to 1 in each row, got {sums[off[0]]} in row {off[0]}",
                      stacklevel=frames_to_caller())  # fmt: skip
    if true.ndim == 2:
        if true.dtype.kind in WORDS or not (np.isin(true, (0, 1)).all() and (true == 1).sum(1).all()):
            raise ValueError("y_true must be labels of shape (n,), or one-hot rows of 0 and a single 1")
        if ((true == 1).sum(1) != 1).any():
            raise ValueError("y_true must have a single 1 in each row: give each column of several labels by itself")
        return true.astype("float64"), proba
    column = as_column_of(true, proba.shape[1], labels, "y_proba")
    return (column[:, None] == np.arange(proba.shape[1])).astype("float64"), proba


def _two_columns(positive: Array) -> Array:
    return np.stack([~positive, positive], 1).astype("float64")


def _is_last(true: Array, labels: Any) -> Array:
    """Whether each label is the larger of the two in `labels`, or of those that occur."""
    names = np.unique(true if labels is None else as_label_set(labels, true))
    if len(names) != 2:
        way = "give both as labels=" if len(names) < 2 else f"give y_proba of shape (n, {len(names)})"
        raise ValueError(f"there must be two labels for one column of y_proba, got {names.tolist()!r:.80}: {way}")
    if not np.isin(true, names).all():
        raise ValueError(f"y_true has labels that are not in labels: {names.tolist()!r:.80}")
    positive: Array = true == names[1]
    return positive


def _is_positive(true: Array, pos_label: Any) -> Array:
    """Whether each label is `pos_label`, which has a default for numbers."""
    names = np.unique(true)
    if len(names) > 2:
        raise ValueError(f"y_proba must have shape (n, {len(names)}) for {len(names)} classes, got one column")
    if pos_label is None:
        if names.dtype.kind in WORDS:
            raise ValueError(f"pos_label must be given for labels that are strings: {names.tolist()!r:.80}")
        pos_label = 1 if set(names.tolist()) in ({-1, 1}, {0, 1}, {0}, {1}, {-1}) else names[-1]
    elif len(names) == 2 and pos_label not in names:
        raise ValueError(f"pos_label must be one of {names.tolist()}, got {pos_label!r}")
    positive: Array = true == np.array(pos_label)
    return positive

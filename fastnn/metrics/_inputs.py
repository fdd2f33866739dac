"""Checks of the arguments of metrics: shapes, labels, scores and sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _validation as check

Array = check.Array

WORDS = "UST"  # `dtype.kind` of strings


def as_weight(value: Any, rows: int) -> Array:
    """Sample weights as float64, shape (rows,); ones for None. ValueError if one is negative or not finite."""
    if value is None:
        return np.ones(rows)
    weight = check.as_weights("sample_weight", value, "float64")
    check.check_shape("sample_weight", weight, (rows,), "one a sample")
    return weight


def check_rows(**arrays: Array) -> None:
    """Raise ValueError unless the arrays have the same number of rows, at least one."""
    lengths = {name: len(array) if array.ndim else -1 for name, array in arrays.items()}
    for name, length in lengths.items():
        if length == -1:
            raise ValueError(f"{name} must be an array with a row for each sample, got a scalar")
        if length == 0:
            raise ValueError(f"{name} must have at least one sample")
    if len(set(lengths.values())) > 1:
        raise ValueError(f"{' and '.join(lengths)} must have equally many samples, got "
                         f"{' and '.join(map(str, lengths.values()))}")  # fmt: skip


def as_finite(name: str, value: Any) -> Array:
    """`value` as float64; ValueError if a number is infinite or NaN, TypeError if it is not of real numbers."""
    array = check.as_objects(name, value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of real numbers, got {array.dtype}")
    array = array.astype("float64")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}[{', '.join(map(str, place))}] is {array[place]}: {name} must be finite")
    return array


def as_names(name: str, value: Any) -> Array:
    """Labels as an array of numbers, booleans or strings; TypeError if they are mixed, or something else."""
    array = check.as_objects(name, value)
    if array.dtype == object:
        items = array.reshape(-1).tolist()
        if not items or not all(isinstance(item, str) for item in items):
            sorts = ", ".join(sorted({type(item).__name__ for item in items})) or "nothing"
            raise TypeError(f"{name} must have labels of one sort, all numbers or all strings, got objects: {sorts}")
        array = array.astype(str)
    if array.dtype.kind not in "biuf" + WORDS:
        raise TypeError(f"{name} must have labels that are numbers or strings, got {array.dtype}")
    return array


def refuse_fractions(name: str, labels: Array) -> None:
    """Raise ValueError if a label is a fraction, infinite or NaN."""
    if labels.dtype.kind == "f" and not (labels == np.floor(np.where(np.isinf(labels), np.nan, labels))).all():
        odd = labels[(labels != np.floor(labels)) | np.isinf(labels)]  # NaN too
        raise ValueError(f"{name} must be labels, got {odd[0]}")


def as_label_set(labels: Any, like: Array) -> Array:
    """The argument `labels`: some labels of the sort of `like`, in an array of shape (labels,).

    Raises
    ------
    ValueError
        If it has another shape or no items, one occurs twice, or one array has strings and the other numbers.
    """
    names = as_names("labels", labels)
    if names.ndim != 1 or not len(names):
        raise ValueError(f"labels must be a list of at least one label, got shape {names.shape}")
    if (names.dtype.kind in WORDS) != (like.dtype.kind in WORDS):
        sorts = ("strings", "numbers") if names.dtype.kind in WORDS else ("numbers", "strings")
        raise ValueError(f"labels must be of the sort of y_true: labels has {sorts[0]}, y_true {sorts[1]}")
    if len(np.unique(names)) < len(names):
        raise ValueError(f"labels must not have a label twice, got {names.tolist()!r:.80}")
    return names


def as_column_indices(labels: Any, columns: int) -> Array:
    """The argument `labels` for targets with a column for each label: some of the indices 0 .. columns - 1."""
    indices = as_label_set(labels, np.zeros(0))
    if indices.dtype.kind not in "iu" or (indices < 0).any() or (indices >= columns).any():
        raise ValueError(f"labels must be indices of columns between 0 and {columns - 1}, got {indices.tolist()!r:.80}")
    return indices


def places(labels: Array, names: Array) -> Array:
    """The index of each label in `names`, -1 where it is not among them."""
    order = np.argsort(names, kind="stable")
    place = order[np.minimum(np.searchsorted(names, labels, sorter=order), len(names) - 1)]
    return np.where(names[place] == labels, place, -1)


def as_column_of(true: Array, columns: int, labels: Any, scores: str) -> Array:
    """The column of each sample's label among the scores of classes.

    Parameters
    ----------
    true : ndarray of labels, shape (n,)
    columns : int
        Number of classes.
    labels : array_like of shape (columns,), or None
        The label of each column, in ascending order. For None columns are the distinct labels, sorted, if there are as
        many, and otherwise class indices.
    scores : str
        Name of the argument that has the columns, for messages.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        If labels and columns do not match.
    TypeError
        If there are fewer labels than columns, and they are not integers.
    """
    if labels is not None:
        names = as_label_set(labels, true)
        if len(names) != columns:
            raise ValueError(
                f"labels must have a label for each of the {columns} columns of {scores}, got {len(names)}"
            )
        if (names != np.sort(names)).any():
            raise ValueError(
                f"labels must be in ascending order, like the columns of {scores}, got {names.tolist()!r:.80}"
            )
        column = places(true, names)
        if (column < 0).any():
            raise ValueError(
                f"y_true has {true[column < 0].tolist()[0]!r}, which is not in labels: {names.tolist()!r:.80}"
            )
        return column
    names = np.unique(true)
    if len(names) == columns:
        return np.searchsorted(names, true)
    return as_indices(true, columns)


def as_indices(labels: Array, classes: int) -> Array:
    """Class indices as int64; TypeError if they are not integers, ValueError if one is not in 0 .. classes - 1."""
    if labels.dtype.kind not in "iu":
        raise TypeError(f"y_true must be integer class indices, got {labels.dtype}")
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise ValueError(f"y_true[{bad[0]}] is {labels[bad[0]]}: class indices must be between 0 and {classes - 1}")
    return labels.astype("int64")


def as_undefined(name: str, value: Any, at_least: float = 0.0) -> float:
    """The value of 0 / 0 as a float: NaN, or between `at_least` and 1."""
    if isinstance(value, float) and np.isnan(value):
        return value
    return check.check_number(name, value, at_least=at_least, at_most=1.0)


def as_labels(y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    """Two arrays of labels of shape (n,), or of 0 and 1 of shape (n, labels).

    Predictions of shape (n, classes) for labels of shape (n,) are scores: the index of the largest is the label.

    Raises
    ------
    ValueError
        If shapes do not match, there are no rows, a label is a fraction, infinite or NaN, or one array has strings and
        the other numbers.
    TypeError
        If labels are neither numbers nor strings.
    """
    true, pred = as_names("y_true", y_true), as_names("y_pred", y_pred)
    check_rows(y_true=true, y_pred=pred)
    if (true.dtype.kind in WORDS) != (pred.dtype.kind in WORDS):
        words, numbers = ("y_true", "y_pred") if true.dtype.kind in WORDS else ("y_pred", "y_true")
        raise ValueError(f"y_true and y_pred must have labels of one sort: {words} has strings, {numbers} numbers")
    true, pred = (a.reshape(-1) if a.shape[1:] == (1,) else a for a in (true, pred))
    if true.ndim == 1 and pred.ndim == 2:
        pred = pred.argmax(1)
    if true.shape != pred.shape or true.ndim > 2:
        raise ValueError(f"y_true and y_pred must have one shape, (n,) or (n, labels), got {true.shape}, {pred.shape}")
    for name, array in (("y_true", true), ("y_pred", pred)):
        refuse_fractions(name, array)
        if array.ndim == 2 and not np.isin(array, (0, 1)).all():
            raise ValueError(f"{name} must consist of 0 and 1 where it has a column for each label")
    return true, pred

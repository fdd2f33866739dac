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
        if array.dtype.kind == "f" and not (array == np.floor(np.where(np.isinf(array), np.nan, array))).all():
            odd = array[(array != np.floor(array)) | np.isinf(array)]  # NaN too
            raise ValueError(f"{name} must be labels, got {odd[0]}")
        if array.ndim == 2 and not np.isin(array, (0, 1)).all():
            raise ValueError(f"{name} must consist of 0 and 1 where it has a column for each label")
    return true, pred

"""Targets of several classes: their check, and scores of more axes as the rows of a matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.targets import first_bad_label
from .._validation import Array

__all__ = ["check_labels", "class_axes", "class_rows", "class_targets", "places_of"]


def places_of(x: Array) -> tuple[int, ...]:
    """The shape of the losses of scores (rows, classes, d1, ...) or (classes,): (rows, d1, ...) or ()."""
    return (x.shape[0], *x.shape[2:]) if x.ndim > 1 else ()


def class_rows(x: Array) -> Array:
    """Scores of shape (rows, classes, d1, ...) or (classes,) as a matrix with a row for each place."""
    rows = np.moveaxis(x, min(1, x.ndim - 1), -1)
    return np.ascontiguousarray(rows).reshape(math.prod(rows.shape[:-1]), rows.shape[-1])


def class_axes(rows: Array, shape: tuple[int, ...]) -> Array:
    """The matrix that `class_rows` makes of an array of this shape, as such an array again."""
    if len(shape) == 1:
        return rows.reshape(shape)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1))


def check_labels(t: Array, classes: int, ignored: int) -> Array:
    """Class indices as int64; ValueError if one is out of range, with its place."""
    labels = check.as_labels("target", t)
    labels = labels.copy() if dispatch.get_reference() else labels  # another thread cannot change what was checked
    bad = first_bad_label(labels.reshape(-1), classes, ignored)
    if bad >= 0:
        place = [int(i) for i in np.unravel_index(bad, labels.shape)]
        value = labels[tuple(place)]
        raise ValueError(f"target{place or ''} is {value}: class indices must be between 0 and {classes - 1}")
    return labels


def class_targets(target: Any, x: Array, probabilities: bool, ignored: int) -> Array:
    """`target` as class indices (int64) or, where `probabilities` are allowed, as an array of x's dtype and shape.

    Class indices are integers, booleans or whole floats of shape (rows,), or of (rows, 1) for several classes.
    """
    t = check.from_any("target", target)
    rows, classes = x.shape
    if t.shape == (rows, 1) and (classes != 1 or not probabilities):
        t = t.reshape(rows)
    if t.ndim == 1:
        check.check_shape("target", t, (rows,), f"for input of shape {x.shape}")
        return check_labels(t, classes, ignored)
    if not probabilities:
        raise TypeError(f"target must be integer class indices of shape ({rows},), got {t.dtype} of shape {t.shape}")
    if t.dtype.kind in "biu":
        t = t.astype(x.dtype)  # one-hot
    if ignored >= 0:
        raise ValueError(
            f"ignore_index={ignored} is for class indices, but target has probabilities: give rows that are to be left "
            "out a sample_weight of 0"
        )
    t = check.as_array("target", t)
    check.check_same_dtype(input=x, target=t)
    check.check_shape("target", t, x.shape, f"(probabilities) or ({rows},) (class indices)")
    return t

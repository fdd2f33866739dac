"""Checks of the targets and weights of losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, as_array, as_source, from_any
from .numbers import check_integer
from .shapes import check_shape


def as_weights(name: str, value: Any, dtype: Any) -> Array:
    """`value` as an array of weights of `dtype`, 0 or more; any real dtype is converted.

    Raises
    ------
    TypeError, ValueError
        If it is not an array of real numbers, or one is negative or NaN.
    """
    array = from_any(name, value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of real numbers, got {array.dtype}")
    weights = np.require(array, dtype, ["C", "A"]).reshape(array.shape)
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise ValueError(f"{name} must be 0 or more and finite, got a negative or infinite weight or NaN")
    return weights


def as_class_weights(name: str, value: Any, classes: int, dtype: Any) -> Array:
    """`value` as weights of shape (classes,); see `as_weights`."""
    weights = as_weights(name, value, dtype)
    check_shape(name, weights, (classes,), "one a class")
    return weights


def as_target(name: str, value: Any, dtype: Any) -> Array:
    """`value` as an array of float32 or float64; integers and booleans are converted to `dtype`."""
    array = from_any(name, value)
    return as_array(name, array.astype(dtype) if array.dtype.kind in "iub" else array)


def as_converted(name: str, value: Any, dtype: Any) -> Array:
    """`value`, of any real dtype, as a plain array of `dtype`.

    Raises
    ------
    TypeError
        If it is not an array of real numbers.
    ValueError
        If a finite number is too large for `dtype`.
    """
    array = as_source(name, value)
    with np.errstate(over="ignore"):
        converted = np.require(array, dtype, ["C", "A"])
    check_not_beyond(name, array, converted)
    return converted


def too_large(array: Array, converted: Array) -> bool:
    """Whether a finite number of `array` is infinite in `converted`; only those of wider floats can be."""
    if array.dtype.kind != "f" or array.dtype.itemsize <= converted.dtype.itemsize or np.isfinite(converted).all():
        return False
    return bool((np.isinf(converted) & np.isfinite(array)).any())


def check_not_beyond(name: str, array: Array, converted: Array, first: int = 0) -> None:
    """Raise ValueError if a finite number of `array` is infinite in `converted`; the message names its place.

    `first` is the number of the first row.
    """
    if not too_large(array, converted):
        return
    place = [int(i) for i in np.argwhere(np.isinf(converted) & np.isfinite(array))[0]]
    value = array[tuple(place)]
    if place:
        place[0] += first
    dtype = converted.dtype
    most = f"{np.finfo(dtype).max:.3g}"
    raise ValueError(
        f"{name}{place or ''} is {value}, too large for {dtype}, whose largest number is {most}: scale {name}, or use "
        "a network of dtype='float64'"
    )


def as_labels(name: str, value: Array) -> Array:
    """Class indices of any integer dtype, booleans or floats without a fraction, as int64.

    uint64 above its range becomes 2^63 - 1, which is no class index.

    Raises
    ------
    ValueError
        If a float is no whole number; the message names it.
    """
    if value.dtype == np.uint64:
        value = np.minimum(value, np.uint64(2**63 - 1))
    if value.dtype.kind == "f":
        value = value.astype("float64", copy=False)
        whole = np.abs(value) < 2.0**63  # not NaN either
        whole &= np.trunc(value) == value
        if not whole.all():
            place = [int(i) for i in np.argwhere(~whole)[0]]
            raise ValueError(
                f"{name}{place or ''} is {value[tuple(place)]}: class indices must be whole numbers, 0 to classes - 1"
            )
    return np.require(value, "int64", ["C", "A"])


def as_rows(target: Array, shape: tuple[int, ...]) -> Array:
    """A target with one number a row is repeated for each column of `shape`; any other is returned unchanged."""
    if len(shape) == 2 and target.shape in ((shape[0],), (shape[0], 1)):
        return np.array(np.broadcast_to(target.reshape(-1, 1), shape), order="C")
    return target


def check_ignored(ignore_index: Any) -> float:
    """`ignore_index` as a float, since parameters of kernels are floats."""
    if type(ignore_index) is int and -100 <= ignore_index < 100:
        return float(ignore_index)
    return float(check_integer("ignore_index", ignore_index, at_least=-(2**53), at_most=2**53))

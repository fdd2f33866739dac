"""Checks of arrays against each other: shapes and dtypes, output arrays, overlapping memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, as_strict

MAX_ROWS = 2**40  # far more than any memory holds; sizes in bytes do not overflow


def check_same_dtype(**arrays: Array | None) -> None:
    """Raise TypeError unless all arrays (None aside) have one dtype; the message names the two that differ."""
    present = [(name, array) for name, array in arrays.items() if array is not None]
    first, expected = present[0]
    for name, array in present[1:]:
        if array.dtype != expected.dtype:
            raise TypeError(f"{name} is {array.dtype} but {first} is {expected.dtype}: both must have one dtype")


def check_same_shape(**arrays: Array | None) -> None:
    """Raise ValueError unless all arrays (None aside) have one shape; the message names the two that differ."""
    present = [(name, array) for name, array in arrays.items() if array is not None]
    first, expected = present[0]
    for name, array in present[1:]:
        if array.shape != expected.shape:
            raise ValueError(f"{name} must have the shape of {first}, {expected.shape}, got {array.shape}")


def check_shape(name: str, array: Array, shape: tuple[int, ...], why: str) -> None:
    """Raise ValueError unless `array` has `shape`; `why` follows the shape in the message: "one a class"."""
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape} {why}, got {array.shape}")


def check_size(name: str, array: Array, size: int) -> Array:
    """`array`; ValueError unless it has `size` values."""
    if array.size != size:
        raise ValueError(f"{name} must have {size} values, got shape {array.shape}")
    return array


def check_output(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """The array for the result: `out`, or a new one if it is None.

    Raises
    ------
    TypeError, ValueError
        If `out` is not an ndarray of this dtype and shape, C-contiguous, aligned and writable.
    """
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be an ndarray, got {type(out).__name__}")
    if out.dtype != dtype:
        raise TypeError(f"out must be {dtype}, got {out.dtype.str if not out.dtype.isnative else out.dtype}")
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, got {out.shape}")
    flags = out.flags
    for holds, word in (
        (flags.c_contiguous, "C-contiguous"),
        (flags.aligned, "aligned"),
        (flags.writeable, "writable"),
    ):
        if not holds:
            raise ValueError(f"out must be {word}")
    return out


def scalar_or(y: Array, out: Any = None) -> Any:
    """The result y: a NumPy scalar where it has no axes and no `out` was given, as NumPy's functions return it."""
    return y[()] if out is None and y.ndim == 0 else y


def as_writable(name: str, array: Any) -> Array:
    """`array`, checked to be one that C can update in place.

    Raises
    ------
    TypeError, ValueError
        If it is not an ndarray of float32 or float64, or not C-contiguous, aligned and writable.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be an ndarray, which is updated in place, got {type(array).__name__}")
    plain = as_strict(name, array)
    if plain is not array and not np.shares_memory(plain, array):
        raise ValueError(f"{name} must be C-contiguous and aligned, since it is updated in place")
    if not array.flags.writeable:
        raise ValueError(f"{name} must be writable, since it is updated in place")
    return plain


def without_overlap(array: Array, out: Array, in_place: bool = False) -> Array:
    """`array`, or a copy if it may share memory with `out`; with `in_place`, `out` may be the same memory."""
    if not np.may_share_memory(array, out):
        return array
    if in_place and array.ctypes.data == out.ctypes.data and array.shape == out.shape:
        return array
    return array.copy()


def as_columns(name: str, values: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    """Broadcast an array with one number for each column to `shape`."""
    check_shape(name, values, shape[-1:], "one a column")
    return np.array(np.broadcast_to(values, shape), dtype, order="C")

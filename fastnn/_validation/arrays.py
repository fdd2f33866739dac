"""Conversion of arguments to arrays, and the messages for those that cannot be converted."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from .._core.arrays import plain

Array = npt.NDArray[Any]
DTYPES = (np.dtype("float32"), np.dtype("float64"))


def as_array(name: str, value: Any) -> Array:
    """`value` as an ndarray of float32 or float64 that C can read: contiguous and aligned, copied only if it must be.

    Integers, booleans and lists become float64, as in NumPy.

    Raises
    ------
    TypeError
        If `value` is not an array of real numbers, has another float dtype, or is not in native byte order.
    """
    return value if plain(value) else _as_float(name, value, "biu")


def as_strict(name: str, value: Any) -> Array:
    """Like `as_array`, but integers and booleans are refused: what is updated in place, or was made by this package."""
    return value if plain(value) else _as_float(name, value, "")


def as_source(name: str, value: Any) -> Array:
    """`value` as an ndarray of a real dtype of at most 64 bits, in any layout: rows that are converted in batches."""
    if plain(value):
        return value
    array = _native(name, from_any(name, value))
    if array.dtype.itemsize > 8:
        raise TypeError(
            f"{name} must be of at most 64 bits, got {array.dtype}: use {conversion(name, value, 'float64')}"
        )
    return array


def float_for(array: Array) -> str:
    """The float dtype that holds numbers of this array: float32 for float32 and float16, otherwise float64."""
    return "float32" if array.dtype.kind == "f" and array.dtype.itemsize <= 4 else "float64"


def _as_float(name: str, value: Any, converted: str) -> Array:
    """`value` as a plain array; of the kinds of dtypes `converted` those that are no floats become float64."""
    array = _native(name, from_any(name, value))
    if array.dtype.kind in converted:
        array = array.astype("float64")
    elif array.dtype not in DTYPES:
        remedy = f": use {conversion(name, value, 'float32')}"
        raise TypeError(f"{name} must be float32 or float64, got {array.dtype}{remedy}")
    return np.require(array, requirements=["C", "A"])


def _native(name: str, array: Array) -> Array:
    if not array.dtype.isnative:
        raise TypeError(
            f"{name} must be in native byte order, got {array.dtype.str!r}: use {name}.astype({array.dtype.name!r})"
        )
    return array


def conversion(name: str, value: Any, dtype: str) -> str:
    """The expression, for a message, that converts the argument `name` to this dtype; a list has no `astype`."""
    return f"{name}.astype({dtype!r})" if hasattr(value, "astype") else f"np.asarray({name}, {dtype!r})"


def refuse_losses(name: str, value: Any) -> None:
    """Raise TypeError for None, masked arrays, other subclasses of ndarray, and sparse matrices.

    As plain arrays they would lose a mask, units or the zeros that are not stored. Plain arrays, memmaps and anything
    else that NumPy converts to a plain array pass.
    """
    if value is None:
        raise TypeError(f"{name} must be an array of numbers, got NoneType")
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost: fill it, np.ma.filled({name}, value), or leave out "
            "the masked rows"
        )
    if isinstance(value, np.ndarray) and type(value) not in (np.ndarray, np.memmap):
        raise TypeError(
            f"{name} is a {type(value).__name__}, a subclass of ndarray whose meaning would be lost: give "
            f"np.asarray({name}) if its plain numbers are meant"
        )
    if not isinstance(value, np.ndarray) and hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise TypeError(f"{name} is a sparse {type(value).__name__}: give {name}.toarray()")


def refuse_no_numbers(name: str, array: Array, value: Any) -> None:
    """Raise TypeError for an array that does not hold real numbers; the message says what it holds."""
    if array.dtype == object and (odd := _odd_element(array)):
        kind = "dtype object" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{name} must be an array of numbers, got {kind} with {odd} in it")
    if array.dtype.names:
        raise TypeError(
            f"{name} must be an array of numbers, got records with the fields {', '.join(array.dtype.names)}: see "
            "numpy.lib.recfunctions.structured_to_unstructured"
        )
    raise TypeError(f"{name} must be float32 or float64, got {array.dtype}")


def _odd_element(array: Array) -> str:
    """The first element of an array of objects that is no real number, as text; "" if all are."""
    for item in array.reshape(-1).tolist():
        if item is None or not isinstance(item, numbers.Real):
            return repr(item)[:40]
    return ""


def from_any(name: str, value: Any) -> Array:
    """`value` as an ndarray of numbers, sharing memory where it has a buffer, `__array__` or `__dlpack__`."""
    array = as_objects(name, value)
    if array.dtype.kind not in "fiub" and (columns := column_labels(value)):
        return _from_columns(name, value, columns)
    if array.dtype.kind not in "fiub":
        refuse_no_numbers(name, array, value)
    return array


def as_objects(name: str, value: Any) -> Array:
    """`value` as an ndarray of any dtype, for example labels that are strings; otherwise as `from_any`."""
    if type(value) is np.ndarray:
        return value
    refuse_losses(name, value)
    try:
        if hasattr(value, "__dlpack__") and not isinstance(value, np.ndarray) and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        array = np.asarray(value)
    except (ValueError, TypeError, BufferError, RuntimeError) as error:
        raise TypeError(f"{name} must be an array, got {type(value).__name__}: {error}") from None
    refuse_losses(name, array)
    return array


def column_labels(table: Any) -> tuple[Any, ...]:
    """The labels of the columns of a table such as a DataFrame; none for anything else."""
    columns = None if isinstance(table, np.ndarray) else getattr(table, "columns", None)
    return () if columns is None or callable(columns) else tuple(columns)


def _from_columns(name: str, table: Any, columns: tuple[Any, ...]) -> Array:
    """The columns of a table that have no common dtype, such as booleans and floats, side by side.

    Raises
    ------
    TypeError
        If a column does not hold real numbers; the message names it.
    """
    arrays = []
    for label in columns:
        where = f"column {label!r} of {name}"
        try:
            array = np.asarray(table[label])
        except (KeyError, ValueError, TypeError) as error:
            raise TypeError(f"{where} cannot be read: {error}") from None
        if array.dtype == object and not _odd_element(array):  # numbers in boxes
            array = array.astype("float64")
        if array.ndim != 1 or array.dtype.kind not in "fiub":
            odd = _odd_element(array) if array.dtype == object else ""
            held = f"{odd} in it" if odd else f"{array.dtype} of shape {array.shape}"
            raise TypeError(f"{where} must hold numbers, got {held}: encode words as numbers, fill what is missing")
        arrays.append(array)
    return np.column_stack(arrays)

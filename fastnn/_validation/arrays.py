"""Conversion of arguments to arrays, and the messages for those that cannot be converted."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from .._core.arrays import plain

Array = npt.NDArray[Any]
NARROW = ("uint8", "float16")  # dtypes that inputs of a network may have besides the network's own
DTYPES = (np.dtype("float32"), np.dtype("float64"))


def as_array(name: str, value: Any, dtype: str = "float32") -> Array:
    """`value` as an ndarray of float32 or float64 that C can read: contiguous and aligned, copied only if it must be.

    Raises
    ------
    TypeError
        If `value` is not an array, has another dtype, or is not in native byte order.
    """
    if plain(value):
        return value
    array = from_any(name, value)
    if not array.dtype.isnative:
        raise TypeError(
            f"{name} must be in native byte order, got {array.dtype.str!r}: use {name}.astype({array.dtype.name!r})"
        )
    if array.dtype not in DTYPES:
        remedy = f": use {conversion(name, value, dtype)}" if array.dtype.kind in "biuf" else ""
        raise TypeError(f"{name} must be float32 or float64, got {array.dtype}{remedy}")
    return np.require(array, requirements=["C", "A"])


def conversion(name: str, value: Any, dtype: str) -> str:
    """The expression, for a message, that converts the argument `name` to this dtype; a list has no `astype`."""
    return f"{name}.astype({dtype!r})" if hasattr(value, "astype") else f"np.asarray({name}, {dtype!r})"


def as_input(name: str, value: Any, dtype: str = "float32") -> Array:
    """Like `as_array`, but arrays of uint8 and float16 keep their dtype."""
    if plain(value):
        return value
    array = from_any(name, value)
    if array.dtype.isnative and array.dtype.name in NARROW:
        return np.require(array, requirements=["C", "A"])
    return as_array(name, value, dtype)


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

"""Checks, repairs and error messages for arguments.

Nothing here runs when the compiled fast path accepts its arrays.
"""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ._core.arrays import plain

Array = npt.NDArray[Any]
MAX_ROWS = 2**40  # far beyond any memory, far below an overflow of sizes in bytes
NARROW = ("uint8", "float16")  # what inputs of a network may be besides its dtype
DTYPES = (np.dtype("float32"), np.dtype("float64"))


def as_array(name: str, value: Any, dtype: str = "float32") -> Array:
    """`value` as an ndarray of float32 or float64 that C can read: contiguous and aligned, copied only if it must be.

    Raises
    ------
    TypeError
        If `value` is no array, or has another dtype, or its bytes are swapped.
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
    """The code that makes an array of this dtype of what the caller calls `name`: a list has no `astype`."""
    return f"{name}.astype({dtype!r})" if hasattr(value, "astype") else f"np.asarray({name}, {dtype!r})"


def as_input(name: str, value: Any, dtype: str = "float32") -> Array:
    """`value` as by `as_array`, or as it is if it is uint8 or float16."""
    if plain(value):
        return value
    array = from_any(name, value)
    if array.dtype.isnative and array.dtype.name in NARROW:
        return np.require(array, requirements=["C", "A"])
    return as_array(name, value, dtype)


def refuse_losses(name: str, value: Any) -> None:
    """Raise TypeError for what would lose its meaning as a plain array: a mask, units, zeros that are not stored.

    Numbers of a plain array, a memmap, or anything else that NumPy makes a plain array of, pass.
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
    """Raise TypeError for an array of whose elements no real numbers can be made."""
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
    """`value` as an ndarray of whatever dtype, labels that are words, say; see `from_any`."""
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
    """Raise ValueError unless `array` has `shape`; `why` says what asks for it."""
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape} {why}, got {array.shape}")


def check_size(name: str, array: Array, size: int) -> Array:
    """`array`; ValueError unless it has so many values."""
    if array.size != size:
        raise ValueError(f"{name} must have {size} values, got shape {array.shape}")
    return array


def check_output(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """`out` if it can be written as it is, a new array if it is None.

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


def as_writable(name: str, array: Any) -> Array:
    """`array` as one that C can update in place.

    Raises
    ------
    TypeError, ValueError
        If it is no ndarray of float32 or float64, or not C-contiguous, aligned and writable.
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be an ndarray, which is updated in place, got {type(array).__name__}")
    plain = as_array(name, array)
    if plain is not array and not np.shares_memory(plain, array):
        raise ValueError(f"{name} must be C-contiguous and aligned, since it is updated in place")
    if not array.flags.writeable:
        raise ValueError(f"{name} must be writable, since it is updated in place")
    return plain


def without_overlap(array: Array, out: Array, in_place: bool = False) -> Array:
    """`array`, or a copy of it if writing `out` would change it; `in_place` allows out to be the array itself."""
    if not np.may_share_memory(array, out):
        return array
    if in_place and array.ctypes.data == out.ctypes.data and array.shape == out.shape:
        return array
    return array.copy()


def check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if isinstance(value, np.ndarray):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got an array")
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


# What arguments are called in other libraries.
TWINS = {
    "beta_1": "betas",
    "beta_2": "betas",
    "decay": "weight_decay",
    "epsilon": "eps",
    "learning_rate": "lr",
    "reduce": "reduction",
    "size_average": "reduction",
}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question for the known name that is most like this one, as the end of a message; "" if none is like it."""
    import difflib

    names = list(known)
    twin = TWINS.get(name)
    close = [twin] if twin in names else difflib.get_close_matches(name, names, 1, 0.6)
    return f": did you mean {close[0]}?" if close else ""


def refuse_unknown(cls: type, unknown: Iterable[str], more: Iterable[str] = ()) -> None:
    """Raise TypeError for keywords that the constructor of a class, with those of its base, does not have."""
    import inspect

    for name in unknown:
        parameters = inspect.signature(vars(cls).get("__init__", cls)).parameters.values()
        named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
        known = [*named, *more]
        hint = did_you_mean(name, known) or f": it takes {', '.join(known)}"
        raise TypeError(f"{cls.__name__} takes no argument {name!r}{hint}")


def check_switch(name: str, value: Any) -> bool:
    """`value` as a bool; TypeError unless it is True or False, or equal to one of them."""
    if isinstance(value, np.ndarray) or value not in (True, False):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """`value` as a float, within bounds; `nan` is never within.

    Raises
    ------
    TypeError, ValueError
        If it is not a real number, or out of bounds.
    """
    number = value if type(value) is float else _as_float(name, value)
    if (
        (above is None or number > above)
        and (at_least is None or number >= at_least)
        and (below is None or number < below)
        and (at_most is None or number <= at_most)
        and number == number
    ):
        return number
    limits = {"greater than": above, "at least": at_least, "less than": below, "at most": at_most}
    asked = " and ".join(f"{text} {limit}" for text, limit in limits.items() if limit is not None)
    raise ValueError(f"{name} must be {asked or 'a number'}, got {value!r}")


def _as_float(name: str, value: Any) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large for a float") from None


def check_temperature(value: Any, dtype: Any) -> float:
    """A temperature whose inverse `dtype` can hold; ValueError or TypeError otherwise."""
    temperature = check_number("temperature", value, above=0.0)
    return check_number("temperature", temperature, at_least=float(np.finfo(dtype).tiny))


def check_integer(name: str, value: Any, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """`value` as an int, within bounds.

    Raises
    ------
    TypeError, ValueError
        If it is not an integer, or out of bounds.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    number = int(value.__index__())
    if at_least is not None and number < at_least:
        raise ValueError(f"{name} must be at least {at_least}, got {number}")
    if at_most is not None and number > at_most:
        raise ValueError(f"{name} must be at most {at_most}, got {number}")
    return number


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


def as_target(name: str, value: Any, dtype: Any) -> Array:
    """`value` as an array of float32 or float64; integers and booleans, which targets may be, become `dtype`."""
    array = from_any(name, value)
    return as_array(name, array.astype(dtype) if array.dtype.kind in "iub" else array)


def as_labels(name: str, value: Array) -> Array:
    """Integers of any kind as int64; what does not fit stays too large for any class."""
    if value.dtype == np.uint64:
        value = np.minimum(value, np.uint64(2**63 - 1))
    return np.require(value, "int64", ["C", "A"])


def check_dtype(dtype: Any) -> str:
    """The name of a dtype for parameters: "float32" or "float64"; ValueError otherwise."""
    try:
        name = "None" if dtype is None else np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    check_choice("dtype", name, ("float32", "float64"))
    return name


def check_seed(seed: Any) -> int:
    """`seed` as an int of 64 bits."""
    return check_integer("seed", seed, at_least=0, at_most=2**64 - 1)


def check_bool(name: str, value: Any) -> bool:
    """`value` as a bool; TypeError otherwise."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise TypeError(f"{name} must be True or False, got {type(value).__name__}")


def as_numbers(name: str, value: Any, **limits: float) -> float | Array:
    """`value` as a float, or several as an array of float64 of one axis; all within the limits of `check_number`."""
    if isinstance(value, numbers.Real) or np.ndim(from_any(name, value)) == 0:
        return check_number(name, value, **limits)
    array = from_any(name, value)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be a number or a list of numbers, got shape {array.shape} of {array.dtype}")
    return np.array([check_number(f"{name}[{i}]", number, **limits) for i, number in enumerate(array.tolist())])


def split_numbers(value: float | Array) -> tuple[tuple[float], Array | None]:
    """What `as_numbers` gives as the parameter of a kernel, or as its operand beside a parameter that is not read."""
    return ((1.0,), value) if isinstance(value, np.ndarray) else ((value,), None)


def as_columns(name: str, values: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    """One number for each column as one for each element of an array of `shape`."""
    check_shape(name, values, shape[-1:], "one a column")
    return np.array(np.broadcast_to(values, shape), dtype, order="C")


def as_class_weights(name: str, value: Any, classes: int, dtype: Any) -> Array:
    """`value` as weights of so many classes; see `as_weights`."""
    weights = as_weights(name, value, dtype)
    check_shape(name, weights, (classes,), "one a class")
    return weights


def as_rows(target: Array, shape: tuple[int, ...]) -> Array:
    """A target with one number a row, repeated for each column of `shape`; any other as it is."""
    if len(shape) == 2 and target.shape in ((shape[0],), (shape[0], 1)):
        return np.array(np.broadcast_to(target.reshape(-1, 1), shape), order="C")
    return target


def check_ignored(ignore_index: Any) -> float:
    """The class index of targets that are ignored, as a parameter of kernels, which are floats."""
    if type(ignore_index) is int and -100 <= ignore_index < 100:
        return float(ignore_index)
    return float(check_integer("ignore_index", ignore_index, at_least=-(2**53), at_most=2**53))

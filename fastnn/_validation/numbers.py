"""Checks of numbers: floats and integers within bounds, booleans, and one number for each column."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from .arrays import Array, from_any


def check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """`value` as a float, within bounds; NaN is always out of bounds.

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
    """A temperature above 0 whose inverse does not overflow in `dtype`; ValueError or TypeError otherwise."""
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


def check_seed(seed: Any) -> int:
    """`seed` as an int in [0, 2^64)."""
    return check_integer("seed", seed, at_least=0, at_most=2**64 - 1)


def check_words(seed: Any, stream: Any, start: Any) -> tuple[int, int, int]:
    """Which words of which random stream are drawn, as ints in [0, 2^64)."""
    stream = check_integer("stream", stream, at_least=0, at_most=2**64 - 1)
    return check_seed(seed), stream, check_integer("start", start, at_least=0, at_most=2**64 - 1)


def check_switch(name: str, value: Any) -> bool:
    """`value` as a bool; TypeError unless it is True or False, or equal to one of them."""
    if isinstance(value, np.ndarray) or value not in (True, False):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_bool(name: str, value: Any) -> bool:
    """`value` as a bool; TypeError otherwise."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise TypeError(f"{name} must be True or False, got {type(value).__name__}")


def check_flag(name: str, value: Any) -> bool:
    """`value` if it is Python's True or False; TypeError otherwise."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r:.60}")
    return value


def as_numbers(name: str, value: Any, **limits: float) -> float | Array:
    """`value` as a float, or a sequence as a float64 array of one axis, within the limits of `check_number`."""
    if isinstance(value, numbers.Real) or np.ndim(from_any(name, value)) == 0:
        return check_number(name, value, **limits)
    array = from_any(name, value)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be a number or a list of numbers, got shape {array.shape} of {array.dtype}")
    return np.array([check_number(f"{name}[{i}]", number, **limits) for i, number in enumerate(array.tolist())])


def split_numbers(value: float | Array) -> tuple[tuple[float], Array | None]:
    """A result of `as_numbers` as (parameters, operand) of a kernel; with an operand the parameter is not read."""
    return ((1.0,), value) if isinstance(value, np.ndarray) else ((value,), None)

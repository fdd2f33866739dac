"""Argument checks of the data functions."""

import math
import numbers
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .._validation import as_objects

SHARE_DIGITS = 9  # decimal places to which share * n is rounded before it is rounded up
FLOATS = (np.dtype("float32"), np.dtype("float64"))


def check_integer(name: str, value: Any, minimum: int) -> int:
    """Return ``value`` as an int of at least ``minimum``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def check_number(name: str, value: Any, low: float, high: float = math.inf) -> float:
    """Return ``value`` as a float with ``low <= value < high``, which also excludes NaN and infinity."""
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    number = float(value)
    if not low <= number < high:
        raise ValueError(f"{name} must lie in [{low:g}, {high:g}), got {number}")
    return number


def check_seed(seed: int | None) -> int | None:
    """Return ``seed`` as None or as an int in [0, 2**64), the keys of Philox4x32."""
    if seed is None:
        return None
    number = check_integer("seed", seed, 0)
    if number >= 2**64:
        raise ValueError(f"seed must be less than 2**64, got {number}")
    return number


def check_dtype(dtype: DTypeLike, name: str = "dtype") -> np.dtype:
    """Return ``dtype`` as the NumPy dtype float32 or float64."""
    found = np.dtype(dtype)
    if found not in FLOATS:
        raise TypeError(f"{name} must be float32 or float64, got {found}")
    return found


def count_of_share(share: float, n: int) -> int:
    """Return ``ceil(share * n)``, where 0.07 * 100 is 7 and not 7.000000000000001."""
    return math.ceil(round(share * n, SHARE_DIGITS))


def check_samples(arrays: Mapping[str, ArrayLike]) -> list[NDArray]:
    """Return the arguments, given by name, as arrays that agree in the length of their first axis."""
    checked = {name: as_objects(name, array) for name, array in arrays.items()}
    for name, array in checked.items():
        if array.ndim == 0:
            raise ValueError(f"{name} must have a first axis of samples, got a scalar")
    (first, reference), *rest = checked.items()
    for name, array in rest:
        if len(array) != len(reference):
            raise ValueError(
                f"{first} and {name} must have equally many samples, got {len(reference)} and {len(array)}"
            )
    return list(checked.values())

"""The common part of the functions that initialize an array in place."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .... import _validation as check
from .. import rules
from ..draws import INIT_STREAM
from ..names import initial_value

Array = check.Array


def fill(array: Any, rule: rules.Initializer, seed: int | None = None) -> Array:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"array must be an ndarray, got {type(array).__name__}")
    if array.dtype not in check.DTYPES:
        raise TypeError(f"array must be float32 or float64, got {array.dtype}")
    if not array.flags.writeable:
        raise ValueError("array must be writable")
    rule.check_shape("array", array.shape)
    seed = int.from_bytes(os.urandom(8), "little") if seed is None else check.check_seed(seed)
    array[...] = initial_value(rule, array.shape, array.dtype, seed, INIT_STREAM)
    return array

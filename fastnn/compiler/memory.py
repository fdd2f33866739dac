"""Memory that begins on a cache line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._validation import Array

ALIGNMENT = 64  # bytes: a cache line, and the widest register


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array of zeros that begins on a cache line."""
    dtype = np.dtype(dtype)
    nbytes = math.prod(shape) * dtype.itemsize
    memory = np.zeros(nbytes + ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes].view(dtype).reshape(shape)

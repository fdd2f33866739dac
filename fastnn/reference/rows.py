"""Rows of data that are widened on their way into a batch."""

from typing import Any

import numpy as np

from .elementary import Array

__all__ = ["widen"]


@np.errstate(all="ignore")
def widen(x: Array, dtype: Any, scale: float = 1.0) -> Array:
    """Return x, of uint8 or float16, in float32 or float64 and times scale: one rounding, that of the product."""
    dtype = np.dtype(dtype)
    return x.astype(dtype) * dtype.type(scale)

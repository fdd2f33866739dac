"""Conversion of uint8 and float16 rows to the dtype of the network."""

from typing import Any

import numpy as np

from .elementary import Array

__all__ = ["widen"]


@np.errstate(all="ignore")
def widen(x: Array, dtype: Any, scale: float = 1.0) -> Array:
    """Return x, of uint8 or float16, times scale in float32 or float64; only the product is rounded."""
    dtype = np.dtype(dtype)
    return x.astype(dtype) * dtype.type(scale)

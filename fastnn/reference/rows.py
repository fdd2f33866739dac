"""Conversion of rows of any real dtype to that of the network."""

from typing import Any

import numpy as np

from .elementary import Array

__all__ = ["widen"]


@np.errstate(all="ignore")
def widen(x: Array, dtype: Any, scale: float = 1.0) -> Array:
    """Return x in float32 or float64, in C order; integers and float16 times scale, a product that is rounded again."""
    dtype = np.dtype(dtype)
    y: Array = x.astype(dtype, order="C")
    return y * dtype.type(scale) if x.dtype.kind in "iu" or x.dtype == "float16" else y

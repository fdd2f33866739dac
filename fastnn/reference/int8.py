"""Products with a weight of small integers, for inference."""

import numpy as np

from .._core.int8 import COLUMNS
from .elementary import Array

__all__ = ["linear_int8", "unpacked"]


def unpacked(weight: Array, n_in: int, n_out: int) -> Array:
    """The integers (n_in, n_out) of a weight in panels: after 4 bytes a column, [group of 4 rows][column][row]."""
    groups = -(-n_in // 4)
    panels = weight[:, 4 * COLUMNS :].reshape(len(weight), groups, COLUMNS, 4)
    return panels.transpose(1, 3, 0, 2).reshape(4 * groups, -1)[:n_in, :n_out]


@np.errstate(all="ignore")
def linear_int8(x: Array, weight: Array, scale: Array, bias: Array | None = None) -> Array:
    """Return x @ (weight * scale) + bias, where each row of x is rounded to integers of at most 127.

    Parameters
    ----------
    x : ndarray, shape (rows, in_features)
    weight : ndarray of int8 from -63 to 63, shape (in_features, out_features)
    scale : ndarray of float64, shape (out_features,)
    bias : ndarray, shape (out_features,), optional

    Returns
    -------
    ndarray, shape (rows, out_features), dtype of x
        A row of x with NaN or an infinity gives NaN; one below 1e-290 counts as zeros.
    """
    largest = np.abs(x).max(axis=1, initial=0).astype("float64")
    finite = np.isfinite(largest)
    inverse = np.where(finite & (largest > 1e-290), 127.0 / largest, 0.0)
    integers = np.rint(np.where(finite[:, None], x, 0) * inverse[:, None]).astype("int64")
    scales = np.where(finite, largest / 127.0, np.nan)[:, None] * scale
    y = (integers @ weight.astype("int64")) * scales
    return (y if bias is None else y + bias).astype(x.dtype)

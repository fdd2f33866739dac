"""An axis of an array as the rows of a matrix, which kernels take, and back."""

import numpy as np

from .. import _validation as check
from ._elementwise import Array


def axis_of(name: str, x: Array, axis: int, word: str = "axis") -> int:
    """`axis`, an argument that messages call `word`, counted from the first axis of x, which they call `name`."""
    axis = check.check_integer(word, axis)
    if not -x.ndim <= axis < x.ndim:
        if not x.ndim:
            raise ValueError(f"{name} must have at least one axis, got a scalar")
        raise ValueError(f"{word} must be between {-x.ndim} and {x.ndim - 1} for {name} of shape {x.shape}, got {axis}")
    return axis % x.ndim


def either(axis: int, dim: int) -> int:
    """`dim`, which is PyTorch's name for `axis`; TypeError if both are given."""
    if axis != -1:
        raise TypeError(f"give axis or dim, not both: got axis={axis} and dim={dim}")
    return dim


def as_rows(x: Array, axis: int) -> Array:
    """`x` as a contiguous matrix whose rows are the slices along `axis`."""
    moved = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    return moved.reshape(-1, moved.shape[-1]) if x.size else np.empty((0, 1), x.dtype)


def put_rows(rows: Array, out: Array, axis: int) -> Array:
    """Write the matrix made by `as_rows` back into the layout of `out`."""
    moved = np.moveaxis(out, axis, -1)
    if out.size and not np.shares_memory(rows, out):
        moved[...] = rows.reshape(moved.shape)
    return out

"""The memory plan: matrices of one workspace, which begin on cache lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import Array

ALIGNMENT = 64  # bytes: a cache line, and the widest register


@dataclass
class Argument:
    """An array that a run is given, by name: "input", "target", "sample_weight", "output", ..."""

    argument: str


@dataclass
class Matrix:
    """A matrix of the workspace, with a row for each sample."""

    cols: int
    array: Any = None
    input_columns: tuple[int, ...] | None = None  # of the network's input, if it consists of some of them


@dataclass
class MatrixPart:
    """Some columns of a matrix of the workspace."""

    matrix: Matrix
    start: int
    cols: int

    @property
    def array(self) -> Array:
        """A view, once the workspace is laid out."""
        columns: Array = self.matrix.array[:, self.start : self.start + self.cols]
        return columns


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array of zeros that begins on a cache line."""
    dtype = np.dtype(dtype)
    nbytes = math.prod(shape) * dtype.itemsize
    memory = np.zeros(nbytes + ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes].view(dtype).reshape(shape)


def lay_out(matrices: list[Matrix], rows: int, dtype: str) -> int:
    """Give every matrix, of so many rows, a place in one workspace; returns the size of that in bytes."""
    itemsize = np.dtype(dtype).itemsize
    # An odd number of cache lines for each: no two rows are a power of two apart, which would share a set of the cache.
    sizes = [(-(-matrix.cols * rows * itemsize // ALIGNMENT) | 1) * ALIGNMENT // itemsize for matrix in matrices]
    arena = aligned_zeros((sum(sizes),), dtype)
    start = 0
    for matrix, size in zip(matrices, sizes, strict=True):
        matrix.array = arena[start : start + matrix.cols * rows].reshape(rows, matrix.cols)
        start += size
    return int(arena.nbytes)

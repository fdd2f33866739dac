"""What a rank adds up over its rows of a batch: one array of bytes, so that it is one message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._validation import Array
from ..compiler.memory import aligned_zeros

ALIGNMENT = 64  # bytes
Merge = Callable[[Array, Array], None]  # add the numbers of later rows to those of earlier ones, in place


class Sums:
    """Numbers of float64 (losses, counts, statistics), and the sum of gradients.

    Parameters
    ----------
    numbers : int
        How many.
    gradient : ndarray
        Of this size and dtype.
    buffer : bool, default True
        Whether both are parts of one array, `buffer`, which is sent; otherwise `gradient` is the array itself.
    """

    def __init__(self, numbers: int, gradient: Array, *, buffer: bool = True) -> None:
        head = -(-8 * numbers // ALIGNMENT) * ALIGNMENT
        self.buffer = aligned_zeros((head + buffer * gradient.nbytes,), np.dtype("uint8"))
        self.head = self.buffer[:head]
        self.numbers: Array = self.head[: 8 * numbers].view("float64")
        self.gradient: Array = self.buffer[head:].view(gradient.dtype) if buffer else gradient

    def take(self, other: Sums) -> None:
        """Copy other sums."""
        self.numbers[...], self.gradient[...] = other.numbers, other.gradient

    def add(self, other: Sums, merge: Merge) -> None:
        """Add the sums of later rows."""
        merge(self.numbers, other.numbers)
        np.add(self.gradient, other.gradient, out=self.gradient)

    def __reduce__(self) -> Any:
        raise TypeError("sums belong to one process")

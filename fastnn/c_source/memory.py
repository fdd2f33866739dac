"""The memory of a network in C: its constants, and one static array for what its operations write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._validation import Array
from ..compiler.memory import Argument
from ..compiler.operations import Operation

# Operands that do not change: parameters, running statistics, chosen columns.
CONSTANTS = ("weight", "bias", "running_mean", "running_var", "index")
# Operands that only the kernels of the package need.
SCRATCH = ("statistics", "expanded", "per_row")


def address(array: Array) -> int:
    """Where an array begins."""
    place: int = array.__array_interface__["data"][0]
    return place


@dataclass
class Buffer:
    """A row that operations write and read; `first` and `last` are the numbers of those."""

    start: int
    nbytes: int
    first: int
    last: int
    offset: int = 0


@dataclass
class Memory:
    """Names for the operands of operations of one row."""

    itemsize: int
    buffers: list[Buffer] = field(default_factory=list)
    size: int = 0  # numbers of the static array

    @classmethod
    def of(cls, operations: Sequence[Operation], itemsize: int) -> Memory:
        """The memory of these operations: rows that are not needed at the same time share a place."""
        memory = cls(itemsize)
        for i, operation in enumerate(operations):
            for role, array in operation.arrays.items():
                if isinstance(array, np.ndarray) and role not in CONSTANTS and role not in SCRATCH:
                    memory._note(array, i)
        for buffer in sorted(memory.buffers, key=lambda b: b.first):
            memory._place(buffer)
        return memory

    def _note(self, array: Array, i: int) -> None:
        """An operation reads or writes an array, which may be part of a row."""
        start, stop = address(array), address(array) + array.nbytes
        for buffer in self.buffers:
            if buffer.start < stop and start < buffer.start + buffer.nbytes:
                end = max(stop, buffer.start + buffer.nbytes)
                buffer.start = min(start, buffer.start)
                buffer.nbytes, buffer.last = end - buffer.start, i
                return
        self.buffers.append(Buffer(start, array.nbytes, i, i))

    def _place(self, buffer: Buffer) -> None:
        """Give a row the first place that no row has that is needed at the same time."""
        placed = [b for b in self.buffers if b is not buffer and b.offset >= 0 and b.first <= buffer.last]
        taken = sorted(
            (b.offset, b.offset + b.nbytes)
            for b in placed
            if b.last >= buffer.first and (b.first, b.start) < (buffer.first, buffer.start)
        )
        buffer.offset = 0
        for start, stop in taken:
            if buffer.offset + buffer.nbytes <= start:
                break
            buffer.offset = max(buffer.offset, stop)
        self.size = max(self.size, (buffer.offset + buffer.nbytes) // self.itemsize)

    def name(self, array: Any) -> str:
        """The C expression for an operand: an argument of the function, or part of the static array."""
        if isinstance(array, Argument):
            return {"input": "x", "output": "y"}[array.argument]
        start = address(array)
        buffer = next(b for b in self.buffers if b.start <= start < b.start + max(1, b.nbytes))
        offset = (buffer.offset + start - buffer.start) // self.itemsize
        return f"P_memory + {offset}" if offset else "P_memory"

"""The parameters of a network: one flat buffer for the values, one for the gradients, and named views into both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import Array

ALIGNMENT = 64  # bytes: a cache line, and the widest register


def aligned_zeros(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array of zeros that begins on a cache line."""
    dtype = np.dtype(dtype)
    nbytes = int(np.prod(shape, dtype="int64")) * dtype.itemsize
    memory = np.zeros(nbytes + ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes].view(dtype).reshape(shape)


@dataclass(frozen=True)
class Parameter:
    """One parameter: writable views of its values and its gradient."""

    name: str
    data: Array
    grad: Array


class Parameters:
    """All parameters of a network.

    `data` and `grad` are flat arrays in which every parameter begins on a cache line; what lies between two parameters
    is never read. Iterating gives each `Parameter`, and `params["0.weight"]` one of them; their arrays are views.
    """

    def __init__(self, shapes: dict[str, tuple[int, ...]], dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.moved = False  # the layers went into another network and live in its buffer now
        self._shapes = dict(shapes)
        self._root: tuple[Parameters, str] | None = None  # of which this is a part
        unit = ALIGNMENT // self.dtype.itemsize
        offsets, total = {}, 0
        for name, shape in shapes.items():
            offsets[name] = total
            total += -(-int(np.prod(shape)) // unit) * unit
        self.data = aligned_zeros((total,), dtype)
        self.grad = aligned_zeros((total,), dtype)
        self._entries = {
            name: Parameter(
                name, self._view(self.data, offsets[name], shape), self._view(self.grad, offsets[name], shape)
            )
            for name, shape in shapes.items()
        }

    @staticmethod
    def _view(flat: Array, offset: int, shape: tuple[int, ...]) -> Array:
        return flat[offset : offset + int(np.prod(shape))].reshape(shape)

    def part(self, prefix: str) -> Parameters:
        """The parameters whose names begin with `prefix`, without it: views of a stretch of the same buffers."""
        entries = [e for e in self if e.name.startswith(prefix)]
        start, stop = 0, 0
        if entries:
            begin, item = self.data.ctypes.data, self.dtype.itemsize
            start = (entries[0].data.ctypes.data - begin) // item
            after = [e for e in self if e.data.ctypes.data > entries[-1].data.ctypes.data]
            stop = (after[0].data.ctypes.data - begin) // item if after else self.data.size
        part = Parameters.__new__(Parameters)
        part._root, part._shapes, part.moved = (self, prefix), {}, False
        part.dtype, part.data, part.grad = self.dtype, self.data[start:stop], self.grad[start:stop]
        names = [e.name.removeprefix(prefix) for e in entries]
        part._entries = {n: Parameter(n, e.data, e.grad) for n, e in zip(names, entries, strict=True)}
        return part

    def __getstate__(self) -> Any:
        """What copies and pickles are made of: flat arrays, not the views into them."""
        return self._root or (self._shapes, self.dtype, self.data, self.grad, self.moved)

    def __setstate__(self, state: Any) -> None:
        if len(state) == 2:
            root, prefix = state
            self.__dict__.update(root.part(prefix).__dict__)
            return
        shapes, dtype, data, grad, moved = state
        Parameters.__init__(self, shapes, dtype)
        self.data[...], self.grad[...], self.moved = data, grad, moved

    def place(self, view: Array) -> slice:
        """The stretch of the flat buffer that a parameter's values are."""
        start = (view.ctypes.data - self.data.ctypes.data) // self.dtype.itemsize
        return slice(start, start + view.size)

    def numel(self) -> int:
        """Number of values, without the padding."""
        return sum(entry.data.size for entry in self)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> Parameter:
        if name not in self._entries:
            raise KeyError(f"no parameter {name!r}; there are {', '.join(self._entries)}")
        return self._entries[name]

    def __repr__(self) -> str:
        return f"Parameters({self.numel():,} values in {len(self)} arrays, {self.dtype})"

"""A program as text: a line for each operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core.operations import LABELS
from .memory import Argument
from .operations import Operation

HEADER = f"{'':>4} {'operation':<26} {'layers and what is fused':<42} {'shape':<14} {'FLOP':>8} {'bytes':>8}"


def describe(
    operations: list[Operation],
    sections: dict[str, tuple[int, int]],
    rows: int,
    dtype: str,
    n_out: int,
    workspace: int,
) -> str:
    """A program for so many rows, of n_out outputs, whose workspace has so many bytes."""
    flops = sum(o.flops(rows) for o in operations)
    lines = [
        f"Program for {rows} rows, {dtype}: {len(operations)} operations, "
        f"{_si(flops)}FLOP, workspace {_si(workspace)}B",
        HEADER,
    ]
    for section, (start, stop) in sections.items():
        lines += [f"{section}:"] if stop > start else []
        for i in range(start, stop):
            o = operations[i]
            shape = f"{o.n_in} -> {o.n_out}" if o.n_out else f"{o.n_in}"
            nbytes = sum(_nbytes(array, o, rows, dtype, n_out) for array in o.arrays.values() if array is not None)
            lines.append(f"{i:>4} {o.kind:<26} {o.label:<42} {shape:<14} {_si(o.flops(rows)):>8} {_si(nbytes):>8}")
    return "\n".join(lines)


def _nbytes(array: Any, o: Operation, rows: int, dtype: str, n_out: int) -> int:
    """Bytes of an operand; of an argument, whose array is not there yet, those of the batch."""
    if isinstance(array, Argument):
        cols = {"target": 1 if o.flag & LABELS else o.n_in, "sample_weight": 0, "grad_output": n_out}
        return rows * cols.get(array.argument, o.n_in) * np.dtype(dtype).itemsize
    return int(array.nbytes)


def _si(number: float) -> str:
    for unit in ("", "k", "M", "G"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} T"

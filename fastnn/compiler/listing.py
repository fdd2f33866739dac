"""A program as text: a line for each operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._core.operations import LABELS
from .._html import table
from .memory import Argument
from .operations import Operation

COLUMNS = "", "operation", "layers and what is fused", "shape", "FLOP", "bytes"


def describe(
    operations: list[Operation],
    sections: dict[str, tuple[int, int]],
    rows: int,
    dtype: str,
    n_out: int,
    workspace: int,
) -> str:
    """A program for so many rows, of n_out outputs, whose workspace has so many bytes."""
    lines = [_caption(operations, rows, dtype, workspace), _line(*COLUMNS)]
    section = ""
    for name, *cells in _cells(operations, sections, rows, dtype, n_out):
        lines += [f"{name}:"] if name != section else []
        lines.append(_line(*cells))
        section = name
    return "\n".join(lines)


def as_html(
    operations: list[Operation],
    sections: dict[str, tuple[int, int]],
    rows: int,
    dtype: str,
    n_out: int,
    workspace: int,
) -> str:
    """The same as a table for a notebook."""
    cells = _cells(operations, sections, rows, dtype, n_out)
    return table(_caption(operations, rows, dtype, workspace), ("section", *COLUMNS), list(cells), words=4)


def _caption(operations: list[Operation], rows: int, dtype: str, workspace: int) -> str:
    flops = sum(o.flops(rows) for o in operations)
    return (
        f"Program for {rows} rows, {dtype}: {len(operations)} operations, {_si(flops)}FLOP, workspace {_si(workspace)}B"
    )


def _line(number: str, operation: str, label: str, shape: str, flops: str, nbytes: str) -> str:
    return f"{number:>4} {operation:<26} {label:<42} {shape:<14} {flops:>8} {nbytes:>8}"


def _cells(
    operations: list[Operation], sections: dict[str, tuple[int, int]], rows: int, dtype: str, n_out: int
) -> Iterator[tuple[str, str, str, str, str, str, str]]:
    """The section of each operation, and the columns of its line."""
    for section, (start, stop) in sections.items():
        for i in range(start, stop):
            o = operations[i]
            shape = f"{o.n_in} -> {o.n_out}" if o.n_out else f"{o.n_in}"
            nbytes = sum(_nbytes(array, o, rows, dtype, n_out) for array in o.arrays.values() if array is not None)
            yield section, str(i), o.kind, o.label, shape, _si(o.flops(rows)), _si(nbytes)


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

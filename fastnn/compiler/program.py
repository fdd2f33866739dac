"""Programs: a network compiled for a batch size, as a flat list of fused operations over one workspace.

A plan (plan.py) makes a program; either backend runs it: the compiled one (_core/program.pyx) or NumPy
(reference/program.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core import dispatch
from .._core.operations import LABELS
from .._core.program import BadCode, BadTarget
from .._locks import MAKING
from .._validation import Array
from ..functional._targets import describe_target
from .memory import ALIGNMENT, aligned_zeros
from .meters import Meter

if TYPE_CHECKING:
    from ..nn.losses import Loss
    from ..optim import Optimizer
    from .stages import Stage


@dataclass
class Slot:
    """An array that is known only when the program runs."""

    slot: str


@dataclass
class Buffer:
    """A matrix of the workspace, a row for each sample."""

    cols: int
    array: Any = None
    columns: tuple[int, ...] | None = None  # of the network's input, where these are some of them


@dataclass
class Part:
    """Some columns of a matrix of the workspace."""

    buffer: Buffer
    start: int
    cols: int

    @property
    def array(self) -> Array:
        """A view, once the workspace is laid out."""
        columns: Array = self.buffer.array[:, self.start : self.start + self.cols]
        return columns


def lay_out(buffers: list[Buffer], rows: int, dtype: str) -> int:
    """Give every matrix a place in one workspace, for up to so many rows; returns its size in bytes."""
    itemsize = np.dtype(dtype).itemsize
    # An odd number of cache lines between buffers: no two rows at a distance of a power of two.
    sizes = [(-(-buffer.cols * rows * itemsize // ALIGNMENT) | 1) * ALIGNMENT // itemsize for buffer in buffers]
    arena = aligned_zeros((sum(sizes),), dtype)
    start = 0
    for buffer, size in zip(buffers, sizes, strict=True):
        buffer.array = arena[start : start + buffer.cols * rows].reshape(rows, buffer.cols)
        start += size
    return int(arena.nbytes)


@dataclass
class Operation:
    """One step of a program; `arrays` says by role what it reads and writes (a Slot, or an array)."""

    kind: str
    label: str
    arrays: dict[str, Any]
    n_in: int
    n_out: int = 0
    kernel: str | None = None
    params: tuple[float, ...] = ()
    flag: int = 0
    root: bool = False
    eps: float = 0.0
    seed: int = 0
    stream: int = 0
    place: int = 0  # where in the sums a metric counts
    # Python code, given the rows of the batch and, gathered, their (targets, weights, mean weight of all samples or 0);
    # a loss gives its value, and what that counts.
    call: Callable[[int, Any], tuple[float, float] | None] | None = None
    update: Optimizer | None = None
    loss: Loss | None = None
    columns: tuple[int, ...] | None = None  # of the network's input, where x is some of them
    head: str = ""  # whose loss it is, of a network with several

    def flops(self, rows: int) -> int:
        """Floating-point operations: 2 a multiply-add, 1 an element of anything else."""
        if self.kind == "linear":
            return 2 * rows * self.n_in * self.n_out
        if self.kind == "linear_backward":
            return 2 * rows * self.n_in * self.n_out * (2 if self.arrays.get("grad_x") is not None else 1)
        return self.n_in if self.kind == "update" else rows * self.n_in


@dataclass
class Program:
    """A network compiled for up to `batch_size` rows; made by `Sequential.compile` and by the trainer.

    `print(program)` lists its operations.
    """

    batch_size: int
    dtype: str
    n_in: int
    n_out: int
    operations: list[Operation]
    sections: dict[str, tuple[int, int]]
    workspace: int
    tick: Array
    stages: list[Stage]
    by_batch: str = ""  # the first layer that normalizes by the statistics of the batch
    _executors: dict[bool, Any] = field(default_factory=dict)

    @property
    def executor(self) -> Any:
        """What runs the program on the backend in use."""
        on_reference = dispatch.get_reference()
        executor = self._executors.get(on_reference)
        if executor is None:
            with MAKING:
                executor = self._executors.get(on_reference) or self._new_executor(on_reference)
                self._executors[on_reference] = executor
        return executor

    def _new_executor(self, on_reference: bool) -> Any:
        executor: Any
        if on_reference:
            from ..reference.program import ReferenceProgram as executor
        else:
            from .._core.program import NativeProgram as executor
        return executor(self)

    @property
    def sums_size(self) -> int:
        """How many numbers its sums have, where what metrics and heads count is asked for."""
        return max(
            (o.place + (o.kind == "heads_head") + Meter(o.kind).size(o.n_in) for o in self.operations), default=0
        )

    def span(self, first: str, last: str | None = None) -> tuple[int, int]:
        """The operations of the sections from `first` to `last`."""
        return self.sections[first][0], self.sections[last or first][1]

    def check_rows(self, rows: int, batch_size: int) -> None:
        """Raise ValueError if a batch of these rows is a single row where a layer normalizes by the batch."""
        if not self.by_batch or rows == 0 or (batch_size > 1 and rows % batch_size != 1):
            return
        if rows == 1:
            raise ValueError(f"{self.by_batch}: expected more than 1 row to normalize by their statistics, got 1")
        if batch_size == 1:
            raise ValueError(
                f"{self.by_batch}: batches of 1 row have no variance to normalize by: choose a batch_size of at least 2"
            )
        raise ValueError(
            f"{self.by_batch}: the last of the batches of {batch_size} from {rows} rows has 1 row, which has no "
            "variance to normalize by: leave a row out, or choose another batch_size"
        )

    def run(self, section: str, rows: int, slots: dict[str, Array], tick: int | None = None, *, start: int = 0) -> None:
        """Run a section once, on `rows` rows of which the first is row number `start` of the data."""
        try:
            self.executor.run(*self.span(section), rows, slots, np.zeros(5), tick)
        except BadCode as error:
            error.args = (error.args[0] + start, *error.args[1:])
            raise self.explained(error) from None

    def explained(self, error: BadCode, order: Array | None = None) -> ValueError:
        """What is wrong with a row of the data, or with row order[i] of it, in words."""
        row, column, value, number = error.args
        row = row if order is None else int(order[row])
        operation = self.operations[number]
        if operation.columns is None:  # an embedding of what other layers compute
            where = f"its input [{row}, {column}]"
        else:
            where = f"x[{row}, {operation.columns[column]}]"
        most = int(operation.params[0]) - 1
        return ValueError(
            f"{operation.label.split()[-1]}: {where} is {value}: codes must be integers between 0 and {most}"
        )

    def explained_target(self, error: BadTarget, order: Array | None = None) -> ValueError:
        """The same of a target that its loss does not take."""
        row, column, value, number = error.args
        row, operation = row if order is None else int(order[row]), self.operations[number]
        where = f"y[{operation.head!r}]" if operation.head else "y"
        where += f"[{row}]" if operation.n_in == 1 else f"[{row}, {column}]"
        return ValueError(describe_target(where, value, str(operation.kernel)))

    def __str__(self) -> str:
        head = (
            f"Program for {self.batch_size} rows, {self.dtype}: {len(self.operations)} operations, "
            f"{_si(sum(o.flops(self.batch_size) for o in self.operations))}FLOP, workspace {_si(self.workspace)}B"
        )
        lines = [
            head,
            f"{'':>4} {'operation':<20} {'layers and what is fused':<42} {'shape':<14} {'FLOP':>8} {'bytes':>8}",
        ]
        for section, (start, stop) in self.sections.items():
            lines += [f"{section}:"] if stop > start else []
            for i in range(start, stop):
                lines.append(self._line(i, self.operations[i]))
        return "\n".join(lines)

    def _line(self, i: int, o: Operation) -> str:
        shape = f"{o.n_in} -> {o.n_out}" if o.n_out else f"{o.n_in}"
        nbytes = sum(_nbytes(array, self, o) for array in o.arrays.values() if array is not None)
        return f"{i:>4} {o.kind:<20} {o.label:<42} {shape:<14} {_si(o.flops(self.batch_size)):>8} {_si(nbytes):>8}"


def _nbytes(array: Any, program: Program, o: Operation) -> int:
    """Bytes of an operand; of a slot, whose array is not there yet, those of the batch."""
    if isinstance(array, Slot):
        cols = {"target": 1 if o.flag & LABELS else o.n_in, "sample_weight": 0, "grad_output": program.n_out}
        return program.batch_size * cols.get(array.slot, o.n_in) * np.dtype(program.dtype).itemsize
    return int(array.nbytes)


def _si(number: float) -> str:
    for unit in ("", "k", "M", "G"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} T"

"""The reference backend of a program: its operations, one after the other, in NumPy.

It runs what _core/program.pyx runs (fastnn/compiler/compile.py makes it), on the same workspace, with the functions of
this package. Buffers are matrices with a row for each sample of the largest batch; a run uses their first `rows` rows.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any, cast

import numpy as np

from .._core.errors import BadRow, Beyond, NonFinite
from .._locks import Lock
from .._validation import too_large
from .elementary import Array
from .interfaces import BatchRun, Operation, Program
from .mixing import mix_rows
from .operands import check_labels
from .operations import Operations
from .random import permutation
from .rows import widen
from .updates import penalty

# Operands that are no matrices with a row for each sample.
WHOLE = {
    "weight", "bias", "grad_weight", "grad_bias", "statistics", "running_mean", "running_var", "step", "index",
    "column_weight", "scale",
}  # fmt: skip


def has_rows(operation: Operation, role: str) -> bool:
    """Whether an operand has a row for each sample."""
    if operation.kind in ("update", "average") or role in WHOLE:
        return False
    return not (operation.kind == "row_loss" and role == "extra")  # which is one number a class


class ReferenceProgram(Operations):
    """A program that NumPy runs. `sums` is as in _core/program.pyx: the last loss, then summed losses, weights, right
    predictions and samples.
    """

    def __init__(self, program: Program) -> None:
        self.operations = program.operations
        self.tick, self.n_out, self.dtype = program.tick, program.n_out, program.dtype
        self.loss_stop = program.sections["loss"][1] if "loss" in program.sections else None
        self.update = program.sections.get("update", (0, 0))  # the operations that update parameters
        self._lock = Lock()
        self._holder: int | None = None  # the process in which a thread runs it: a forked child has no such thread
        self.staged: Any = None
        self.mean_weight = self.divisor = 0.0
        self.now = 0  # the tick that dropout draws by in this run
        # The weighted sum of the losses of heads; sums and divisor before them.
        self.heads, self.kept, self.kept_divisor = 0.0, np.zeros(2), 0.0

    def run(
        self, first: int, last: int, rows: int, slots: dict[str, Array], sums: Array, tick: int | None = None
    ) -> None:
        """Run operations first .. last - 1 on the first `rows` rows; `slots` has the arrays known only now."""
        with self._alone():
            self._run(first, last, rows, slots, sums, int(self.tick[0]) if tick is None else tick)

    @contextmanager
    def _alone(self, staged: Any = None, mean_weight: float = 0.0) -> Iterator[None]:
        """Wait until no other thread runs this program."""
        with self._lock:
            if self._holder == os.getpid():
                raise RuntimeError("this network is running already: Python code in it must not run it again")
            self._holder, self.mean_weight, self.divisor = os.getpid(), mean_weight, 0.0
            self.staged = None if staged is None else (*staged, mean_weight)
            try:
                yield
            finally:
                self._holder = self.staged = None

    def _run(self, first: int, last: int, rows: int, slots: dict[str, Array], sums: Array, tick: int) -> None:
        self.now = tick
        with np.errstate(all="ignore"):
            for operation in self.operations[first:last]:
                arrays = {role: self._array(a, rows, operation, slots, role) for role, a in operation.arrays.items()}
                arrays = {role: a for role, a in arrays.items() if a is not None}
                getattr(self, f"_{operation.kind}")(operation, arrays, rows, sums)

    def run_batches(self, first: int, last: int, run: BatchRun) -> int:
        """Run the operations on rows of the data, a batch at a time, as `run` says; returns the row after the last."""
        with self._alone(None if run.staging is None else run.staging[1:], run.mean_weight):
            row = self._run_batches(first, last, run)
            if run.divisor is not None:
                run.divisor[0] = self.divisor
            return row

    def run_epochs(self, first: int, last: int, run: BatchRun, seed: int, stream: int, seconds: Array) -> int:
        """The same for several epochs, of which `run.sums` has a row each; see the native backend."""
        with self._alone(None if run.staging is None else run.staging[1:], run.mean_weight):
            batches = len(range(0, run.stop, run.batch_size))
            updates, given = len(range(0, batches, run.accumulate)), cast(Any, run)
            for epoch, sums in enumerate(run.sums):
                began = perf_counter()
                if run.order is not None:
                    run.order[:] = permutation(seed, stream + epoch, len(run.order))
                schedule = run.schedule
                if schedule is not None:
                    schedule = (*schedule[:2], schedule[2][epoch * updates :])
                self.divisor = 0.0
                try:
                    self._run_batches(first, last, replace(given, sums=sums, schedule=schedule))
                finally:
                    seconds[epoch] = perf_counter() - began
            return len(run.sums)

    def _run_batches(self, first: int, last: int, run: BatchRun) -> int:
        data, sums, stop = {"input": run.x, "target": run.target}, run.sums, run.stop
        staging: Any = run.staging or ()
        if run.sample_weight is not None:
            data["sample_weight"] = run.sample_weight
        for batch, begin in enumerate(range(run.start, stop, run.batch_size)):
            end = min(begin + run.batch_size, stop)
            closes = (batch + 1) % run.accumulate == 0 or end == stop
            if run.accumulate > 1 and batch % run.accumulate == 0:
                kept = self._begin_group(sums)
            if run.schedule is not None:
                hyper, places, table = run.schedule
                hyper[places] = table[batch // run.accumulate]
            if run.penalties is not None:
                run.penalties[batch] = self._penalty()
            try:
                slots = self._batch(data, run, begin, end)
                for staged, name in zip(staging, data, strict=False):
                    if staged is not None:  # of sparse inputs, which nothing gathers
                        staged[: end - begin] = slots[name]
                self._run_batch(first, last, end - begin, slots, sums, run.halt, closes)
            except BaseException as error:
                if run.accumulate > 1:
                    for array, before in kept:
                        array[...] = before
                if isinstance(error, BadRow):
                    error.args = (error.args[0] + begin, *error.args[1:])
                elif isinstance(error, NonFinite):
                    error.args = (begin,)
                raise
            if run.losses is not None:
                run.losses[batch] = sums[0]
            if run.train:  # a batch that failed was none
                self.tick += 1
        return stop

    def _penalty(self) -> float:
        """The value of the penalties that the update has gradients of; 0 without an update."""
        first, after = self.update
        operation = self.operations[first] if after > first else None
        return 0.0 if operation is None else penalty(operation.optimizer, operation.arrays)

    def _begin_group(self, sums: Array) -> list[tuple[Array, Array]]:
        """Begin batches that share an update; what must be as before if they are not all done."""
        running = [o.arrays[role] for o in self.operations if o.kind == "running"
                   for role in ("running_mean", "running_var", "step")]  # fmt: skip
        kept = [(array, array.copy()) for array in (sums, self.tick, *running)]
        self.divisor = 0.0  # the update divides by that of the group alone
        self.operations[self.update[0]].arrays["grad_weight"][...] = 0
        return kept

    def _batch(self, data: dict[str, Array], run: BatchRun, begin: int, end: int) -> dict[str, Array]:
        """The rows of a batch."""
        pick: Any = slice(begin, end) if run.order is None else run.order[begin:end]
        # Copies, also of a slice: what is checked is what is used, whatever other threads do to the arrays meanwhile.
        slots = {name: self._converted(name, np.array(array[pick], order="C"), run) for name, array in data.items()}
        if run.mix is None:
            return slots
        partners, share = run.mix[0][begin:end], float(run.mix[1][begin // run.batch_size])
        others = {name: self._converted(name, data[name][partners], run) for name in slots}
        return {name: self._mixed(rows, others[name], share) for name, rows in slots.items()}

    def _converted(self, name: str, rows: Array, run: BatchRun) -> Array:
        """Rows of inputs or targets as operations read them: in the dtype of their staging, if that is a float."""
        to = [None, None] if run.staging is None else run.staging
        staged = {"input": to[0], "target": to[1]}.get(name)
        if staged is None or rows.dtype == staged.dtype or staged.dtype.kind != "f":
            return rows
        if run.mix is not None and rows.dtype == "int64" and rows.ndim == 1:  # class indices, which are mixed otherwise
            return rows
        out = widen(rows, staged.dtype, run.scale if name == "input" else 1.0)
        if too_large(rows, out):
            raise Beyond(0, len(rows), "x" if name == "input" else "y")
        return out

    def _mixed(self, rows: Array, partners: Array, share: float) -> Array:
        """The rows of a batch and their partners, mixed; class indices become probabilities."""
        if rows.dtype != "int64":
            return mix_rows(rows, partners, share)
        check_labels(rows, self.n_out)
        classes = np.eye(self.n_out, dtype=self.dtype)
        return mix_rows(classes[rows], classes[partners], share)

    def _run_batch(
        self, first: int, last: int, rows: int, slots: dict[str, Array], sums: Array, halt: bool, closes: bool
    ) -> None:
        """A batch from `first` to `last`, without the update unless it closes a group.

        With `halt`, one whose loss is not finite ends there and counts nowhere.
        """
        tick, before = int(self.tick[0]) + 1, sums.copy()
        between = self.loss_stop if halt and self.loss_stop is not None else first
        self._run(first, between, rows, slots, sums, tick)
        if halt and not np.isfinite(sums[1]):
            sums[...] = before
            raise NonFinite
        if closes:
            self._run(between, last, rows, slots, sums, tick)
        else:
            self._run(between, self.update[0], rows, slots, sums, tick)
            self._run(self.update[1], last, rows, slots, sums, tick)

    @staticmethod
    def _array(array: Any, rows: int, operation: Operation, slots: dict[str, Array], role: str) -> Array | None:
        """An operand: from the slots, or the part of a buffer that this batch uses."""
        if hasattr(array, "argument"):
            return slots.get(array.argument)
        return array if array is None or not has_rows(operation, role) else array[:rows]

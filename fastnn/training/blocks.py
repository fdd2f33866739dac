"""Steps of a team of ranks: a batch is cut into blocks, and what they give is added up in one order.

Each rank computes the gradients of its blocks, summed over rows, not averaged. The sums over all blocks, of gradients,
losses, weights and counts, are the same on all ranks, bit by bit, and so is the update that each makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .._core.errors import NonFinite
from .._validation import Array
from ..compiler.batch_run import BatchRun
from ..distributed import Team

if TYPE_CHECKING:
    from ..compiler.counters import Counting
    from ..compiler.program import Program
    from ..nn.loss import Loss
    from ..nn.sequential import Sequential
    from ..optim import Optimizer, WeightAverage
    from .data import Data
    from .scoring import Scoring

# The first numbers of a block; then those of a program's sums, and the running statistics, each times rows, and rows.
DIVISOR, LOSS, WEIGHT = range(3)  # of the update; of the last batch the summed losses and their weights
OWN = 3


class Shared(Protocol):
    """What of an engine a step needs."""

    net: Sequential
    loss: Loss
    optimizer: Optimizer
    average: WeightAverage | None
    l1: float
    l2: float
    scoring: Scoring

    def run_batches(self, program: Program, span: tuple[int, int], data: Data, run: BatchRun) -> None:
        """Run operations on batches."""


def check_shared(loss: Loss, optimizer: Optimizer) -> None:
    """Raise ValueError if a batch cannot be cut into blocks for this loss or this optimizer."""
    if optimizer.searches:
        raise ValueError(f"comm: {type(optimizer).__name__} looks at all samples in each step: it trains without comm")
    if loss.root:
        name = type(loss).__name__
        raise ValueError(
            f"comm: {name} is a root over a whole batch, no mean over blocks: MSELoss has the same minimum"
        )
    if loss.heads:
        raise ValueError("comm: the losses of several heads are not added up over ranks yet: train without comm")


def begin(team: Team, program: Program, net: Sequential, sums: int) -> None:
    """Let a team begin a run or a step of a program whose batches count so many numbers."""
    team.begin(OWN + sums + sum(array.size for array, _ in _running(program)) + 1, net.parameters().grad)


def check_rows(team: Team | None, program: Program, rows: int, batch: int) -> None:
    """Raise ValueError if a batch of these rows, or a block, is one row where a layer normalizes by the batch."""
    if team is None:
        program.check_rows(rows, batch)
        return
    for size in {min(rows, batch), rows % batch}:
        try:
            program.check_rows(size, team.block_rows(batch))
        except ValueError as error:
            raise ValueError(f"a batch of {size} rows is cut into blocks={team.blocks}: {error}") from None


def _running(program: Program) -> list[tuple[Array, Array]]:
    """The running statistics that a program moves, each with its number of batches."""
    moving = [o for o in program.operations if o.kind == "running"]
    return [(o.arrays[role], o.arrays["step"]) for o in moving for role in ("running_mean", "running_var")]


def train(engine: Shared, team: Team, program: Program, span: tuple[int, int], data: Data, run: BatchRun) -> None:
    """Train on the rows of a run, a batch or a group of batches at a time."""
    step = Step(engine, team, program, span, data, run)
    rows = run.batch_size * run.accumulate
    for update, start in enumerate(range(run.start, run.stop, rows)):
        step.take(update, start, min(start + rows, run.stop))


class Step:
    """Updates of a run, one after the other."""

    def __init__(
        self, engine: Shared, team: Team, program: Program, span: tuple[int, int], data: Data, run: BatchRun
    ) -> None:
        self.engine, self.team, self.program, self.span, self.data, self.run = engine, team, program, span, data, run
        self.tick, self.grad = engine.net._tick, engine.net.parameters().grad
        self.rows = team.block_rows(run.batch_size)
        self.running = _running(program)
        self.steps = list({id(step): step for _, step in self.running}.values())
        self.counting = engine.scoring.counting(data)
        self.sums = slice(OWN, OWN + run.sums.size)
        self.part = replace(  # the run of one block: its rows are set, and its sums are 0, before each
            run, sums=np.zeros(run.sums.size), divisor=np.zeros(1), train=False, schedule=None, losses=None,
            accumulate=1, penalties=None,
        )  # fmt: skip

    def take(self, update: int, start: int, stop: int) -> None:
        """One update by the rows start ... stop - 1."""
        batches = [slice(i, min(i + self.run.batch_size, stop)) for i in range(start, stop, self.run.batch_size)]
        if self.run.schedule is not None:
            hyper, places, table = self.run.schedule
            hyper[places] = table[update]
        total = None
        while total is None:
            total = self.team.meet(lambda block, numbers: self._block(block, numbers, batches), self.merge)
        self._update(*total, len(batches))

    def merge(self, numbers: Array, later: Array) -> None:
        """Add the numbers of later rows."""
        merge_numbers(self.counting, self.sums, numbers, later)

    def _block(self, block: int, numbers: Array, batches: list[slice]) -> None:
        """Compute the gradient and the numbers of one block of each of these batches."""
        self.grad[...] = 0
        tick, kept = int(self.tick[0]), [array.copy() for array in self._statistics()]
        try:
            count = 0
            for i, batch in enumerate(batches):
                first = min(batch.start + block * self.rows, batch.stop)
                rows = slice(first, min(first + self.rows, batch.stop))
                if rows.start == rows.stop:
                    continue
                count += rows.stop - rows.start
                self.tick[0] = (tick + i) * self.team.blocks + block  # dropout draws by the next number
                self._rows(rows, batch, numbers, last=i == len(batches) - 1)
            self._add_statistics(numbers, count)
        finally:
            self.tick[0] = tick
            for array, before in zip(self._statistics(), kept, strict=True):
                array[...] = before

    def _rows(self, rows: slice, batch: slice, numbers: Array, last: bool) -> None:
        """Run these rows of a batch."""
        part, sums = self.part, self.part.sums
        part.start, part.stop = rows.start, rows.stop
        sums.fill(0)
        try:
            self.engine.run_batches(self.program, self.span, self.data, part)
        except NonFinite:
            raise NonFinite(batch.start) from None
        self.counting.merge(numbers[self.sums], sums)
        assert part.divisor is not None
        numbers[DIVISOR] += part.divisor[0]
        if last:
            numbers[LOSS], numbers[WEIGHT] = sums[1], sums[2]

    # -- running statistics: their mean over the blocks, weighted by rows ----------------------------------------------

    def _statistics(self) -> Iterator[Array]:
        for array, _ in self.running:
            yield array
        yield from self.steps

    def _add_statistics(self, numbers: Array, rows: int) -> None:
        place = self.sums.stop
        for array, _ in self.running:
            numbers[place : place + array.size] = rows * array.reshape(-1).astype("float64")
            place += array.size
        numbers[-1] = rows

    def _set_statistics(self, numbers: Array, batches: int) -> None:
        place, rows = self.sums.stop, numbers[-1]
        for array, _ in self.running:
            array[...] = (numbers[place : place + array.size] / rows).reshape(array.shape)
            place += array.size
        for step in self.steps:
            step += batches

    # -- the update ----------------------------------------------------------------------------------------------------

    def _update(self, numbers: Array, gradient: Array, batches: int) -> None:
        """Update by the sums over all blocks, the same on each rank."""
        engine = self.engine
        mean, divisor = engine.loss.reduction != "sum", float(numbers[DIVISOR])
        scale = (1.0 / divisor if divisor else 0.0) if mean else 1.0
        np.multiply(gradient, scale, out=self.grad)
        engine.optimizer.update(engine.l1, engine.l2)
        if engine.average is not None:
            engine.average.update()
        self._set_statistics(numbers, batches)
        self.tick += batches
        sums, weight = self.run.sums, float(numbers[WEIGHT])
        self.counting.merge(sums, numbers[self.sums])
        sums[0] = numbers[LOSS] if not mean else numbers[LOSS] / weight if weight else np.nan


def merge_numbers(counting: Counting, sums: slice, numbers: Array, later: Array) -> None:
    """Add the numbers of later blocks: those of metrics by the rules of their counters."""
    numbers[: sums.start] += later[: sums.start]
    counting.merge(numbers[sums], later[sums])
    numbers[sums.stop :] += later[sums.stop :]


def evaluate(engine: Shared, team: Team, program: Program, span: tuple[int, int], data: Data, run: BatchRun) -> None:
    """Add up over the rows of data, in blocks of neighboring rows; no gradient is computed."""
    counting, rows = engine.scoring.counting(data), run.stop
    sums = slice(OWN, OWN + run.sums.size)

    def compute(block: int, numbers: Array) -> None:
        start, stop = block * rows // team.blocks, (block + 1) * rows // team.blocks
        if start < stop:
            own = np.zeros(run.sums.size)
            engine.run_batches(program, span, data, replace(run, start=start, stop=stop, sums=own))
            numbers[sums] = own

    def merge(numbers: Array, later: Array) -> None:
        merge_numbers(counting, sums, numbers, later)

    total = None
    while total is None:
        total = team.meet(compute, merge)
    counting.merge(run.sums, total[0][sums])

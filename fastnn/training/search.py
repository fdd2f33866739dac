"""Steps of optimizers that evaluate the loss several times: L-BFGS with its line search."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .._validation import Array
from ..compiler.batch_run import BatchRun
from ..compiler.counters import SUMS

if TYPE_CHECKING:
    from ..compiler.program import Program
    from ..nn.sequential import Sequential
    from ..optim import Optimizer, WeightAverage
    from .data import Data


class Searcher(Protocol):
    """What of an engine a step needs."""

    net: Sequential
    optimizer: Optimizer
    average: WeightAverage | None

    def changed_by_step(self) -> list[Array]:
        """The arrays that a step changes, beside the optimizer's."""

    def run_batches(self, program: Program, span: tuple[int, int], data: Data, run: BatchRun) -> None:
        """Run operations on batches."""


def search(engine: Searcher, program: Program, data: Data, run: BatchRun) -> None:
    """A step, on one batch, of an optimizer that evaluates the loss several times; the first one counts."""
    span, evaluations = program.span("forward", "backward"), list[Array]()
    again = replace(
        run, batch_size=run.stop - run.start, train=False, schedule=None, losses=None, accumulate=1, penalties=None
    )
    if run.schedule is not None:
        hyper, places, table = run.schedule
        hyper[places] = table[0]

    def closure() -> float:
        first = not evaluations
        values = run.sums.copy() if first else np.zeros(SUMS)
        evaluations.append(values)
        engine.run_batches(program, span, data, replace(again, sums=values, halt=run.halt and first))
        return float(values[0])

    arrays, attributes = [*engine.changed_by_step(), engine.optimizer.step_count], engine.optimizer.__dict__.copy()
    before = [array.copy() for array in arrays]
    try:
        engine.optimizer.step(closure)
        # Running statistics follow the batch once a step, as the last evaluation saw it.
        statistics = replace(again, sums=np.zeros(SUMS), halt=False)
        engine.run_batches(program, program.span("statistics"), data, statistics)
        if engine.average is not None:
            engine.average.update()
        engine.net._tick += 1
    except BaseException:  # no step is done by half
        for array, old in zip(arrays, before, strict=True):
            array[...] = old
        engine.optimizer.__dict__.update(attributes)
        raise
    run.sums[...] = evaluations[0]

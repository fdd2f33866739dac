"""The programs of a trainer: one for steps, one for evaluation, made when they are needed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._core.program import BadCode, BadLabel, BadTarget
from ..compiler.batch_run import BatchRun
from ..compiler.cache import ProgramCache
from ..compiler.meters import ACCURACY, NOTHING, SUMS, Counting
from ..compiler.program import Program
from ..nn.losses import Loss, PythonLoss
from .data import Data

if TYPE_CHECKING:
    from ..metrics import Metric
    from ..nn.sequential import Sequential
    from ..optim import Optimizer, WeightAverage

Array = check.Array


class Programs:
    """The programs of a network with a loss and an optimizer; they are of the network as it is now."""

    def __init__(
        self,
        net: Sequential,
        loss: Loss,
        optimizer: Optimizer,
        metrics: tuple[Metric, ...] = (),
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        average: WeightAverage | None = None,
    ) -> None:
        self.net, self.loss, self.optimizer, self.metrics = net, loss, optimizer, metrics
        self.l1, self.l2, self.average = l1, l2, average
        if optimizer.searches and (l1 or l2):
            raise ValueError(f"{type(optimizer).__name__} knows no l1 and l2; its weight_decay is an L2 penalty")
        self.version = (net._version, loss.version)
        self._kept = ProgramCache()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": ProgramCache()}

    def get(self, mode: str, data: Data, batch: int, accumulate: bool = False) -> Program:
        """The program for "step" or "evaluate" that takes at least `batch` rows; it is kept.

        One for `accumulate` adds its gradients to those there, until there is an update.
        """
        counting = self.counting(data)
        key = (mode, data.x.shape[1], data.labels, counting.targets, accumulate)

        def make() -> Program:
            step: dict[str, Any] = {"optimizer": self.optimizer, "l1": self.l1, "l2": self.l2, "average": self.average}
            return self.net.plan_program(
                mode,
                batch,
                data.x.shape[1],
                loss=self.loss,
                labels=data.labels,
                counting=counting,
                accumulate=accumulate,
                **(step if mode == "step" and not self.optimizer.searches else {}),
            )

        return self._kept.get(key, batch, make)

    def counting(self, data: Data) -> Counting:
        """What is counted for metrics."""
        if not self.metrics and not self.loss.heads:
            return NOTHING
        meters = (metric.meter for metric in self.metrics if metric.meter is not None)
        return Counting.of(meters, self.loss, data, self.net.out_features_for(data.x.shape[1]))

    def new_sums(self, data: Data) -> Array:
        """Where programs for such data add up, from the beginning."""
        return np.zeros(self.counting(data).size)

    def run(
        self,
        mode: str,
        data: Data,
        order: Array | None,
        start: int,
        stop: int,
        batch: int,
        sums: Array,
        halt: bool = False,
        rates: tuple[Array, Array] | None = None,
        losses: Array | None = None,
        accumulate: int = 1,
    ) -> Program:
        """Run the program for `mode` over rows start .. stop - 1, a batch at a time, and return it.

        With `halt`, NonFinite is raised before the gradient of a loss that is not finite. `accumulate` batches share an
        update. `rates`, (places, table), are the optimizer's hyperparameters for each update (`LRScheduler.table`);
        `losses` is given the loss of each batch.
        """
        program, hyper = self.get(mode, data, batch, accumulate > 1), self.optimizer.hyper.reshape(-1)
        program.check_rows(stop - start, batch)
        if SUMS < sums.size < self.counting(data).size:  # five numbers stand for: count nothing
            raise ValueError("sums have no room for what these metrics count")
        if mode == "step" and self.optimizer.searches:
            if rates is not None:
                hyper[rates[0]] = rates[1][0]
            self._search(program, data, order, start, stop, sums, halt)
        else:
            span = program.span("forward", "statistics" if mode == "step" else "metrics")
            more = (mode == "step", halt, None if rates is None else (hyper, *rates), losses, accumulate)
            self._run_batches(program, span, data, order, start, stop, batch, sums, *more)
        return program

    def _search(
        self, program: Program, data: Data, order: Array | None, start: int, stop: int, sums: Array, halt: bool
    ) -> None:
        """A step, on one batch, of an optimizer that evaluates the loss several times; the first one counts."""
        span, evaluations = program.span("forward", "backward"), list[Array]()

        def closure() -> float:
            first = not evaluations
            values = sums.copy() if first else np.zeros(SUMS)
            evaluations.append(values)
            self._run_batches(program, span, data, order, start, stop, stop - start, values, False, halt and first)
            return float(values[0])

        arrays, attributes = [*self.changed(), self.optimizer.step_count], self.optimizer.__dict__.copy()
        before = [array.copy() for array in arrays]
        try:
            self.optimizer.step(closure)
            # Running statistics follow the batch once a step, as the last evaluation saw it.
            statistics, values = program.span("statistics"), np.zeros(SUMS)
            self._run_batches(program, statistics, data, order, start, stop, stop - start, values, False, False)
            if self.average is not None:
                self.average.update()
            self.net._tick += 1
        except BaseException:  # no step is done by half
            for array, old in zip(arrays, before, strict=True):
                array[...] = old
            self.optimizer.__dict__.update(attributes)
            raise
        sums[...] = evaluations[0]

    def changed(self) -> list[Array]:
        """The arrays that a step changes, beside the optimizer's: values, gradients, statistics, averages, the tick."""
        params, buffers = self.net.parameters(), [view for _, view in self.net.named_buffers()]
        averages = [] if self.average is None else [self.average.data, self.average.seen]
        return [params.data, params.grad, self.net._tick, *buffers, *averages]

    def _run_batches(
        self,
        program: Program,
        span: tuple[int, int],
        data: Data,
        order: Array | None,
        start: int,
        stop: int,
        batch: int,
        sums: Array,
        train: bool,
        halt: bool,
        schedule: Any = None,
        losses: Array | None = None,
        accumulate: int = 1,
    ) -> None:
        staging = None
        if isinstance(self.loss, PythonLoss) and order is None:
            order = np.arange(len(data))  # Python reads the batch from an array: have it gathered
        if order is not None or data.x.dtype != data.dtype:
            staging = data.staging(program.batch_size)
        rows = (data.x, data.y, data.weight, order, start, stop, batch, staging)
        more = (halt, schedule, losses, data.mix, data.scale, accumulate, data.mean_weight)
        try:
            program.executor.run_batches(*span, BatchRun(*rows, sums, train, *more))
        except BadLabel as error:
            row, value = error.args
            row = int(order[row]) if order is not None else row
            raise ValueError(self.loss.describe_label(row, value, data.y, program.n_out, data.labels)) from None
        except BadTarget as error:
            raise program.explained_target(error, order) from None
        except BadCode as error:
            raise program.explained(error, order) from None

    def evaluate(self, data: Data, batch: int) -> dict[str, float]:
        """The scores of the network on data, in inference mode."""
        sums = self.new_sums(data)
        self.run("evaluate", data, None, 0, len(data), max(1, min(len(data), batch)), sums)
        whole = [metric for metric in self.metrics if metric.meter is None]
        scores = self.scores(sums, data) | dict.fromkeys((metric.name for metric in whole), math.nan)
        counted: Any = data.y != self.loss.ignored if data.labels is True else slice(None)
        y_true = data.y[counted]
        if whole and len(y_true):
            y_pred, weight = self.net.predict(data.x)[counted], None if data.weight is None else data.weight[counted]
            for metric in whole:
                scores[metric.name] = metric.of_predictions(y_true, y_pred, weight, self.loss.logits)
        return scores

    def scores(self, sums: Array, data: Data | None) -> dict[str, float]:
        """Loss, accuracy and metrics of what was added up over data like these; None if there were none."""
        _, total, weight, correct, samples = sums[:SUMS].tolist()
        if self.loss.reduction != "sum":
            total = total / weight if weight else math.nan
        scores = {"loss": math.sqrt(total) if self.loss.root else total}
        for name, head in zip(self.loss.heads, sums[SUMS:], strict=False):
            scores[f"{name}_loss"] = float(head) / weight if weight else math.nan
        if samples:
            scores["accuracy"] = correct / samples
        counting = NOTHING if data is None else self.counting(data)
        for metric in self.metrics:
            if counting.places and metric.meter not in (None, ACCURACY):
                scores[metric.name] = metric.of_counts(sums[counting.places[metric.meter]], counting.several)
        return scores

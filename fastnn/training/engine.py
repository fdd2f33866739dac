"""The engine of a trainer: what it trains with, and the programs compiled of that."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .. import _validation as check
from .._core.errors import BadIndex, BadLabel, BadTarget, Beyond, NonFinite
from .._locks import MAKING
from ..compiler.batch_run import BatchRun
from ..compiler.cache import ProgramCache
from ..compiler.counters import SUMS, Counting
from ..nn.inputs import column_names
from ..nn.loss import Loss
from ..nn.python_loss import PythonLoss
from . import blocks
from .data import Data
from .nonfinite import check_data
from .scoring import Scoring
from .search import search

if TYPE_CHECKING:
    from ..compiler.program import Program
    from ..distributed import Team
    from ..metrics import Metric
    from ..nn.sequential import Sequential
    from ..optim import Optimizer, WeightAverage
    from ..optim.lr_scheduler import Scheduler

Array = check.Array


class HasEngine(Protocol):
    """What has an engine: a trainer."""

    engine: Engine


@dataclass(slots=True)
class Planned:
    """A program for some data, as long as its engine keeps the programs `kept`.

    Attributes
    ----------
    kept : ProgramCache
        The programs of the engine when this one was made.
    key : Hashable
        Its key there.
    mode : {"step", "evaluate"}
    accumulate : bool
    program : Program
    sums_size : int
        Numbers that are added up for the loss and the metrics.
    span : tuple of int
        The operations of a batch.
    """

    kept: ProgramCache
    key: Hashable
    mode: str
    accumulate: bool
    program: Program
    sums_size: int
    span: tuple[int, int]


class Engine:
    """What a trainer trains with, and the programs of it, which are compiled when they are first needed.

    Attributes
    ----------
    net : Sequential
    loss : Loss
    optimizer : Optimizer
    scheduler : Scheduler or None
    metrics : tuple of Metric
    l1, l2 : float
        Penalties on all weights.
    missing : bool
        Whether targets that are NaN are ignored.
    average : WeightAverage or None
        Updated after each update.
    team : Team or None
        The ranks that share each batch.
    epochs : int
        Epochs trained so far in runs without a seed of their own; they number the orders of the samples.
    programs : ProgramCache
        The programs that are kept; another one as soon as they are out of date.
    scoring : Scoring
        What programs add up, and the scores of that.
    quick_step : function (x, y) -> float or None
        The compiled training step for plain arrays; it returns None for others. None until the first step.

    Notes
    -----
    Attributes are set by `change`, which checks nothing but whether they go together; the trainer checks arguments.
    """

    def __init__(self, net: Sequential, loss: Loss, optimizer: Optimizer, metrics: tuple[Metric, ...] = ()) -> None:
        self.net, self.loss, self.optimizer, self.metrics = net, loss, optimizer, metrics
        self.scheduler: Scheduler | None = None
        self.average: WeightAverage | None = None
        self.team: Team | None = None
        self.shares = False  # whether the team shares what is evaluated, too
        self.l1 = self.l2 = 0.0
        self.missing = False  # whether targets that are NaN are ignored
        self.epochs = 0
        self._last: Planned | None = None  # the program used last
        self.forget()

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles are made of: no programs, which belong to one process, and no other ranks."""
        return self.__dict__ | {"programs": ProgramCache(), "_last": None, "quick_step": None, "team": None}

    # -- what it consists of -------------------------------------------------------------------------------------------

    def change(self, **parts: Any) -> None:
        """Set some of loss, optimizer, average, l1 and l2; programs are compiled again.

        Raises
        ------
        ValueError
            If the optimizer does a line search, and there is an l1 or l2.
        """
        optimizer, l1, l2 = (parts.get(name, getattr(self, name)) for name in ("optimizer", "l1", "l2"))
        if optimizer.searches and (l1 or l2):
            raise ValueError(f"{type(optimizer).__name__} knows no l1 and l2; its weight_decay is an L2 penalty")
        if parts.get("team", self.team) is not None:
            blocks.check_shared(parts.get("loss", self.loss), optimizer)
        vars(self).update(parts)
        self.forget()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A context in which this process trains without the other ranks."""
        team, self.team = self.team, None
        if team is not None:
            self.forget()
        try:
            yield
        finally:
            self.team = team
            if team is not None:
                self.forget()

    def forget(self) -> None:
        """Have programs compiled again when they are needed."""
        with MAKING:
            version = self.net._version, self.loss.version
            self.quick_step: Callable[[Any, Any], float | None] | None = None
            self.scoring = Scoring(self.net, self.loss, self.metrics)
            self.programs, self._last = ProgramCache(), None
            self._version = version  # last: another thread that sees it sees the new cache too

    def refresh(self, training: bool = True) -> None:
        """Forget programs that are out of date, and check that the network can be trained, or evaluated, now.

        Raises
        ------
        RuntimeError
            If the layers went into another network; while training also if the average is applied.
        """
        if self._version != (self.net._version, self.loss.version):
            self.forget()
        if self.optimizer.params.moved:
            reason = self.optimizer.params.moved
            raise RuntimeError(f"{reason}: make an optimizer and a trainer for the network as it is now")
        if self.average is not None and training:
            self.average.check_not_applied()

    def changed_by_step(self) -> list[Array]:
        """The arrays that a step changes, beside the optimizer's: values, gradients, statistics, averages, the tick."""
        params, buffers = self.net.parameters(), [view for _, view in self.net.named_buffers()]
        averages = [] if self.average is None else [self.average.data, self.average.seen]
        return [params.data, params.grad, self.net._tick, *buffers, *averages]

    # -- data ----------------------------------------------------------------------------------------------------------

    def data(self, x: Any, y: Any, sample_weight: Any = None) -> Data:
        """Arguments of a user as programs read them; TypeError or ValueError if they do not fit."""
        return Data.of(self.net, self.loss, x, y, sample_weight, self.missing)

    def training_data(self, x: Any, y: Any, sample_weight: Any = None) -> Data:
        """The same, and the network remembers the names of the columns of x."""
        data = self.data(x, y, sample_weight)
        if type(x) is not np.ndarray and (names := column_names(x)):
            self.net.feature_names = names
        return data

    # -- programs ------------------------------------------------------------------------------------------------------

    def get(self, mode: str, data: Data, batch: int, accumulate: bool = False) -> Program:
        """The program for "step" or "evaluate" that takes at least `batch` rows; it is kept.

        One for `accumulate` adds its gradients to those there, until there is an update.
        """
        return self._planned(mode, data, batch, accumulate).program

    def _planned(self, mode: str, data: Data, batch: int, accumulate: bool) -> Planned:
        if self.team is not None and mode == "step":
            batch, accumulate = self.team.block_rows(batch), True
        kept, planned = self.programs, data.planned
        if (
            planned is not None
            and planned.kept is kept
            and planned.mode == mode
            and planned.accumulate == accumulate
            and planned.program.batch_size >= batch
        ):
            return planned
        counting = self.scoring.counting(data)
        kind = data.by_elements, data.missing, data.sparse
        key = (mode, data.x.shape[1], data.labels, counting.targets, accumulate, kind)
        planned = self._last
        if planned is None or planned.kept is not kept or planned.key != key or planned.program.batch_size < batch:
            program = kept.get(key, batch, lambda: self._plan(mode, data, batch, counting, accumulate))
            span = program.span("forward", "statistics" if mode == "step" else "metrics")
            self._last = planned = Planned(kept, key, mode, accumulate, program, counting.size, span)
        data.planned = planned
        return planned

    def _plan(self, mode: str, data: Data, batch: int, counting: Counting, accumulate: bool) -> Program:
        update: dict[str, Any] = {}
        if mode == "step" and self.team is None and not self.optimizer.searches:
            update = {"optimizer": self.optimizer, "l1": self.l1, "l2": self.l2, "average": self.average}
        more: dict[str, Any] = {"loss": self.loss, "labels": data.labels, "counting": counting}
        more |= {"sparse": True} if data.sparse else {}
        if data.by_elements or data.missing:
            more |= {"elements": data.by_elements, "missing": data.y.shape[1] if data.missing else 0}
        return self.net.plan_program(mode, batch, data.x.shape[1], accumulate=accumulate, **more, **update)

    def prepare(self, data: Data, rows: int, batch: int, accumulate: bool) -> int:
        """Compile what a run needs to train on `rows` rows of data.

        Returns
        -------
        size : int
            How many numbers are summed up.

        Raises
        ------
        ValueError
            If a batch of these rows is a single row where a layer normalizes by the batch.
        """
        planned = self._planned("step", data, batch, accumulate)
        if planned.program.by_batch:
            blocks.check_rows(self.team, planned.program, rows, batch)
        return planned.sums_size

    # -- running -------------------------------------------------------------------------------------------------------

    def step(self, data: Data) -> float:
        """Train on all rows as one batch, and return its loss; ValueError if a number in it is not finite."""
        rows, sums, kept = data.samples, self.scoring.new_sums(data), self.programs
        program = None
        with suppress(NonFinite):
            program = self.run("step", data, None, 0, rows, rows, sums, True)
        if program is None:
            check_data(data)
            program = self.run("step", data, None, 0, rows, rows, sums)
        if self.loss.quick and not self.optimizer.searches and self.team is None:
            step = getattr(program.executor, "step", None)
            with MAKING:  # unless the program is out of date already
                self.quick_step = step if kept is self.programs else None
        return float(sums[0])

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
        penalties: Array | None = None,
        epochs: tuple[int, int, Array] | None = None,
    ) -> Program:
        """Run the program for `mode` over rows start .. stop - 1, a batch at a time, and return it.

        With `halt`, NonFinite is raised before the gradient of a loss that is not finite. `accumulate` batches share an
        update. `rates`, (places, table), are the optimizer's hyperparameters for each update (`LRScheduler.table`);
        `losses` is given the loss of each batch, `penalties` the value of the penalties before it. With `epochs`,
        (seed, stream, seconds), `sums` has a row for each of several epochs: see `run_epochs` of executors.
        """
        planned = self._planned(mode, data, batch, accumulate > 1)
        program, train = planned.program, mode == "step"
        if train:
            self.optimizer.to_training()
        if program.by_batch:
            blocks.check_rows(self.team if train else None, program, stop - start, batch)
        if SUMS < sums.shape[-1] < planned.sums_size:  # five numbers stand for: count nothing
            raise ValueError("sums have no room for what these metrics count")
        if order is None and isinstance(self.loss, PythonLoss):
            order = np.arange(data.samples)  # Python reads the batch from an array: have it gathered
        staging = None if order is None and data.plain else data.staging(program.batch_size)
        schedule = None if rates is None else (self.optimizer.hyper.reshape(-1), *rates)
        batches = BatchRun(
            data.x, data.y, data.weight, order, start, stop, batch, staging, sums, train, halt, schedule, losses,
            data.mix, data.scale, accumulate, data.mean_weight, penalties,
        )  # fmt: skip
        if train and self.optimizer.searches:
            search(self, program, data, batches)
        elif self.team is not None and (train or self.shares):
            share = blocks.train if train else blocks.evaluate
            share(self, self.team, program, planned.span, data, batches)
        else:
            self.run_batches(program, planned.span, data, batches, epochs)
        return program

    def interrupt(self) -> None:
        """Have a run in another thread end between two batches, by a KeyboardInterrupt there, if it is compiled."""
        planned = self._last
        if planned is not None and hasattr(planned.program.executor, "interrupt"):
            planned.program.executor.interrupt()

    def run_batches(
        self, program: Program, span: tuple[int, int], data: Data, run: BatchRun, epochs: Any = None
    ) -> None:
        """Run operations, once or for several epochs; what is wrong with a row is said in words."""
        try:
            if epochs is None:
                program.executor.run_batches(*span, run)
            else:
                program.executor.run_epochs(*span, run, *epochs)
        except BadLabel as error:
            row, value = error.args
            row = int(run.order[row]) if run.order is not None else row
            raise ValueError(self.loss.describe_label(row, value, data.y, program.n_out, data.labels)) from None
        except Beyond as error:
            start, rows, name = error.args
            raise data.explained_beyond(name, slice(start, start + rows), run.order) from None
        except BadTarget as error:
            raise program.explained_target(error, run.order) from None
        except BadIndex as error:
            raise program.explained(error, run.order) from None

    # -- scores --------------------------------------------------------------------------------------------------------

    def evaluate(self, data: Data, batch: int) -> dict[str, float]:
        """The scores of the network on data, in inference mode, with the parameters that its optimizer evaluates."""
        self.refresh(training=False)
        with self.optimizer.evaluated():
            return self._evaluate(data, batch)

    def _evaluate(self, data: Data, batch: int) -> dict[str, float]:
        self.scoring.check_labels(data)
        sums = self.scoring.new_sums(data)
        self.run("evaluate", data, None, 0, len(data), max(1, min(len(data), batch)), sums)
        whole = [metric for metric in self.metrics if metric.counter is None]
        if whole and (data.by_elements or data.missing):
            raise ValueError(f"metrics: {whole[0].name} is computed of whole samples: missing targets and weights "
                             "of elements need metrics that are counted: 'mae', 'mse', 'rmse', 'r2', ...")  # fmt: skip
        scores = self.scoring.scores(sums, data) | dict.fromkeys((metric.name for metric in whole), math.nan)
        counted: Any = data.y != self.loss.ignored if data.labels is True else slice(None)
        y_true = data.y[counted]
        if whole and len(y_true):
            y_true = y_true.astype(data.y_dtype, copy=False)
            y_pred, weight = self.net.predict(data.x)[counted], None if data.weight is None else data.weight[counted]
            for metric in whole:
                scores[metric.name] = metric.of_outputs(y_true, y_pred, weight, self.loss)
        return scores

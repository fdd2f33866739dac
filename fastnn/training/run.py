"""A run: one call of `Trainer.fit`, as a loop whose whole state is a few numbers."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from operator import call
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._core.errors import NonFinite
from .._frames import frames_to_caller
from ..compiler.counters import SUMS
from ..optim.lr_scheduler import LRScheduler
from . import nonfinite
from .callback import Callback
from .data import Data, Mixed
from .history import History
from .progress import Progress
from .rates import batch_rates, check_length, step_epoch
from .state import state_of, take_over

if TYPE_CHECKING:
    from ..compiler.program import Program
    from ..data import Mixup
    from ..nn.sequential import Sequential
    from ..optim import Optimizer
    from ..optim.lr_scheduler import Scheduler
    from .streams import Source
    from .trainer import Trainer

Array = check.Array

SLICE_SECONDS = 0.1  # how often a long epoch comes up for the progress bar
VALIDATION_ROWS = 256  # of a batch of validation, at least


class Run:
    """A run of `Trainer.fit`: what callbacks are given, and what a checkpoint keeps.

    Attributes
    ----------
    trainer, net, optimizer
        Who trains what.
    epochs, epoch : int
        Number of epochs asked for, and of those that are finished: 0 in the first epoch, 1 at its `on_epoch_end`.
    batch : int
        Batches finished in this epoch.
    batch_size, samples : int or None
        Rows of a batch, and of an epoch; None if only an iterable can tell.
    accumulate : int
        Batches of an update. Callbacks see the run between two updates.
    loss : float
        The loss of the last batch.
    logs : dict
        At the end of an epoch its values by name ("loss", "val_loss", ...), to which more can be added; between
        batches those of the epoch so far.
    history : History
        The epochs before.
    resumed : bool
        Whether the run goes on where another one stopped.
    """

    def __init__(
        self,
        trainer: Trainer,
        data: Source,
        validation: Data | None = None,
        *,
        epochs: int,
        batch_size: int | None,
        accumulate: int = 1,
        shuffle: bool,
        seed: int,
        first: int = 0,
        callbacks: list[Callback],
        transform: Mixup | None = None,
        progress: bool | str = False,
    ) -> None:
        self.trainer, self.data, self.validation = trainer, data, validation
        self.epochs, self.batch_size, self.shuffle, self.seed = epochs, batch_size, shuffle, seed
        self.accumulate, self.samples = accumulate, data.samples
        data.weigh(batch_size or 1)
        self.callbacks, self.transform = callbacks, transform
        self._between = [c for c in callbacks if type(c).on_batch_end is not Callback.on_batch_end]
        self._rows = batch_size or 1  # of a batch now
        self._pace = 1  # batches until the loop comes up for what wants to see it now and then
        self._halt = True  # before the first batch whose loss is not finite
        self._failed: tuple[Data, int] | None = None  # the data of that batch, and its rows
        self.resumed = False
        self.bar = Progress(progress, epochs, self.samples)
        self.logs: dict[str, float] = {}
        # The state: with these, all that comes is decided (and the network, the optimizer and the callbacks).
        self.history = History()
        self.first = first  # epochs trained before this run: they have had their orders
        self.epoch = self.batch = self.position = 0  # `position`: rows done in this epoch
        self.seconds = 0.0  # of this epoch
        self.lr = 0.0  # with which it began
        self.sums = np.zeros(SUMS) if data.like is None else trainer._programs.new_sums(data.like)
        self.settled = True  # whether all this is that between two batches, and every callback knows of it
        self.paused = False  # stopped for now: a resumed run goes on
        self._unsettled: Callable[[], None] | None = None  # brings all that to what was done since, and clears this
        self._callback_states: dict[int, dict[str, Any]] = {}  # to be taken over when the callbacks have begun

    @property
    def net(self) -> Sequential:
        """The network."""
        return self.trainer.net

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer."""
        return self.trainer.optimizer

    @property
    def mixing(self) -> str:
        """How samples are mixed, for comparison."""
        return repr(self.transform)

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, whose counts are in the sums."""
        return [metric.name for metric in self.trainer.metrics]

    @property
    def loss(self) -> float:
        """The loss of the last batch."""
        return float(self.sums[0])

    def stop(self, reason: str, *, pause: bool = False) -> None:
        """End the run before the next batch; `reason` becomes `history.stopped`.

        An epoch that is cut off is not recorded. Where several ask, the first one's reason counts. A run that is
        resumed from a checkpoint stays stopped, unless this was only a `pause`.
        """
        if self.history.stopped is None:
            self.history.stopped, self.paused = str(reason) or "stopped", pause

    def go(self) -> History:
        """Train to the end, or until somebody stops it."""
        for rows in self.data.lengths:
            assert self.data.like is not None
            self._program(self.data.like).check_rows(rows, self.batch_size or rows)
        with ExitStack() as ends:
            ends.callback(self.settle)
            ends.callback(self.bar.close)
            check_length(
                self.trainer.scheduler,
                self.epochs - self.epoch,
                self.data.batches(self._rows * self.accumulate),
                self._updates(self.batch),
            )
            try:
                for i, callback in enumerate(self.callbacks):
                    callback.on_train_begin(self)
                    ends.callback(callback.on_train_end, self)
                    if i in self._callback_states:
                        self._restore(callback, self._callback_states.pop(i))
                while self.epoch < self.epochs and self.history.stopped is None:
                    self._epoch()
            except KeyboardInterrupt:
                self.history.interrupted = True
            finally:
                self.settle()
        return self.history

    def _restore(self, callback: Callback, state: dict[str, Any]) -> None:
        try:
            callback.load_state_dict(state)
        except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(
                f"{type(callback).__name__} does not take the state that is to go on: {error!r}"
            ) from error

    def settle(self) -> None:
        """Bring the state to the batches that were done, if a signal came in between; it may be interrupted again."""
        if self._unsettled is not None:
            self._unsettled()

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _epoch(self) -> None:
        """What is left of this epoch, its validation and its record."""
        if self.position == 0:
            self._tell("on_epoch_begin")
        epoch = self.first + self.epoch
        with closing(self.data.stretches(self.seed, epoch, self.shuffle, self.position)) as stretches:
            for data, order, start in stretches:
                if self.transform is not None:
                    data, order = self._mixed(self.transform, data, order, self.position - start)
                self._stretch(data, order, start)
                if self.history.stopped is not None:
                    return
        values = self.trainer._programs.scores(self.sums, self.data.like) | {"seconds": self.seconds}
        if self.validation is not None:
            scores = self.trainer._evaluate(self.validation, max(self.batch_size or 1, VALIDATION_ROWS))
            values |= {f"val_{name}": value for name, value in scores.items()}
            if not np.isfinite(scores["loss"]):
                nonfinite.check_data(self.validation, prefix="validation ")
        self.settled = False
        scheduler = self.trainer.scheduler
        self._unsettled = partial(self._record, values, scheduler, 0 if scheduler is None else scheduler.last_epoch)
        self.settle()
        self._tell("on_epoch_end")
        self.settled = True
        self.bar.epoch(self.epoch, values)

    def _record(self, values: dict[str, float], scheduler: Scheduler | None, step: int) -> None:
        """Go on to the next epoch, and so does a scheduler that was at `step`, unless it has.

        Callbacks come after: what they save is then a state to go on from.
        """
        try:
            if scheduler is not None and scheduler.last_epoch == step:
                values["lr"] = self.lr
                step_epoch(scheduler, values)
        except Exception:  # of the scheduler: the epoch was none
            self._unsettled = None if scheduler is not None and scheduler.last_epoch == step else self._unsettled
            raise
        epoch = self.epoch + 1
        new = {"logs": values, "epoch": epoch, "batch": 0, "position": 0, "seconds": 0.0, "_unsettled": None}
        changes = (
            partial(self.history.rows.append, values),
            partial(self.sums.fill, 0),
            partial(vars(self.trainer).update, _epochs=max(self.trainer._epochs, self.first + epoch)),
            partial(vars(self).update, new),
        )
        deque(map(call, changes), 0)  # one call into C: a signal finds all of it or nothing

    def _mixed(self, mixup: Mixup, data: Data, order: Array | None, first: int) -> tuple[Data, Array]:
        """Data whose rows are mixed; they begin at row `first` of the epoch."""
        order = np.arange(len(data)) if order is None else order
        rows, n_out = self.batch_size or len(data), self.net.out_features_for(data.x.shape[1])
        Mixed.check(data, self.trainer.loss, n_out)
        partner, shares = mixup.draw(self.seed, self.first + self.epoch, first, len(data), rows)
        return Mixed(data, order[partner], shares, n_out), order

    def _stretch(self, data: Data, order: Array | None, start: int) -> None:
        """Train on rows of `data`, from `start` on: one compiled loop, unless somebody wants to see it in between."""
        self._rows = self.batch_size or len(data)
        self.trainer._check_current()
        self._program(data).check_rows(len(data) - start, self._rows)
        if self.batch == 0 and self.sums.size == SUMS:  # what is counted is known with the first batch
            self.sums = self.trainer._programs.new_sums(data)
        if self.resumed and self.sums.size != self.trainer._programs.counting(data).size:
            raise ValueError(f"sums of the run to go on with, {self.sums.size} numbers, are not those of these metrics")
        while start < len(data) and self.history.stopped is None:
            stop = min(len(data), start + self._batches_to_go(len(data) - start) * self._rows)
            position, batch = self.position, self.batch
            try:
                self._slice(data, order, start, stop)
            except NonFinite as error:
                self._not_finite(data, order, error.args[0])
            start += self.position - position
            if self.position != position:
                self._tell_between(batch)

    def _slice(self, data: Data, order: Array | None, start: int, stop: int) -> None:
        scheduler = self.trainer.scheduler
        table = batch_rates(scheduler, self._updates(self._batches(stop - start)))
        rates = None if scheduler is None or table is None else (scheduler.places, table[:-1])
        self.settled = False
        if self.position == 0:
            self.lr = self.optimizer.lr
        begin = time.perf_counter(), int(self.net._tick[0]), 0 if scheduler is None else scheduler.last_epoch
        self._unsettled = partial(self._count, *begin, stop - start, table)
        try:
            self.trainer._check_current()
            more = (self._halt, rates, None, self.accumulate)
            self.trainer._programs.run("step", data, order, start, stop, self._rows, self.sums, *more)
        finally:  # after Ctrl-C and errors too the state is that between two batches
            position = self.position
            self.settle()
            self.bar.advance(self.position - position)

    def _count(self, began: float, tick: int, step: int, rows: int, table: Array | None) -> None:
        """Note how many of these rows were trained since `tick`, and set the rates that then hold.

        `table` has those from the scheduler's `step` on.
        """
        seconds, batches = time.perf_counter() - began, int(self.net._tick[0]) - tick
        new = {
            "seconds": self.seconds + seconds,
            "batch": self.batch + batches,
            "position": self.position + min(rows, batches * self._rows),
            "_pace": max(1, int(SLICE_SECONDS * batches / max(seconds, 1e-9))),
            "settled": True,
            "_unsettled": None,
        }
        scheduler = self.trainer.scheduler
        if isinstance(scheduler, LRScheduler) and table is not None:
            scheduler.take_row(table[self._updates(batches)], step + self._updates(batches))
        vars(self).update(new)

    def _not_finite(self, data: Data, order: Array | None, start: int) -> None:
        """Blame the data, or else tell the callbacks; what comes after the first such batch is trained unseen."""
        stop = min(len(data), start + self._rows)
        nonfinite.check_data(data, slice(start, stop) if order is None else order[start:stop])
        self._halt, self._failed = False, (data, stop - start)
        self.logs = self.trainer._programs.scores(self.sums, self.data.like)
        self._tell("on_nonfinite")
        if self.history.stopped is None:
            message = f"the loss of batch {self.batch + 1} of epoch {self.epoch + 1} is not finite: "
            message += f"{self.first_nonfinite()}. TerminateOnNaN() ends a run here"
            warnings.warn(message, RuntimeWarning, stacklevel=frames_to_caller())
        self._failed = None

    def first_nonfinite(self) -> str:
        """A sentence about the first parameter that is not finite; in `on_nonfinite` also about outputs of layers."""
        if self._failed is None:
            return nonfinite.first_parameter(self.net) or "all parameters are finite"
        data, rows = self._failed
        return nonfinite.first_cause(self.net, self._program(data), rows)

    def _batches_to_go(self, rows: int) -> int:
        """How many batches to train before the compiled loop comes up."""
        batches = self._batches(rows)
        if self.bar.bar is not None or any(c.every is None for c in self._between):
            batches = min(batches, self._pace)
        asked = [c.every - self.batch % c.every for c in self._between if c.every is not None]
        return self._updates(min([batches, *asked])) * self.accumulate

    def _batches(self, rows: int) -> int:
        return -(-rows // self._rows)

    def _updates(self, batches: int) -> int:
        return -(-batches // self.accumulate)

    def _program(self, data: Data) -> Program:
        return self.trainer._programs.get("step", data, self._rows, self.accumulate > 1)

    def _tell_between(self, before: int) -> None:
        """Tell those whose turn came since batch number `before`."""
        due = [c for c in self._between if c.every is None or self.batch // c.every > before // c.every]
        if due:
            self.logs = self.trainer._programs.scores(self.sums, self.data.like)
            self.settled = False
        for callback in due:
            callback.on_batch_end(self)
        self.settled = True

    def _tell(self, moment: str) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self)

    # -- state ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state between two batches; with those of network and optimizer it decides everything that comes."""
        return state_of(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another run, with the same settings, was; nothing changes if it does not fit.

        Callbacks take their states over when the run begins, after their `on_train_begin`.

        Raises
        ------
        TypeError, ValueError
            If the state is none, or of a run with other settings, other data or other callbacks.
        """
        self._callback_states = take_over(self, state)

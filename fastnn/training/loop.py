"""The loop of a run: epochs, stretches of their rows, and slices between which callbacks are called."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from operator import call
from typing import TYPE_CHECKING, Any

import numpy as np

from . import nonfinite
from .callback import Callback
from .data import Data, Mixed
from .epochs import Epochs
from .progress import show
from .rates import check_length, step_epoch
from .run import Array, Run

if TYPE_CHECKING:
    from ..data import Mixup
    from ..optim import WeightAverage
    from ..optim.lr_scheduler import Scheduler
    from .history import History

VALIDATION_ROWS = 256  # of a batch of validation, at least


class Loop(Epochs):
    """A run that trains itself: `go` is the whole of it.

    Notes
    -----
    What a compiled call has trained is noted by one call into C (`_count`, `_record`): a signal finds all of it or
    nothing, and `settle` makes up for the rest. So the state is that between two batches, whenever Ctrl-C comes.
    """

    def agree(self) -> None:
        """Raise an error unless all ranks that share the run are about to do the same; this one has it alone."""

    def go(self) -> History:
        """Train to the end, or until somebody stops it; after Ctrl-C the state is settled, then it is raised."""
        try:
            deque(self.calls(), 0)
        except KeyboardInterrupt as error:
            self.history.interrupted = True
            if not error.args:  # what a notebook and a terminal show last
                error.args = (f"{_interruption(self)}; trainer.history has the epochs that were done",)
            raise
        finally:
            self.history.fill()
            if self.history.interrupted and self.bar is not None:
                show(self.history)
        return self.history

    def calls(self) -> Iterator[None]:
        """All of the run, with a pause after each compiled call: its callbacks begin, the epochs, its callbacks end."""
        self._rows = self.batch_size or 1
        like = self.data.like
        if like is not None:
            for rows in self.data.lengths:
                self._prepare(like, rows)
        begun: list[Callback] = []
        try:
            if self.engine.scheduler is not None:
                self._check_length(self.engine.scheduler)
            try:
                if self.callbacks:
                    self._begin(begun)
                if like is not None:
                    self.engine.scoring.check_labels(like)
                self._quiet = self.epochs - self.epoch > 1 and self._is_quiet()
                while self.epoch < self.epochs and self.history.stopped is None:
                    if self._quiet and self.position == 0 and self.epochs - self.epoch > 1:
                        self._several_epochs()
                    else:
                        self._epoch()
                    yield
            finally:
                if self._unsettled is not None:
                    self.settle()
        finally:
            try:
                self.engine.optimizer.to_evaluation()
                if begun:
                    self._end(begun)
            finally:
                if self._unsettled is not None:
                    self.settle()
                if self.bar is not None:
                    self.bar.close()
                self.data.close()

    def _check_length(self, scheduler: Scheduler) -> None:
        """Raise ValueError if the schedule ends before the run."""
        updates = self.data.batches(self._rows * self.accumulate)
        check_length(scheduler, self.epochs - self.epoch, updates, self._updates(self.batch))

    def _begin(self, begun: list[Callback]) -> None:
        """Call `on_train_begin`; those whose call has returned are in `begun`."""
        self._between = [c for c in self.callbacks if type(c).on_batch_end is not Callback.on_batch_end]
        for i, callback in enumerate(self.callbacks):
            callback.on_train_begin(self)
            begun.append(callback)
            if i in self._callback_states:
                self._restore(callback, self._callback_states.pop(i))

    def _restore(self, callback: Callback, state: dict[str, Any]) -> None:
        try:
            callback.load_state_dict(state)
        except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(
                f"{type(callback).__name__} does not take the state that is to go on: {error!r}"
            ) from error

    def _end(self, begun: list[Callback]) -> None:
        """Call `on_train_end`, the last callback first; an error in one keeps no other from it."""
        try:
            while begun:
                begun.pop().on_train_end(self)
        finally:
            if begun:
                self._end(begun)

    # -- an epoch ------------------------------------------------------------------------------------------------------

    def _epoch(self) -> None:
        """What is left of this epoch, its validation and its record."""
        if self.position == 0:
            for callback in self.callbacks:
                callback.on_epoch_begin(self)
        self._train()
        if self.history.stopped is not None:
            return
        engine = self.engine
        values = engine.scoring.scores(self.sums, self.data.like)
        values["seconds"] = self.seconds
        if self.validation is not None and self.validates(self.epoch + 1):
            self._validate(self.validation, values)
        self.settled = False
        scheduler = engine.scheduler
        record = values, scheduler, 0 if scheduler is None else scheduler.last_epoch
        self._unsettled = self._record, record
        self._record(*record)
        for callback in self.callbacks:
            callback.on_epoch_end(self)
        self.settled = True
        if self.bar is not None:
            self.bar.epoch(self.epoch, values)

    def _train(self) -> None:
        """Train on the stretches that are left of this epoch."""
        epoch = self.first + self.epoch
        stretches = self.data.stretches(self.seed, epoch, self.shuffle, self.position)
        try:
            for data, order, start in stretches:
                if self.transform is not None:
                    data, order = self._mixed(self.transform, data, order, self.position - start)
                self._stretch(data, order, start)
                if self.history.stopped is not None:
                    return
        finally:
            if not isinstance(stretches, tuple):
                stretches.close()

    def _validate(self, validation: Data, values: dict[str, float]) -> None:
        """Add the scores of the validation data to `values`; ValueError if they are not finite because of the data."""
        rows, average = max(self.batch_size or 1, VALIDATION_ROWS), self.validated_average
        if average is None:
            scores = self.engine.evaluate(validation, rows)
        else:
            self._unsettled = self._own_weights, (average,)  # whenever Ctrl-C comes
            try:
                average.apply()
                scores = self.engine.evaluate(validation, rows)
            finally:
                self.settle()
        for name, value in scores.items():
            values[f"val_{name}"] = value
        if not np.isfinite(scores["loss"]):
            nonfinite.check_data(validation, prefix="validation ")

    def _own_weights(self, average: WeightAverage) -> None:
        """Give the network its own weights back after validation with the averaged ones."""
        average.restore()
        self._unsettled = None

    def _record(self, values: dict[str, float], scheduler: Scheduler | None, step: int) -> None:
        """Go on to the next epoch, and so does a scheduler that was at `step`, unless it has.

        Callbacks come after: what they save is then a state to go on from.
        """
        if scheduler is not None and scheduler.last_epoch == step:
            values["lr"] = self.lr
            try:
                step_epoch(scheduler, values, self.validation is None or self.validates(self.epoch + 1))
            except Exception:  # of the scheduler: the epoch was none
                self._unsettled = None if scheduler.last_epoch == step else self._unsettled
                raise
        epoch, engine = self.epoch + 1, self.engine
        done = self.first + epoch
        new = {"logs": values, "epoch": epoch, "batch": 0, "position": 0, "seconds": 0.0, "_unsettled": None}
        trained = {"epochs": done if done > engine.epochs else engine.epochs}
        changes: Any = self.history.rows.append, self.sums.fill, engine.__dict__.update, self.__dict__.update
        deque(map(call, changes, (values, 0, trained, new)), 0)  # one call into C: a signal finds all of it or nothing

    def _mixed(self, mixup: Mixup, data: Data, order: Array | None, first: int) -> tuple[Data, Array]:
        """Data whose rows are mixed; they begin at row `first` of the epoch."""
        order = np.arange(len(data)) if order is None else order
        rows, n_out = self.batch_size or len(data), self.net.out_features_for(data.x.shape[1])
        Mixed.check(data, self.engine.loss, n_out)
        partner, shares = mixup.draw(self.seed, self.first + self.epoch, first, len(data), rows)
        return Mixed(data, order[partner], shares, n_out), order


def _interruption(run: Run) -> str:
    """Where Ctrl-C ended a run, in words."""
    return f"fit was interrupted in epoch {min(run.epoch + 1, run.epochs)} of {run.epochs} after {run.batch} batches"

"""Parts of an epoch: stretches of its rows, and slices of them that are one compiled call each."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from .._core.errors import NonFinite
from .._frames import frames_to_caller
from ..compiler.counters import SUMS
from ..optim.lr_scheduler import LRScheduler
from . import nonfinite
from .callback import Callback
from .data import Data
from .rates import batch_rates
from .run import Array, Run

SLICE_SECONDS = 0.1  # how often a long epoch comes up for the progress bar


class Slices(Run):
    """A run that can train parts of an epoch.

    Notes
    -----
    What a compiled call has trained is noted by one call into C (`_count`): a signal finds all of it or nothing, and
    `settle` makes up for the rest. So the state is that between two batches, whenever Ctrl-C comes.
    """

    _rows = 1  # of a batch now
    _pace = 1  # batches until the loop comes up for what wants to see it now and then
    _halt = True  # before the first batch whose loss is not finite
    _between: Sequence[Callback] = ()  # those that are called between batches
    _prepared: Data | None = None  # the data for which programs were last compiled
    _unsettled: tuple[Callable[..., None], tuple[Any, ...]] | None = None  # what brings the state to what was done

    def settle(self) -> None:
        """Bring the state to the batches that were done, if a signal came in between; it may be interrupted again."""
        if self._unsettled is not None:
            note, arguments = self._unsettled
            note(*arguments)  # clears it

    def _stretch(self, data: Data, order: Array | None, start: int) -> None:
        """Train on rows of `data`, from `start` on: one compiled loop, unless somebody wants to see it in between."""
        rows = data.samples - data.dropped
        self._rows = self.batch_size or rows
        if data is not self._prepared:
            self._prepare(data, rows - start)
        while start < rows and self.history.stopped is None:
            stop = rows
            if self._between or self.bar is not None:
                stop = min(rows, start + self._batches_to_go(rows - start) * self._rows)
            position, batch = self.position, self.batch
            try:
                self._slice(data, order, start, stop)
            except NonFinite as error:
                first = start + self.position - position  # of the rows that are left; a group is undone as a whole
                self._not_finite(data, order, error.args[0], (error.args[0] - first) // self._rows)
            start += self.position - position
            if self._between and self.position != position:
                self._call_between(batch)

    def _prepare(self, data: Data, rows: int) -> None:
        """Check that the next `rows` rows can be trained on, and make room for what is counted of them."""
        self.engine.refresh()
        size, mine = self.engine.prepare(data, rows, self._rows, self.accumulate > 1), self.sums.size
        if mine == SUMS < size and self.batch == 0:  # what is counted is known with the first batch
            self.sums, mine = np.zeros(size), size
        if self.resumed and mine != size:
            raise ValueError(f"sums of the run to go on with, {mine} numbers, are not those of these metrics")
        self._prepared = data

    def _slice(self, data: Data, order: Array | None, start: int, stop: int) -> None:
        engine, scheduler = self.engine, self.engine.scheduler
        rates, table, step = self._rates(self._updates(self._batches(stop - start)))
        self.settled = False
        if self.position == 0 and (scheduler is not None or self.callbacks):
            self.lr = engine.optimizer.lr
        began, tick = perf_counter(), engine.net._tick.item()
        self._unsettled = self._count, (began, tick, step, stop - start, table)
        try:
            engine.refresh()
            rows, sums = self._rows, self.sums
            engine.run("step", data, order, start, stop, rows, sums, self._halt, rates, None, self.accumulate)
        finally:  # after Ctrl-C and errors too the state is that between two batches
            position = self.position
            self.settle()
            if self.bar is not None:
                self.bar.advance(self.position - position)

    def _rates(self, updates: int) -> tuple[Any, Array | None, int]:
        """What a scheduler does by batch: the rates of the next updates, the table that they are of, and its step."""
        scheduler = self.engine.scheduler
        if scheduler is None:
            return None, None, 0
        table = batch_rates(scheduler, updates)
        return None if table is None else (scheduler.places, table[:-1]), table, scheduler.last_epoch

    def _count(self, began: float, tick: int, step: int, rows: int, table: Array | None) -> None:
        """Note how many of these rows were trained since `tick`, and set the rates that then hold.

        `table` has those from the scheduler's `step` on.
        """
        seconds, batches = perf_counter() - began, self.engine.net._tick.item() - tick
        new: dict[str, Any] = {
            "seconds": self.seconds + seconds,
            "batch": self.batch + batches,
            "position": self.position + min(rows, batches * self._rows),
            "settled": True,
            "_unsettled": None,
        }
        if self._between or self.bar is not None:
            new["_pace"] = max(1, int(SLICE_SECONDS * batches / max(seconds, 1e-9)))
        scheduler = self.engine.scheduler
        if table is not None and isinstance(scheduler, LRScheduler):
            scheduler.take_row(table[self._updates(batches)], step + self._updates(batches))
        self.__dict__.update(new)

    def _not_finite(self, data: Data, order: Array | None, start: int, ahead: int) -> None:
        """Blame the data, or else tell the callbacks; what comes after the first such batch is trained unseen.

        The batch begins at row `start`; `ahead` batches of its group came before it, and were undone with it.
        """
        stop = min(len(data), start + self._rows)
        nonfinite.check_data(data, slice(start, stop) if order is None else order[start:stop])
        self._halt, self._failed = False, (data, stop - start, self.batch + ahead + 1)
        self.logs = self.engine.scoring.scores(self.sums, self.data.like)
        for callback in self.callbacks:
            callback.on_nonfinite(self)
        if self.history.stopped is None:
            message = f"the loss of batch {self.nonfinite_batch} of epoch {self.epoch + 1} is not finite: "
            message += f"{self.first_nonfinite()}. TerminateOnNaN() ends a run here"
            warnings.warn(message, RuntimeWarning, stacklevel=frames_to_caller())
        self._failed = None

    def _batches_to_go(self, rows: int) -> int:
        """How many batches to train before the compiled loop comes up."""
        batches = self._batches(rows)
        if self.bar is not None or any(c.every is None for c in self._between):
            batches = min(batches, self._pace)
        asked = [c.every - self.batch % c.every for c in self._between if c.every is not None]
        return self._updates(min([batches, *asked])) * self.accumulate

    def _batches(self, rows: int) -> int:
        return -(-rows // self._rows)

    def _updates(self, batches: int) -> int:
        return -(-batches // self.accumulate)

    def _call_between(self, before: int) -> None:
        """Call `on_batch_end` of those whose turn came since batch number `before`."""
        due = [c for c in self._between if c.every is None or self.batch // c.every > before // c.every]
        if due:
            self.logs = self.engine.scoring.scores(self.sums, self.data.like)
            self.settled = False
        for callback in due:
            callback.on_batch_end(self)
        self.settled = True

"""Whole epochs, one after the other, in one compiled call: of a run that nobody looks at in between."""

from __future__ import annotations

from collections import deque
from functools import partial
from operator import call
from time import perf_counter
from typing import Any

import numpy as np

from .._core.errors import NonFinite
from ..nn.python_loss import PythonLoss
from ..optim.lr_scheduler import LRScheduler
from .data import Data
from .run import Array
from .slices import Slices

FIRST = 16  # epochs of the first call
MOST = 1024  # of one call
CALL_SECONDS = 0.1  # of a call, about: a run in another thread can be stopped after each


class Epochs(Slices):
    """A run that can train several epochs in one call."""

    _quiet = False  # whether it does
    _ahead = FIRST  # epochs of the next call

    def _is_quiet(self) -> bool:
        """Whether all that the run does between its epochs is to note their records."""
        scheduler, engine = self.engine.scheduler, self.engine
        by_batch = scheduler is None or (isinstance(scheduler, LRScheduler) and scheduler.by == "batch")
        looked_at = self.callbacks or self.validation is not None or self.transform is not None or self.bar is not None
        in_python = isinstance(engine.loss, PythonLoss) or engine.optimizer.searches
        return by_batch and not looked_at and not in_python and type(self.data) is Data

    def _several_epochs(self) -> None:
        """Train some of the epochs that are left, about as many as `CALL_SECONDS` take."""
        began, before = perf_counter(), self.epoch
        self._train_epochs(min(self.epochs - before, MOST, self._ahead))
        pace = (self.epoch - before) / max(perf_counter() - began, 1e-9)
        self._ahead = max(1, int(CALL_SECONDS * pace))

    def _train_epochs(self, epochs: int) -> None:
        """Train so many epochs from the beginning of one, or fewer: until a loss that is not finite, or an error."""
        engine, data = self.engine, self.data
        assert isinstance(data, Data)
        length = data.samples - data.dropped
        self._rows = self.batch_size or length
        if data is not self._prepared:
            self._prepare(data, length)
        rates, table, step = self._rates(epochs * self._updates(self._batches(length)))
        order = np.zeros(data.samples, np.int64) if self.shuffle else None
        sums, seconds = np.zeros((epochs, self.sums.size)), np.zeros(epochs)
        self.settled = False
        self._unsettled = self._note_epochs, (engine.net._tick.item(), step, sums, seconds, table)
        streams, more = (self.seed, self.first + self.epoch, seconds), (rates, None, self.accumulate, None)
        try:
            engine.refresh()
            engine.run("step", data, order, 0, length, self._rows, sums, self._halt, *more, streams)
        except NonFinite:  # the loop comes to this batch again, and says what is wrong
            self._quiet = False
        finally:
            self.settle()

    def _note_epochs(self, tick: int, step: int, sums: Array, seconds: Array, table: Array | None) -> None:
        """Note the epochs that were trained since `tick`, and what was done of another one.

        `table` has the rates from the scheduler's `step` on.
        """
        engine, data = self.engine, self.data
        assert isinstance(data, Data)
        length = data.samples - data.dropped
        batches = self._batches(length)
        updates, scheduler = self._updates(batches), engine.scheduler
        done, more = divmod(int(engine.net._tick.item()) - tick, batches)
        rows = engine.scoring.scores_of_epochs(sums[:done], data)
        for row, spent in zip(rows, seconds.tolist(), strict=False):
            row["seconds"] = spent
        if table is not None and isinstance(scheduler, LRScheduler):
            for i, row in enumerate(rows):
                row["lr"] = float(table[i * updates, 0])
            self.lr = float(table[done * updates, 0])
            update = done * updates + self._updates(more)
            scheduler.take_row(table[update], step + update)
        epoch = self.epoch + done
        new = {
            "logs": rows[-1] if rows else self.logs, "epoch": epoch, "batch": more,
            "position": min(length, more * self._rows), "seconds": float(seconds[done]) if more else 0.0,
            "settled": True, "_unsettled": None,
        }  # fmt: skip
        trained = {"epochs": max(self.first + epoch, engine.epochs)}
        unfinished = sums[done] if more else np.zeros(self.sums.size)
        set_sums = partial(self.sums.put, np.arange(self.sums.size))
        changes: Any = self.history.rows.extend, set_sums, engine.__dict__.update, self.__dict__.update
        deque(map(call, changes, (rows, unfinished, trained, new)), 0)  # one call into C: a signal finds all or nothing

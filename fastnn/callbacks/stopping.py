"""Callbacks that end a run: when it gets no better, when numbers overflow, when time is up."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from .. import _schema as schema
from .. import _validation as check
from ..nn.state import check_arrays
from ..training.callback import Callback
from ..training.monitor import Monitor

if TYPE_CHECKING:
    from ..training.run import Run

STATE = schema.record(
    {
        "best": schema.number(),
        "best_epoch": schema.integer(),
        "waited": schema.integer(),
        "best_state": schema.mapping(schema.array()),
    }
)


class EarlyStopping(Callback):
    """Ends a run whose record has not improved for some epochs, and goes back to the best parameters.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The record to follow.
    patience : int, default 10
        The run ends after so many epochs in a row without improvement.
    min_delta : float, default 0
        A change by no more than this is no improvement.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more is better; "auto" tells by the name ("val_loss", "accuracy", "head_f1_macro", in any case),
        and is an error for names that are not known.
    restore_best : bool, default True
        Whether the network gets the parameters of its best epoch back when the run ends, however it ends (also by
        Ctrl-C). The optimizer's state stays that of the last epoch.
    baseline : float, optional
        What is no better than this is no improvement either.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        Its epoch, counted from 1; 0 if there was no improvement.

    Notes
    -----
    nan is never an improvement. The names are those of Keras; the default of `patience` is scikit-learn's.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
        baseline: float | None = None,
    ) -> None:
        self.monitor = Monitor(monitor, mode, min_delta)
        self.patience = check.check_integer("patience", patience, at_least=1)
        if not isinstance(restore_best, bool):
            raise TypeError(f"restore_best must be True or False, got {restore_best!r}")
        self.restore_best = restore_best
        self.baseline = self.monitor.worst if baseline is None else check.check_number("baseline", baseline)
        self._reset()

    def _reset(self) -> None:
        self.best, self.best_epoch, self.waited = self.baseline, 0, 0
        self._best_state: dict[str, Any] = {}

    def on_train_begin(self, run: Run) -> None:
        if not run.resumed:
            self._reset()

    def on_epoch_end(self, run: Run) -> None:
        value = self.monitor.value(run.logs)
        if self.monitor.better(value, self.best):
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            if self.restore_best:
                self._best_state = run.net.state_dict()
            return
        self.waited += 1
        if self.waited >= self.patience:
            since = f"epoch {self.best_epoch}" if self.best_epoch else "the beginning"
            run.stop(f"{self.monitor.name} has not improved on {self.best:.6g} since {since}")

    def on_train_end(self, run: Run) -> None:
        if self._best_state and self.best_epoch != run.epoch:
            run.net.load_state_dict(self._best_state)

    def state_dict(self) -> dict[str, Any]:
        best = {name: array.copy() for name, array in self._best_state.items()}
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, "best_state": best}

    def check_state(self, state: Any, run: Run | None = None) -> None:
        best = STATE(type(self).__name__, state)["best_state"]
        if best and run is not None:
            check_arrays(run.net.state_dict(), best)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        state = STATE(type(self).__name__, state)
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self._best_state = state["best_state"]


class TerminateOnNaN(Callback):
    """Ends a run at a loss that is not finite; `history.stopped` names the first layer with such a number.

    The loss is looked at in the compiled loop, before the gradient of the batch is: parameters and optimizer are as
    before that batch. (Data that are not finite are an error, with this callback and without.)
    """

    def on_nonfinite(self, run: Run) -> None:
        run.stop(f"the loss of batch {run.batch + 1} of epoch {run.epoch + 1} is not finite: {run.first_nonfinite()}")

    def on_epoch_end(self, run: Run) -> None:
        for name in ("loss", "val_loss"):
            if not math.isfinite(run.logs.get(name, 0.0)):
                run.stop(f"{name} of epoch {run.epoch} is {run.logs[name]}: {run.first_nonfinite()}")


class TimeLimit(Callback):
    """Ends a run after some time, also amid an epoch: within about a tenth of a second, or a batch.

    A run that is resumed from its checkpoint has that time anew.

    Parameters
    ----------
    seconds : float
        Of wall-clock time, counted from the beginning of the run.
    """

    every = None

    def __init__(self, seconds: float) -> None:
        self.seconds = check.check_number("seconds", seconds, above=0.0)
        self.began = math.inf

    def on_train_begin(self, run: Run) -> None:
        self.began = time.monotonic()

    def on_batch_end(self, run: Run) -> None:
        if time.monotonic() - self.began >= self.seconds:
            run.stop(f"the time limit of {self.seconds:g} s is over", pause=True)

    on_epoch_end = on_batch_end

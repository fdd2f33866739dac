"""Callbacks that end a run: if it no longer improves, if numbers overflow, if a time limit is reached."""

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
    """Ends a run whose record has not improved for some epochs, and restores the best parameters.

    An epoch improves if `value < best - min_delta` (mode "min") or `value > best + min_delta` (mode "max"). Epochs
    without validation (`fit(validation_freq=...)`) do not count where a record of validation is watched.

    Parameters
    ----------
    monitor : str, default "val_loss"
        Name of the record.
    patience : int, default 10
        The run ends after so many epochs in a row without improvement, 1 or more.
    min_delta : float, default 0.0
        A change by no more than this is no improvement, 0 or more.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more is better. "auto" decides by the name ("val_loss", "accuracy", "head_f1_macro", in any
        case), and raises ValueError for an unknown name.
    restore_best : bool, default True
        Whether the network gets the parameters and statistics of its best epoch back when the run ends, however it ends
        (also by Ctrl-C). The optimizer's state stays that of the last epoch. With `fit(validate_average=True)` these
        are the averaged parameters.
    baseline : float, optional
        The first value of `best`: an epoch must improve on it to count.
    relative : bool, default False
        Whether `min_delta` is a share of |best|: 0.01 asks for an improvement by more than 1 %.

    Attributes
    ----------
    best : float
        The best value so far.
    best_epoch : int
        Its epoch, counted from 1; 0 if there was no improvement.
    waited : int
        Number of epochs since then.

    Raises
    ------
    ValueError
        If an argument is out of range; after an epoch, if there is no record of this name.
    TypeError
        If an argument has the wrong type.

    Notes
    -----
    NaN is never an improvement. The names of the arguments are those of `keras.callbacks.EarlyStopping` (where
    `restore_best` is `restore_best_weights`); the default of `patience` is that of scikit-learn's `n_iter_no_change`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import callbacks, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))  # learns nothing
    >>> x, y = np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32")
    >>> history = trainer.fit(x, y, epochs=100, callbacks=[callbacks.EarlyStopping("loss", patience=2)])
    >>> history.epochs, history.stopped
    (3, 'loss has not improved on 4 since epoch 1')
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = True,
        baseline: float | None = None,
        relative: bool = False,
    ) -> None:
        self.monitor = Monitor(monitor, mode, min_delta, relative)
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
        if run.lacks(self.monitor.name):
            return
        value = self.monitor.value(run.logs)
        if self.monitor.better(value, self.best):
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            if self.restore_best:
                with run.validated():
                    self._best_state = run.net.state_dict()
            return
        self.waited += 1
        if self.waited >= self.patience:
            since = f"epoch {self.best_epoch}" if self.best_epoch else "the beginning"
            run.stop(f"{self.monitor.name} has not improved on {self.best:.6g} since {since}")

    def on_train_end(self, run: Run) -> None:
        if self._best_state and (self.best_epoch != run.epoch or run.validated_average is not None):
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
    """Ends a run at a loss that is not finite; `history.stopped` names the first parameter or layer that is not finite.

    Notes
    -----
    The compiled loop tests the loss of each batch before it computes the gradient: parameters and optimizer are as
    before that batch. After an epoch, "loss" and "val_loss" are tested too. NaN or infinity in the data raises
    ValueError, with or without this callback. Source: `keras.callbacks.TerminateOnNaN`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import callbacks, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=2.0**127, bias_init=0.0))  # overflows in float32
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    >>> x, y = np.array([[2], [4]], "float32"), np.zeros((2, 1), "float32")
    >>> history = trainer.fit(x, y, epochs=5, callbacks=[callbacks.TerminateOnNaN()])
    >>> history.epochs, history.stopped[:44]
    (0, 'the loss of batch 1 of epoch 1 is not finite')
    """

    def on_nonfinite(self, run: Run) -> None:
        batch, epoch = run.nonfinite_batch, run.epoch + 1
        run.stop(f"the loss of batch {batch} of epoch {epoch} is not finite: {run.first_nonfinite()}")

    def on_epoch_end(self, run: Run) -> None:
        for name in ("loss", "val_loss"):
            if not math.isfinite(run.logs.get(name, 0.0)):
                run.stop(f"{name} of epoch {run.epoch} is {run.logs[name]}: {run.first_nonfinite()}")


class TimeLimit(Callback):
    """Ends a run after a time, also within an epoch: within about a tenth of a second, or a batch.

    A run that is resumed from its checkpoint has the whole time again, and continues where it stopped.

    Parameters
    ----------
    seconds : float
        Wall-clock time from the beginning of the run, above 0.

    Raises
    ------
    ValueError, TypeError
        If `seconds` is not above 0, or not a number.

    Notes
    -----
    An epoch that is cut off is not recorded in the history, though its batches have been trained. Source: the argument
    `max_time` of `lightning.pytorch.Trainer`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import callbacks, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    >>> x = np.ones((4, 1), "float32")
    >>> trainer.fit(x, x, epochs=10**9, callbacks=[callbacks.TimeLimit(0.05)]).stopped
    'the time limit of 0.05 s is over'
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

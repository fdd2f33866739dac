"""Runs that an Optuna study ends early."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

from ..training.callback import Callback
from ..training.monitor import Monitor
from ..training.run import Run


class OptunaPruning(Callback):
    """Reports each epoch to an Optuna trial, and ends the run when the study's pruner says so.

    Parameters
    ----------
    trial : optuna.Trial
    monitor : str, default "val_loss"
        Name of the record that is reported. Epochs without it (`fit(validation_freq=...)`), or where it is NaN, are
        not.

    Raises
    ------
    TypeError
        If `trial` has no `report` and `should_prune`.
    ValueError
        After an epoch, if there is no record of this name.
    optuna.TrialPruned
        By `fit`, after `on_train_end` of all callbacks, where the pruner ends the trial: let it out of the objective.

    Notes
    -----
    Like `optuna.integration.KerasPruningCallback`. Optuna is imported when a trial is pruned.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import callbacks, nn, optim
    >>> class Trial:  # as optuna.Trial
    ...     def report(self, value, step):
    ...         print(f"epoch {step}: {value}")
    ...
    ...     def should_prune(self):
    ...         return False
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
    >>> x, y = np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32")
    >>> history = trainer.fit(x, y, epochs=2, callbacks=[callbacks.OptunaPruning(Trial(), "loss")])
    epoch 1: 4.0
    epoch 2: 4.0
    """

    in_checkpoints = False

    def __init__(self, trial: Any, monitor: str = "val_loss") -> None:
        for name in ("report", "should_prune"):
            if not callable(getattr(trial, name, None)):
                raise TypeError(f"trial must be an optuna.Trial, {type(trial).__name__} has no {name}()")
        self.trial, self._monitor = trial, Monitor(monitor, "min")  # which of two is better is the study's to say

    @property
    def monitor(self) -> str:
        """The name of the record."""
        return self._monitor.name

    def on_epoch_end(self, run: Run) -> None:
        """Report the record; raise `optuna.TrialPruned` if the pruner ends the trial."""
        if run.lacks(self.monitor):
            return
        value = self._monitor.value(run.logs)
        if math.isnan(value):
            return
        self.trial.report(value, run.epoch)
        if self.trial.should_prune():
            raise import_module("optuna").TrialPruned(f"{self.monitor} is {value:.4g} after epoch {run.epoch}")

"""The schedule that depends on a metric."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import _validation as check
from ..directions import direction
from ..optimizer import Optimizer
from .base import MAX_STEPS, Scheduler, check_optimizer, per_group


class ReduceLROnPlateau(Scheduler):
    """Reduce the rate when a metric has not improved for more than patience steps.

    lr = max(lr * factor, min_lr) after patience + 1 steps without improvement

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    mode : {"auto", "min", "max"}, default "auto"
        Whether smaller or larger is better; "auto" decides by the name of monitor: "min" for a loss, as PyTorch's
        default.
    factor : float in [0, 1), default 0.1
        Factor of each reduction.
    patience : int, at least 0, default 10
        Number of steps without improvement that are tolerated.
    threshold : float, at least 0, default 1e-4
        By how much a value must be better than the best one to count as an improvement.
    threshold_mode : {"rel", "abs"}, default "rel"
        Whether threshold is a fraction of the magnitude of the best value, or a difference.
    cooldown : int, at least 0, default 0
        Number of steps after a reduction that do not count as steps without improvement.
    min_lr : float, at least 0, or list with one for each parameter group, default 0
        Smallest rate.
    eps : float, at least 0, default 1e-8
        A reduction by eps or less is skipped.
    monitor : str, default "val_loss"
        Record of the history that a trainer steps it with, after each epoch; "loss" where there is no validation.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or mode
        is "auto" and the name of monitor is not known.

    Notes
    -----
    Source: torch.optim.lr_scheduler.ReduceLROnPlateau. NaN is never an improvement.

    "rel" requires an improvement by threshold * abs(best). PyTorch compares with best * (1 - threshold), or best * (1 +
    threshold), which is the same for positive values; for negative ones (a log-likelihood) it counts a worse value as
    an improvement.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (1.0, 0.9, 0.9, 0.9):
    ...     scheduler.step(loss)
    ...     print(optimizer.lr)
    1.0
    1.0
    1.0
    0.5
    """

    arguments = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps")
    STATE = ("best", "num_bad_epochs", "cooldown_counter")

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "auto",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0.0,
        eps: float = 1e-8,
        *,
        monitor: str = "val_loss",
    ) -> None:
        check_optimizer(optimizer)
        check.check_choice("mode", mode, ("min", "max", "auto"))
        check.check_choice("threshold_mode", threshold_mode, ("rel", "abs"))
        if not isinstance(monitor, str):
            raise TypeError(f"monitor must be the name of a record, got {monitor!r}")
        self.mode, self.threshold_mode, self.monitor = direction(monitor, mode), threshold_mode, monitor
        self.factor = check.check_number("factor", factor, at_least=0.0, below=1.0)
        self.patience = check.check_integer("patience", patience, at_least=0)
        self.threshold = check.check_number("threshold", threshold, at_least=0.0)
        self.cooldown = check.check_integer("cooldown", cooldown, at_least=0)
        self.min_lr = per_group("min_lr", min_lr, optimizer)
        self.eps = check.check_number("eps", eps, at_least=0.0)
        super().__init__(optimizer, "epoch")
        self.last_epoch = self.num_bad_epochs = self.cooldown_counter = 0
        self.best = math.inf if self.mode == "min" else -math.inf

    def step(self, metrics: Any) -> None:
        """Count a step with a value of the metric, and reduce the rates after patience + 1 steps without improvement.

        Parameters
        ----------
        metrics : float
            The value, NaN included.

        Raises
        ------
        TypeError, ValueError
            If metrics is not a number.
        """
        current = check.check_number("metrics", metrics) if metrics == metrics else math.nan
        best, bad, cooldown = self.best, self.num_bad_epochs + 1, self.cooldown_counter
        if self._is_better(current):
            best, bad = current, 0
        if cooldown > 0:
            cooldown, bad = cooldown - 1, 0
        old = np.array(self._now())
        new = np.maximum(old * self.factor, self.min_lr)
        reduced = bad > self.patience
        if reduced:
            cooldown, bad = self.cooldown, 0
        state = {"last_epoch": self.last_epoch + 1, "best": best, "num_bad_epochs": bad, "cooldown_counter": cooldown}
        if reduced and (changed := old - new > self.eps).any():
            self._take(np.where(changed, new, old), **state)
        else:
            vars(self).update(state, _last=old.tolist())

    def _is_better(self, current: float) -> bool:
        margin = self.threshold
        if self.threshold_mode == "rel" and math.isfinite(self.best):
            margin *= abs(self.best)
        return current > self.best + margin if self.mode == "max" else current < self.best - margin

    def value_from(self, records: dict[str, float]) -> float:
        """The monitored value among the records of an epoch.

        Parameters
        ----------
        records : dict of str to float

        Raises
        ------
        ValueError
            If it is missing; the message names those that are present.
        """
        name = self.monitor
        if name == "val_loss" and name not in records:
            name = "loss"
        if name not in records:
            raise ValueError(f"monitor: there is no record {name!r}, only {', '.join(sorted(records))}")
        return records[name]

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {name: getattr(self, name) for name in self.STATE} | {"last_lr": self._now()}

    def check_state(self, state: Any) -> None:
        super().check_state(state)
        check.check_number("best", state["best"])
        for name in self.STATE[1:]:
            check.check_integer(name, state[name], at_least=0, at_most=MAX_STEPS)
        if not isinstance(state["last_lr"], (list, tuple)):
            raise TypeError(f"last_lr must be a list, got {type(state['last_lr']).__name__}")
        per_group("last_lr", state["last_lr"], self.optimizer)

    def take_state(self, state: dict[str, Any]) -> None:
        super().take_state(state)
        self.best = float(state["best"])
        self.num_bad_epochs, self.cooldown_counter = int(state["num_bad_epochs"]), int(state["cooldown_counter"])
        self._take(np.array(state["last_lr"], "float64"))

"""The schedule for averaging weights: from the current rate to one that stays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import _validation as check
from ..optimizer import Optimizer
from .base import MAX_STEPS, Array, each, per_group
from .schedule import LRScheduler

STRATEGIES = ("cos", "linear")


class SWALR(LRScheduler):
    """From the current rate to swa_lr, which then stays, while `optim.SWA` averages the weights.

        lr = (1 - alpha) * base_lr + alpha * swa_lr, where t = min(1, step / anneal_epochs) and
        alpha is (1 - cos(pi * t)) / 2, or t with "linear"

    It can be made before another scheduler ends, and is stepped after it: the rate moves on from the one that is there.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    swa_lr : float, at least 0, or list with one for each parameter group
        The last rate.
    anneal_epochs : int, at least 0, default 10
        Number of steps until it is reached; with 0 it is set at once.
    anneal_strategy : {"cos", "linear"}, default "cos"
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, default "epoch"
        After which a trainer steps it.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range.

    Notes
    -----
    Source: Izmailov et al., 2018 (UAI; arXiv:1803.05407); torch.optim.swa_utils.SWALR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.SWALR(optimizer, swa_lr=0.5, anneal_epochs=4, anneal_strategy="linear")
    >>> scheduler.table(6).ravel().tolist()
    [1.0, 0.875, 0.75, 0.625, 0.5, 0.5]
    """

    arguments = ("swa_lr", "anneal_epochs", "anneal_strategy")

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
        *,
        by: str = "epoch",
    ) -> None:
        self.swa_lr = per_group("swa_lr", swa_lr, optimizer)
        self.anneal_epochs = check.check_integer("anneal_epochs", anneal_epochs, at_least=0, at_most=MAX_STEPS)
        check.check_choice("anneal_strategy", anneal_strategy, STRATEGIES)
        self.anneal_strategy = anneal_strategy
        super().__init__(optimizer, last_epoch, by)

    def _alpha(self, steps: Array) -> Array:
        """The share of swa_lr at each step, as a column."""
        at_once = self.anneal_epochs == 0
        t = np.clip((np.maximum(steps, 1) if at_once else steps) / max(1, self.anneal_epochs), 0.0, 1.0)
        return (t if self.anneal_strategy == "linear" else (1.0 - each(math.cos, math.pi * t)) / 2)[:, None]

    def values(self, steps: Array) -> Array:
        alpha = self._alpha(steps)
        return np.array(self.base_lrs) * (1.0 - alpha) + np.array(self.swa_lr) * alpha

    def links(self, steps: Array) -> tuple[Array, Array]:
        """Scale what is left of the first rate; at the end, set the last one."""
        now, before = self._alpha(steps), self._alpha(np.maximum(steps - 1, 0))
        if self.anneal_epochs == 0:
            before = np.where(steps[:, None] <= 1, 0.0, before)
        a = np.divide(1.0 - now, 1.0 - before, out=np.zeros_like(now), where=before != 1)
        return np.tile(a, self.groups), np.array(self.swa_lr) * np.where(before == 1, 1.0, now - before * a)

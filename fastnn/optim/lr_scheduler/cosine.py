"""Schedules along a cosine (Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017)."""

from __future__ import annotations

import math

import numpy as np

from ... import _validation as check
from ..optimizer import Optimizer
from .base import Array, LRScheduler, each
from .scaling import check_steps


def halfway(turns: Array) -> Array:
    """(1 + cos(pi * turns)) / 2: 1 at 0, 0 at 1."""
    return (1.0 + each(math.cos, math.pi * turns)) / 2


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (base_lr - eta_min) * (1 + cos(pi * step / T_max)) / 2

    It falls to eta_min in T_max steps, then rises again in as many.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int, at least 1
    eta_min : float, at least 0, default 0
    last_epoch, by
        As for `LRScheduler`.
    """

    arguments = ("T_max", "eta_min")

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1, *, by: str = "epoch"
    ) -> None:
        self.T_max = check_steps("T_max", T_max)
        self.eta_min = check.check_number("eta_min", eta_min, at_least=0.0)
        super().__init__(optimizer, last_epoch, by)

    def values(self, steps: Array) -> Array:
        return self.eta_min + (np.array(self.base_lrs) - self.eta_min) * halfway(steps / self.T_max)[:, None]

    def links(self, steps: Array) -> tuple[Array, Array]:
        """What is above eta_min is scaled; from the bottom, where that is 0, it rises by PyTorch's amount."""
        now, before = halfway(steps / self.T_max), halfway((steps - 1) / self.T_max)
        bottom = (steps - 1 - self.T_max) % (2 * self.T_max) == 0
        kept = bottom | (steps == 0)
        a = np.divide(now, before, out=np.ones_like(now), where=~kept)[:, None]
        rise = (np.array(self.base_lrs) - self.eta_min) * (1.0 - halfway(np.array([1.0 / self.T_max])))
        return np.tile(a, self.groups), np.where(bottom[:, None], rise, self.eta_min * (1.0 - a))


class CosineAnnealingWarmRestarts(LRScheduler):
    """A cosine from base_lr to eta_min over T_0 steps, again over T_0 * T_mult steps, and so on.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int, at least 1
        Steps until the first restart.
    T_mult : int, at least 1, default 1
        How many times as long each period is as the one before.
    eta_min : float, at least 0, default 0
    last_epoch, by
        As for `LRScheduler`. With by="batch", T_0 counts batches.
    """

    arguments = ("T_0", "T_mult", "eta_min")

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        *,
        by: str = "epoch",
    ) -> None:
        self.T_0, self.T_mult = check_steps("T_0", T_0), check_steps("T_mult", T_mult)
        self.eta_min = check.check_number("eta_min", eta_min, at_least=0.0)
        super().__init__(optimizer, last_epoch, by)

    def values(self, steps: Array) -> Array:
        span = np.array(self.base_lrs) - self.eta_min
        return self.eta_min + span * halfway(self._share(steps))[:, None]

    def _share(self, steps: Array) -> Array:
        """Which share of its period each step has behind it."""
        if self.T_mult == 1:
            return steps % self.T_0 / self.T_0
        starts, period = [0], self.T_0
        while starts[-1] + period <= steps[-1]:
            starts.append(starts[-1] + period)
            period *= self.T_mult
        periods = np.array([self.T_0 * self.T_mult**n for n in range(len(starts))], "float64")
        n = np.searchsorted(starts, steps, side="right") - 1
        return (steps - np.array(starts)[n]) / periods[n]

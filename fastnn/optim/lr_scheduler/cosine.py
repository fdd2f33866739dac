"""Schedules along a cosine (Loshchilov and Hutter, 2017, "SGDR: stochastic gradient descent with warm restarts")."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import _validation as check
from ..optimizer import Optimizer
from .base import MAX_STEPS, Array, each
from .scaling import check_steps
from .schedule import LRScheduler


def halfway(turns: Array) -> Array:
    """(1 + cos(pi * turns)) / 2: 1 at 0, 0 at 1."""
    return (1.0 + each(math.cos, math.pi * turns)) / 2


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the base rate to eta_min.

    lr = eta_min + (base_lr - eta_min) * (1 + cos(pi * step / T_max)) / 2

    After that the rate rises for T_max steps, falls again, and so on.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    T_max : int, at least 1
        Number of steps until the rate is eta_min.
    eta_min : float, at least 0, default 0
        Smallest rate.
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
    Source: Loshchilov and Hutter, 2017 (ICLR; arXiv:1608.03983); torch.optim.lr_scheduler.CosineAnnealingLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> scheduler.table(5).ravel().round(4).tolist()
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
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
        """Scale the part above eta_min; where it is 0, at the minimum, add the amount that PyTorch adds."""
        now, before = halfway(steps / self.T_max), halfway((steps - 1) / self.T_max)
        bottom = (steps - 1 - self.T_max) % (2 * self.T_max) == 0
        kept = bottom | (steps == 0)
        a = np.divide(now, before, out=np.ones_like(now), where=~kept)[:, None]
        rise = (np.array(self.base_lrs) - self.eta_min) * (1.0 - halfway(np.array([1.0 / self.T_max])))
        return np.tile(a, self.groups), np.where(bottom[:, None], rise, self.eta_min * (1.0 - a))


class CosineAnnealingWarmRestarts(LRScheduler):
    """A cosine from the base rate to eta_min, restarted at the base rate after each period.

    lr = eta_min + (base_lr - eta_min) * (1 + cos(pi * t / T)) / 2, where t is the step within a period of T steps

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    T_0 : int, at least 1
        Length of the first period in steps; with by="batch" in batches.
    T_mult : int, at least 1, default 1
        Factor of the length from each period to the next.
    eta_min : float, at least 0, default 0
        Smallest rate.
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
    Source: Loshchilov and Hutter, 2017 (ICLR; arXiv:1608.03983); torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.
    It sets the rate regardless of the current one.

    `step(epoch)` sets any point of the schedule, fractions too, as for PyTorch's after each batch. Where an epoch
    begins a period, PyTorch's may be at the end of the one before, by rounding of a logarithm; this one never is.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> scheduler.table(7).ravel().round(4).tolist()
    [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0]
    >>> scheduler.step(1.5)
    >>> round(optimizer.lr, 4), scheduler.last_epoch
    (0.1464, 1)
    """

    arguments = ("T_0", "T_mult", "eta_min")
    fraction = 0.0  # of a step, that the schedule is ahead of last_epoch

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
        return self._at(steps + self.fraction)

    def step(self, epoch: float | None = None) -> None:
        """Advance by one step, or to a point of the schedule.

        Parameters
        ----------
        epoch : float, at least 0, optional
            The point, in steps from 0 on: epoch + batch / batches to set the rate after each batch. Later steps without
            it keep its fraction.

        Raises
        ------
        TypeError, ValueError
            If epoch is not such a number.
        """
        if epoch is None:
            super().step()
            return
        point = check.check_number("epoch", epoch, at_least=0.0, at_most=float(MAX_STEPS))
        row, step = self._at(np.array([point])), math.floor(point)
        self._take(self._in_range(row, step)[0], last_epoch=step, fraction=point - step)

    def _at(self, steps: Array) -> Array:
        span = np.array(self.base_lrs) - self.eta_min
        return self.eta_min + span * halfway(self._share(steps))[:, None]

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | ({"fraction": self.fraction} if self.fraction else {})

    def check_state(self, state: Any) -> None:
        super().check_state(state if not isinstance(state, dict) else {"fraction": 0.0} | state)
        check.check_number("fraction", state.get("fraction", 0.0), at_least=0.0, below=1.0)

    def take_state(self, state: dict[str, Any]) -> None:
        self.fraction = float(state.get("fraction", 0.0))
        super().take_state(state)

    def _share(self, steps: Array) -> Array:
        """The fraction of its period that is done at each step, which may be a fraction itself."""
        if self.T_mult == 1:
            return steps % self.T_0 / self.T_0
        starts, period = [0], self.T_0
        while starts[-1] + period <= steps[-1]:
            starts.append(starts[-1] + period)
            period *= self.T_mult
        periods = np.array([self.T_0 * self.T_mult**n for n in range(len(starts))], "float64")
        n = np.searchsorted(starts, steps, side="right") - 1
        return (steps - np.array(starts)[n]) / periods[n]

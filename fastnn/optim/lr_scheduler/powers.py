"""Schedules that scale the base rates by a power: lr = base_lr * gamma^n."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ... import _validation as check
from ..optimizer import Optimizer
from .base import MAX_STEPS, Array, each
from .scaling import Scaling, check_steps


class Powers(Scaling):
    """Base class of the schedules that scale by powers of `gamma`."""

    gamma: float

    def exponents(self, steps: Array) -> Array:
        """The exponents at `steps`, integers."""
        raise NotImplementedError

    def factors(self, steps: Array) -> Array:
        return powers(self.gamma, self.exponents(steps))

    def links(self, steps: Array) -> tuple[Array, Array]:
        before = np.where(steps > 0, self.exponents(np.maximum(steps - 1, 0)), 0)
        scale = np.tile(powers(self.gamma, self.exponents(steps) - before)[:, None], self.groups)
        return scale, np.zeros_like(scale)


def powers(gamma: float, exponents: Array) -> Array:
    """`gamma` to the power of integers; infinity on overflow."""

    def power(exponent: int) -> float:
        try:
            return gamma**exponent
        except OverflowError:
            return math.inf

    return each(power, exponents)


def check_gamma(gamma: Any) -> float:
    return check.check_number("gamma", gamma, at_least=0.0)


def check_milestones(milestones: Any, at_least: int, sort: bool = False) -> list[int]:
    """`milestones` as a list of increasing integers; with `sort` they are sorted, and may be equal."""
    if not hasattr(milestones, "__iter__"):
        raise TypeError(f"milestones must be a list of integers, got {type(milestones).__name__}")
    steps = [check.check_integer("milestones", m, at_least=at_least, at_most=MAX_STEPS) for m in milestones]
    if sort:
        return sorted(steps)
    if any(a >= b for a, b in pairwise(steps)):
        raise ValueError(f"milestones must be increasing, got {steps}: give each step once")
    return steps


class StepLR(Powers):
    """The base rate times gamma after every step_size steps.

    lr = base_lr * gamma^(step // step_size)

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    step_size : int, at least 1
        Number of steps between two reductions.
    gamma : float, at least 0, default 0.1
        Factor of each reduction.
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
    Source: torch.optim.lr_scheduler.StepLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> scheduler.table(6).ravel().tolist()
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    arguments = ("step_size", "gamma")

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1, *, by: str = "epoch"
    ) -> None:
        self.step_size, self.gamma = check_steps("step_size", step_size), check_gamma(gamma)
        super().__init__(optimizer, last_epoch, by)

    def exponents(self, steps: Array) -> Array:
        return steps // self.step_size


class MultiStepLR(Powers):
    """The base rate times gamma at each of some steps.

    lr = base_lr * gamma^n, where n is the number of milestones <= step

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    milestones : list of int, at least 0, in any order
        Steps at which the rate is multiplied by gamma, once for each time that they are listed.
    gamma : float, at least 0, default 0.1
        Factor of each reduction.
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
    Source: torch.optim.lr_scheduler.MultiStepLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 4], gamma=0.5)
    >>> scheduler.table(6).ravel().tolist()
    [1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
    """

    arguments = ("milestones", "gamma")

    def __init__(
        self, optimizer: Optimizer, milestones: Any, gamma: float = 0.1, last_epoch: int = -1, *, by: str = "epoch"
    ) -> None:
        self.milestones, self.gamma = check_milestones(milestones, 0, sort=True), check_gamma(gamma)
        super().__init__(optimizer, last_epoch, by)

    def exponents(self, steps: Array) -> Array:
        return np.searchsorted(self.milestones, steps, side="right")


class ExponentialLR(Powers):
    """The base rate times gamma after every step.

    lr = base_lr * gamma^step

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    gamma : float, at least 0
        Factor of each step.
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
    Source: torch.optim.lr_scheduler.ExponentialLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler.table(4).ravel().tolist()
    [1.0, 0.5, 0.25, 0.125]
    """

    arguments = ("gamma",)

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, *, by: str = "epoch") -> None:
        self.gamma = check_gamma(gamma)
        super().__init__(optimizer, last_epoch, by)

    def exponents(self, steps: Array) -> Array:
        return steps

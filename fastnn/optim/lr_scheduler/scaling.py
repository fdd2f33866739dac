"""Schedules that scale the base rates: lr = base_lr * factor(step); powers.py has those whose factor is a power."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from ... import _validation as check
from ..optimizer import Optimizer
from .base import MAX_STEPS, Array, each, group_count
from .schedule import LRScheduler


class Scaling(LRScheduler):
    """Base class of the schedules that scale the base rates."""

    def factors(self, steps: Array) -> Array:
        """The factors at `steps`, ascending, of shape (n,), or (n, groups) where they differ by group."""
        raise NotImplementedError

    def values(self, steps: Array) -> Array:
        return np.array(self.base_lrs) * self.factors(steps).reshape(len(steps), -1)

    def links(self, steps: Array) -> tuple[Array, Array]:
        shape = len(steps), self.groups
        now = np.broadcast_to(self.factors(steps).reshape(len(steps), -1), shape)
        before = self.factors(np.maximum(steps - 1, 0)).reshape(len(steps), -1)
        before = np.where(steps[:, None] > 0, before, 1.0)
        lost = (before == 0) & (now != 0)  # a rate of 0 cannot be scaled to another value
        ratio = np.divide(now, before, out=np.ones(shape), where=(before != 0) & (now != before))
        return np.where(lost, 0.0, ratio), np.where(lost, self.values(steps), 0.0)


def check_steps(name: str, value: Any) -> int:
    return check.check_integer(name, value, at_least=1, at_most=MAX_STEPS)


def check_total_iters(value: Any) -> int:
    """`total_iters` as an integer of at least 1, or 0."""
    none = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value == 0
    return 0 if none else check_steps("total_iters", value)


def done(steps: Array, total_iters: int) -> Array:
    """The fraction of total_iters that is done at each step, at most 1; 0 if there are none."""
    return np.minimum(steps, total_iters) / (total_iters or 1)


def check_lambdas(lr_lambda: Any, optimizer: Optimizer) -> list[Callable[[int], float]]:
    """A function for each parameter group, from a list of them or from one for all."""
    lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * group_count(optimizer)
    if len(lambdas) != group_count(optimizer):
        raise ValueError(f"lr_lambda must have {group_count(optimizer)} functions, one a group, got {len(lambdas)}")
    for function in lambdas:
        if not callable(function):
            raise TypeError(f"lr_lambda must be a function of the step, got {type(function).__name__}")
    return lambdas


class LambdaLR(Scaling):
    """The base rate times a function of the step.

    lr = base_lr * lr_lambda(step)

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    lr_lambda : callable, or list with one for each parameter group
        Returns the factor, a number, for a step, an int. A trainer that steps it by batch calls it for all batches of
        an epoch beforehand.
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, default "epoch"
        After which a trainer steps it.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or a
        function does not return a number.

    Notes
    -----
    Source: torch.optim.lr_scheduler.LambdaLR. It sets the rate regardless of the current one.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 ** (step // 2))
    >>> scheduler.table(4).ravel().tolist()
    [1.0, 1.0, 0.5, 0.5]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1, *, by: str = "epoch") -> None:
        self.lr_lambdas = check_lambdas(lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        return np.stack([each(function, steps, "lr_lambda") for function in self.lr_lambdas], 1)

    def links(self, steps: Array) -> tuple[Array, Array]:
        return LRScheduler.links(self, steps)  # as in PyTorch, it sets the rates regardless of the current ones


class MultiplicativeLR(Scaling):
    """The rate of the previous step times a function of the step.

    lr(step) = lr(step - 1) * lr_lambda(step), where lr(0) = base_lr

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    lr_lambda : callable, or list with one for each parameter group
        Returns the factor, a number, for a step, an int. It is called once for each step, in order, for some steps in
        advance.
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, default "epoch"
        After which a trainer steps it.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or a
        function does not return a number.

    Notes
    -----
    Source: torch.optim.lr_scheduler.MultiplicativeLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.MultiplicativeLR(optimizer, lambda step: 0.5)
    >>> scheduler.table(4).ravel().tolist()
    [1.0, 0.5, 0.25, 0.125]
    """

    walks = True

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1, *, by: str = "epoch") -> None:
        self.lr_lambdas = check_lambdas(lr_lambda, optimizer)
        self._ratios = [[1.0] for _ in self.lr_lambdas]  # for each group, [i] is the factor from step i - 1 to i
        self._products = [[1.0] for _ in self.lr_lambdas]  # and from step 0 to i
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        self._reach(int(steps[-1]))
        return np.array([[products[i] for products in self._products] for i in steps.tolist()])

    def links(self, steps: Array) -> tuple[Array, Array]:
        self._reach(int(steps[-1]))
        scale = np.array([[ratios[i] for ratios in self._ratios] for i in steps.tolist()])
        return scale, np.zeros_like(scale)

    def _reach(self, step: int) -> None:
        """Call the functions for all steps up to this one for which they have not been called."""
        for function, ratios, products in zip(self.lr_lambdas, self._ratios, self._products, strict=True):
            new = each(function, np.arange(len(ratios), step + 1), "lr_lambda").tolist()
            products.extend(accumulate(new, mul, initial=products.pop()))
            ratios.extend(new)


class ConstantLR(Scaling):
    """The base rate times a factor for the first total_iters steps.

    lr = base_lr * factor where step < total_iters, else base_lr

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    factor : float in [0, 1], default 1/3
        Factor of the first steps.
    total_iters : int, at least 0, default 5
        Number of the first steps. With 0 the factor is for all steps, as in PyTorch.
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
    Source: torch.optim.lr_scheduler.ConstantLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> scheduler.table(4).ravel().tolist()
    [0.5, 0.5, 1.0, 1.0]
    """

    arguments = ("factor", "total_iters")

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
        *,
        by: str = "epoch",
    ) -> None:
        self.factor = check.check_number("factor", factor, at_least=0.0, at_most=1.0)
        self.total_iters = check_total_iters(total_iters)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        return np.where((steps < self.total_iters) | (self.total_iters == 0), self.factor, 1.0)


class LinearLR(Scaling):
    """A straight line between two factors of the base rate, constant afterwards.

    lr = base_lr * (start_factor + (end_factor - start_factor) * min(step, total_iters) / total_iters)

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    start_factor : float in (0, 1], default 1/3
        Factor of step 0.
    end_factor : float in [0, 1], default 1
        Factor from step total_iters on.
    total_iters : int, at least 0, default 5
        Number of steps of the line. With 0 the rate stays at base_lr * start_factor, as in PyTorch.
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
    Source: torch.optim.lr_scheduler.LinearLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=4)
    >>> scheduler.table(6).ravel().tolist()
    [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]
    """

    arguments = ("start_factor", "end_factor", "total_iters")

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
        *,
        by: str = "epoch",
    ) -> None:
        self.start_factor = check.check_number("start_factor", start_factor, above=0.0, at_most=1.0)
        self.end_factor = check.check_number("end_factor", end_factor, at_least=0.0, at_most=1.0)
        self.total_iters = check_total_iters(total_iters)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        share = done(steps, self.total_iters)
        return self.start_factor + (self.end_factor - self.start_factor) * share


class PolynomialLR(Scaling):
    """A power of a straight line from the base rate to 0, constant afterwards.

    lr = base_lr * (1 - min(step, total_iters) / total_iters)^power

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    total_iters : int, at least 0, default 5
        Number of steps until the rate is 0. With 0 the rate stays at base_lr, as in PyTorch.
    power : float, at least 0, default 1
        Exponent; 1 is a straight line.
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
    Source: torch.optim.lr_scheduler.PolynomialLR.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4, power=2.0)
    >>> scheduler.table(5).ravel().tolist()
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    arguments = ("total_iters", "power")

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1, *, by: str = "epoch"
    ) -> None:
        self.total_iters = check_total_iters(total_iters)
        self.power = check.check_number("power", power, at_least=0.0)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        return each(lambda rest: rest**self.power, 1.0 - done(steps, self.total_iters))

"""Schedules that scale the base rates: lr = base_lr * factor(step)."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate, pairwise
from operator import mul
from typing import Any

import numpy as np

from ... import _validation as check
from ..optimizer import Optimizer
from .base import MAX_STEPS, Array, LRScheduler, each, group_count


class Scaling(LRScheduler):
    """Base of the schedules that scale."""

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
        lost = (before == 0) & (now != 0)  # a rate that was 0 cannot be scaled back
        ratio = np.divide(now, before, out=np.ones(shape), where=(before != 0) & (now != before))
        return np.where(lost, 0.0, ratio), np.where(lost, self.values(steps), 0.0)


class Powers(Scaling):
    """Base of those that scale by powers of `gamma`."""

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
    """`gamma` to integers; infinity where that is too large."""

    def power(exponent: int) -> float:
        try:
            return gamma**exponent
        except OverflowError:
            return math.inf

    return each(power, exponents)


def check_gamma(gamma: Any) -> float:
    return check.check_number("gamma", gamma, at_least=0.0)


def check_steps(name: str, value: Any) -> int:
    return check.check_integer(name, value, at_least=1, at_most=MAX_STEPS)


def check_milestones(milestones: Any, at_least: int) -> list[int]:
    """`milestones` as a list of increasing integers."""
    if not hasattr(milestones, "__iter__"):
        raise TypeError(f"milestones must be a list of integers, got {type(milestones).__name__}")
    steps = [check.check_integer("milestones", m, at_least=at_least, at_most=MAX_STEPS) for m in milestones]
    if any(a >= b for a, b in pairwise(steps)):
        raise ValueError(f"milestones must be increasing, got {steps}")
    return steps


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
    """lr = base_lr * lr_lambda(step)

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function of an int, or a list of one for each parameter group
        A trainer that steps it by batch calls it for all batches of an epoch beforehand.
    last_epoch, by
        As for `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1, *, by: str = "epoch") -> None:
        self.lr_lambdas = check_lambdas(lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        return np.stack([each(function, steps, "lr_lambda") for function in self.lr_lambdas], 1)

    def links(self, steps: Array) -> tuple[Array, Array]:
        return LRScheduler.links(self, steps)  # as PyTorch's: it sets the rates, whatever they were


class MultiplicativeLR(Scaling):
    """lr(step) = lr(step - 1) * lr_lambda(step), beginning with base_lr at step 0.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function of an int, or a list of one for each parameter group
        It is called once for each step, in order, sometimes beforehand.
    last_epoch, by
        As for `LRScheduler`.
    """

    walks = True

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1, *, by: str = "epoch") -> None:
        self.lr_lambdas = check_lambdas(lr_lambda, optimizer)
        self._ratios = [[1.0] for _ in self.lr_lambdas]  # number i of each: the factor at step i by that before it
        self._products = [[1.0] for _ in self.lr_lambdas]  # and by the first
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        self._reach(int(steps[-1]))
        return np.array([[products[i] for products in self._products] for i in steps.tolist()])

    def links(self, steps: Array) -> tuple[Array, Array]:
        self._reach(int(steps[-1]))
        scale = np.array([[ratios[i] for ratios in self._ratios] for i in steps.tolist()])
        return scale, np.zeros_like(scale)

    def _reach(self, step: int) -> None:
        """Call the functions up to a step."""
        for function, ratios, products in zip(self.lr_lambdas, self._ratios, self._products, strict=True):
            new = each(function, np.arange(len(ratios), step + 1), "lr_lambda").tolist()
            products.extend(accumulate(new, mul, initial=products.pop()))
            ratios.extend(new)


class StepLR(Powers):
    """lr = base_lr * gamma^(step // step_size)

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int, at least 1
    gamma : float, at least 0, default 0.1
    last_epoch, by
        As for `LRScheduler`.
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
    """lr = base_lr * gamma^n, where n of the milestones have been reached.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : increasing integers, at least 0
    gamma : float, at least 0, default 0.1
    last_epoch, by
        As for `LRScheduler`.
    """

    arguments = ("milestones", "gamma")

    def __init__(
        self, optimizer: Optimizer, milestones: Any, gamma: float = 0.1, last_epoch: int = -1, *, by: str = "epoch"
    ) -> None:
        self.milestones, self.gamma = check_milestones(milestones, 0), check_gamma(gamma)
        super().__init__(optimizer, last_epoch, by)

    def exponents(self, steps: Array) -> Array:
        return np.searchsorted(self.milestones, steps, side="right")


class ConstantLR(Scaling):
    """lr = base_lr * factor for the first total_iters steps, base_lr afterwards.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float in [0, 1], default 1/3
    total_iters : int, at least 1, default 5
    last_epoch, by
        As for `LRScheduler`.
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
        self.total_iters = check_steps("total_iters", total_iters)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        return np.where(steps < self.total_iters, self.factor, 1.0)


class LinearLR(Scaling):
    """From base_lr * start_factor to base_lr * end_factor in a straight line of total_iters steps, constant afterwards.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float in (0, 1], default 1/3
    end_factor : float in [0, 1], default 1
    total_iters : int, at least 1, default 5
    last_epoch, by
        As for `LRScheduler`.
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
        self.total_iters = check_steps("total_iters", total_iters)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        share = np.minimum(steps, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * share


class ExponentialLR(Powers):
    """lr = base_lr * gamma^step

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float, at least 0
    last_epoch, by
        As for `LRScheduler`.
    """

    arguments = ("gamma",)

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, *, by: str = "epoch") -> None:
        self.gamma = check_gamma(gamma)
        super().__init__(optimizer, last_epoch, by)

    def exponents(self, steps: Array) -> Array:
        return steps


class PolynomialLR(Scaling):
    """lr = base_lr * (1 - step / total_iters)^power, and 0 afterwards.

    Parameters
    ----------
    optimizer : Optimizer
    total_iters : int, at least 1, default 5
    power : float, at least 0, default 1
    last_epoch, by
        As for `LRScheduler`.
    """

    arguments = ("total_iters", "power")

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1, *, by: str = "epoch"
    ) -> None:
        self.total_iters = check_steps("total_iters", total_iters)
        self.power = check.check_number("power", power, at_least=0.0)
        super().__init__(optimizer, last_epoch, by)

    def factors(self, steps: Array) -> Array:
        return each(lambda rest: rest**self.power, 1.0 - np.minimum(steps, self.total_iters) / self.total_iters)

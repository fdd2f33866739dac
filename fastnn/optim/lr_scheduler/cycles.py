"""Cyclic schedules, in which the momentum falls while the rate rises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import _validation as check
from ..functional._update import bounds_of
from ..optimizer import Optimizer
from .base import Array, check_optimizer, each, per_group
from .powers import check_gamma, powers
from .scaling import check_steps
from .schedule import LRScheduler


def momentum_name(optimizer: Optimizer) -> str:
    """The hyperparameter that is this optimizer's momentum; ValueError if it has none."""
    check_optimizer(optimizer)
    names = optimizer.hyperparameters()
    if "beta1" in names:
        return "beta1"
    if "momentum" in names and "momentum_buffer" in optimizer.states:
        return "momentum"
    raise ValueError(
        f"cycle_momentum needs an optimizer with momentum, such as SGD(momentum=0.9) or Adam, "
        f"got {optimizer!r}: give cycle_momentum=False"
    )


class Cycle(LRScheduler):
    """Base class of the schedulers that vary the rate between two values, and the momentum in the opposite direction.

    Parameters
    ----------
    optimizer : Optimizer
    cycle_momentum : bool
        Set the momentum, too.
    base_momentum, max_momentum : float, at least 0, or list with one for each parameter group
        Smallest and largest momentum; below 1 for the beta of Adam.
    last_epoch, by
        As for `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        cycle_momentum: bool,
        base_momentum: Any,
        max_momentum: Any,
        last_epoch: int,
        by: str,
    ) -> None:
        self.cycle_momentum = check.check_bool("cycle_momentum", cycle_momentum)
        names = ["lr"]
        if cycle_momentum:
            names.append(momentum_name(optimizer))
            bounds = {"at_least": 0.0} | bounds_of(names[1])
            self.base_momentum = per_group("base_momentum", base_momentum, optimizer, **bounds)
            self.max_momentum = per_group("max_momentum", max_momentum, optimizer, **bounds)
        super().__init__(optimizer, last_epoch, by, tuple(names))

    def settings(self) -> dict[str, Any]:
        momenta = ("base_momentum", "max_momentum") if self.cycle_momentum else ()
        return super().settings() | {name: getattr(self, name) for name in momenta}


class CyclicLR(Cycle):
    """The rate rises from base_lr to max_lr in a straight line and falls back, in cycles.

        lr = base_lr + (max_lr - base_lr) * height * scale
        momentum = max_momentum - (max_momentum - base_momentum) * height * scale

    height goes from 0 to 1 in step_size_up steps and back to 0 in step_size_down steps.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set, and its momentum with cycle_momentum.
    base_lr, max_lr : float, at least 0, or list with one for each parameter group
        The rates at the ends.
    step_size_up : int, at least 1, default 2000
        Number of steps from base_lr to max_lr.
    step_size_down : int, at least 1, default step_size_up
        Number of steps from max_lr to base_lr.
    mode : {"triangular", "triangular2", "exp_range"}, default "triangular"
        scale is 1; or 0.5^(cycle - 1); or gamma^step.
    gamma : float, at least 0, default 1
        Factor of each step with mode "exp_range".
    scale_fn : callable, optional
        Returns scale for the number of the cycle or of the step, in place of mode.
    scale_mode : {"cycle", "iterations"}, default "cycle"
        The argument of scale_fn: the number of the cycle, the first being 1, or the step.
    cycle_momentum : bool, default True
        Set the momentum (or Adam's first beta), too: it falls while the rate rises.
    base_momentum, max_momentum : float, at least 0, or list with one for each parameter group, default 0.8 and 0.9
        Smallest and largest momentum; below 1 for the beta of Adam.
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, default "batch"
        After which a trainer steps it.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or
        cycle_momentum is set and the optimizer has no momentum.

    Notes
    -----
    Source: Smith, 2017 (WACV; arXiv:1506.01186); torch.optim.lr_scheduler.CyclicLR. It sets the rate regardless of the
    current one.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.CyclicLR(optimizer, 0.25, 1.0, step_size_up=2, cycle_momentum=False)
    >>> scheduler.table(6).ravel().tolist()
    [0.25, 0.625, 1.0, 0.625, 0.25, 0.625]
    """

    arguments = ("base_lr", "max_lr", "step_size_up", "step_size_down", "mode", "gamma", "scale_mode", "cycle_momentum")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Any,
        max_lr: Any,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
        *,
        by: str = "batch",
    ) -> None:
        self.base_lr = per_group("base_lr", base_lr, optimizer)
        self.max_lr = per_group("max_lr", max_lr, optimizer)
        self.step_size_up = check_steps("step_size_up", step_size_up)
        self.step_size_down = self.step_size_up
        if step_size_down is not None:
            self.step_size_down = check_steps("step_size_down", step_size_down)
        check.check_choice("mode", mode, ("triangular", "triangular2", "exp_range"))
        check.check_choice("scale_mode", scale_mode, ("cycle", "iterations"))
        if scale_fn is not None and not callable(scale_fn):
            raise TypeError(f"scale_fn must be a function, got {type(scale_fn).__name__}")
        self.mode, self.gamma, self.scale_fn = mode, check_gamma(gamma), scale_fn
        self.scale_mode = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        super().__init__(optimizer, cycle_momentum, base_momentum, max_momentum, last_epoch, by)

    def values(self, steps: Array) -> Array:
        total = float(self.step_size_up + self.step_size_down)
        ratio = self.step_size_up / total
        cycle = np.floor(1 + steps / total)
        x = 1.0 + steps / total - cycle
        height = np.where(x <= ratio, x / ratio, (x - 1) / (ratio - 1))[:, None]
        scale = self._scale(cycle if self.scale_mode == "cycle" else steps)[:, None]
        base, top = np.array(self.base_lr), np.array(self.max_lr)
        rates = base + (top - base) * height * scale
        if not self.cycle_momentum:
            return rates
        low, high = np.array(self.base_momentum), np.array(self.max_momentum)
        return np.concatenate([rates, high - (high - low) * height * scale], 1)

    def _scale(self, x: Array) -> Array:
        """The factor of the height, for numbers of cycles or of steps."""
        if self.scale_fn is not None:
            return each(self.scale_fn, x, "scale_fn")
        if self.mode == "exp_range":
            return powers(self.gamma, x)
        return 0.5 ** (x - 1) if self.mode == "triangular2" else np.ones_like(x)


class OneCycleLR(Cycle):
    """One cycle: from a small rate up to max_lr, then down to a very small one.

        corners: max_lr / div_factor, max_lr, max_lr / div_factor / final_div_factor
        lr = b + (a - b) * (1 + cos(pi * p)) / 2, or a + (b - a) * p with "linear"

    a and b are the corners before and after the step, p in [0, 1] is the position of the step between them. The maximum
    is at step pct_start * total_steps - 1, the last corner at step total_steps - 1.

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set, and its momentum with cycle_momentum.
    max_lr : float, at least 0, or list with one for each parameter group
        Largest rate.
    total_steps : int, at least 1, optional
        Length of the cycle; by default epochs * steps_per_epoch.
    epochs, steps_per_epoch : int, at least 1, optional
        Needed if total_steps is not given.
    pct_start : float in [0, 1], default 0.3
        Fraction of the steps in which the rate rises.
    anneal_strategy : {"cos", "linear"}, default "cos"
        Half a cosine or a straight line between the rates.
    cycle_momentum : bool, default True
        Set the momentum (or Adam's first beta), too: it falls while the rate rises.
    base_momentum, max_momentum : float, at least 0, or list with one for each parameter group, default 0.85 and 0.95
        Smallest and largest momentum; below 1 for the beta of Adam.
    div_factor : float above 0, default 25
        The first rate is max_lr / div_factor.
    final_div_factor : float above 0, default 1e4
        The last rate is the first one / final_div_factor.
    three_phase : bool, default False
        The rate falls to the first one in as many steps as it rose, then to the last one in a third phase; by default
        it falls to the last one in one phase.
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, default "batch"
        After which a trainer steps it.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or
        cycle_momentum is set and the optimizer has no momentum.

    Notes
    -----
    Source: Smith and Topin, 2019 (SPIE; arXiv:1708.07120); torch.optim.lr_scheduler.OneCycleLR. It sets the rate
    regardless of the current one.

    A step beyond total_steps raises ValueError. At step total_steps the rate does not change; PyTorch's leaves the
    curve. Other schedulers of the optimizer keep their base rates, where PyTorch's continue from max_lr / div_factor.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.OneCycleLR(
    ...     optimizer, 1.0, total_steps=6, pct_start=0.5, anneal_strategy="linear", div_factor=4.0,
    ...     final_div_factor=2.0, cycle_momentum=False
    ... )
    >>> scheduler.table(6).ravel().round(4).tolist()
    [0.25, 0.625, 1.0, 0.7083, 0.4167, 0.125]
    """

    arguments = (
        "max_lr",
        "total_steps",
        "pct_start",
        "anneal_strategy",
        "cycle_momentum",
        "div_factor",
        "final_div_factor",
        "three_phase",
    )

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
        *,
        by: str = "batch",
    ) -> None:
        self.max_lr = per_group("max_lr", max_lr, optimizer)
        if total_steps is not None:
            self.total_steps = check_steps("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = check_steps("epochs", epochs) * check_steps("steps_per_epoch", steps_per_epoch)
        else:
            raise ValueError("total_steps must be given, or epochs and steps_per_epoch")
        self.limit = self.total_steps
        self.pct_start = check.check_number("pct_start", pct_start, at_least=0.0, at_most=1.0)
        check.check_choice("anneal_strategy", anneal_strategy, ("cos", "linear"))
        self.anneal_strategy = anneal_strategy
        self.div_factor = check.check_number("div_factor", div_factor, above=0.0)
        self.final_div_factor = check.check_number("final_div_factor", final_div_factor, above=0.0)
        self.three_phase = check.check_bool("three_phase", three_phase)
        super().__init__(optimizer, cycle_momentum, base_momentum, max_momentum, last_epoch, by)

    def _corners(self) -> tuple[list[float], Array]:
        """The steps at which the phases end, and the values at the corners, one more."""
        top = np.array(self.max_lr)
        first = top / self.div_factor
        last = first / self.final_div_factor
        rise = self.pct_start * self.total_steps - 1
        if self.three_phase:
            ends, rates = [rise, 2 * self.pct_start * self.total_steps - 2], [first, top, first, last]
        else:
            ends, rates = [rise], [first, top, last]
        corners = np.stack(rates)
        if self.cycle_momentum:
            low, high = np.array(self.base_momentum), np.array(self.max_momentum)
            momenta = [high, low, high, high] if self.three_phase else [high, low, high]
            corners = np.concatenate([corners, np.stack(momenta)], 1)
        return [*ends, self.total_steps - 1.0], corners

    def values(self, steps: Array) -> Array:
        ends, corners = self._corners()
        phase = np.searchsorted(ends[:-1], steps, side="left")
        start, stop = np.array([0.0, *ends[:-1]])[phase], np.array(ends)[phase]
        share = np.divide(steps - start, stop - start, out=np.ones(len(steps)), where=stop != start)
        share = np.minimum(share, 1.0)[:, None]
        here, there = corners[phase], corners[phase + 1]
        if self.anneal_strategy == "linear":
            return (there - here) * share + here
        return there + (here - there) / 2.0 * (each(math.cos, math.pi * share) + 1)

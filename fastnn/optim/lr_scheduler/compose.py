"""Schedules made of other schedules: in sequence, or all at each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ..optimizer import Optimizer
from .base import Array, Scheduler, check_optimizer
from .powers import check_milestones
from .scaling import ConstantLR, LinearLR, check_steps
from .schedule import LRScheduler


class Composed(LRScheduler):
    """Base class of the schedulers that contain schedulers of one optimizer."""

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[Any], last_epoch: int, by: str | None) -> None:
        kind = type(self).__name__
        check_optimizer(optimizer)
        check_some(schedulers)
        for i, scheduler in enumerate(schedulers):
            if isinstance(scheduler, Scheduler) and not isinstance(scheduler, LRScheduler):
                raise ValueError(f"schedulers[{i}], {type(scheduler).__name__}, cannot be part of a {kind}")
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(f"schedulers[{i}] must be a scheduler, got {type(scheduler).__name__}")
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"schedulers[{i}], {type(scheduler).__name__}, is of another optimizer")
        if by is None:
            by = schedulers[0].by
            if any(scheduler.by != by for scheduler in schedulers):
                raise ValueError(f'by must be given, "epoch" or "batch": the schedulers of the {kind} differ')
        self.schedulers = list(schedulers)
        self.walks = self.walks or any(scheduler.walks for scheduler in schedulers)
        names = tuple(dict.fromkeys(name for scheduler in schedulers for name in scheduler.names))
        super().__init__(optimizer, last_epoch, by, names)

    def _first(self, row: Array) -> Array:
        """`row`, since the current rates were set by the contained schedulers."""
        return row

    def columns(self, scheduler: LRScheduler) -> Array:
        """The columns of the table that a contained scheduler sets."""
        places = self.places.tolist()
        return np.array([places.index(place) for place in scheduler.places.tolist()])

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def check_state(self, state: Any) -> None:
        super().check_state(state)
        if not isinstance(state["schedulers"], (list, tuple)) or len(state["schedulers"]) != len(self.schedulers):
            raise ValueError(f"state must have the states of {len(self.schedulers)} schedulers")
        for scheduler, part in zip(self.schedulers, state["schedulers"], strict=True):
            scheduler.check_state(part)

    def take_state(self, state: dict[str, Any]) -> None:
        for scheduler, part in zip(self.schedulers, state["schedulers"], strict=True):
            scheduler.take_state(part)
        super().take_state(state)

    def __repr__(self) -> str:
        settings = "".join(f"{name}={value!r}, " for name, value in self.settings().items())
        return f"{type(self).__name__}({self.schedulers!r}, {settings}by={self.by!r})"


class SequentialLR(Composed):
    """Schedulers one after the other, each from its own step 0.

    lr = schedulers[i](step - milestones[i - 1]), where i is the number of milestones <= step

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    schedulers : list of LRScheduler
        Schedulers of this optimizer.
    milestones : list of int, at least 0, increasing, one fewer than schedulers
        Steps at which the next scheduler begins. With 0 the first one is left out (a warm-up of no steps).
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, optional
        After which a trainer steps it; by default that of the schedulers.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or a
        scheduler is of another optimizer or cannot be part of a sequence.

    Notes
    -----
    Source: torch.optim.lr_scheduler.SequentialLR.

    A hyperparameter that the current scheduler does not set (such as the momentum) keeps the last value that an earlier
    one set, or if there is none has the first value of the next one that sets it. A `MultiplicativeLR` starts from the
    base rate, where PyTorch's continues from the last rate.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.SequentialLR(
    ...     optimizer,
    ...     [optim.lr_scheduler.ConstantLR(optimizer, 0.5, 2), optim.lr_scheduler.ExponentialLR(optimizer, 0.5)],
    ...     milestones=[2],
    ... )
    >>> scheduler.table(5).ravel().tolist()
    [0.5, 0.5, 1.0, 0.5, 0.25]
    """

    arguments: ClassVar[tuple[str, ...]] = ("milestones",)

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Any,
        last_epoch: int = -1,
        *,
        by: str | None = None,
    ) -> None:
        self.milestones = check_milestones(milestones, 0)
        if isinstance(schedulers, (list, tuple)) and len(self.milestones) != len(schedulers) - 1:
            raise ValueError(
                f"milestones must be one fewer than schedulers, got {len(self.milestones)} for {len(schedulers)}"
            )
        super().__init__(optimizer, schedulers, last_epoch, by)

    @property
    def limit(self) -> int | None:  # type: ignore[override]
        """The last step with a value: that of the last scheduler, or of one that ends before its milestone."""
        for (start, stop), scheduler in zip(self._spans(), self.schedulers, strict=True):
            if scheduler.limit is not None and (stop is None or start + scheduler.limit < stop - 1):
                return start + scheduler.limit
        return None

    def _spans(self) -> list[tuple[int, int | None]]:
        """The first step of each scheduler, and the step at which it ends."""
        return list(zip([0, *self.milestones], [*self.milestones, None], strict=True))

    def _held(self, active: int) -> Array:
        """The values of the hyperparameters that the active scheduler does not set."""
        row = np.zeros(len(self.places))
        spans = self._spans()
        for i in reversed(range(active + 1, len(self.schedulers))):
            row[self.columns(self.schedulers[i])] = self.schedulers[i].values(np.array([0]))[0]
        for i in range(active):
            start, stop = spans[i]
            assert stop is not None
            if stop == start:
                continue
            row[self.columns(self.schedulers[i])] = self.schedulers[i].values(np.array([stop - 1 - start]))[0]
        return row

    def _parts(self, steps: Array) -> list[tuple[int, Array, Array]]:
        """The active schedulers in `steps`: index, rows of the table, and steps since the start of the scheduler."""
        parts = []
        for i, (start, stop) in enumerate(self._spans()):
            rows = np.flatnonzero((steps >= start) & (steps < (np.inf if stop is None else stop)))
            if rows.size:
                parts.append((i, rows, steps[rows] - start))
        return parts

    def values(self, steps: Array) -> Array:
        table = np.empty((len(steps), len(self.places)))
        for i, rows, local in self._parts(steps):
            columns = self.columns(self.schedulers[i])
            if len(columns) < len(self.places):
                table[rows] = self._held(i)
            table[np.ix_(rows, columns)] = self.schedulers[i].values(local)
        return table

    def links(self, steps: Array) -> tuple[Array, Array]:
        a, b = super().links(steps)  # the first step of a scheduler does not depend on the rates before it
        for i, rows, local in self._parts(steps):
            inner = (local > 0) | (i == 0)
            if inner.any():
                places = np.ix_(rows[inner], self.columns(self.schedulers[i]))
                a[places], b[places] = self.schedulers[i].links(local[inner])
        return a, b


class ChainedScheduler(Composed):
    """Several schedulers at once: at each step, each changes the rates that the previous one in the list returned.

    lr = base_lr * factor_0(step) * factor_1(step) * ..., for schedulers that scale

    Parameters
    ----------
    schedulers : list of LRScheduler
        Schedulers of one optimizer. Those that set the rate regardless of the current one (LambdaLR,
        CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR) should be first.
    optimizer : Optimizer, optional
        By default that of the schedulers.
    by : {"epoch", "batch"}, optional
        After which a trainer steps it; by default that of the schedulers.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or the
        schedulers are of different optimizers.

    Notes
    -----
    Source: torch.optim.lr_scheduler.ChainedScheduler.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.ChainedScheduler(
    ...     [optim.lr_scheduler.ConstantLR(optimizer, 0.5, 2), optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]
    ... )
    >>> scheduler.table(5).ravel().tolist()
    [0.5, 0.25, 0.25, 0.125, 0.0625]
    """

    walks = True

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None, *, by: str | None = None
    ) -> None:
        if optimizer is None:
            check_some(schedulers)
            if not isinstance(schedulers[0], Scheduler):
                raise TypeError(f"schedulers[0] must be a scheduler, got {type(schedulers[0]).__name__}")
            optimizer = getattr(schedulers[0], "optimizer", None)
        self._known = -1, [0.0]
        super().__init__(optimizer, schedulers, -1, by)  # type: ignore[arg-type]

    @property
    def limit(self) -> int | None:  # type: ignore[override]
        """The last step with a value: that of the shortest scheduler."""
        limits = [scheduler.limit for scheduler in self.schedulers if scheduler.limit is not None]
        return min(limits, default=None)

    def links(self, steps: Array) -> tuple[Array, Array]:
        a, b = np.ones((len(steps), len(self.places))), np.zeros((len(steps), len(self.places)))
        for scheduler in self.schedulers:
            columns = self.columns(scheduler)
            scale, add = scheduler.links(steps)
            a[:, columns], b[:, columns] = a[:, columns] * scale, b[:, columns] * scale + add
        return a, b

    def values(self, steps: Array) -> Array:
        """The values of the chain. Each step needs the previous one: computed from step 0 or the last table on."""
        first, last = int(steps[0]), int(steps[-1])
        at, row = self._known
        if at < 0 or at >= first:
            at, row = -1, self._start()
        table = []
        for begin in range(at + 1, last + 1, 4096):
            a, b = self.links(np.arange(begin, min(begin + 4096, last + 1)))
            for step, scale, add in zip(range(begin, last + 1), a.tolist(), b.tolist(), strict=False):
                if step == first:
                    self._known = step - 1, row
                row = [x * y + z for x, y, z in zip(row, scale, add, strict=True)]
                if step >= first:
                    table.append(row)
        return np.array(table)

    def _first(self, row: Array) -> Array:
        """The current rates, which the contained schedulers set when they were made."""
        return np.array(self._now())

    def _start(self) -> list[float]:
        """The values before step 0: the base rates, and 0 for the others, which step 0 sets."""
        return self.base_lrs + [0.0] * (len(self.places) - self.groups)

    def take_state(self, state: dict[str, Any]) -> None:
        self._known = -1, [0.0]
        super().take_state(state)


class WarmupLR(SequentialLR):
    """Linear warm-up, then another schedule.

    lr = base_lr * (step + 1) / (warmup_steps + 1) where step < warmup_steps, else after(step - warmup_steps)

    Parameters
    ----------
    optimizer : Optimizer
        Its learning rates are set.
    warmup_steps : int, at least 1
        Number of steps in which the rate rises.
    after : LRScheduler, optional
        The schedule that follows, from its own step 0; by default the rate stays at base_lr.
    start_factor : float in (0, 1], default 1 / (warmup_steps + 1)
        Factor of step 0: the line goes from base_lr * start_factor to base_lr.
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, optional
        After which a trainer steps it; by default that of after, and "batch" without.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or after
        is of another optimizer.

    Notes
    -----
    Source: Goyal et al., 2017 (arXiv:1706.02677), section 2.2. Not in PyTorch's: it is a `SequentialLR` of `LinearLR`
    and after.

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.WarmupLR(optimizer, 3, after=optim.lr_scheduler.ExponentialLR(optimizer, 0.5))
    >>> scheduler.table(6).ravel().tolist()
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    arguments = ("milestones", "start_factor")

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        after: LRScheduler | None = None,
        start_factor: float | None = None,
        last_epoch: int = -1,
        *,
        by: str | None = None,
    ) -> None:
        steps = check_steps("warmup_steps", warmup_steps)
        by = by or str(getattr(after, "by", "batch"))
        first = 1.0 / (steps + 1) if start_factor is None else start_factor
        warmup = LinearLR(optimizer, first, total_iters=steps, by=by)
        self.start_factor = warmup.start_factor
        rest = ConstantLR(optimizer, factor=1.0, by=by) if after is None else after
        super().__init__(optimizer, [warmup, rest], [steps], last_epoch, by=by)


def check_some(schedulers: Any) -> None:
    """Raise TypeError unless it is a list or tuple of at least one item."""
    if not isinstance(schedulers, (list, tuple)) or not schedulers:
        raise TypeError(f"schedulers must be a list of at least one scheduler, got {schedulers!r:.60}")

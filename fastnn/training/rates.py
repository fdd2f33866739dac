"""How a run moves a scheduler: by tables between its batches, or from epoch to epoch."""

from __future__ import annotations

from typing import Any

from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau, Scheduler
from .data import Array


def check_scheduler(scheduler: Any, optimizer: Optimizer) -> Scheduler | None:
    """The scheduler, or None; TypeError or ValueError if it is none of this optimizer."""
    if scheduler is not None and not isinstance(scheduler, Scheduler):
        raise TypeError(f"scheduler must be one of optim.lr_scheduler, got {type(scheduler).__name__}")
    if scheduler is not None and scheduler.optimizer is not optimizer:
        raise ValueError("scheduler must be of this trainer's optimizer: StepLR(optimizer, ...)")
    return scheduler


def check_length(scheduler: Scheduler | None, epochs: int, batches: int | None, done: int) -> None:
    """Raise ValueError if the schedule ends before so many epochs do, of `batches` each but for those `done`."""
    if batches is not None and isinstance(scheduler, LRScheduler) and epochs > 0:
        scheduler.check_steps(epochs * batches - done if scheduler.by == "batch" else epochs)


def batch_rates(scheduler: Scheduler | None, updates: int) -> Array | None:
    """The hyperparameters for the next updates, a row for each, and one for what holds afterwards.

    With that one, so that no error comes when the batches are done.
    """
    if not isinstance(scheduler, LRScheduler) or scheduler.by != "batch":
        return None
    return scheduler.table(updates + 1)


def step_epoch(scheduler: Scheduler | None, values: dict[str, float], validated: bool = True) -> None:
    """Step a scheduler that goes by epochs; one that watches validation waits for an epoch that has been validated."""
    if isinstance(scheduler, ReduceLROnPlateau):
        if not validated and scheduler.monitor.startswith("val_") and scheduler.monitor not in values:
            return
        scheduler.step(scheduler.value_from(values))
    elif isinstance(scheduler, LRScheduler) and scheduler.by == "epoch":
        scheduler.step()

"""Base class of the schedulers whose values are a function of the number of steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import _validation as check
from ..functional._update import bounds_of
from ..optimizer import Optimizer
from .base import MAX_STEPS, Array, Scheduler

CHUNK = 4096  # steps that are computed at once
COMPARISONS = {"above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal}


def follow(value: float, closed: list[float], scale: list[float], add: list[float]) -> list[float]:
    """A value and the values of the next steps.

    Value i + 1 is closed[i + 1] if value i is closed[i], else scale[i] * value + add[i].
    """
    values = [value]
    for i in range(len(scale)):
        value = closed[i + 1] if value == closed[i] else scale[i] * value + add[i]
        values.append(value)
    return values


class LRScheduler(Scheduler):
    """Base class of the schedulers whose values are a function of the number of steps.

    A scheduler of your own is a subclass with a method `values(steps)`; its `__init__` calls the one here last.

    Parameters
    ----------
    optimizer : Optimizer
        Its hyperparameters are set.
    last_epoch : int, at least -1, default -1
        Step that an earlier run ended with: the schedule continues at last_epoch + 1. Better load a `state_dict`.
    by : {"epoch", "batch"}, default "epoch"
        After which a trainer steps it.
    names : tuple of str, default ("lr",)
        The hyperparameters that it sets, "lr" first.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or an argument is not of its type or out of range, or a
        value of the schedule is out of range.
    NotImplementedError
        If a subclass does not define `values`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> class Hyperbolic(optim.lr_scheduler.LRScheduler):
    ...     def values(self, steps):
    ...         return np.array(self.base_lrs) / (1 + steps)[:, None]
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = Hyperbolic(optimizer)
    >>> scheduler.table(3).ravel().round(4).tolist()
    [1.0, 0.5, 0.3333]
    >>> scheduler.advance(3)
    >>> optimizer.lr
    0.25
    """

    limit: int | None = None  # the last step with a value

    def __init__(
        self, optimizer: Optimizer, last_epoch: int = -1, by: str = "epoch", names: tuple[str, ...] = ("lr",)
    ) -> None:
        super().__init__(optimizer, by, names)
        step = check.check_integer("last_epoch", last_epoch, at_least=-1, at_most=MAX_STEPS) + 1
        row = self._closed(step, 1)[0]
        self.take_row(self._in_range(self._first(row)[None] if step == 0 else row[None], step)[0], step)

    def _first(self, row: Array) -> Array:
        """The first values: those of step 0, `row`; if an earlier scheduler set the rate, step 0 changes that."""
        now, base = np.array(self._now()), np.full(len(row), np.nan)
        base[: self.groups] = self.base_lrs
        scale, add = self.links(np.array([0]))
        return np.where(now == base, row, scale[0] * now + add[0])

    # -- what a schedule defines ---------------------------------------------------------------------------------------

    def values(self, steps: Array) -> Array:
        """The values of the schedule, to be defined by a subclass.

        Parameters
        ----------
        steps : ndarray of int64, shape (n,)
            Consecutive numbers of steps, from 0 on.

        Returns
        -------
        values : ndarray of float64, shape (n, k)
            Column j is for the hyperparameter at `places[j]`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define values(steps)")

    def links(self, steps: Array) -> tuple[Array, Array]:
        """How a step changes values that something else has set: a * value + b.

        Returns
        -------
        a, b : ndarray of float64, shape (len(steps), k)
            By default 0 and `values(steps)`: the values do not depend on the previous ones.
        """
        values = self.values(steps)
        return np.zeros_like(values), values

    # -- running -------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Advance by one step and set the rates of the next one, after an epoch or a batch as `by` says.

        Raises
        ------
        ValueError
            If the step is beyond the end of the schedule, or a rate is out of range. Nothing has changed then.
        """
        self.advance(1)

    def advance(self, n: int) -> None:
        """Advance by n steps at once.

        Parameters
        ----------
        n : int, at least 0

        Raises
        ------
        TypeError, ValueError
            If n is not such a number, or as for `step`. Nothing has changed then.
        """
        n = check.check_integer("n", n, at_least=0, at_most=MAX_STEPS)
        step = self.last_epoch
        self._check_end(step + n)
        here, row = self._closed(step, 1)[0], np.array(self._now())
        if np.array_equal(here, row):
            row = self._closed(step + n, 1)[0]
        else:
            for begin in range(step, step + n, CHUNK):
                row = self._followed(row, begin, min(CHUNK, step + n - begin) + 1)[-1]
        self.take_row(self._in_range(row[None], step + n)[0], step + n)

    def table(self, n: int) -> Array:
        """The values of the next n steps, beginning with the current ones; nothing is set.

        When m of these steps are done, call `advance(m)`.

        Parameters
        ----------
        n : int, at least 0

        Returns
        -------
        table : ndarray of float64, shape (n, k)
            Column j is for the hyperparameter at `places[j]`; the rates come first.

        Raises
        ------
        TypeError, ValueError
            If n is not such a number, the schedule ends before, or a value is out of range.
        """
        n = check.check_integer("n", n, at_least=0, at_most=MAX_STEPS)
        self._check_end(self.last_epoch + n - 1)
        if n == 0:
            return np.empty((0, len(self.places)))
        return self._in_range(self._followed(np.array(self._now()), self.last_epoch, n), self.last_epoch)

    def check_steps(self, n: int) -> None:
        """Raise ValueError if the schedule ends before n more steps are done."""
        if self.limit is not None and self.last_epoch + n > self.limit:
            raise ValueError(
                f"{type(self).__name__} has {self.limit} steps and is at step {self.last_epoch}: {n} more are too many"
            )

    def take_row(self, row: Array, step: int) -> None:
        """Set the values of a step, a row of a `table`, and the number of steps done."""
        self._take(row, last_epoch=step)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _check_end(self, step: int) -> None:
        if self.limit is not None and step > self.limit:
            raise ValueError(f"{type(self).__name__} has {self.limit} steps, there is no step {step}")

    def _closed(self, start: int, n: int) -> Array:
        """The values of n steps from `start` on, if nothing else sets them."""
        self._check_end(start + n - 1)
        table = np.ascontiguousarray(self.values(np.arange(start, start + n, dtype="int64")), "float64")
        check.check_shape(f"{type(self).__name__}.values(steps)", table, (n, len(self.places)), "here")
        return table

    def _followed(self, row: Array, start: int, n: int) -> Array:
        """The values of n steps, starting with `row` at step `start`.

        A value that equals that of the schedule is followed by the next one of the closed form, without the rounding of
        many steps. Another value (set by another scheduler or the user) is changed by `links`.
        """
        closed = self._closed(start, n)
        if n < 2 or np.array_equal(row, closed[0]):
            return np.array(row)[None] if n < 2 else closed
        scale, add = self.links(np.arange(start + 1, start + n))
        parts = (row.tolist(), closed.T.tolist(), scale.T.tolist(), add.T.tolist())
        columns = [follow(*column) for column in zip(*parts, strict=True)]
        return np.array(columns).T.copy()

    def _in_range(self, table: Array, start: int) -> Array:
        """The values of steps from `start` on; ValueError if the optimizer does not accept one."""
        for j, name in enumerate(self.names):
            bounds, column = {"below": np.inf} | bounds_of(name), table[:, j]
            within = np.all([COMPARISONS[how](column, bound) for how, bound in bounds.items()], axis=0)
            if not within.all():
                i = int(np.argmin(within))
                check.check_number(f"{type(self).__name__}: {name} at step {start + i}", float(column[i]), **bounds)
        return table

    # -- saving --------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"values": self._now()}

    def check_state(self, state: Any) -> None:
        super().check_state(state)
        if self.limit is not None:
            check.check_integer("last_epoch", state["last_epoch"], at_most=self.limit)
        if not isinstance(state["values"], (list, tuple)) or len(state["values"]) != len(self.places):
            raise ValueError(f"values must be a list of {len(self.places)} numbers, got {state['values']!r:.60}")
        for name, value in zip(self.names, state["values"], strict=True):
            check.check_number(f"values: {name}", value, **({"below": np.inf} | bounds_of(name)))

    def take_state(self, state: dict[str, Any]) -> None:
        super().take_state(state)
        self.take_row(np.array(state["values"], "float64"), self.last_epoch)

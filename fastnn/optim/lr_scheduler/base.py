"""What all schedulers are: the places of the hyperparameters they set, and a function from steps to values."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from functools import partial
from operator import call, setitem
from typing import Any, ClassVar

import numpy as np

from ... import _schema as schema
from ... import _validation as check
from ..._frames import ShortErrors
from ..functional._update import bounds_of
from ..optimizer import Optimizer

Array = check.Array
MAX_STEPS = 2**53  # up to here a step is exact as a float
MOST_WALKED = 10**7  # where a step is reached by way of all before it: no state may ask for more of them
CHUNK = 4096  # steps that are followed at once
COMPARISONS = {"above": np.greater, "at_least": np.greater_equal, "below": np.less, "at_most": np.less_equal}


def group_count(optimizer: Optimizer) -> int:
    """The number of parameter groups, each of which has hyperparameters of its own."""
    check_optimizer(optimizer)
    return len(optimizer.param_groups)


def place_of(optimizer: Optimizer, name: str, group: int) -> int:
    """Where in `optimizer.hyper.reshape(-1)` a hyperparameter of a group stands."""
    return optimizer.place(name, group)


def check_optimizer(optimizer: Any) -> None:
    """Raise TypeError unless this is an optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be an optimizer of fastnn.optim, got {type(optimizer).__name__}")


def per_group(name: str, value: Any, optimizer: Optimizer, **bounds: float) -> list[float]:
    """A number for each parameter group, from a list of them or from one for all."""
    values = value if isinstance(value, (list, tuple)) else [value] * group_count(optimizer)
    if len(values) != group_count(optimizer):
        raise ValueError(f"{name} must have {group_count(optimizer)} values, one a parameter group, got {len(values)}")
    return [check.check_number(name, number, **(bounds or bounds_of("lr"))) for number in values]


def each(function: Callable[[Any], Any], steps: Array, name: str = "function") -> Array:
    """`function` of every element, as float64.

    Python's functions, one by one: NumPy's differ in the last bit between processors and lengths of arrays.
    """
    results = [function(step) for step in steps.ravel().tolist()]
    try:
        return np.array(array("d", results)).reshape(steps.shape)
    except TypeError as error:
        raise TypeError(f"{name} must return a number: {error}") from None


def follow(value: float, closed: list[float], scale: list[float], add: list[float]) -> list[float]:
    """A value and what the next steps make of it: `closed` of the step, where it is that of the step before."""
    values = [value]
    for i in range(len(scale)):
        value = closed[i + 1] if value == closed[i] else scale[i] * value + add[i]
        values.append(value)
    return values


class Scheduler(ShortErrors):
    """Base of the schedulers.

    Attributes
    ----------
    optimizer : Optimizer
    by : "epoch" or "batch"
        After what a trainer steps it.
    last_epoch : int
        Number of steps done, PyTorch's name for it.
    base_lrs : list of float
        The rates that the optimizer had before it had a scheduler, one a parameter group. A rate that was set by hand
        since then counts as such.
    places : ndarray of int64, shape (k,)
        Where in `optimizer.hyper.reshape(-1)` the hyperparameters stand that it sets; the rates come first.
    """

    walks = False  # whether it reaches a step only by way of all before it
    arguments: ClassVar[tuple[str, ...]] = ()  # the attributes that, together with base_lrs, make the schedule
    last_epoch: int

    def __init__(self, optimizer: Optimizer, by: str, names: tuple[str, ...] = ("lr",)) -> None:
        check.check_choice("by", by, ("epoch", "batch"))
        self.optimizer, self.by = optimizer, by
        self.groups = group_count(optimizer)
        self.names = [name for name in names for _ in range(self.groups)]
        places = [place_of(optimizer, name, group) for name in names for group in range(self.groups)]
        self.places = np.array(places, "int64")
        self.base_lrs = [self._base(place) for place in places[: self.groups]]
        self._last = self._now()

    def _base(self, place: int) -> float:
        now = float(self.optimizer.hyper.reshape(-1)[place])
        base, scheduled = self.optimizer.scheduled.get(place, (now, now))
        return base if scheduled == now else now

    def _now(self) -> list[float]:
        """What the optimizer has at the places."""
        return self.optimizer.hyper.reshape(-1)[self.places].tolist()

    def _take(self, row: Array, **attributes: Any) -> None:
        """Set the hyperparameters and attributes: in one call into C, so that a signal finds all of it or nothing."""
        values = row.tolist()
        bases = zip(self.places.tolist(), self.base_lrs, values, strict=False)
        changes = (
            partial(setitem, self.optimizer.hyper.reshape(-1), self.places, row),
            partial(self.optimizer.scheduled.update, {place: (base, rate) for place, base, rate in bases}),
            partial(vars(self).update, attributes | {"_last": values}),
        )
        deque(map(call, changes), 0)

    def get_last_lr(self) -> list[float]:
        """The rates that the scheduler last set, one a parameter group."""
        return self._last[: self.groups]

    # -- saving --------------------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """The arguments by name, as far as they are plain numbers, words and lists."""
        return {name: getattr(self, name) for name in self.arguments}

    def state_dict(self) -> dict[str, Any]:
        """A copy of what decides the next steps, in plain numbers, words and lists; functions are not part of it."""
        return {
            "scheduler": type(self).__name__,
            "settings": self.settings(),
            "last_epoch": self.last_epoch,
            "base_lrs": list(self.base_lrs),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` of a scheduler with the same arguments gave, and set the rates it says.

        Raises
        ------
        TypeError, ValueError
            If the state is of another kind of scheduler, or of one with other arguments; nothing changes then.
        """
        self.check_state(state)
        before = self.state_dict(), self._last
        hyper, scheduled = self.optimizer.hyper.copy(), dict(self.optimizer.scheduled)
        try:
            self.take_state(state)
        except BaseException:
            self.take_state(before[0])
            self._last, self.optimizer.hyper[...], self.optimizer.scheduled = before[1], hyper, scheduled
            raise

    def check_state(self, state: Any) -> None:
        """Raise TypeError or ValueError if a state is not one of this scheduler."""
        if not isinstance(state, dict):
            raise TypeError(f"state must be a dict, got {type(state).__name__}")
        kind = type(self).__name__
        if state.get("scheduler") != kind:
            raise ValueError(f"state must be of {kind}, got one of {state.get('scheduler')}")
        missing = sorted(set(self.state_dict()) - set(state))
        if missing:
            raise ValueError(f"state of {kind} has no {', '.join(missing)}")
        schema.mapping()("settings", state["settings"])
        for name, mine in self.settings().items():
            if state["settings"].get(name) != mine:
                raise ValueError(
                    f"state is of {kind} with {name}={state['settings'].get(name)}, this has {name}={mine}"
                )
        most = MOST_WALKED if self.walks else MAX_STEPS
        check.check_integer("last_epoch", state["last_epoch"], at_least=0, at_most=most)
        if not isinstance(state["base_lrs"], (list, tuple)):
            raise TypeError(f"base_lrs must be a list, got {type(state['base_lrs']).__name__}")
        per_group("base_lrs", state["base_lrs"], self.optimizer)

    def take_state(self, state: dict[str, Any]) -> None:
        """Take over a state that was checked."""
        self.last_epoch = int(state["last_epoch"])
        self.base_lrs = [float(rate) for rate in state["base_lrs"]]

    def __repr__(self) -> str:
        settings = "".join(f"{name}={value!r}, " for name, value in self.settings().items())
        return f"{type(self).__name__}({settings}by={self.by!r})"


class LRScheduler(Scheduler):
    """Base of the schedulers whose values are a function of the number of steps.

    A scheduler of your own is a subclass with a method `values(steps)` that calls this class's `__init__` last.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int, default -1
        Go on after so many steps of an earlier run, not from the start; better load a `state_dict`.
    by : {"epoch", "batch"}, default "epoch"
        After what a trainer steps it.
    names : tuple of str
        The hyperparameters that it sets, "lr" first.
    """

    limit: int | None = None  # the last step there is a value for

    def __init__(
        self, optimizer: Optimizer, last_epoch: int = -1, by: str = "epoch", names: tuple[str, ...] = ("lr",)
    ) -> None:
        super().__init__(optimizer, by, names)
        step = check.check_integer("last_epoch", last_epoch, at_least=-1, at_most=MAX_STEPS) + 1
        row = self._closed(step, 1)[0]
        self.take_row(self._in_range(self._first(row)[None] if step == 0 else row[None], step)[0], step)

    def _first(self, row: Array) -> Array:
        """The values to begin with: `row`, those of step 0, or what that makes of the rates of an earlier scheduler."""
        now, base = np.array(self._now()), np.full(len(row), np.nan)
        base[: self.groups] = self.base_lrs
        scale, add = self.links(np.array([0]))
        return np.where(now == base, row, scale[0] * now + add[0])

    # -- what a schedule defines ---------------------------------------------------------------------------------------

    def values(self, steps: Array) -> Array:
        """The values at `steps`, consecutive numbers of int64 from 0 on; float64 of shape (len(steps), k)."""
        raise NotImplementedError(f"{type(self).__name__} must define values(steps)")

    def links(self, steps: Array) -> tuple[Array, Array]:
        """How the values follow in a chain from those before a step: as a * before + b.

        Returns
        -------
        a, b : ndarray of float64, shape (len(steps), k)
            By default 0 and `values(steps)`: the schedule does not heed what was before.
        """
        values = self.values(steps)
        return np.zeros_like(values), values

    # -- running -------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Go one step on and set the rates of the next one, after an epoch or a batch as `by` says.

        Raises
        ------
        ValueError
            If the schedule has an end and this is beyond it, or a rate is out of range; nothing changes then.
        """
        self.advance(1)

    def advance(self, n: int) -> None:
        """Go n steps on at once."""
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
        """The values of the next n steps, beginning with those that hold now; nothing is set.

        Column j is for the hyperparameter at `places[j]`. When m of these steps are done, call `advance(m)`.

        Returns
        -------
        table : ndarray of float64, shape (n, k)
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
        """Be at a step, whose values, of a `table`, are set."""
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
        """The values of n steps, from `row` at step `start` on.

        Where a value is not that of the schedule (another scheduler, or somebody, has set it), the step changes what is
        there as a link of a chain does; where it is, it goes on in closed form, without the rounding of many steps.
        """
        closed = self._closed(start, n)
        if n < 2 or np.array_equal(row, closed[0]):
            return np.array(row)[None] if n < 2 else closed
        scale, add = self.links(np.arange(start + 1, start + n))
        parts = (row.tolist(), closed.T.tolist(), scale.T.tolist(), add.T.tolist())
        columns = [follow(*column) for column in zip(*parts, strict=True)]
        return np.array(columns).T.copy()

    def _in_range(self, table: Array, start: int) -> Array:
        """The values of steps from `start` on, if the optimizer takes all of them; else ValueError."""
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

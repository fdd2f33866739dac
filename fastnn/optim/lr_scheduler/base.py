"""Base class of all schedulers, and their checks."""

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
MAX_STEPS = 2**53  # integers up to this are exact as floats
MOST_WALKED = 10**7  # largest step in a state of schedules that compute each step from all previous ones


def group_count(optimizer: Optimizer) -> int:
    """The number of parameter groups, each of which has hyperparameters of its own."""
    check_optimizer(optimizer)
    return len(optimizer.param_groups)


def place_of(optimizer: Optimizer, name: str, group: int) -> int:
    """The index of a hyperparameter of a group in `optimizer.hyper.reshape(-1)`."""
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

    Python's math functions are called element by element: NumPy's differ in the last bit between processors and array
    lengths.
    """
    results = [function(step) for step in steps.ravel().tolist()]
    try:
        return np.array(array("d", results)).reshape(steps.shape)
    except TypeError as error:
        raise TypeError(f"{name} must return a number: {error}") from None


class Scheduler(ShortErrors):
    """Base class of all schedulers.

    Parameters
    ----------
    optimizer : Optimizer
        Its hyperparameters are set.
    by : {"epoch", "batch"}
        After which a trainer steps the scheduler.
    names : tuple of str, default ("lr",)
        The hyperparameters that it sets, "lr" first.

    Attributes
    ----------
    last_epoch : int
        Number of steps done (PyTorch's name for it).
    base_lrs : list of float
        The rates that the optimizer had before it had a scheduler, one for each parameter group. A rate that was set by
        hand since then replaces it.
    places : ndarray of int64, shape (k,)
        Indices in `optimizer.hyper.reshape(-1)` of the hyperparameters that it sets; the rates come first.

    Raises
    ------
    TypeError, ValueError
        If optimizer is not an optimizer of `fastnn.optim`, or lacks a hyperparameter of names, or by is neither "epoch"
        nor "batch".

    Examples
    --------
    >>> from fastnn import nn, optim
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    >>> isinstance(scheduler, optim.lr_scheduler.Scheduler)
    True
    >>> state = scheduler.state_dict()
    >>> scheduler.step()
    >>> scheduler.get_last_lr(), scheduler.last_epoch
    ([0.5], 1)
    >>> scheduler.load_state_dict(state)
    >>> optimizer.lr
    1.0
    """

    walks = False  # whether each step is computed from all previous ones
    _internal: ClassVar[tuple[str, ...]] = (
        "advance", "arguments", "check_state", "check_steps", "groups", "limit", "links", "places", "settings", "table",
        "take_row", "take_state", "walks",
    )  # fmt: skip
    arguments: ClassVar[tuple[str, ...]] = ()  # attributes that, with base_lrs, determine the schedule
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
        """The current values of the hyperparameters at the places."""
        return self.optimizer.hyper.reshape(-1)[self.places].tolist()

    def _take(self, row: Array, **attributes: Any) -> None:
        """Set the hyperparameters and attributes in one call into C: a signal handler sees all of them or none."""
        values = row.tolist()
        bases = zip(self.places.tolist(), self.base_lrs, values, strict=False)
        changes = (
            partial(setitem, self.optimizer.hyper.reshape(-1), self.places, row),
            partial(self.optimizer.scheduled.update, {place: (base, rate) for place, base, rate in bases}),
            partial(vars(self).update, attributes | {"_last": values}),
        )
        deque(map(call, changes), 0)

    def get_last_lr(self) -> list[float]:
        """The rates that the scheduler last set, one for each parameter group."""
        return self._last[: self.groups]

    # -- saving --------------------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """The arguments by name, as far as they are plain numbers, strings and lists."""
        return {name: getattr(self, name) for name in self.arguments}

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the next steps depend on, as numbers, strings and lists; functions are not part of it."""
        return {
            "scheduler": type(self).__name__,
            "settings": self.settings(),
            "last_epoch": self.last_epoch,
            "base_lrs": list(self.base_lrs),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict` of a scheduler with the same arguments returned, and set its rates.

        Parameters
        ----------
        state : dict
            What `state_dict` returned.

        Raises
        ------
        TypeError, ValueError
            If the state is from another class of scheduler, or one with other arguments. Nothing has changed then.
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
        """Load a state that was checked."""
        self.last_epoch = int(state["last_epoch"])
        self.base_lrs = [float(rate) for rate in state["base_lrs"]]

    def __repr__(self) -> str:
        settings = "".join(f"{name}={value!r}, " for name, value in self.settings().items())
        return f"{type(self).__name__}({settings}by={self.by!r})"

"""Attributes of optimizers that the compiled update reads, and names taken from the signature of an update."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _validation as check
from .._core.compat import MODES, defaults_of
from .._core.rules import CLIPPING, HYPERPARAMETERS
from .functional._update import bounds_of, pair
from .functional.matrix_rules import triple
from .interfaces import Optimizer


def assign(optimizer: Optimizer, key: str, value: Any, numbers_of: Callable[[Any], dict[str, float]]) -> None:
    """Set hyperparameters of the group `optimizer.number`, or if it is None of all groups without values of their own.

    `numbers_of` converts the value to checked numbers by name. A group with a pending value (given when the optimizer
    was made) gets that one.
    """
    found = []
    for group in optimizer.param_groups:
        if optimizer.number is not None and group.number != optimizer.number:
            continue
        numbers = numbers_of(group.pending.get(key, value))
        if optimizer.number is None and group.number > 0 and group.own.intersection(numbers):
            continue
        optimizer.check_together({**optimizer.hyperparameters(group.number), **numbers})
        found.append((group, numbers))
    if optimizer.number is None:
        for name, number in numbers_of(value).items():
            optimizer.default_hyper[HYPERPARAMETERS.index(name)] = number
    for group, numbers in found:
        for name, number in numbers.items():
            optimizer.hyper[group.number, HYPERPARAMETERS.index(name)] = number
        if optimizer.number is not None or key in group.pending:
            group.own.update(numbers)
        group.pending.pop(key, None)


class Hyperparameter:
    """An attribute of an optimizer, stored in the array that the compiled update reads: changes act at the next step.

    There is one value for each parameter group. Reading it gives that of group 0; setting it sets every group without
    its own. If it needs a state (`needs`), it can be set to a value other than 0 only if the optimizer was made with
    that state.
    """

    def __init__(self, needs: str | None = None) -> None:
        self.needs = needs

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.place = HYPERPARAMETERS.index(name)

    def number(self, optimizer: Optimizer) -> float:
        """The number that the update reads."""
        return float(optimizer.hyper[optimizer.number or 0, self.place])

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else self.number(optimizer)

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        assign(optimizer, self.name, value, lambda given: {self.name: self.checked(optimizer, given)})

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        """`value` as a number within bounds; ValueError if it needs a state that the optimizer lacks."""
        number = check.check_number(self.name, value, **bounds_of(self.name))
        if number and self.needs and self.needs not in optimizer.states:
            raise ValueError(f"{self.name} must be given when the optimizer is made: it has no {self.needs} now")
        return number


class Switch(Hyperparameter):
    """A hyperparameter that is True or False."""

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else bool(self.number(optimizer))

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        return float(check.check_switch(self.name, value))


class Count(Hyperparameter):
    """A hyperparameter that is an integer."""

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else int(self.number(optimizer))

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        bounds = {name: int(limit) for name, limit in bounds_of(self.name).items()}
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        return float(check.check_integer(self.name, whole, **bounds))


class Choice(Hyperparameter):
    """A hyperparameter that is one of some names; stored as its index."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names = names

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else self.names[int(self.number(optimizer))]

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        if isinstance(value, float) and value in range(len(self.names)):
            return value
        check.check_choice(self.name, value, (None, *self.names))
        return float(self.names.index(value or self.names[0]))


class Compat(Hyperparameter):
    """The mode of `compat`, by its name; stored as its index in MODES."""

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else MODES[int(self.number(optimizer))]

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        mode = MODES[int(value)] if isinstance(value, float) and value in range(len(MODES)) else value
        defaults_of(type(optimizer).function.__name__, mode)  # raises
        return float(MODES.index(mode))


class Pair:
    """Two hyperparameters, or more, that are given as one, such as `betas`."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else tuple(getattr(optimizer, name) for name in self.names)

    def __set__(self, optimizer: Optimizer, values: Any) -> None:
        assign(optimizer, self.name, values, self.checked)

    def checked(self, values: Any) -> dict[str, float]:
        """The two numbers by name, each within its bounds."""
        return {
            name: check.check_number(f"{self.name}[{i}]", value, **bounds_of(name))
            for i, (name, value) in enumerate(zip(self.names, self._split(values), strict=True))
        }

    def _split(self, values: Any) -> tuple[Any, ...]:
        return pair(self.name, values) if len(self.names) == 2 else triple(self.name, values)


class Epsilons(Pair):
    """Adafactor's two; None for the first one is the epsilon of the dtype."""

    def __set__(self, optimizer: Optimizer, values: Any) -> None:
        assign(optimizer, self.name, values, lambda given: self.checked(self._filled(optimizer, given)))

    def _filled(self, optimizer: Optimizer, values: Any) -> tuple[Any, Any]:
        first, second = pair(self.name, values)
        return float(np.finfo(optimizer.params.data.dtype).eps) if first is None else first, second


class Clip:
    """A limit of gradients, or None; `without` is the number that represents None in the compiled update."""

    def __init__(self, without: float) -> None:
        self.without = without

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.place = CLIPPING.index(name)

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        if optimizer is None:
            return self
        value = float(optimizer.clipping[self.place])
        return None if value == self.without or math.isnan(value) else value

    def __set__(self, optimizer: Optimizer, value: float | None) -> None:
        number = self.without if value is None else check.check_number(self.name, value, at_least=0.0)
        optimizer.clipping[self.place] = number


def keyword_names(function: Callable[..., None]) -> tuple[str, ...]:
    """The names of the keyword-only arguments of an update: its hyperparameters, and the step if it takes one."""
    code = function.__code__
    return code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


def state_names(function: Callable[..., None]) -> tuple[str, ...]:
    """The names of the arguments of an update after param and grad: its states."""
    return function.__code__.co_varnames[2 : function.__code__.co_argcount]

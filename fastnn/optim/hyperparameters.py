"""Attributes of optimizers that the compiled update reads, and what the signature of an update tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import _validation as check
from .._compat import MODES, defaults_of
from .._core import optimizers as core
from .functional._update import bounds_of, pair

if TYPE_CHECKING:
    from .optimizer import Optimizer


class Hyperparameter:
    """An attribute of an optimizer, kept where the compiled update reads it: a change counts at once.

    One that works on a state (`needs`) can only be other than 0 where the optimizer was made with that state.
    """

    def __init__(self, needs: str | None = None) -> None:
        self.needs = needs

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.place = core.HYPERPARAMETERS.index(name)

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else float(optimizer.hyper[self.place])

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        number = self.checked(optimizer, value)
        optimizer.check_together({**optimizer.hyperparameters(), self.name: number})
        optimizer.hyper[self.place] = number

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        """`value` as a number within bounds, for an optimizer that has the state it works on."""
        number = check.check_number(self.name, value, **bounds_of(self.name))
        if number and self.needs and self.needs not in optimizer.states:
            raise ValueError(f"{self.name} must be given when the optimizer is made: it has no {self.needs} now")
        return number


class Switch(Hyperparameter):
    """A hyperparameter that is True or False."""

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else bool(optimizer.hyper[self.place])

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        return float(check.check_switch(self.name, value))


class Compat(Hyperparameter):
    """The mode of `compat`, by its name; as a number it is its place in MODES."""

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else MODES[int(optimizer.hyper[self.place])]

    def checked(self, optimizer: Optimizer, value: Any) -> float:
        mode = MODES[int(value)] if isinstance(value, float) and value in range(len(MODES)) else value
        defaults_of(type(optimizer).function.__name__, mode)  # raises
        return float(MODES.index(mode))


class Pair:
    """Two hyperparameters that are given as one, such as `betas`."""

    def __init__(self, first: str, second: str) -> None:
        self.names = first, second

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, optimizer: Optimizer | None, owner: type) -> Any:
        return self if optimizer is None else tuple(getattr(optimizer, name) for name in self.names)

    def __set__(self, optimizer: Optimizer, values: Any) -> None:
        numbers = {
            name: check.check_number(f"{self.name}[{i}]", value, **bounds_of(name))
            for i, (name, value) in enumerate(zip(self.names, pair(self.name, values), strict=True))
        }
        optimizer.check_together({**optimizer.hyperparameters(), **numbers})
        for name, number in numbers.items():
            optimizer.hyper[core.HYPERPARAMETERS.index(name)] = number


def keyword_names(function: Callable[..., None]) -> tuple[str, ...]:
    """The names of the arguments of an update that are given by name: its hyperparameters, and perhaps the step."""
    code = function.__code__
    return code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


def state_names(function: Callable[..., None]) -> tuple[str, ...]:
    """The names of the arguments of an update after param and grad: its states."""
    return function.__code__.co_varnames[2 : function.__code__.co_argcount]

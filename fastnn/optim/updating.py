"""What a rule defines: its update as a function of arrays, and the arrays of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from .. import _validation as check
from .hyperparameters import keyword_names, state_names
from .states import Stateful

Array = check.Array


class Updating(Stateful):
    """Base class of `Optimizer`.

    A subclass redefines parts of it for a rule that works on whole matrices, or that has two sorts of parameters.
    """

    function: ClassVar[Callable[..., None]]  # the update as a function of arrays

    def update_name(self) -> str:
        """The name of the function of the reference that is the update of this group."""
        return type(self).function.__name__

    def keywords(self) -> dict[str, Any]:
        """The hyperparameters as the keywords of `function`."""
        names = keyword_names(type(self).function)
        return {name: int(self.step_count[0]) if name == "step" else getattr(self, name) for name in names}

    def slots(self) -> tuple[Array | None, ...]:
        """The states in the order of the arguments of `function`, at most three; None for a state that this optimizer
        lacks.
        """
        return tuple(self.states.get(name) for name in state_names(type(self).function))

    def places(self) -> dict[str, tuple[int, int]] | None:
        """Where the first two states of each parameter begin, of a rule of whole matrices; None of others."""
        return None

    def operands(self, span: Any, param: Array, grad: Array) -> tuple[Array | None, ...]:
        """The arrays of `function` for a span of the flat buffers, which has these parameters and gradients."""
        part = slice(span["start"], span["stop"])
        return param, grad, *(None if state is None else state[part] for state in self.slots())

    def check_together(self, values: dict[str, float]) -> None:
        """Raise ValueError if hyperparameters contradict each other."""

    def to_training(self) -> None:
        """Set the parameters to those that are trained; as `to_evaluation`."""

    def to_evaluation(self) -> None:
        """Set the parameters to those that are evaluated; only a schedule-free optimizer has others."""

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """A context in which the parameters are those that are evaluated."""
        yield

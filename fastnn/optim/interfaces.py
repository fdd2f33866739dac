"""An optimizer, as its hyperparameters and its parameter groups know it."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from .._validation import Array
from ..nn.parameters import Parameters


class Optimizer(Protocol):
    """The attributes are described in `optim.optimizer.Optimizer`."""

    function: ClassVar[Any]  # the update, of arrays
    params: Parameters
    number: int | None
    param_groups: Any
    hyper: Array
    default_hyper: Array
    clipping: Array
    states: dict[str, Array]

    @classmethod
    def group_keys(cls) -> list[str]:
        """The hyperparameters that a group can have of its own."""

    def at(self, group: int) -> Any:
        """The optimizer as a group sees it."""

    def hyperparameters(self, group: int = ...) -> dict[str, float]:
        """The hyperparameters of a group by name."""

    def check_together(self, values: dict[str, float]) -> None:
        """Raise ValueError if hyperparameters do not go together."""

"""Which of two values of a record is the better one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .. import _validation as check
from ..optim.directions import direction


class Monitor:
    """Follows one record of the epochs.

    Parameters
    ----------
    name : str
        Of the record, such as "val_loss".
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more is better; "auto" tells by the name, if it is one of `_directions`.
    min_delta : float, default 0
        A change by no more than this is no improvement.
    """

    def __init__(self, name: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        if not isinstance(name, str):
            raise TypeError(f"monitor must be the name of a record, got {type(name).__name__}")
        check.check_choice("mode", mode, ("auto", "min", "max"))
        self.name = name
        self.larger = direction(name, mode) == "max"
        self.min_delta = check.check_number("min_delta", min_delta, at_least=0.0)

    @property
    def worst(self) -> float:
        """What every number is better than."""
        return -math.inf if self.larger else math.inf

    def value(self, logs: Mapping[str, float]) -> float:
        """The record's value; ValueError if there is none of this name."""
        if self.name not in logs:
            twin = self.name.removesuffix("acc") + "accuracy"  # as Keras calls it
            hint = f": did you mean {twin}?" if twin in logs else ""
            if not hint and self.name.startswith("val_"):
                hint = "; give fit validation data"
            raise ValueError(f"monitor: there is no {self.name!r}, there are {', '.join(logs)}{hint}")
        return logs[self.name]

    def better(self, value: float, than: float) -> bool:
        """Whether `value` improves on `than`; nan never does."""
        return value > than + self.min_delta if self.larger else value < than - self.min_delta

"""Comparison of the values of a record: which of two is the better one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .. import _validation as check
from ..optim.directions import direction


class Monitor:
    """Compares the values of one record of the epochs.

    Parameters
    ----------
    name : str
        Name of the record, such as "val_loss".
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more is better; "auto" decides by the name, from the table in `fastnn._directions`.
    min_delta : float, default 0.0
        A change by no more than this is no improvement, 0 or more.
    relative : bool, default False
        Whether `min_delta` is a share of the magnitude of the value to improve on.

    Attributes
    ----------
    larger : bool
        Whether more is better.

    Raises
    ------
    TypeError
        If `name` is not a str, `min_delta` not a number or `relative` not a bool.
    ValueError
        If `mode` is another word, or "auto" for an unknown name, or `min_delta` is negative or NaN.

    Examples
    --------
    >>> from fastnn.training.monitor import Monitor
    >>> monitor = Monitor("val_accuracy", min_delta=0.25)
    >>> monitor.better(0.75, than=0.25), monitor.better(0.5, than=0.25), monitor.better(float("nan"), than=0.0)
    (True, False, False)
    >>> monitor = Monitor("loss", min_delta=0.5, relative=True)
    >>> monitor.better(3.0, than=4.0), monitor.better(1.0, than=4.0)
    (False, True)
    """

    def __init__(self, name: str, mode: str = "auto", min_delta: float = 0.0, relative: bool = False) -> None:
        if not isinstance(name, str):
            raise TypeError(f"monitor must be the name of a record, got {type(name).__name__}")
        check.check_choice("mode", mode, ("auto", "min", "max"))
        self.name = name
        self.larger = direction(name, mode) == "max"
        self.min_delta = check.check_number("min_delta", min_delta, at_least=0.0)
        self.relative = check.check_bool("relative", relative)

    @property
    def worst(self) -> float:
        """The value that every finite number improves on: infinity, or -infinity if more is better."""
        return -math.inf if self.larger else math.inf

    def value(self, logs: Mapping[str, float]) -> float:
        """The value of the record in `logs`; ValueError if there is none of this name."""
        if self.name not in logs:
            twin = self.name.removesuffix("acc") + "accuracy"  # Keras names it "acc"
            hint = f": did you mean {twin}?" if twin in logs else ""
            if not hint and self.name.startswith("val_"):
                hint = "; give fit validation data"
            raise ValueError(f"monitor: there is no {self.name!r}, there are {', '.join(logs)}{hint}")
        return logs[self.name]

    def better(self, value: float, than: float) -> bool:
        """Whether `value` improves on `than` by more than `min_delta`; NaN never does."""
        delta = self.min_delta
        if self.relative:
            delta = delta * abs(than) if math.isfinite(than) else 0.0
        return value > than + delta if self.larger else value < than - delta

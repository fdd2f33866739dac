"""Flatten as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Flatten(Module):
    """Make one row of each sample: (rows, ...) becomes (rows, features).

    As the first layer of a network it takes samples of any shape. Further on, rows are flat already and it does
    nothing.
    """

    def plan(self, plan: Plan, label: str, position: int) -> None:
        pass

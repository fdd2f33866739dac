"""Dropout as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..plan import Plan


class Dropout(Module):
    """Zero each element with probability p while training, and scale the others by 1 / (1 - p).

    The mask of the n-th training pass depends only on the network's seed, the layer's place and n.

    Parameters
    ----------
    p : float in [0, 1], default 0.5
    """

    planned = ("p",)

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = check.check_number("p", p, at_least=0.0, at_most=1.0)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.dropout(self, label, check.check_number("p", self.p, at_least=0.0, at_most=1.0), position)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"

"""Flatten as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class Flatten(Module):
    """Make one row of each sample: (rows, ...) becomes (rows, features), in C order.

    As the first layer of a network, or called alone, it takes samples of any shape, of float32 or float64. Further on,
    rows are flat already and it does nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Flatten()(np.zeros((5, 28, 28))).shape
    (5, 784)
    """

    def plan(self, builder: Builder, label: str, position: int) -> None:
        pass

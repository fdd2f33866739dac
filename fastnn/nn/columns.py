"""Layers that compute nothing: some columns of the input, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Columns(Module):
    """Some of the features, in the order given.

    Parameters
    ----------
    columns : sequence of int, or slice
        Integers of at least 0; one may be there twice. A slice is of as many features as there are.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Columns([2, 0])(np.array([[1.0, 2.0, 3.0]]))
    array([[3., 1.]])
    """

    planned = ("columns",)

    def __init__(self, columns: Sequence[int] | slice) -> None:
        super().__init__()
        self.columns = columns if isinstance(columns, slice) else _checked(columns)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.gather(self, label, np.array(self._places(plan.cols), "int64"))

    def out_features_for(self, in_features: int) -> int:
        return len(self._places(in_features))

    def _places(self, in_features: int) -> Sequence[int]:
        """The columns of so many features."""
        if isinstance(self.columns, slice):
            return range(*self.columns.indices(in_features))
        columns = _checked(self.columns)
        if columns and max(columns) >= in_features:
            raise ValueError(f"Columns: x has {in_features} features, there is no column {max(columns)}")
        return columns

    def extra_repr(self) -> str:
        return f"{self.columns}"


class Identity(Module):
    """The input as it is: a place for a layer."""

    def plan(self, plan: Plan, label: str, position: int) -> None:
        pass


def _checked(columns: Sequence[int]) -> list[int]:
    if isinstance(columns, (str, bytes)) or not hasattr(columns, "__len__"):
        raise TypeError(f"columns must be a sequence of integers or a slice, got {type(columns).__name__}")
    return [check.check_integer(f"columns[{i}]", column, at_least=0) for i, column in enumerate(columns)]

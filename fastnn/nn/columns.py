"""Layers that compute nothing: a selection of the features, or the input itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class Columns(Module):
    """A selection of the features, in the order given.

    y[..., i] = x[..., columns[i]]

    Input and output have shape (..., features) and one dtype, float32 or float64.

    Parameters
    ----------
    columns : sequence of int, or slice
        Integers of at least 0, which may repeat. A slice applies to the number of features of x.

    Raises
    ------
    TypeError, ValueError
        If columns is neither, or an integer is negative. When called, if x has no such column.

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

    def plan(self, builder: Builder, label: str, position: int) -> None:
        builder.gather(self, label, np.array(self._places(builder.cols), "int64"))

    def out_features_for(self, in_features: int) -> int:
        return len(self._places(in_features))

    def _places(self, in_features: int) -> Sequence[int]:
        """The selected columns of an input with this many features."""
        if isinstance(self.columns, slice):
            return range(*self.columns.indices(in_features))
        columns = _checked(self.columns)
        if columns and max(columns) >= in_features:
            raise ValueError(f"Columns: x has {in_features} features, there is no column {max(columns)}")
        return columns

    def extra_repr(self) -> str:
        return f"{self.columns}"


class Identity(Module):
    """The identity: y = x, of any shape (..., features), float32 or float64. It stands where a layer is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.Identity()(np.array([1.0, 2.0]))
    array([1., 2.])
    """

    def plan(self, builder: Builder, label: str, position: int) -> None:
        pass


def _checked(columns: Sequence[int]) -> list[int]:
    if isinstance(columns, (str, bytes)) or not hasattr(columns, "__len__"):
        raise TypeError(f"columns must be a sequence of integers or a slice, got {type(columns).__name__}")
    return [check.check_integer(f"columns[{i}]", column, at_least=0) for i, column in enumerate(columns)]

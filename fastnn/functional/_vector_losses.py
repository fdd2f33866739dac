"""Shared by the losses of rows that are more than an input and a target: several labels a row, several vectors."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core.losses import RowLoss, VectorsLoss
from .._core.targets import multi_hot
from ._elementwise import Array
from ._losses import LossFunction, PairLoss, Params, RowsLoss


class ColumnsLoss(RowsLoss):
    """A loss of each row of scores or probabilities of columns, each of which may be set; `extra` are their weights."""

    columns = "columns"

    def __init__(self, name: str, names: tuple[str, ...] = (), extra: str = "") -> None:
        super().__init__(name, RowLoss(name, classes=False, like=True, shared=False), names, extra)

    def _target(self, target: Any, x: Array) -> Array:
        return check.as_target("target", target, x.dtype)

    def _extra(self, extra: Any, x: Array) -> Array:
        return check.as_class_weights(self.extra, extra, x.shape[1], x.dtype)


class LabelsLoss(ColumnsLoss):
    """A loss of each row of scores, whose targets are several labels a row or how often each column is one."""

    columns = "classes"

    def _target(self, target: Any, x: Array) -> Array:
        return as_counts("target", target, x.shape, x.dtype) if x.ndim == 2 else super()._target(target, x)


def as_counts(name: str, target: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Labels of rows as numbers, of how often each column is one.

    Integers of shape (rows, n) are labels, which end at the first negative one. Booleans and floats of shape (rows,
    columns) are such numbers already.

    Raises
    ------
    TypeError, ValueError
        If a label is no column (the message has its place), or the shape is wrong.
    """
    array = check.from_any(name, target)
    if not np.issubdtype(array.dtype, np.integer):
        return check.as_target(name, array, dtype)
    rows, classes = shape
    if array.ndim != 2 or len(array) != rows:
        raise ValueError(f"{name} must have shape ({rows}, labels), got {array.shape}")
    labels, counts = check.as_labels(name, array), np.empty(shape, dtype)
    bad = multi_hot(labels, counts)
    if bad >= 0:
        row, column = divmod(bad, labels.shape[1])
        raise ValueError(
            f"{name}[{row}, {column}] is {labels[row, column]}: labels must be between 0 and {classes - 1}, "
            "or -1 after the last one of a row"
        )
    return counts


class RankingLoss(PairLoss):
    """An elementwise loss of two inputs and a target; the kernel takes the target second, the function third."""

    input = "input1"

    def __init__(self, name: str, names: tuple[str, ...]) -> None:
        super().__init__(name, signed=True, extra="input2", names=names)

    def _reference_arguments(
        self, x: Array, t: Array, keywords: dict[str, Any]
    ) -> tuple[tuple[Array, ...], dict[str, Any]]:
        return (x, keywords.pop("input2"), t), keywords


class VectorsFunction(RowsLoss):
    """A loss of each row of two or three matrices of vectors; of two, `extra` is a target of -1 or 1 for each row."""

    def __init__(self, name: str, inputs: tuple[str, ...], extra: str, names: tuple[str, ...]) -> None:
        self.three = len(inputs) == 3
        super().__init__(name, VectorsLoss(name, self.three), names, extra)
        self.input, self.target = inputs[:2]

    def _extra(self, extra: Any, x: Array) -> Array:
        if not self.three:
            signs = check.as_target(self.extra, extra, x.dtype)
            check.check_same_dtype(**{self.input: x, self.extra: signs})
            check.check_shape(self.extra, signs, x.shape[:1], "one a row")
            return signs
        return self._like_input(self.extra, check.as_array(self.extra, extra), x)


__all__ = ["ColumnsLoss", "LabelsLoss", "LossFunction", "Params", "RankingLoss", "VectorsFunction", "as_counts"]

"""Losses written in Python, as functions of predictions and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .loss import Loss

if TYPE_CHECKING:
    from ..compiler.compile import ProgramBuilder as Builder


class PythonLoss(Loss):
    """A loss written in Python, `function(y_pred, y) -> (value, gradient)`, wrapped for the trainer.

    The value is a number, or an array with one for each row. Of an array the mean is taken, weighted by the sample
    weights if there are any; the gradient must be that of the mean. With sample weights the function is called as
    (y_pred, y, sample_weight).
    """

    name = kernel = "python"
    quick = converts = False

    def __init__(self, function: Callable[..., tuple[Any, Any]]) -> None:
        super().__init__()
        self.function = function

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """Return what the function returns, (value, gradient)."""
        if sample_weight is not None:
            return self.function(input, target, sample_weight)
        return self.function(input, target)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        t = check.as_objects("y", target)
        if t.dtype.hasobject:
            raise TypeError(f"y must be an array of numbers, got {t.dtype}: use y.astype('float32'), say")
        t = np.require(t, requirements=["C", "A"])
        if t.shape[:1] != (rows,):
            raise ValueError(f"y must have {rows} rows, one a sample, got shape {t.shape}")
        return t, False

    @property
    def by_elements(self) -> bool:
        return False

    def plan(self, builder: Builder, labels: bool) -> None:
        from ..compiler.backward import read_only
        from ..compiler.operations import Operation

        x, gradient = builder.in_workspace(builder.current, builder.cols, "input"), builder.gradient

        def call(rows: int, staged: Any) -> tuple[float, float]:
            target, weight, mean_weight = staged
            weight = None if weight is None else weight[:rows]
            result = self(read_only(x.array[:rows]), target[:rows], weight)
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(f"loss: the function must return (value, gradient), got {type(result).__name__}")
            value = _mean(result[0], rows, weight)
            count = rows if weight is None else float(weight.sum(dtype="float64"))
            if gradient is not None:
                grad = _gradient(result[1], (rows, gradient.cols))
                scale = count if builder.accumulate else count / (rows * mean_weight) if mean_weight else 1.0
                gradient.array[:rows] = grad * scale if count else grad
            return value, count

        name = getattr(self.function, "__name__", type(self.function).__name__)
        arrays = {"x": x} | ({"grad_input": gradient} if gradient is not None else {})
        builder.operations.append(Operation("python", f"{name} (Python)", arrays, builder.cols, call=call))


def _mean(value: Any, rows: int, weight: check.Array | None) -> float:
    """Convert the value that a loss in Python returned to a number; of an array with one for each row the mean."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub" or array.shape not in ((), (1,), (rows,)):
        what = f"{array.dtype} of shape {array.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"loss: the value must be a number, or one for each of {rows} rows, got {what}")
    if array.shape != (rows,):
        return float(array.reshape(()))
    total = rows if weight is None else weight.sum(dtype="float64")
    weighted = array if weight is None else weight * array
    return float(weighted.sum(dtype="float64") / total) if total else float("nan")


def _gradient(grad: Any, shape: tuple[int, int]) -> check.Array:
    """Check the gradient that a loss in Python returned, and convert it to an array."""
    array = np.asarray(grad)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"loss: the gradient must be an array of real numbers, got {type(grad).__name__}")
    if array.shape != shape:
        raise ValueError(f"loss: the gradient must have shape {shape}, got {array.shape}")
    return array


def as_loss(loss: Any) -> Loss:
    """Return `loss` itself, or a function (y_pred, y) -> (value, gradient) wrapped as a `PythonLoss`."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, type) and issubclass(loss, Loss):
        raise TypeError(f"loss must be an object, not the class: write {loss.__name__}()")
    if callable(loss):
        return PythonLoss(loss)
    raise TypeError(f"loss must be a loss of fastnn.nn or a function of (y_pred, y), got {type(loss).__name__}")

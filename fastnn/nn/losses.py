"""Losses as objects for the trainer and for loops of one's own: `loss_fn(y_pred, y)` gives the value and its gradient.

The functions of the same names in `functional` have formulas, shapes and errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .._core.operations import LABELS, MEAN
from ..functional.losses import LOSSES

if TYPE_CHECKING:
    from ..plan import Plan


class Loss:
    """Base of the losses.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        The trainer takes "mean" and "sum".
    """

    name: ClassVar[str]  # of the function
    kernel: ClassVar[str]
    kind: ClassVar[str] = "loss"  # of operation: a loss of each element, or "row_loss" of each row
    root: ClassVar[bool] = False
    threshold: ClassVar[float | None] = None  # of the positive class, where outputs are scores of two classes
    logits: ClassVar[bool] = False  # outputs are what a softmax over classes makes probabilities of

    def __init__(self, reduction: str = "mean", **params: float) -> None:
        check.check_choice("reduction", reduction, ("mean", "sum", "none"))
        self.reduction = reduction
        self.params = {name: check.check_number(name, value) for name, value in params.items()}

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """The loss, and its gradient with respect to input (for "none": of the sum)."""
        return LOSSES[self.name].both(input, target, self.reduction, sample_weight, *self.params.values())

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        """The target of `rows` samples as the program reads it, and whether it consists of class indices."""
        t = check.as_target("y", target, dtype)
        if t.dtype != dtype:
            raise TypeError(f"y is {t.dtype} but the network is {dtype}: both must have one dtype")
        if n_out == 1 and t.ndim == 1:
            t = t.reshape(-1, 1)
        check.check_shape("y", t, (rows, n_out), f"for {rows} samples and {n_out} outputs")
        return t, False

    def plan(self, plan: Plan, labels: bool) -> None:
        """Tell `plan` which operations this loss stands for."""
        from ..program import Operation, Slot

        arrays = {"x": plan.current, "target": Slot("target"), "sample_weight": Slot("sample_weight")}
        if plan.gradient is not None:
            arrays["grad_x"] = plan.gradient
        if self.kind == "loss":
            arrays["expanded"] = plan.buffer(plan.cols)
        flag = (MEAN if self.reduction == "mean" else 0) | (LABELS if labels else 0)
        label = f"{type(self).__name__}" + (" + gradient" if plan.gradient is not None else "")
        params = tuple(self.params.values())
        plan.operations.append(Operation(self.kind, label, arrays, plan.cols, 0, self.kernel, params, flag, self.root))
        if self.threshold is not None or self.kind == "row_loss":
            arrays = {"x": plan.current, "target": Slot("target"), "sample_weight": Slot("sample_weight")}
            params = (self.threshold or 0.0,)
            binary = self.threshold is not None
            plan.operations.append(Operation("correct", "accuracy", arrays, plan.cols, 0, None, params, flag, binary))

    def __repr__(self) -> str:
        params = "".join(f", {name}={value:g}" for name, value in self.params.items())
        return f"{type(self).__name__}(reduction={self.reduction!r}{params})"


class L1Loss(Loss):
    """Mean absolute error (MAE): |input - target|"""

    name = kernel = "l1_loss"


class MSELoss(Loss):
    """Mean squared error: (input - target)^2"""

    name = kernel = "mse_loss"


class RMSELoss(Loss):
    """Root mean squared error: sqrt(mean((input - target)^2))"""

    name = "rmse_loss"
    kernel = "mse_loss"
    root = True


class HuberLoss(Loss):
    """e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2)"""

    name = kernel = "huber_loss"

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction, delta=check.check_number("delta", delta, above=0.0))


class SmoothL1Loss(Loss):
    """e^2 / (2 beta) where |e| < beta, else |e| - beta / 2"""

    name = kernel = "smooth_l1_loss"

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction, beta=check.check_number("beta", beta, at_least=0.0))


class BCELoss(Loss):
    """Binary cross-entropy of probabilities, after a sigmoid"""

    name = kernel = "binary_cross_entropy"
    threshold = 0.5


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits: the sigmoid is part of it"""

    name = kernel = "binary_cross_entropy_with_logits"
    threshold = 0.0


class ClassLoss(Loss):
    """Base of the losses over classes."""

    kind = "row_loss"

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        t = check.from_any("y", target)
        if np.issubdtype(t.dtype, np.integer) and t.ndim == 1:
            check.check_shape("y", t, (rows,), f"for {rows} samples")
            return check.as_labels("y", t), True
        if isinstance(self, NLLLoss):
            raise TypeError(f"y must be integer class indices of shape ({rows},), got {t.dtype} of shape {t.shape}")
        if t.ndim == 1:
            raise TypeError(
                f"y must be integer class indices or probabilities of shape ({rows}, {n_out}), got {t.dtype}"
            )
        return super().prepare_target(t, rows, n_out, dtype)


class CrossEntropyLoss(ClassLoss):
    """Cross-entropy of logits: softmax is part of it. Targets are class indices, one-hot rows or probabilities.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    label_smoothing : float in [0, 1], default 0.0
    """

    name = kernel = "cross_entropy"
    logits = True

    def __init__(self, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        smoothing = check.check_number("label_smoothing", label_smoothing, at_least=0.0, at_most=1.0)
        super().__init__(reduction, label_smoothing=smoothing)


class NLLLoss(ClassLoss):
    """Negative log-likelihood of log-probabilities, after `LogSoftmax`. Targets are class indices."""

    name = kernel = "nll_loss"


class PythonLoss(Loss):
    """A loss written in Python, `function(y_pred, y) -> (value, gradient)`, wrapped for the trainer."""

    name = kernel = "python"

    def __init__(self, function: Callable[..., tuple[Any, Any]]) -> None:
        super().__init__()
        self.function = function
        self.target: check.Array | None = None  # the rows of the batch, set by the trainer
        self.weight: check.Array | None = None

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        if sample_weight is not None:
            return self.function(input, target, sample_weight)
        return self.function(input, target)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        t = np.ascontiguousarray(check.from_any("y", target))
        if t.shape[:1] != (rows,):
            raise ValueError(f"y must have {rows} rows, one a sample, got shape {t.shape}")
        return t, False

    def plan(self, plan: Plan, labels: bool) -> None:
        from ..program import Operation
        from ..stages import read_only

        x, gradient = plan.current, plan.gradient

        def call(rows: int) -> float:
            assert self.target is not None
            weight = None if self.weight is None else self.weight[:rows]
            value, grad = self(read_only(x.array[:rows]), self.target[:rows], weight)
            if gradient is not None:
                grad = np.asarray(grad)
                if grad.shape != (rows, gradient.cols):
                    raise ValueError(f"loss: the gradient must have shape {(rows, gradient.cols)}, got {grad.shape}")
                gradient.array[:rows] = grad
            return float(value)

        name = getattr(self.function, "__name__", type(self.function).__name__)
        arrays = {"x": x} | ({"grad_x": gradient} if gradient is not None else {})
        plan.operations.append(Operation("python", f"{name} (Python)", arrays, plan.cols, call=call))


def as_loss(loss: Any) -> Loss:
    """`loss` itself, or a function (y_pred, y) -> (value, gradient) wrapped as one."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, type) and issubclass(loss, Loss):
        raise TypeError(f"loss must be an object, not the class: write {loss.__name__}()")
    if callable(loss):
        return PythonLoss(loss)
    raise TypeError(f"loss must be a loss of fastnn.nn or a function of (y_pred, y), got {type(loss).__name__}")

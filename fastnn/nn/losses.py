"""Losses as objects for the trainer and for loops of one's own: `loss_fn(y_pred, y)` gives the value and its gradient.

The functions of the same names in `functional` have formulas, shapes and errors. Here are their base, those that
compare numbers, and those written in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .._core.operations import ACCUMULATE, BY_ROWS, LABELS, MEAN
from .._frames import USE, shortened
from ..functional import LOSSES
from ..functional._losses import LossFunction
from .fixed import Fixed

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Loss(Fixed):
    """Base of the losses.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        The trainer takes all but "none".
    """

    name: ClassVar[str]  # of the function
    kernel: ClassVar[str]
    way_out = "make a new loss"
    kind: ClassVar[str] = "loss"  # of operation: a loss of each element, or "row_loss" of each row
    root: ClassVar[bool] = False
    threshold: ClassVar[float | None] = None  # of the positive class, where outputs are scores of two classes
    classes: ClassVar[bool] = False  # whether outputs are scores of classes, and targets may be their indices
    logits: ClassVar[bool] = False  # outputs are what a softmax over classes makes probabilities of
    extra_name: ClassVar[str] = ""  # of the keyword that may be an array: a number for each column or class
    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")
    quick: ClassVar[bool] = True  # targets are read as they are given

    def __init__(self, reduction: str = "mean", **params: float) -> None:
        if params and type(self).__init__ is Loss.__init__:  # it has no parameters: these are the caller's
            check.refuse_unknown(type(self), params)
        if not isinstance(reduction, str):
            kind = type(reduction).__name__
            raise TypeError(
                f"{type(self).__name__}: reduction must be a word, got {kind}: give weights by name, weight=..."
            )
        check.check_choice("reduction", reduction, self.reductions)
        self.reduction = reduction
        self.params = params  # keywords of the function that are numbers, in the order in which the kernel takes them
        self._extra: check.Array | None = None
        self.version = 0  # counts the changes that ask for new programs

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """The loss, and its gradient with respect to input (for "none": of the sum)."""
        try:
            return self.formula.both(input, target, self.reduction, sample_weight, self.numbers, self._extra)
        except USE as error:
            raise shortened(error)  # noqa: B904

    @property
    def formula(self) -> LossFunction:
        """The function of `functional` that computes it."""
        return LOSSES[self.name]

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the outputs that have losses of their own."""
        return ()

    def describe_label(self, row: int, value: int, y: Any, n_out: int, layout: Any = True) -> str:
        """What is wrong with a class index out of range; `layout` is what `prepare_target` said of the targets."""
        return f"y[{row}] is {value}: class indices must be between 0 and {n_out - 1}"

    @property
    def ignored(self) -> int:
        """The class index whose rows count nothing."""
        return int(self.params.get("ignore_index", -100))

    @property
    def numbers(self) -> tuple[float, ...]:
        """The parameters of the kernel."""
        return tuple(map(float, self.params.values()))

    def _keep(self, extra: check.Array | None) -> None:
        """Take a copy of an array with a number for each column or class; programs are made anew."""
        if extra is not None:
            extra = extra.copy()
            extra.flags.writeable = False
        self._extra = extra
        self.version += 1

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, Any]:
        """The target of `rows` samples as the program reads it, and whether it consists of class indices (a bool, or of
        several heads how theirs stand side by side: `plan` is given it).
        """
        t = check.as_target("y", target, dtype)
        if t.dtype != dtype:
            raise TypeError(f"y is {t.dtype} but the network is {dtype}: both must have one dtype")
        if n_out == 1 and t.ndim == 1:
            t = t.reshape(-1, 1)
        check.check_shape("y", t, (rows, n_out), f"for {rows} samples and {n_out} outputs")
        return t, False

    def plan(self, plan: Plan, labels: bool) -> None:
        """Tell `plan` which operations this loss stands for."""
        self._plan_loss(plan, labels, plan.current, plan.gradient, plan.cols, self._operands(plan))
        if self.threshold is not None or self.classes:
            self._plan_accuracy(plan, labels)

    def _plan_loss(self, plan: Plan, labels: bool, x: Any, gradient: Any, cols: int, more: dict[str, Any]) -> None:
        """The loss of `cols` columns x, with its gradient unless that is None, and operands besides."""
        from ..compiler.program import Operation, Slot

        arrays = {"x": x, "target": Slot("target"), "sample_weight": Slot("sample_weight"), **more}
        if gradient is not None:
            arrays["grad_x"] = gradient
        if self.kind == "loss":
            arrays["expanded"] = plan.buffer(cols)
        label = f"{type(self).__name__}" + (" + gradient" if gradient is not None else "")
        flag = self._flag(labels) | (ACCUMULATE if plan.accumulate else 0)
        operation = Operation(self.kind, label, arrays, cols, 0, self.kernel, self.numbers, flag, self.root, loss=self)
        plan.operations.append(operation)

    def _flag(self, labels: bool) -> int:
        flag = 0 if self.reduction == "sum" else MEAN
        return flag | (LABELS if labels else 0) | (BY_ROWS if self.reduction == "batchmean" else 0)

    def _operands(self, plan: Plan) -> dict[str, Any]:
        """What the kernel reads besides: the number of each column, for each element of a batch."""
        if self._extra is None:
            return {}
        check.check_shape(self.extra_name, self._extra, (plan.cols,), "one an output")
        return {"extra": check.as_columns(self.extra_name, self._extra, (plan.batch_size, plan.cols), plan.dtype)}

    def _plan_accuracy(self, plan: Plan, labels: bool) -> None:
        from ..compiler.program import Operation, Slot

        arrays = {"x": plan.current, "target": Slot("target"), "sample_weight": Slot("sample_weight")}
        binary = self.threshold is not None
        params = (self.threshold or 0.0, float(self.ignored))
        flag = self._flag(labels)
        plan.operations.append(Operation("correct", "accuracy", arrays, plan.cols, 0, None, params, flag, binary))

    def __repr__(self) -> str:
        params: dict[str, Any] = {n: v if isinstance(v, bool) else f"{v:g}" for n, v in self.params.items()}
        if self._extra is not None:
            params[self.extra_name] = self._extra.tolist()
        return f"{type(self).__name__}(reduction={self.reduction!r}{''.join(f', {n}={v}' for n, v in params.items())})"


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


class QuantileLoss(Loss):
    """Quantile or pinball loss: q e where e = target - input >= 0, else (q - 1) e

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    q : float in (0, 1), or one for each output of the network, default 0.5
        Targets of shape (rows,) then stand for all outputs.
    """

    name = kernel = "quantile_loss"
    extra_name = "q"

    def __init__(self, reduction: str = "mean", q: Any = 0.5) -> None:
        (number,), columns = check.split_numbers(check.as_numbers("q", q, above=0.0, below=1.0))
        super().__init__(reduction, q=number)
        self._keep(columns)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        t = check.as_rows(check.as_target("y", target, dtype), (rows, n_out))
        return super().prepare_target(t, rows, n_out, dtype)


class CosineSimilarityLoss(Loss):
    """1 - cos of the angle between outputs and targets, row by row"""

    name = kernel = "cosine_loss"
    kind = "row_loss"

    def __init__(self, reduction: str = "mean", eps: float = 1e-8) -> None:
        super().__init__(reduction, eps=check.check_number("eps", eps, at_least=0.0))


class PythonLoss(Loss):
    """A loss written in Python, `function(y_pred, y) -> (value, gradient)`, wrapped for the trainer.

    The value is a number, or one for each row: then their mean is taken, weighted where there are sample weights, and
    the gradient must be that of the mean. With sample weights the function is called as (y_pred, y, sample_weight).
    """

    name = kernel = "python"
    quick = False

    def __init__(self, function: Callable[..., tuple[Any, Any]]) -> None:
        super().__init__()
        self.function = function

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
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

    def plan(self, plan: Plan, labels: bool) -> None:
        from ..compiler.program import Operation
        from ..compiler.stages import read_only

        x, gradient = plan.in_workspace(plan.current, plan.cols, "input"), plan.gradient

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
                scale = count if plan.accumulate else count / (rows * mean_weight) if mean_weight else 1.0
                gradient.array[:rows] = grad * scale if count else grad
            return value, count

        name = getattr(self.function, "__name__", type(self.function).__name__)
        arrays = {"x": x} | ({"grad_x": gradient} if gradient is not None else {})
        plan.operations.append(Operation("python", f"{name} (Python)", arrays, plan.cols, call=call))


def _mean(value: Any, rows: int, weight: check.Array | None) -> float:
    """What a loss in Python returned, as a number; of one number a row the mean."""
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
    """What a loss in Python returned, as an array."""
    array = np.asarray(grad)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"loss: the gradient must be an array of real numbers, got {type(grad).__name__}")
    if array.shape != shape:
        raise ValueError(f"loss: the gradient must have shape {shape}, got {array.shape}")
    return array


def as_loss(loss: Any) -> Loss:
    """`loss` itself, or a function (y_pred, y) -> (value, gradient) wrapped as one."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, type) and issubclass(loss, Loss):
        raise TypeError(f"loss must be an object, not the class: write {loss.__name__}()")
    if callable(loss):
        return PythonLoss(loss)
    raise TypeError(f"loss must be a loss of fastnn.nn or a function of (y_pred, y), got {type(loss).__name__}")

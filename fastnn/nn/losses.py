"""Losses as objects, for the trainer and for your own loops: `loss_fn(y_pred, y)` returns the value and its gradient.

The functions of the same names in `functional` have gradients, special values and accuracy. This file has the base
class, the losses that compare numbers, and those written in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .._core.operations import ACCUMULATE, BY_ROWS, LABELS, MEAN
from .._frames import USE, shorten
from ..functional import LOSSES
from ..functional._losses import LossFunction
from .fixed import Fixed

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Loss(Fixed):
    """Base of the losses: called with outputs and targets, a loss returns its value and its gradient.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        The mean or the sum over all elements (or rows, for losses of rows), or one value each. The trainer takes all
        but "none".

    Raises
    ------
    TypeError, ValueError
        If reduction is none of these, or an argument is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MSELoss()(np.array([[1.0], [2.0]]), np.array([[0.0], [2.0]]))
    >>> float(value), grad.tolist()
    (0.5, [[1.0], [0.0]])
    """

    name: ClassVar[str]  # of the function in `functional`
    kernel: ClassVar[str]
    way_out = "make a new loss"
    kind: ClassVar[str] = "loss"  # of the operation: "loss" has a value for each element, "row_loss" for each row
    root: ClassVar[bool] = False
    threshold: ClassVar[float | None] = None  # outputs above it mean the positive class of two
    classes: ClassVar[bool] = False  # whether outputs are scores over classes, and targets may be class indices
    logits: ClassVar[bool] = False  # whether outputs are logits over classes, whose softmax is probabilities
    extra_name: ClassVar[str] = ""  # the keyword that may be an array with a number for each column or class
    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")
    quick: ClassVar[bool] = True  # whether the trainer may use the compiled fast path of a step

    def __init__(self, reduction: str = "mean", **params: float) -> None:
        if params and type(self).__init__ is Loss.__init__:  # a loss without parameters: the caller's are unknown
            check.refuse_unknown(type(self), params)
        if not isinstance(reduction, str):
            kind = type(reduction).__name__
            raise TypeError(
                f"{type(self).__name__}: reduction must be a word, got {kind}: give weights by name, weight=..."
            )
        check.check_choice("reduction", reduction, self.reductions)
        self.reduction = reduction
        self.params = params  # numeric keywords of the function, in the order in which the kernel takes them
        self._extra: check.Array | None = None
        self.version = 0  # counts changes: programs of an earlier version are out of date

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """Return the loss and its gradient with respect to input.

        Parameters
        ----------
        input : ndarray of float32 or float64
            The outputs of a network. Shape (rows, outputs), any shape for losses of single elements.
        target : array
            Of input's shape and dtype, or integers or booleans, which are converted; for losses over classes class
            indices, integers of shape (rows,).
        sample_weight : array of shape (rows,), or of input's shape for losses of single elements, optional
            Multiplies the loss of each sample, 0 or more. "mean" is then the weighted mean.

        Returns
        -------
        value : scalar of input's dtype, or for reduction "none" an array with a value for each element or row
        grad_input : ndarray, shape and dtype of input
            For reduction "none" the gradient of the sum.

        Raises
        ------
        TypeError, ValueError
            If dtypes or shapes do not match, or a target or a weight is out of range.
        """
        try:
            return self.formula.both(input, target, self.reduction, sample_weight, self.numbers, self._extra)
        except USE as error:
            shorten(error)
            raise

    @property
    def formula(self) -> LossFunction:
        """The operation of `functional` that computes this loss."""
        return LOSSES[self.name]

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the outputs that have a loss of their own; empty for all but `HeadsLoss`."""
        return ()

    def describe_label(self, row: int, value: int, y: Any, n_out: int, layout: Any = True) -> str:
        """The message for a class index out of range; `layout` is the second value that `prepare_target` returned."""
        return f"y[{row}] is {value}: class indices must be between 0 and {n_out - 1}"

    @property
    def ignored(self) -> int:
        """The class index whose rows are left out."""
        return int(self.params.get("ignore_index", -100))

    @property
    def numbers(self) -> tuple[float, ...]:
        """The parameters of the kernel, as floats in the order in which it takes them."""
        return tuple(map(float, self.params.values()))

    def _keep(self, extra: check.Array | None) -> None:
        """Keep a copy of an array with a number for each column or class, and have programs compiled again."""
        if extra is not None:
            extra = extra.copy()
            extra.flags.writeable = False
        self._extra = extra
        self.version += 1

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, Any]:
        """Convert the target of `rows` samples to what a program reads; called by the trainer.

        Parameters
        ----------
        target : array
        rows, n_out : int
            The number of samples and of outputs of the network.
        dtype : dtype
            That of the network.

        Returns
        -------
        target : ndarray, shape (rows, n_out) and dtype of the network; or int64 of shape (rows,)
        labels : bool
            Whether the target is class indices. `HeadsLoss` returns the layout of its heads instead. `plan` is given
            it.

        Raises
        ------
        TypeError, ValueError
            If the target does not fit.
        """
        t = check.as_target("y", target, dtype)
        if t.dtype != dtype:
            raise TypeError(f"y is {t.dtype} but the network is {dtype}: both must have one dtype")
        if n_out == 1 and t.ndim == 1:
            t = t.reshape(-1, 1)
        check.check_shape("y", t, (rows, n_out), f"for {rows} samples and {n_out} outputs")
        return t, False

    def plan(self, plan: Plan, labels: bool) -> None:
        """Add the operations of this loss to `plan`; called by the network.

        `labels` is the second value that `prepare_target` returned.
        """
        self._plan_loss(plan, labels, plan.current, plan.gradient, plan.cols, self._operands(plan))
        if self.threshold is not None or self.classes:
            self._plan_accuracy(plan, labels)

    def _plan_loss(self, plan: Plan, labels: bool, x: Any, gradient: Any, cols: int, more: dict[str, Any]) -> None:
        """Add the loss of `cols` columns x, and its gradient unless that is None; `more` are further operands."""
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
        """Further operands of the kernel: the number of each column, repeated for each row of a batch."""
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
    """Mean absolute error (MAE).

    loss = |input - target|

    Input and target have one shape and dtype; `functional.l1_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.L1Loss()(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    >>> float(value), grad.tolist()
    (1.5, [-0.5, 0.5])
    """

    name = kernel = "l1_loss"


class MSELoss(Loss):
    """Mean squared error.

    loss = (input - target)^2

    Input and target have one shape and dtype; `functional.mse_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MSELoss()(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    >>> float(value), grad.tolist()
    (2.5, [-2.0, 1.0])
    """

    name = kernel = "mse_loss"


class RMSELoss(Loss):
    """Root mean squared error.

    loss = sqrt(mean((input - target)^2))

    Input and target have one shape and dtype; the loss of an epoch is the root of the mean over all its elements.
    `functional.rmse_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
        "sum" is the root of the sum, "none" the root of each square.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.RMSELoss()(np.array([0.0, 4.0]), np.array([0.0, 4.0]) + 2.0)
    >>> float(value), grad.tolist()
    (2.0, [-0.5, -0.5])
    """

    name = "rmse_loss"
    kernel = "mse_loss"
    root = True


class HuberLoss(Loss):
    """Huber loss (1964): quadratic for small errors, linear for large ones.

    loss = e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2),   e = input - target

    Input and target have one shape and dtype; `functional.huber_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    delta : float above 0, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.HuberLoss()(np.array([0.5, 3.0]), np.array([0.0, 0.0]))
    >>> float(value), grad.tolist()
    (1.3125, [0.25, 0.5])
    """

    name = kernel = "huber_loss"

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction, delta=check.check_number("delta", delta, above=0.0))


class SmoothL1Loss(Loss):
    """Smooth L1 loss (Girshick 2015): quadratic for small errors, linear for large ones.

    loss = e^2 / (2 beta) where |e| < beta, else |e| - beta / 2,   e = input - target

    Input and target have one shape and dtype; `functional.smooth_l1_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    beta : float, at least 0, default 1.0
        0 makes it `L1Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.SmoothL1Loss(beta=2.0)(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    >>> float(value), grad.tolist()
    (1.125, [0.25, 0.5])
    """

    name = kernel = "smooth_l1_loss"

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction, beta=check.check_number("beta", beta, at_least=0.0))


class QuantileLoss(Loss):
    """Quantile or pinball loss (Koenker and Bassett 1978): its minimum is the q-quantile of the targets.

    loss = q * e where e >= 0, else (q - 1) * e,   e = target - input

    Input and target have one shape and dtype. With several q the target may also have shape (rows,) or (rows, 1): all
    outputs are then quantiles of that one target. `functional.quantile_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    q : float in (0, 1), or one for each output of the network, default 0.5

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.QuantileLoss(q=[0.25, 0.75])(np.array([[1.0, 3.0]]), np.array([2.0]))
    >>> float(value), grad.tolist()
    (0.25, [[-0.125, 0.125]])
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
    """One minus the cosine of the angle between each row of the input and that of the target.

    loss = 1 - input . target / (max(|input|, eps) * max(|target|, eps)),   0 to 2

    Input and target have shape (rows, features) and one dtype; `functional.cosine_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    eps : float, at least 0, default 1e-8
        The least norm to divide by.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.CosineSimilarityLoss()(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    >>> float(value), grad.tolist()
    (1.0, [[0.0, -1.0]])
    """

    name = kernel = "cosine_loss"
    kind = "row_loss"

    def __init__(self, reduction: str = "mean", eps: float = 1e-8) -> None:
        super().__init__(reduction, eps=check.check_number("eps", eps, at_least=0.0))


class PythonLoss(Loss):
    """A loss written in Python, `function(y_pred, y) -> (value, gradient)`, wrapped for the trainer.

    The value is a number, or an array with one for each row. Of an array the mean is taken, weighted by the sample
    weights if there are any; the gradient must be that of the mean. With sample weights the function is called as
    (y_pred, y, sample_weight).
    """

    name = kernel = "python"
    quick = False

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

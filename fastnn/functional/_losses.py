"""What the losses share: checks, reductions, weights, and the call of a kernel for the value or the gradient."""

import math
from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.losses import Loss, RowLoss, first_bad_label, weight_sum
from ._elementwise import Array, reference_function, scalar

REDUCTIONS = ("mean", "sum", "none")


def _weights(sample_weight: Any, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array | None:
    """One weight for each of the losses of `shape`, from one a sample or one a loss."""
    if sample_weight is None:
        return None
    weight = check.as_weights("sample_weight", sample_weight, dtype)
    if weight.shape == (rows,) and shape[:1] == (rows,):
        weight = weight.reshape(rows, *(1,) * (len(shape) - 1))
    elif weight.shape != shape:
        raise ValueError(f"sample_weight must have shape ({rows},), one a sample, got {weight.shape}")
    return np.array(np.broadcast_to(weight, shape))


def _upstream(
    grad_output: Any, reduction: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[float, Array | None]:
    """grad_output as a factor for all losses, and as an array of one a loss for reduction "none"."""
    g = np.asarray(check.from_any("grad_output", grad_output))
    if reduction != "none":
        if g.size != 1:
            raise ValueError(f"grad_output must be a scalar for reduction {reduction!r}, got shape {g.shape}")
        return float(g.reshape(())), None
    check.check_shape("grad_output", g, shape, "(that of the loss) for reduction 'none'")
    return 1.0, np.array(g, dtype)


class ElementwiseLoss:
    """A loss of each element: kernel, reference and, for rmse, the root."""

    def __init__(self, name: str, kernel: str | None = None, root: bool = False) -> None:
        self.name = name
        self.kernel = Loss(kernel or name)
        self.root = root

    def _arrays(self, input: Any, target: Any, reduction: str, sample_weight: Any) -> tuple[Array, Array, Array | None]:
        x = check.as_array("input", input)
        t = check.as_target("target", target, x.dtype)
        check.check_same_dtype(input=x, target=t)
        check.check_same_shape(input=x, target=t)
        check.check_choice("reduction", reduction, REDUCTIONS)
        return x, t, _weights(sample_weight, x.shape[0] if x.ndim else 1, x.shape, x.dtype)

    def _divisor(self, x: Array, weight: Array | None, reduction: str) -> float:
        if reduction != "mean":
            return 1.0
        return float(x.size) or math.nan if weight is None else weight_sum(weight)

    def forward(self, input: Any, target: Any, reduction: str, sample_weight: Any, *params: float) -> Any:
        x, t, weight = self._arrays(input, target, reduction, sample_weight)
        if dispatch.get_reference():
            return reference_function(self.name)(x, t, reduction, weight, *params)
        values = np.empty_like(x) if reduction == "none" else None
        total = self.kernel.run(x, t, weight, values, None, 1.0, *params)
        if values is not None:
            return np.sqrt(values) if self.root else values[()]
        value = total / self._divisor(x, weight, reduction)
        return scalar(math.sqrt(value) if self.root else value, x.dtype)

    def backward(
        self, grad_output: Any, input: Any, target: Any, reduction: str, sample_weight: Any, *params: float
    ) -> Array:
        x, t, weight = self._arrays(input, target, reduction, sample_weight)
        factor, g = _upstream(grad_output, reduction, x.shape, x.dtype)
        if dispatch.get_reference():
            return np.asarray(
                reference_function(f"{self.name}_backward")(
                    g if g is not None else factor, x, t, reduction, weight, *params
                )
            )
        if self.root:
            factor, g = self._through_root(x, t, weight, reduction, factor, g, *params)
        if g is not None:
            weight = g if weight is None else g * weight
        grad = np.empty_like(x)
        self.kernel.run(
            x,
            t,
            weight,
            None,
            grad,
            factor / self._divisor(x, weight if g is None else None, reduction),
            *params,
        )
        return grad

    def _through_root(
        self,
        x: Array,
        t: Array,
        weight: Array | None,
        reduction: str,
        factor: float,
        g: Array | None,
        *params: float,
    ) -> tuple[float, Array | None]:
        """The gradient through the root, 1 / (2 root), and 0 where the root is 0."""
        values = np.empty_like(x) if g is not None else None
        total = self.kernel.run(x, t, weight, values, None, 1.0, *params)
        if g is not None and values is not None:
            roots = np.sqrt(values)
            return factor, np.divide(g, 2 * roots, out=np.zeros_like(g), where=roots != 0)
        root = math.sqrt(total / self._divisor(x, weight, reduction))
        return factor / (2 * root) if root != 0 else 0.0, None


class ClassLoss:
    """A loss of each row of scores against classes."""

    def __init__(self, name: str, probabilities: bool) -> None:
        self.name = name
        self.kernel = RowLoss(name)
        self.probabilities = probabilities

    def _arrays(
        self, input: Any, target: Any, reduction: str, sample_weight: Any
    ) -> tuple[Array, Array | None, Array | None, Array | None]:
        x = check.as_array("input", input)
        if x.ndim != 2:
            raise ValueError(f"input must have shape (rows, classes), got {x.shape}")
        check.check_choice("reduction", reduction, REDUCTIONS)
        labels, q = class_targets(target, x, self.probabilities)
        return x, labels, q, _weights(sample_weight, x.shape[0], x.shape[:1], x.dtype)

    def _divisor(self, x: Array, weight: Array | None, reduction: str) -> float:
        if reduction != "mean":
            return 1.0
        return float(x.shape[0]) or math.nan if weight is None else weight_sum(weight)

    def forward(self, input: Any, target: Any, reduction: str, sample_weight: Any, *params: float) -> Any:
        x, labels, q, weight = self._arrays(input, target, reduction, sample_weight)
        if dispatch.get_reference():
            return reference_function(self.name)(x, labels if q is None else q, reduction, weight, *params)
        values = np.empty(x.shape[0], x.dtype) if reduction == "none" else None
        total = self.kernel.run(x, labels, q, weight, values, None, 1.0, *params)
        return values if values is not None else scalar(total / self._divisor(x, weight, reduction), x.dtype)

    def backward(
        self, grad_output: Any, input: Any, target: Any, reduction: str, sample_weight: Any, *params: float
    ) -> Array:
        x, labels, q, weight = self._arrays(input, target, reduction, sample_weight)
        factor, g = _upstream(grad_output, reduction, x.shape[:1], x.dtype)
        if dispatch.get_reference():
            function = reference_function(f"{self.name}_backward")
            return np.asarray(
                function(g if g is not None else factor, x, labels if q is None else q, reduction, weight, *params)
            )
        divisor = self._divisor(x, weight, reduction)
        if g is not None:
            weight = g if weight is None else g * weight
        grad = np.empty_like(x)
        self.kernel.run(x, labels, q, weight, None, grad, factor / divisor, *params)
        return grad


def class_targets(target: Any, x: Array, probabilities: bool) -> tuple[Array | None, Array | None]:
    """`target` as class indices (int64) or as class probabilities of x's dtype and shape; the other is None."""
    t = check.from_any("target", target)
    rows, classes = x.shape
    if np.issubdtype(t.dtype, np.integer) and t.ndim == 1:
        check.check_shape("target", t, (rows,), f"for input of shape {x.shape}")
        labels = check.as_labels("target", t)
        bad = first_bad_label(labels, classes)
        if bad >= 0:
            raise ValueError(f"target[{bad}] is {labels[bad]}: class indices must be between 0 and {classes - 1}")
        return labels, None
    if not probabilities:
        raise TypeError(f"target must be integer class indices of shape ({rows},), got {t.dtype} of shape {t.shape}")
    if np.issubdtype(t.dtype, np.integer) or t.dtype == bool:
        t = t.astype(x.dtype)  # one-hot
    t = check.as_array("target", t)
    check.check_same_dtype(input=x, target=t)
    check.check_shape("target", t, x.shape, f"(probabilities) or ({rows},) (class indices)")
    return None, t

"""What the losses share: checks, reductions, weights, and the call of a kernel for the value, the gradient or both."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.losses import Loss, RowLoss, first_bad_label
from ._elementwise import Array, reference_function

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
    return 1.0, np.array(g, dtype, order="C")


class LossFunction:
    """A loss: kernel and reference; `forward` gives its value, `backward` its gradient, `both` the two in one pass."""

    def __init__(self, name: str, kernel: Loss) -> None:
        self.name = name
        self.kernel = kernel

    def forward(self, input: Any, target: Any, reduction: str, sample_weight: Any, *params: float) -> Any:
        arguments = (input, target, sample_weight, reduction, None, True, False, *params)
        return (self.kernel.quick(*arguments) or self._slow(*arguments))[0]

    def backward(
        self, grad_output: Any, input: Any, target: Any, reduction: str, sample_weight: Any, *params: float
    ) -> Array:
        arguments = (input, target, sample_weight, reduction, grad_output, False, True, *params)
        return (self.kernel.quick(*arguments) or self._slow(*arguments))[1]

    def both(self, input: Any, target: Any, reduction: str, sample_weight: Any, *params: float) -> tuple[Any, Array]:
        """The loss, and its gradient; for "none" that of the sum."""
        arguments = (input, target, sample_weight, reduction, None, True, True, *params)
        return self.kernel.quick(*arguments) or self._slow(*arguments)

    def _slow(
        self,
        input: Any,
        target: Any,
        sample_weight: Any,
        reduction: str,
        grad_output: Any,
        value: bool,
        gradient: bool,
        *params: float,
    ) -> tuple[Any, Any]:
        """What `Loss.quick` gives, of arguments that may need a repair or an explanation; or on the other backend."""
        x, t, shape = self._arrays(input, target, reduction)
        weight = _weights(sample_weight, x.shape[0] if x.ndim else 1, shape, x.dtype)
        if value:
            grad_output = np.ones(shape) if reduction == "none" else 1.0
        factor, g = _upstream(grad_output, reduction, shape, x.dtype)
        if dispatch.get_reference():
            return self._reference(x, t, weight, reduction, factor if g is None else g, value, gradient, *params)
        if g is not None and not value:
            weight = g if weight is None else np.asarray(g * weight)  # an array even where the product is a scalar
        return self.kernel.evaluate(x, t, weight, str(reduction), factor, value, gradient, *params)

    def _arrays(self, input: Any, target: Any, reduction: Any) -> tuple[Array, Array, tuple[int, ...]]:
        """Input and target as the kernel takes them, and the shape of the losses; looks at `reduction` too."""
        raise NotImplementedError

    def _reference(
        self,
        x: Array,
        t: Array,
        weight: Array | None,
        reduction: str,
        grad_output: Any,
        value: bool,
        gradient: bool,
        *params: float,
    ) -> tuple[Any, Any]:
        loss, grad = None, None
        if value:
            loss = reference_function(self.name)(x, t, reduction, weight, *params)
        if gradient:
            backward = reference_function(f"{self.name}_backward")
            grad = np.asarray(backward(grad_output, x, t, reduction, weight, *params))
        return loss, grad


class ElementwiseLoss(LossFunction):
    """A loss of each element; the kernel has its name unless that is given."""

    def __init__(self, name: str, kernel: Loss | None = None) -> None:
        super().__init__(name, kernel or Loss(name))

    def _arrays(self, input: Any, target: Any, reduction: Any) -> tuple[Array, Array, tuple[int, ...]]:
        x = check.as_array("input", input)
        t = check.as_target("target", target, x.dtype)
        check.check_same_dtype(input=x, target=t)
        check.check_same_shape(input=x, target=t)
        check.check_choice("reduction", reduction, REDUCTIONS)
        return x, t, x.shape


class RootLoss(ElementwiseLoss):
    """The root of the loss whose kernel is given: of its mean, of its sum, or for "none" of each."""

    def __init__(self, name: str, kernel: str) -> None:
        super().__init__(name, Loss(kernel, root=True))

    def _slow(
        self,
        input: Any,
        target: Any,
        sample_weight: Any,
        reduction: str,
        grad_output: Any,
        value: bool,
        gradient: bool,
        *params: float,
    ) -> tuple[Any, Any]:
        if reduction != "none" or dispatch.get_reference():
            return super()._slow(input, target, sample_weight, reduction, grad_output, value, gradient)
        roots = np.sqrt(super()._slow(input, target, sample_weight, reduction, None, True, False)[0])
        if not gradient:
            return roots, None
        g: Any = np.ones_like(roots) if value else _upstream(grad_output, reduction, roots.shape, roots.dtype)[1]
        g = np.divide(g, 2 * roots, out=np.zeros_like(roots), where=roots != 0)  # 0 where the root is 0
        return roots, super()._slow(input, target, sample_weight, reduction, g, False, True)[1]


class ClassLoss(LossFunction):
    """A loss of each row of scores against classes."""

    def __init__(self, name: str, probabilities: bool) -> None:
        super().__init__(name, RowLoss(name, probabilities))
        self.probabilities = probabilities

    def _arrays(self, input: Any, target: Any, reduction: Any) -> tuple[Array, Array, tuple[int, ...]]:
        x = check.as_array("input", input)
        if x.ndim != 2:
            raise ValueError(f"input must have shape (rows, classes), got {x.shape}")
        check.check_choice("reduction", reduction, REDUCTIONS)
        return x, class_targets(target, x, self.probabilities), x.shape[:1]


def class_targets(target: Any, x: Array, probabilities: bool) -> Array:
    """`target` as class indices (int64) or, if they may be that, as class probabilities of x's dtype and shape."""
    t = check.from_any("target", target)
    rows, classes = x.shape
    if np.issubdtype(t.dtype, np.integer) and t.ndim == 1:
        check.check_shape("target", t, (rows,), f"for input of shape {x.shape}")
        labels = check.as_labels("target", t)
        bad = first_bad_label(labels, classes)
        if bad >= 0:
            raise ValueError(f"target[{bad}] is {labels[bad]}: class indices must be between 0 and {classes - 1}")
        return labels
    if not probabilities:
        raise TypeError(f"target must be integer class indices of shape ({rows},), got {t.dtype} of shape {t.shape}")
    if np.issubdtype(t.dtype, np.integer) or t.dtype == bool:
        t = t.astype(x.dtype)  # one-hot
    t = check.as_array("target", t)
    check.check_same_dtype(input=x, target=t)
    check.check_shape("target", t, x.shape, f"(probabilities) or ({rows},) (class indices)")
    return t

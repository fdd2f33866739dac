"""Shared by the losses: checks, weights, and the call of a kernel for the value, the gradient or both."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.arrays import plain
from .._core.losses import Loss, RowLoss
from .._frames import SHORT_ERRORS
from ._class_targets import check_labels, class_axes, class_rows, class_targets, places_of
from ._elementwise import Array, reference_function
from ._targets import check_targets

Params = tuple[float, ...]

REDUCTIONS = ("mean", "sum", "none")


def _weights(sample_weight: Any, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array | None:
    """`sample_weight` as an array of `shape`, that of the losses; it may have one weight for each row."""
    if sample_weight is None:
        return None
    weight = check.as_weights("sample_weight", sample_weight, dtype)
    if weight.shape == (rows,) and shape[:1] == (rows,):
        weight = weight.reshape(rows, *(1,) * (len(shape) - 1))
    elif weight.shape != shape:
        of_input = f"({rows},), one a sample" if shape else "(), as input has"
        raise ValueError(f"sample_weight must have shape {of_input}, got {weight.shape}")
    return np.array(np.broadcast_to(weight, shape))


def _element_weights(weight: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """`weight` broadcast to `shape`, that of the losses."""
    array = check.as_weights("weight", weight, dtype)
    try:
        return np.array(np.broadcast_to(array, shape), order="C")
    except ValueError:
        raise ValueError(f"weight of shape {array.shape} cannot be broadcast to the shape of input, {shape}") from None


def _upstream(
    grad_output: Any, reduction: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[float, Array | None]:
    """grad_output as a factor, and for reduction "none" as an array of `shape`, that of the losses."""
    g = np.asarray(check.from_any("grad_output", grad_output))
    if reduction != "none":
        if g.size != 1:
            raise ValueError(f"grad_output must be a scalar for reduction {reduction!r}, got shape {g.shape}")
        return float(g.reshape(())), None
    check.check_shape("grad_output", g, shape, "(that of the loss) for reduction 'none'")
    with np.errstate(over="ignore"):
        return 1.0, np.array(g, dtype, order="C")


class LossFunction:
    """A loss on both backends: `forward` returns its value, `backward` its gradient, `both` the two in one pass.

    `name` is the reference's function, `names` its keywords for the numbers `params`, and `extra` its keyword for the
    array that some losses take besides (a variance, weights of classes). `input` and `target` are how messages call the
    first two arrays.
    """

    input, target = "input", "target"

    def __init__(
        self,
        name: str,
        kernel: Loss,
        names: tuple[str, ...] = (),
        extra: str = "",
        reductions: tuple[str, ...] = REDUCTIONS,
    ) -> None:
        self.name = name
        self.kernel = kernel
        self.names = names
        self.extra = extra
        self.reductions = reductions

    def forward(
        self,
        input: Any,
        target: Any,
        reduction: str,
        sample_weight: Any,
        params: Params = (),
        extra: Any = None,
        weight: Any = None,
    ) -> Any:
        arguments = (input, target, sample_weight, reduction, None, True, False, params, extra)
        found = self.kernel.quick(*arguments) if weight is None else None
        if found is None:
            with SHORT_ERRORS:
                found = self._slow(*arguments, weight)
        return found[0]

    def backward(
        self,
        grad_output: Any,
        input: Any,
        target: Any,
        reduction: str,
        sample_weight: Any,
        params: Params = (),
        extra: Any = None,
        weight: Any = None,
    ) -> Array:
        arguments = (input, target, sample_weight, reduction, grad_output, False, True, params, extra)
        found = self.kernel.quick(*arguments) if weight is None else None
        if found is None:
            with SHORT_ERRORS:
                found = self._slow(*arguments, weight)
            return scalars(found[1])
        return found[1]

    def both(
        self,
        input: Any,
        target: Any,
        reduction: str,
        sample_weight: Any,
        params: Params = (),
        extra: Any = None,
        weight: Any = None,
    ) -> tuple[Any, Array]:
        """The loss and its gradient ("none": that of the sum), after a check of the range of the targets.

        Targets of any real dtype are converted to that of input.
        """
        if self.kernel.targets(params):
            if not (plain(input) and plain(target) and input.dtype == target.dtype):
                input, target = self._converted(input, target)
            check_targets("target", target, self.kernel.name, params)
        arguments = (input, target, sample_weight, reduction, None, True, True, params, extra)
        found = self.kernel.quick(*arguments) if weight is None else None
        if found is not None:
            return found
        input, target = self._converted(input, target)
        loss, grad = self._slow(input, target, sample_weight, reduction, None, True, True, params, extra, weight)
        return loss, scalars(grad)

    def _converted(self, input: Any, target: Any) -> tuple[Array, Any]:
        """Input as an array of floats, and the target in its dtype."""
        x = check.as_array("input", input)
        return x, check.as_converted("target", target, x.dtype)

    def _slow(
        self,
        input: Any,
        target: Any,
        sample_weight: Any,
        reduction: str,
        grad_output: Any,
        value: bool,
        gradient: bool,
        params: Params = (),
        extra: Any = None,
        weight: Any = None,
    ) -> tuple[Any, Any]:
        """As `Loss.quick`, for arguments that must be converted or refused, and for the reference backend.

        `weight` multiplies the losses of elements, and does not count in the mean.
        """
        check.check_choice("reduction", reduction, self.reductions)
        x, t, shape = self._arrays(input, target, params)
        if reduction == "batchmean" and x.ndim == 0:
            raise ValueError("input must have an axis of rows for reduction 'batchmean', got a scalar")
        extra = None if extra is None else self._extra(extra, x)
        factors = None if weight is None else _element_weights(weight, shape, x.dtype)
        weight = _weights(sample_weight, x.shape[0] if x.ndim else 1, shape, x.dtype)
        if value:
            grad_output = np.ones(shape) if reduction == "none" else 1.0
        factor, g = _upstream(grad_output, reduction, shape, x.dtype)
        if dispatch.get_reference():
            keywords = dict(zip(self.names, params, strict=True)) | ({} if extra is None else {self.extra: extra})
            keywords |= {} if factors is None else {"weight": factors}
            arrays, keywords = self._reference_arguments(x, t, keywords)
            keywords |= {"reduction": reduction, "sample_weight": weight}
            return self._reference(factor if g is None else g, arrays, keywords, value, gradient)
        if g is not None and not value:
            with np.errstate(all="ignore"):
                weight = g if weight is None else np.asarray(g * weight)  # an array even where the product is a scalar
        return self.kernel.evaluate(x, t, weight, str(reduction), factor, value, gradient, params, extra, factors)

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        """Input and target as the kernel takes them, and the shape of the losses."""
        raise NotImplementedError

    def _extra(self, extra: Any, x: Array) -> Array:
        """`extra`, checked and converted."""
        raise NotImplementedError

    def _like_input(self, name: str, array: Array, x: Array) -> Array:
        """`array`; TypeError or ValueError unless it has the dtype and shape of the input x."""
        check.check_same_dtype(**{self.input: x, name: array})
        check.check_same_shape(**{self.input: x, name: array})
        return array

    def _reference_arguments(
        self, x: Array, t: Array, keywords: dict[str, Any]
    ) -> tuple[tuple[Array, ...], dict[str, Any]]:
        """The arrays and the keywords that the reference's function takes."""
        return (x, t), keywords

    def _reference(
        self, grad_output: Any, arrays: tuple[Array, ...], keywords: dict[str, Any], value: bool, gradient: bool
    ) -> tuple[Any, Any]:
        loss = reference_function(self.name)(*arrays, **keywords) if value else None
        if not gradient:
            return loss, None
        grad = reference_function(f"{self.name}_backward")(grad_output, *arrays, **keywords)
        return loss, grad if isinstance(grad, tuple) else np.asarray(grad)


def scalars(grad: Any) -> Any:
    """A gradient, or two, with NumPy scalars for those without axes."""
    return tuple(map(check.scalar_or, grad)) if isinstance(grad, tuple) else check.scalar_or(grad)


class ElementwiseLoss(LossFunction):
    """A loss of each element; `kernel` is by default that of the loss's name.

    `extra` has one number for each column. With `repeats` a target may have one number for each row, for all columns.
    """

    def __init__(self, name: str, kernel: Loss | None = None, repeats: bool = False, **more: Any) -> None:
        super().__init__(name, kernel or Loss(name), **more)
        self.repeats = repeats

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        x = check.as_array(self.input, input)
        t = check.as_target("target", target, x.dtype)
        check.check_same_dtype(**{self.input: x, "target": t})
        t = check.as_rows(t, x.shape) if self.repeats else t
        return x, self._like_input("target", t, x), x.shape

    def _extra(self, extra: Any, x: Array) -> Array:
        return check.as_columns(self.extra, extra, x.shape, x.dtype)


class PairLoss(ElementwiseLoss):
    """An elementwise loss of two inputs; the second, `extra`, has no negative entries unless it is `signed`."""

    def __init__(self, name: str, signed: bool = False, **more: Any) -> None:
        super().__init__(name, Loss(name, pair=True, signed=signed), **more)
        self.signed = signed

    def _extra(self, extra: Any, x: Array) -> Array:
        array = self._like_input(self.extra, check.as_array(self.extra, extra), x)
        if not self.signed and (array < 0).any():
            raise ValueError(f"{self.extra} must be 0 or more, got {array.min()}")
        return array


class RootLoss(ElementwiseLoss):
    """The square root of another loss, whose kernel is given: of its mean, its sum, or for "none" each element."""

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
        params: Params = (),
        extra: Any = None,
        weight: Any = None,
    ) -> tuple[Any, Any]:
        if reduction != "none" or dispatch.get_reference():
            return super()._slow(input, target, sample_weight, reduction, grad_output, value, gradient)
        x, t, shape = self._arrays(input, target, params)
        weight = _weights(sample_weight, x.shape[0] if x.ndim else 1, shape, x.dtype)
        g = None if value or not gradient else _upstream(grad_output, reduction, shape, x.dtype)[1]
        return root_of_each(x, t, weight, g)


@np.errstate(all="ignore")
def root_of_each(x: Array, t: Array, weight: Array | None, g: Array | None) -> tuple[Array, Array]:
    """|x - t| sqrt(w), and its gradient times g; 0 where the loss is 0."""
    error = x - t
    root = np.sqrt(np.ones_like(x) if weight is None else weight)
    slope, size = np.sign(error) * root, np.abs(error)
    loss = root * np.where(root == 0, np.minimum(size, 1), size)  # 0 for a weight of 0, but NaN stays
    return loss[()], np.asarray(slope if g is None else g * slope)


class RowsLoss(LossFunction):
    """A loss of each row of two matrices."""

    columns = "features"  # what messages call them

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        x = check.as_array(self.input, input)
        t = self._target(target, x)
        if x.ndim != 2:
            raise ValueError(f"{self.input} must have shape (rows, {self.columns}), got {x.shape}")
        return x, self._like_input(self.target, t, x), x.shape[:1]

    def _target(self, target: Any, x: Array) -> Array:
        return check.as_array(self.target, target)


class ClassLoss(LossFunction):
    """A loss of each row of scores for classes; `extra` has a weight for each class."""

    def __init__(self, name: str, kernel: RowLoss, names: tuple[str, ...] = ()) -> None:
        super().__init__(name, kernel, ("ignore_index", *names), "weight")

    def _converted(self, input: Any, target: Any) -> tuple[Array, Any]:
        x, t = check.as_array("input", input), check.from_any("target", target)
        return x, check.as_converted("target", t, x.dtype) if t.dtype.kind == "f" and t.shape == x.shape else t

    def _slow(
        self,
        input: Any,
        target: Any,
        sample_weight: Any,
        reduction: str,
        grad_output: Any,
        value: bool,
        gradient: bool,
        params: Params = (),
        extra: Any = None,
        weight: Any = None,
    ) -> tuple[Any, Any]:
        """As of the base; scores of more than two axes, (rows, classes, d1, ...), or one, are brought to two."""
        x = check.as_array("input", input)
        if x.ndim == 2:
            arguments = sample_weight, reduction, grad_output, value, gradient, params, extra, weight
            return super()._slow(x, target, *arguments)
        if x.ndim == 0 or x.shape[min(1, x.ndim - 1)] == 0:
            given = f"{x.shape}, without classes" if x.ndim else "a scalar"
            raise ValueError(f"input must have shape (rows, classes, ...) or (classes,), got {given}")
        t, outer = check.from_any("target", target), places_of(x)
        if t.shape == x.shape:  # probabilities
            t = class_rows(t)
        else:
            check.check_shape("target", t, outer, f"for input of shape {x.shape}")
            t = check_labels(t, x.shape[min(1, x.ndim - 1)], int(params[0])).reshape(-1)
        each = _weights(sample_weight, x.shape[0] if x.ndim > 1 else 1, outer, x.dtype)
        if not value:
            grad_output = _upstream(grad_output, reduction, outer, x.dtype)
            grad_output = grad_output[0] if grad_output[1] is None else grad_output[1].reshape(-1)
        loss, grad = super()._slow(
            class_rows(x),
            t,
            None if each is None else each.reshape(-1),
            reduction,
            grad_output,
            value,
            gradient,
            params,
            extra,
        )
        if value and reduction == "none":
            loss = loss.reshape(outer)[()]
        return loss, None if grad is None else class_axes(grad, x.shape)

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        x = check.as_array("input", input)
        return x, class_targets(target, x, self.name == "cross_entropy", int(params[0])), x.shape[:1]

    def _extra(self, extra: Any, x: Array) -> Array:
        return check.as_class_weights(self.extra, extra, x.shape[1], x.dtype)

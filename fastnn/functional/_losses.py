"""What losses share: documentation, checks, weights, and the call of a kernel for the value, the gradient or both."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.losses import Loss, RowLoss, first_bad_label
from .._frames import USE, shortened
from ._elementwise import Array, reference_function
from ._targets import check_targets

Function = TypeVar("Function", bound=Callable[..., Any])
Params = tuple[float, ...]

REDUCTIONS = ("mean", "sum", "none")


def _weights(sample_weight: Any, rows: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array | None:
    """One weight for each of the losses of `shape`, from one a sample or one a loss."""
    if sample_weight is None:
        return None
    weight = check.as_weights("sample_weight", sample_weight, dtype)
    if weight.shape == (rows,) and shape[:1] == (rows,):
        weight = weight.reshape(rows, *(1,) * (len(shape) - 1))
    elif weight.shape != shape:
        of_input = f"({rows},), one a sample" if shape else "(), as input has"
        raise ValueError(f"sample_weight must have shape {of_input}, got {weight.shape}")
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


ELEMENTWISE = """
Parameters
----------
input, target : ndarray of float32 or float64, one shape and dtype
reduction : {{{reductions}}}, default "mean"
sample_weight : array of shape (rows,) or of input's shape, optional
    Multiplies the loss of each sample, 0 or more. "mean" is then the weighted mean: it divides by the sum of the
    weights of all elements.
{params}
Returns
-------
loss : scalar of input's dtype, or for "none" an array of input's shape

Raises
------
TypeError, ValueError
    If dtypes or shapes differ, or an argument is out of its range.

Notes
-----
NaN gives NaN, and so does the mean of nothing. The sum runs in a fixed order, so its bits do not depend on the number
of threads or the instruction set.
"""

CLASSES = """
Parameters
----------
input : ndarray of float32 or float64, shape (rows, classes)
target : {targets}
reduction : {{"mean", "sum", "none"}}, default "mean"
sample_weight : array of shape (rows,), optional
    Multiplies the loss of each row, 0 or more. "mean" is then the weighted mean.
{params}weight : array of shape (classes,), optional
    Multiplies what each class costs, 0 or more. {mean}
ignore_index : int, default -100
    Rows with this target cost nothing, count nothing and have no gradient, whatever is in them.

Returns
-------
loss : scalar of input's dtype, or for "none" an array of shape (rows,)

Raises
------
TypeError, ValueError
    If dtypes or shapes do not match, a class index is out of range (the message names its row), a weight is negative,
    infinite or NaN, or a class is to be ignored of targets that are probabilities.

Notes
-----
The mean is NaN if every row is ignored.
"""

ROWS = """
Parameters
----------
input, target : ndarray of float32 or float64, shape (rows, features), one dtype
reduction : {{"mean", "sum", "none"}}, default "mean"
sample_weight : array of shape (rows,), optional
    Multiplies the loss of each row, 0 or more. "mean" is then the weighted mean.
{params}
Returns
-------
loss : scalar of input's dtype, or for "none" an array of shape (rows,)

Raises
------
TypeError, ValueError
    If dtypes or shapes do not match, or an argument is out of its range.
"""

BACKWARD = """
Parameters
----------
grad_output : scalar, or for "none" an array of the loss's shape
    Gradient with respect to the loss; 1 for the gradient of the loss itself.

The others are those of `{forward}`.

Returns
-------
grad_input : ndarray, shape and dtype of input
"""


DEFAULTS = {
    "params": "",
    "reductions": '"mean", "sum", "none"',
    "mean": '"mean" divides by the sum of the weights of the targets.',
}


def documented(template: str, **fields: str) -> Callable[[Function], Function]:
    """Append what all losses of a kind share to a docstring."""

    def decorate(function: Function) -> Function:
        text = template.format(**{**DEFAULTS, "forward": function.__name__.removesuffix("_backward"), **fields})
        function.__doc__ = inspect.cleandoc(function.__doc__ or "") + "\n" + text
        return function

    return decorate


class LossFunction:
    """A loss: kernel and reference; `forward` gives its value, `backward` its gradient, `both` the two in one pass.

    `params` are the numbers that the kernel takes, called `names` by the reference; `extra` is an array besides, which
    the reference calls that.
    """

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
        self, input: Any, target: Any, reduction: str, sample_weight: Any, params: Params = (), extra: Any = None
    ) -> Any:
        arguments = (input, target, sample_weight, reduction, None, True, False, params, extra)
        try:
            return (self.kernel.quick(*arguments) or self._slow(*arguments))[0]
        except USE as error:
            raise shortened(error)  # noqa: B904

    def backward(
        self,
        grad_output: Any,
        input: Any,
        target: Any,
        reduction: str,
        sample_weight: Any,
        params: Params = (),
        extra: Any = None,
    ) -> Array:
        arguments = (input, target, sample_weight, reduction, grad_output, False, True, params, extra)
        try:
            return (self.kernel.quick(*arguments) or self._slow(*arguments))[1]
        except USE as error:
            raise shortened(error)  # noqa: B904

    def both(
        self, input: Any, target: Any, reduction: str, sample_weight: Any, params: Params = (), extra: Any = None
    ) -> tuple[Any, Array]:
        """The loss, and its gradient, for "none" that of the sum; of targets that the loss takes."""
        if self.kernel.targets:
            target = check.as_target("target", target, getattr(input, "dtype", float))
            check_targets("target", target, self.name)
        arguments = (input, target, sample_weight, reduction, None, True, True, params, extra)
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
        params: Params = (),
        extra: Any = None,
    ) -> tuple[Any, Any]:
        """What `Loss.quick` gives, of arguments that may need a repair or an explanation; or on the other backend."""
        check.check_choice("reduction", reduction, self.reductions)
        x, t, shape = self._arrays(input, target, params)
        if reduction == "batchmean" and x.ndim == 0:
            raise ValueError("input must have an axis of rows for reduction 'batchmean', got a scalar")
        extra = None if extra is None else self._extra(extra, x)
        weight = _weights(sample_weight, x.shape[0] if x.ndim else 1, shape, x.dtype)
        if value:
            grad_output = np.ones(shape) if reduction == "none" else 1.0
        factor, g = _upstream(grad_output, reduction, shape, x.dtype)
        if dispatch.get_reference():
            keywords = dict(zip(self.names, params, strict=True)) | ({} if extra is None else {self.extra: extra})
            return self._reference(x, t, weight, reduction, factor if g is None else g, value, gradient, keywords)
        if g is not None and not value:
            weight = g if weight is None else np.asarray(g * weight)  # an array even where the product is a scalar
        return self.kernel.evaluate(x, t, weight, str(reduction), factor, value, gradient, params, extra)

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        """Input and target as the kernel takes them, and the shape of the losses."""
        raise NotImplementedError

    def _extra(self, extra: Any, x: Array) -> Array:
        """The array that the kernel takes besides."""
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
        keywords: dict[str, Any],
    ) -> tuple[Any, Any]:
        keywords = {"reduction": reduction, "sample_weight": weight, **keywords}
        loss, grad = None, None
        if value:
            loss = reference_function(self.name)(x, t, **keywords)
        if gradient:
            grad = reference_function(f"{self.name}_backward")(grad_output, x, t, **keywords)
            grad = grad if isinstance(grad, tuple) else np.asarray(grad)
        return loss, grad


class ElementwiseLoss(LossFunction):
    """A loss of each element; the kernel has its name unless that is given.

    `extra` has one number for each column. If it `repeats`, a target may have one number a row.
    """

    def __init__(self, name: str, kernel: Loss | None = None, repeats: bool = False, **more: Any) -> None:
        super().__init__(name, kernel or Loss(name), **more)
        self.repeats = repeats

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        x = check.as_array("input", input)
        t = check.as_target("target", target, x.dtype)
        check.check_same_dtype(input=x, target=t)
        t = check.as_rows(t, x.shape) if self.repeats else t
        check.check_same_shape(input=x, target=t)
        return x, t, x.shape

    def _extra(self, extra: Any, x: Array) -> Array:
        return check.as_columns(self.extra, extra, x.shape, x.dtype)


class PairLoss(ElementwiseLoss):
    """An elementwise loss of two inputs; the second, `extra`, has no negative entries."""

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name, Loss(name, pair=True), **more)

    def _extra(self, extra: Any, x: Array) -> Array:
        array = check.as_array(self.extra, extra)
        check.check_same_dtype(**{"input": x, self.extra: array})
        check.check_same_shape(**{"input": x, self.extra: array})
        if (array < 0).any():
            raise ValueError(f"{self.extra} must be 0 or more, got {array.min()}")
        return array


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
        params: Params = (),
        extra: Any = None,
    ) -> tuple[Any, Any]:
        if reduction != "none" or dispatch.get_reference():
            return super()._slow(input, target, sample_weight, reduction, grad_output, value, gradient)
        x, t, shape = self._arrays(input, target, params)
        weight = _weights(sample_weight, x.shape[0] if x.ndim else 1, shape, x.dtype)
        g = None if value or not gradient else _upstream(grad_output, reduction, shape, x.dtype)[1]
        return root_of_each(x, t, weight, g)


def root_of_each(x: Array, t: Array, weight: Array | None, g: Array | None) -> tuple[Array, Array]:
    """sqrt(w (x - t)^2), not squared on the way, and its gradient times g; 0 where the root is 0."""
    error = x - t
    root = np.sqrt(np.ones_like(x) if weight is None else weight)
    slope = np.sign(error) * root
    return np.where(root == 0, 0, np.abs(error) * root)[()], np.asarray(slope if g is None else g * slope)


class RowsLoss(LossFunction):
    """A loss of each row of two matrices."""

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        x, t = check.as_array("input", input), check.as_array("target", target)
        if x.ndim != 2:
            raise ValueError(f"input must have shape (rows, features), got {x.shape}")
        check.check_same_dtype(input=x, target=t)
        check.check_same_shape(input=x, target=t)
        return x, t, x.shape[:1]


class ClassLoss(LossFunction):
    """A loss of each row of scores against classes; `extra` are weights of the classes."""

    def __init__(self, name: str, kernel: RowLoss, names: tuple[str, ...] = ()) -> None:
        super().__init__(name, kernel, ("ignore_index", *names), "weight")

    def _arrays(self, input: Any, target: Any, params: Params) -> tuple[Array, Array, tuple[int, ...]]:
        x = check.as_array("input", input)
        if x.ndim != 2:
            raise ValueError(f"input must have shape (rows, classes), got {x.shape}")
        return x, class_targets(target, x, self.name == "cross_entropy", int(params[0])), x.shape[:1]

    def _extra(self, extra: Any, x: Array) -> Array:
        return check.as_class_weights(self.extra, extra, x.shape[1], x.dtype)


def class_targets(target: Any, x: Array, probabilities: bool, ignored: int) -> Array:
    """`target` as class indices (int64) or, if they may be that, as class probabilities of x's dtype and shape."""
    t = check.from_any("target", target)
    rows, classes = x.shape
    if np.issubdtype(t.dtype, np.integer) and t.ndim == 1:
        check.check_shape("target", t, (rows,), f"for input of shape {x.shape}")
        labels = check.as_labels("target", t)
        labels = labels.copy() if dispatch.get_reference() else labels  # NumPy reads what is checked a second time
        bad = first_bad_label(labels, classes, ignored)
        if bad >= 0:
            raise ValueError(f"target[{bad}] is {labels[bad]}: class indices must be between 0 and {classes - 1}")
        return labels
    if not probabilities:
        raise TypeError(f"target must be integer class indices of shape ({rows},), got {t.dtype} of shape {t.shape}")
    if np.issubdtype(t.dtype, np.integer) or t.dtype == bool:
        t = t.astype(x.dtype)  # one-hot
    if ignored >= 0:
        raise ValueError(
            f"ignore_index={ignored} is for class indices, but target has probabilities: give rows that are to be left "
            "out a sample_weight of 0"
        )
    t = check.as_array("target", t)
    check.check_same_dtype(input=x, target=t)
    check.check_shape("target", t, x.shape, f"(probabilities) or ({rows},) (class indices)")
    return t

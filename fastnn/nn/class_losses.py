"""Losses of scores over classes, as objects; `functional` has functions of the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .._core.operations import CLASS_WEIGHTS
from .loss import Loss

if TYPE_CHECKING:
    from ..compiler.compile import ProgramBuilder as Builder


class ClassLoss(Loss):
    """Base of the losses over classes.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    weight : array of shape (classes,), 0 or more, optional
        Multiplies the loss of the rows of each class. It can be set at any time. `fastnn.data.class_weights` balances
        classes.
    ignore_index : int, default -100
        Rows with this target have no loss and no gradient, and are left out of the mean and of accuracy.
    """

    kind = "row_loss"
    _internal: ClassVar[tuple[str, ...]] = ("shared",)
    classes = True
    extra_name = "weight"
    shared: ClassVar[bool] = True  # whether "mean" divides by the sum of the weights of classes

    def __init__(self, reduction: str, weight: Any, ignore_index: int, **params: float) -> None:
        check.check_ignored(ignore_index)
        super().__init__(reduction, ignore_index=int(ignore_index), **params)
        self.weight = weight

    @property
    def weight(self) -> check.Array | None:
        """The weights of the classes: None, or a read-only array of shape (classes,)."""
        return self._extra

    @weight.setter
    def weight(self, value: Any) -> None:
        if isinstance(value, str):
            raise TypeError(
                f"weight must be an array of a number a class, got {value!r}: fastnn.data.class_weights(y) balances"
            )
        weight = None if value is None else check.as_weights("weight", value, "float64")
        if weight is not None and weight.ndim != 1:
            raise ValueError(f"weight must have shape (classes,), got {weight.shape}")
        self._keep(weight)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        t = check.as_objects("y", target)
        if t.dtype.kind in "UST" or (t.dtype == object and t.size and isinstance(t.flat[0], str)):
            raise TypeError(
                "y must be class indices, got words: number them, classes, y = np.unique(y, return_inverse=True)"
            )
        t = check.from_any("y", target)
        if t.shape == (rows, 1) and (n_out != 1 or self.name != "cross_entropy"):
            t = t.reshape(rows)
        if t.ndim == 1:
            check.check_shape("y", t, (rows,), f"for {rows} samples")
            return check.as_labels("y", t), True
        if self.name != "cross_entropy":
            raise TypeError(f"y must be integer class indices of shape ({rows},), got {t.dtype} of shape {t.shape}")
        if self.ignored >= 0:
            raise ValueError(
                f"ignore_index={self.ignored} is for class indices, but y has probabilities: give rows that are to be "
                "left out a sample_weight of 0"
            )
        return super().prepare_target(t, rows, n_out, dtype)

    def describe_label(self, row: int, value: int, y: Any, n_out: int, layout: Any = True) -> str:
        text = super().describe_label(row, value, y, n_out, layout)
        if n_out == 1:
            return (
                f"{text}: the network has one output; give it one a class, or use nn.BCEWithLogitsLoss for two classes"
            )
        if value == n_out and len(y) and y.min() == 1:
            return f"{text}: they are counted from 0, use y - 1"
        return text

    def _flag(self, labels: bool) -> int:
        return super()._flag(labels) | (CLASS_WEIGHTS if self.shared and self._extra is not None else 0)

    def _operands(self, builder: Builder) -> dict[str, Any]:
        if self._extra is None:
            return {}
        return {"extra": check.as_class_weights("weight", self._extra, builder.cols, builder.dtype)}


class CrossEntropyLoss(ClassLoss):
    """Cross-entropy of logits: softmax is part of the loss.

    loss = -sum_i weight_i q_i log softmax(input)_i,   q = (1 - label_smoothing) * target + label_smoothing / classes

    Input has shape (rows, classes); `functional.cross_entropy` has the details. Targets are class indices, integers of
    shape (rows,), or of input's shape and dtype: one-hot rows or probabilities.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    label_smoothing : float in [0, 1], default 0.0
        Share of the target that is spread evenly over all classes.
    weight : array of shape (classes,), 0 or more, optional
        Multiplies the loss of each class. It can be set at any time. "mean" divides by the sum of the weights of the
        targets; of probabilities, by the number of rows. `fastnn.data.class_weights` balances classes.
    ignore_index : int, default -100
        Rows with this target have no loss and no gradient, and are left out of the mean and of accuracy.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if dtypes or shapes do not match, a class index is out of
        range, or ignore_index is 0 or more and targets are probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.CrossEntropyLoss()(np.zeros((2, 2)), np.array([1, 0]))
    >>> round(float(value), 4), grad.tolist()
    (0.6931, [[0.25, -0.25], [-0.25, 0.25]])
    """

    name = kernel = "cross_entropy"
    logits = True

    def __init__(
        self, reduction: str = "mean", label_smoothing: float = 0.0, weight: Any = None, ignore_index: int = -100
    ) -> None:
        smoothing = check.check_number("label_smoothing", label_smoothing, at_least=0.0, at_most=1.0)
        super().__init__(reduction, weight, ignore_index, label_smoothing=smoothing)


class NLLLoss(ClassLoss):
    """Negative log-likelihood of log-probabilities, the outputs of `LogSoftmax`.

    loss = -weight[y] * input[row, y],   y = target[row]

    Input has shape (rows, classes), targets are class indices, integers of shape (rows,); `functional.nll_loss` has the
    details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    weight : array of shape (classes,), 0 or more, optional
        As for `CrossEntropyLoss`.
    ignore_index : int, default -100
        Rows with this target have no loss and no gradient, and are left out of the mean and of accuracy.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if dtypes or shapes do not match, or a class index is out of
        range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.NLLLoss()(np.array([[-1.0, -0.5], [-2.0, -0.25]]), np.array([0, 1]))
    >>> float(value), float(grad[0, 0])
    (0.625, -0.5)
    """

    name = kernel = "nll_loss"

    def __init__(self, reduction: str = "mean", weight: Any = None, ignore_index: int = -100) -> None:
        super().__init__(reduction, weight, ignore_index)


class SoftmaxFocalLoss(ClassLoss):
    """Focal loss of logits over classes (Lin et al. 2017, with softmax for the sigmoid).

    loss = -weight[y] * (1 - p)^gamma * log(p),   p = softmax(input)[row, y],   y = target[row]

    Input has shape (rows, classes), targets are class indices, integers of shape (rows,);
    `functional.softmax_focal_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    gamma : float, at least 0, default 2.0
        0 makes it `CrossEntropyLoss`; the larger, the less rows count that are predicted well.
    weight : array of shape (classes,), 0 or more, optional
        As for `CrossEntropyLoss`.
    ignore_index : int, default -100
        Rows with this target have no loss and no gradient, and are left out of the mean and of accuracy.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if dtypes or shapes do not match, or a class index is out of
        range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.SoftmaxFocalLoss()(np.zeros((2, 2)), np.array([1, 0]))
    >>> round(float(value), 4)
    0.1733
    """

    name = kernel = "softmax_focal_loss"
    logits = True

    def __init__(
        self, reduction: str = "mean", gamma: float = 2.0, weight: Any = None, ignore_index: int = -100
    ) -> None:
        gamma = check.check_number("gamma", gamma, at_least=0.0)
        super().__init__(reduction, weight, ignore_index, gamma=gamma)


class MultiMarginLoss(ClassLoss):
    """Hinge loss of scores over classes, or its square.

    loss = weight[y] * sum_i max(0, margin - input[row, y] + input[row, i])^p / classes,   i != y = target[row]

    Input has shape (rows, classes), targets are class indices, integers of shape (rows,);
    `functional.multi_margin_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    p : {1, 2}, default 1
    margin : float above 0, default 1.0
    weight : array of shape (classes,), 0 or more, optional
        Multiplies the loss of the rows of each class. "mean" divides by the number of rows all the same, as in PyTorch.
    ignore_index : int, default -100
        Rows with this target have no loss and no gradient, and are left out of the mean and of accuracy.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if dtypes or shapes do not match, or a class index is out of
        range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MultiMarginLoss()(np.array([[0.5, 0.0]]), np.array([0]))
    >>> float(value), grad.tolist()
    (0.25, [[-0.5, 0.5]])
    """

    name = kernel = "multi_margin_loss"
    shared = False

    def __init__(
        self, reduction: str = "mean", p: int = 1, margin: float = 1.0, weight: Any = None, ignore_index: int = -100
    ) -> None:
        power = check.check_integer("p", p, at_least=1, at_most=2)
        super().__init__(
            reduction, weight, ignore_index, p=power, margin=check.check_number("margin", margin, above=0.0)
        )

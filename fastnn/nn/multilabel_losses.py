"""Losses of rows each of whose columns may be set, as objects; `functional` has functions of the same names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from ..functional._vector_losses import as_counts
from ..functional.multilabel_losses import dice_loss, dice_loss_backward, dice_params
from .loss import Loss

if TYPE_CHECKING:
    from ..compiler.compile import ProgramBuilder as Builder


class DiceLoss(Loss):
    """Dice loss (Milletari et al. 2016): one minus the overlap of probabilities and a mask.

    loss = 1 - (2 * sum(input * target) + smooth) / (sum(input) + sum(target) + smooth + eps)

    Input and target have one shape; `functional.dice_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    smooth : float, at least 0, default 0.0
        Added to numerator and denominator.
    eps : float above 0, default 1e-7
        Added to the denominator.
    axis : 1 or None, default 1
        1: a loss for each row. None: one loss over all elements, as Keras has it by default; networks train by
        rows only.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.DiceLoss()(np.array([[1.0, 0.5, 0.5]]), np.array([[1.0, 1.0, 0.0]]))
    >>> round(float(value), 4), grad.round(4).tolist()
    (0.25, [[-0.3125, -0.3125, 0.1875]])
    """

    name = kernel = "dice_loss"
    kind = "row_loss"
    threshold = 0.5

    def __init__(self, reduction: str = "mean", smooth: float = 0.0, eps: float = 1e-7, axis: int | None = 1) -> None:
        smooth, eps = dice_params(smooth, eps, axis)
        super().__init__(reduction, smooth=smooth, eps=eps)
        self.axis = axis

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """Return the loss and its gradient; arrays may have more axes. See `Loss.__call__`."""
        if self.axis == 1 and getattr(input, "ndim", 0) == 2:
            return super().__call__(input, target, sample_weight)
        rest = (self.reduction, sample_weight, *self.numbers, self.axis)
        value = dice_loss(input, target, *rest)
        return value, dice_loss_backward(np.ones_like(value), input, target, *rest)

    def plan(self, builder: Builder, labels: bool) -> None:
        if self.axis is None:
            raise ValueError("DiceLoss: axis=None makes one loss of all rows of a batch; networks need axis=1")
        super().plan(builder, labels)

    def __repr__(self) -> str:
        return super().__repr__() if self.axis == 1 else super().__repr__()[:-1] + ", axis=None)"


class MultiLabelMarginLoss(Loss):
    """Margin loss of rows with several labels: each label is to score 1 above all classes that are none.

    loss = sum over labels j and other classes i of max(0, 1 - input_j + input_i), over the number of classes

    Input has shape (rows, classes). Targets are integers of shape (rows, n), the labels of each row, ended by -1; or
    booleans or numbers of input's shape, how often each class is a label. `functional.multilabel_margin_loss` has the
    details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"

    Raises
    ------
    TypeError, ValueError
        When called, if a label is no class.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MultiLabelMarginLoss()(np.array([[0.0, 0.5, 2.0, 1.0]]), np.array([[2, 3, -1, 0]]))
    >>> float(value), grad.tolist()
    (0.125, [[0.0, 0.25, 0.0, -0.25]])
    """

    name = kernel = "multilabel_margin_loss"
    kind = "row_loss"

    def __call__(self, input: Any, target: Any, sample_weight: Any = None) -> tuple[Any, check.Array]:
        """Return the loss and its gradient; see `Loss.__call__`."""
        x = check.as_array("input", input)
        counts = as_counts("target", target, x.shape, x.dtype) if x.ndim == 2 else target
        return super().__call__(x, counts, sample_weight)

    def prepare_target(self, target: Any, rows: int, n_out: int, dtype: np.dtype[Any]) -> tuple[check.Array, bool]:
        return super().prepare_target(as_counts("y", target, (rows, n_out), dtype), rows, n_out, dtype)


class MultiLabelSoftMarginLoss(Loss):
    """Binary cross-entropy of logits, the mean over the classes of each row.

    loss = mean over classes of weight * binary_cross_entropy_with_logits(input, target)

    Input and target have shape (rows, classes); `functional.multilabel_soft_margin_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    weight : array of shape (classes,), 0 or more, optional
        Multiplies the loss of each class. It can be set at any time.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.MultiLabelSoftMarginLoss()(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))
    >>> round(float(value), 4), grad.tolist()
    (0.6931, [[-0.25, 0.25]])
    """

    name = kernel = "multilabel_soft_margin_loss"
    kind = "row_loss"
    threshold = 0.0
    extra_name = "weight"

    def __init__(self, reduction: str = "mean", weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = weight

    @property
    def weight(self) -> check.Array | None:
        """The weight of each class: None, or a read-only array of shape (classes,)."""
        return self._extra

    @weight.setter
    def weight(self, value: Any) -> None:
        if value is not None:
            value = check.as_weights("weight", value, "float64")
            if value.ndim != 1:
                raise ValueError(f"weight must have shape (classes,), got {value.shape}")
        self._keep(value)

    def _operands(self, builder: Builder) -> dict[str, Any]:
        if self._extra is None:
            return {}
        return {"extra": check.as_class_weights("weight", self._extra, builder.cols, builder.dtype)}

"""Losses of scores and probabilities of two classes, as objects; `functional` has functions of the same names."""

from __future__ import annotations

from typing import Any

from .. import _validation as check
from ..functional import LOSSES
from ..functional._losses import LossFunction
from .loss import Loss


class BinaryCrossEntropy(Loss):
    """Base of the two cross-entropies of two classes, whose columns can have weights."""

    @property
    def weight(self) -> check.Array | None:
        """The weight of each output: None, or a read-only array of shape (outputs,)."""
        return self._column_weight

    @weight.setter
    def weight(self, value: Any) -> None:
        if value is not None:
            value = check.as_weights("weight", value, "float64")
            if value.ndim != 1:
                raise ValueError(f"weight must have shape (outputs,), got {value.shape}")
        self._keep(value, "_column_weight")


class BCELoss(BinaryCrossEntropy):
    """Binary cross-entropy of probabilities, the outputs of a sigmoid.

    loss = -weight * (target * log(input) + (1 - target) * log(1 - input))

    Input and target have one shape and dtype; logarithms are held above -100, as in PyTorch. Without a sigmoid before
    it, use `BCEWithLogitsLoss`, which is also more accurate. `functional.binary_cross_entropy` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    weight : array of shape (outputs,), 0 or more, optional
        Multiplies the loss of each output; "mean" divides by the number of elements all the same. It can be set at any
        time.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.BCELoss()(np.array([[0.5], [0.75]]), np.array([[1.0], [1.0]]))
    >>> round(float(value), 4), grad.round(4).tolist()
    (0.4904, [[-1.0], [-0.6667]])
    """

    name = kernel = "binary_cross_entropy"
    threshold = 0.5

    def __init__(self, reduction: str = "mean", weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = weight


class BCEWithLogitsLoss(BinaryCrossEntropy):
    """Binary cross-entropy of logits: the sigmoid is part of the loss.

    loss = weight * ((1 - target) * log(1 + exp(input)) + pos_weight * target * log(1 + exp(-input)))

    Input and target have one shape and dtype; `functional.binary_cross_entropy_with_logits` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    pos_weight : float or array of shape (outputs,), 0 or more, optional
        Weight of targets of 1, one for each output; 1 by default. It can be set at any time.
    weight : array of shape (outputs,), 0 or more, optional
        Multiplies the loss of each output; "mean" divides by the number of elements all the same. It can be set at any
        time.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.BCEWithLogitsLoss(pos_weight=3.0)(np.array([[0.0], [0.0]]), np.array([[1.0], [0.0]]))
    >>> round(float(value), 4), grad.tolist()
    (1.3863, [[-0.75], [0.25]])
    """

    name = "binary_cross_entropy_with_logits"
    threshold = 0.0
    extra_name = "pos_weight"

    def __init__(self, reduction: str = "mean", pos_weight: Any = None, weight: Any = None) -> None:
        super().__init__(reduction)
        self.pos_weight = pos_weight
        self.weight = weight

    @property
    def pos_weight(self) -> Any:
        """The weight of targets of 1: None, a number, or a read-only array of shape (outputs,)."""
        return self.params.get("pos_weight") if self._extra is None else self._extra

    @pos_weight.setter
    def pos_weight(self, value: Any) -> None:
        params: dict[str, float] = {}
        columns = None
        if value is not None:
            numbers = check.as_numbers("pos_weight", value, at_least=0.0, below=float("inf"))
            (params["pos_weight"],), columns = check.split_numbers(numbers)
        self.params = params
        self._keep(columns)

    @property
    def kernel(self) -> str:  # type: ignore[override]
        """The name of the kernel; the one without weights is faster."""
        return self.name + ("_pos_weight" if self.params else "")

    @property
    def formula(self) -> LossFunction:
        return LOSSES[self.kernel]


class FocalLoss(Loss):
    """Focal loss of logits of two classes (Lin et al. 2017): targets that are predicted well count less.

    loss = alpha_t * (1 - p_t)^gamma * binary_cross_entropy_with_logits(input, target),
    p_t = p * target + (1 - p) * (1 - target),   p = sigmoid(input)

    Input and target have one shape and dtype; `functional.sigmoid_focal_loss` has the details. `SoftmaxFocalLoss` is
    the one for more classes.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    alpha : float, at most 1, default 0.25
        alpha_t of targets of 1; targets of 0 have 1 - alpha. If alpha is negative both are 1.
    gamma : float, at least 0, default 2.0
        With 0, targets that are predicted well count like the others.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.FocalLoss(alpha=0.5)(np.array([[0.0], [3.0]]), np.array([[1.0], [1.0]]))
    >>> round(float(value), 4)
    0.0433
    """

    name = kernel = "sigmoid_focal_loss"
    threshold = 0.0

    def __init__(self, reduction: str = "mean", alpha: float = 0.25, gamma: float = 2.0) -> None:
        alpha, gamma = check.check_number("alpha", alpha, at_most=1.0), check.check_number("gamma", gamma, at_least=0.0)
        super().__init__(reduction, alpha=alpha, gamma=gamma)


class HingeLoss(Loss):
    """Hinge loss of scores, for targets of -1 and 1: what a support vector machine minimizes.

    loss = max(0, margin - target * input), or its square

    Input and target have one shape and dtype; `functional.hinge_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    margin : float above 0, default 1.0
    squared : bool, default False

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if a target is neither -1 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.HingeLoss()(np.array([[0.5], [0.5]]), np.array([[-1.0], [1.0]]))
    >>> float(value), grad.tolist()
    (1.0, [[0.5], [-0.5]])
    """

    name = kernel = "hinge_loss"
    threshold = 0.0

    def __init__(self, reduction: str = "mean", margin: float = 1.0, squared: bool = False) -> None:
        margin = check.check_number("margin", margin, above=0.0)
        super().__init__(reduction, margin=margin, squared=check.check_bool("squared", squared))


class SoftMarginLoss(Loss):
    """Logistic loss of scores, for targets of -1 and 1.

    loss = log(1 + exp(-target * input))

    Input and target have one shape and dtype; `functional.soft_margin_loss` has the details.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"

    Raises
    ------
    ValueError
        When called, if a target is neither -1 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> value, grad = nn.SoftMarginLoss()(np.array([[0.0], [0.0]]), np.array([[-1.0], [1.0]]))
    >>> round(float(value), 4), grad.tolist()
    (0.6931, [[0.25], [-0.25]])
    """

    name = kernel = "soft_margin_loss"
    threshold = 0.0

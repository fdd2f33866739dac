"""Losses of scores and probabilities of two classes, as objects; the functions of the same names have the formulas."""

from __future__ import annotations

from typing import Any

from .. import _validation as check
from ..functional import LOSSES
from ..functional._losses import LossFunction
from .losses import Loss


class BCELoss(Loss):
    """Binary cross-entropy of probabilities, after a sigmoid, for targets between 0 and 1"""

    name = kernel = "binary_cross_entropy"
    threshold = 0.5


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits, for targets between 0 and 1: the sigmoid is part of it

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    pos_weight : float or array of shape (outputs,), 0 or more, optional
        What targets of 1 count, of each output. Another can be set at any time.
    """

    name = "binary_cross_entropy_with_logits"
    threshold = 0.0
    extra_name = "pos_weight"

    def __init__(self, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.pos_weight = pos_weight

    @property
    def pos_weight(self) -> Any:
        """None, a number, or an array that cannot be written to."""
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
        """Without weights there is a quicker one."""
        return self.name + ("_pos_weight" if self.params else "")

    @property
    def formula(self) -> LossFunction:
        return LOSSES[self.kernel]


class FocalLoss(Loss):
    """Focal loss of logits, for targets between 0 and 1: `functional.sigmoid_focal_loss`

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default "mean"
    alpha : float, at most 1, default 0.25
        What targets of 1 count; those of 0 count 1 - alpha. Below 0: both count 1.
    gamma : float, at least 0, default 2.0
    """

    name = kernel = "sigmoid_focal_loss"
    threshold = 0.0

    def __init__(self, reduction: str = "mean", alpha: float = 0.25, gamma: float = 2.0) -> None:
        alpha, gamma = check.check_number("alpha", alpha, at_most=1.0), check.check_number("gamma", gamma, at_least=0.0)
        super().__init__(reduction, alpha=alpha, gamma=gamma)


class HingeLoss(Loss):
    """max(0, margin - target * input) for targets of -1 and 1, or its square"""

    name = kernel = "hinge_loss"
    threshold = 0.0

    def __init__(self, reduction: str = "mean", margin: float = 1.0, squared: bool = False) -> None:
        margin = check.check_number("margin", margin, above=0.0)
        super().__init__(reduction, margin=margin, squared=check.check_bool("squared", squared))


class SoftMarginLoss(Loss):
    """log(1 + exp(-target * input)) for targets of -1 and 1"""

    name = kernel = "soft_margin_loss"
    threshold = 0.0

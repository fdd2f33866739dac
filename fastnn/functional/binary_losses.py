"""Losses of scores and probabilities of two classes, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from .._core.losses import Loss
from ._elementwise import Array
from ._losses import BACKWARD, ELEMENTWISE, ElementwiseLoss, LossFunction, documented

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_backward",
    "hinge_loss",
    "hinge_loss_backward",
    "sigmoid_focal_loss",
    "sigmoid_focal_loss_backward",
    "soft_margin_loss",
    "soft_margin_loss_backward",
]

_bce = ElementwiseLoss("binary_cross_entropy")
_bce_logits = ElementwiseLoss("binary_cross_entropy_with_logits")
_bce_pos_weight = ElementwiseLoss(
    "binary_cross_entropy_with_logits",
    Loss("binary_cross_entropy_with_logits_pos_weight"),
    names=("pos_weight",),
    extra="pos_weight",
)
_focal = ElementwiseLoss("sigmoid_focal_loss", names=("alpha", "gamma"))
_hinge = ElementwiseLoss("hinge_loss", names=("margin", "squared"))
_soft_margin = ElementwiseLoss("soft_margin_loss")
LOSSES: dict[str, LossFunction] = {
    **{loss.name: loss for loss in (_bce, _bce_logits, _focal, _hinge, _soft_margin)},
    "binary_cross_entropy_with_logits_pos_weight": _bce_pos_weight,
}


@documented(ELEMENTWISE)
def binary_cross_entropy(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Binary cross-entropy of probabilities.

    loss = -(target * log(input) + (1 - target) * log(1 - input))

    Targets between 0 and 1; others are computed with as they are (`nn.BCELoss` and the trainer refuse them).
    Logarithms are held above -100 and the variance in the gradient above 1e-12, as in PyTorch. Inputs outside [0, 1]
    give NaN or values without meaning; after a layer without sigmoid take `binary_cross_entropy_with_logits`.
    """
    return _bce.forward(input, target, reduction, sample_weight)


@documented(BACKWARD)
def binary_cross_entropy_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `binary_cross_entropy` with respect to input."""
    return _bce.backward(grad_output, input, target, reduction, sample_weight)


POS_WEIGHT = """pos_weight : float or array of shape (columns,), 0 or more, optional
    What a target of 1 counts, of each column: the number of negative samples over that of positive ones balances them.
"""


@documented(ELEMENTWISE, params=POS_WEIGHT)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    pos_weight: Any = None,
) -> Any:
    """Binary cross-entropy of logits, that is of sigmoid(input), without its overflow.

    loss = max(input, 0) - input * target + log(1 + exp(-|input|))

    Targets between 0 and 1; others are computed with as they are (`nn.BCEWithLogitsLoss` and the trainer refuse them).
    With pos_weight: (1 - target) * log(1 + exp(input)) + pos_weight * target * log(1 + exp(-input)).
    """
    if pos_weight is None:
        return _bce_logits.forward(input, target, reduction, sample_weight)
    return _bce_pos_weight.forward(input, target, reduction, sample_weight, *_by_column(pos_weight))


@documented(BACKWARD)
def binary_cross_entropy_with_logits_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    pos_weight: Any = None,
) -> Array:
    """Gradient of `binary_cross_entropy_with_logits` with respect to input."""
    if pos_weight is None:
        return _bce_logits.backward(grad_output, input, target, reduction, sample_weight)
    return _bce_pos_weight.backward(grad_output, input, target, reduction, sample_weight, *_by_column(pos_weight))


def _by_column(pos_weight: Any) -> tuple[tuple[float, ...], Array | None]:
    return check.split_numbers(check.as_numbers("pos_weight", pos_weight, at_least=0.0, below=float("inf")))


FOCAL = """alpha : float, at most 1, default 0.25
    What targets of 1 count; those of 0 count 1 - alpha. Below 0: both count 1.
gamma : float, at least 0, default 2.0
    How much less a target counts that the network gives a high probability; 0 makes no difference between targets.
"""


@documented(ELEMENTWISE, params=FOCAL)
def sigmoid_focal_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Any:
    """Focal loss of logits (Lin et al. 2017), for classes of very different frequency.

    loss = alpha_t * (1 - p_t)^gamma * binary_cross_entropy_with_logits(input, target),
    p_t = p * target + (1 - p) * (1 - target),   p = sigmoid(input)

    Targets between 0 and 1; others are computed with as they are (`nn.FocalLoss` and the trainer refuse them).
    As torchvision's function of this name, but for the reduction, which is "none" there by default.
    """
    return _focal.forward(input, target, reduction, sample_weight, _focus(alpha, gamma))


@documented(BACKWARD)
def sigmoid_focal_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Array:
    """Gradient of `sigmoid_focal_loss` with respect to input."""
    return _focal.backward(grad_output, input, target, reduction, sample_weight, _focus(alpha, gamma))


def _focus(alpha: float, gamma: float) -> tuple[float, ...]:
    return check.check_number("alpha", alpha, at_most=1.0), check.check_number("gamma", gamma, at_least=0.0)


HINGE = """margin : float above 0, default 1.0
squared : bool, default False
"""


@documented(ELEMENTWISE, params=HINGE)
def hinge_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 1.0,
    squared: bool = False,
) -> Any:
    """Hinge loss of scores, for targets of -1 and 1: what a support vector machine minimises.

    loss = max(0, margin - target * input), or its square

    The gradient is 0 on the margin. Targets of 0 and 1 must be made 2 * target - 1 first: a 0 has no gradient
    (`nn.HingeLoss` and the trainer refuse it).
    """
    return _hinge.forward(input, target, reduction, sample_weight, _margin(margin, squared))


@documented(BACKWARD)
def hinge_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 1.0,
    squared: bool = False,
) -> Array:
    """Gradient of `hinge_loss` with respect to input."""
    return _hinge.backward(grad_output, input, target, reduction, sample_weight, _margin(margin, squared))


def _margin(margin: float, squared: bool) -> tuple[float, ...]:
    return check.check_number("margin", margin, above=0.0), float(check.check_bool("squared", squared))


@documented(ELEMENTWISE)
def soft_margin_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Logistic loss of scores, for targets of -1 and 1.

    loss = log(1 + exp(-target * input))

    The same as `binary_cross_entropy_with_logits` for targets of 0 and 1, which `nn.SoftMarginLoss` and the trainer
    refuse. PyTorch's overflows, this one does not.
    """
    return _soft_margin.forward(input, target, reduction, sample_weight)


@documented(BACKWARD)
def soft_margin_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `soft_margin_loss` with respect to input."""
    return _soft_margin.backward(grad_output, input, target, reduction, sample_weight)

"""Losses of two classes, of scores or probabilities, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from .._core.losses import Loss
from ._documentation import ELEMENTWISE_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array
from ._losses import ElementwiseLoss, LossFunction

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

# Parameters in the docstrings below.
POS_WEIGHT = """pos_weight : float or array of shape (columns,), 0 or more, optional
    Weight of the targets of 1, in all columns or in each. The number of negative samples divided by that of positive
    ones balances the two.
"""
WEIGHT = """weight : array that can be broadcast to input's shape, such as (columns,), optional
    Multiplies the loss of each element; 0 or more and finite. "mean" divides by the number of elements all the same.
"""
FOCAL = """alpha : float, at most 1, default 0.25
    Weight of targets of 1; those of 0 have weight 1 - alpha. Below 0: both have weight 1.
gamma : float, at least 0, default 2.0
    The larger, the smaller the loss of targets with a high predicted probability; 0 leaves the cross-entropy.
"""
HINGE = """margin : float above 0, default 1.0
    Value of target * input from which on the loss is 0.
squared : bool, default False
    Whether to square the loss of each element.
"""


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or weight", params=WEIGHT)
def binary_cross_entropy(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, weight: Any = None
) -> Any:
    """Binary cross-entropy of probabilities.

    loss = -weight * (target * log(input) + (1 - target) * log(1 - input))

    Notes
    -----
    Targets must be between 0 and 1, which is not checked here (`nn.BCELoss` and the trainer do). As in PyTorch the
    logarithms are at least -100. Inputs outside [0, 1], which PyTorch refuses, give NaN: for outputs of a layer without
    sigmoid use `binary_cross_entropy_with_logits`.

    >>> F.binary_cross_entropy(np.array([0.5, 0.25]), np.array([1.0, 0.0]), reduction="none").round(4)
    array([0.6931, 0.2877])
    """
    return _bce.forward(input, target, reduction, sample_weight, weight=weight)


@documented(LOSS_BACKWARD)
def binary_cross_entropy_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    weight: Any = None,
) -> Array:
    """Gradient of `binary_cross_entropy` with respect to input.

    grad_input = grad_output * weight * (input - target) / max(input * (1 - input), 1e-12)

    Notes
    -----
    Inputs outside [0, 1] give NaN, as they do in the loss.

    >>> F.binary_cross_entropy_backward(1.0, np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    array([-1.,  1.])
    """
    return _bce.backward(grad_output, input, target, reduction, sample_weight, weight=weight)


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight, pos_weight or weight", params=POS_WEIGHT + WEIGHT)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    pos_weight: Any = None,
    weight: Any = None,
) -> Any:
    """Binary cross-entropy of logits, that is of sigmoid(input), without overflow.

    loss = max(input, 0) - input * target + log(1 + exp(-|input|))

    With pos_weight: (1 - target) * log(1 + exp(input)) + pos_weight * target * log(1 + exp(-input)). Both times weight.

    Notes
    -----
    Targets must be between 0 and 1, which is not checked here (`nn.BCEWithLogitsLoss` and the trainer do).

    >>> F.binary_cross_entropy_with_logits(np.array([0.0, 2.0]), np.array([1.0, 0.0]), reduction="none").round(4)
    array([0.6931, 2.1269])
    """
    if pos_weight is None:
        return _bce_logits.forward(input, target, reduction, sample_weight, weight=weight)
    return _bce_pos_weight.forward(input, target, reduction, sample_weight, *_by_column(pos_weight), weight)


@documented(LOSS_BACKWARD)
def binary_cross_entropy_with_logits_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    pos_weight: Any = None,
    weight: Any = None,
) -> Array:
    """Gradient of `binary_cross_entropy_with_logits` with respect to input.

    grad_input = grad_output * (sigmoid(input) - target)

    With pos_weight: (1 - target) * sigmoid(input) - pos_weight * target * sigmoid(-input), times grad_output. Both are
    multiplied by weight.

    >>> F.binary_cross_entropy_with_logits_backward(1.0, np.array([0.0, 0.0]), np.array([1.0, 0.0]))
    array([-0.25,  0.25])
    """
    if pos_weight is None:
        return _bce_logits.backward(grad_output, input, target, reduction, sample_weight, weight=weight)
    numbers, columns = _by_column(pos_weight)
    return _bce_pos_weight.backward(grad_output, input, target, reduction, sample_weight, numbers, columns, weight)


def _by_column(pos_weight: Any) -> tuple[tuple[float, ...], Array | None]:
    return check.split_numbers(check.as_numbers("pos_weight", pos_weight, at_least=0.0, below=float("inf")))


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight, alpha or gamma", params=FOCAL)
def sigmoid_focal_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Any:
    """Focal loss of logits (Lin et al. 2017), for two classes of very different frequency.

    loss = alpha_t * (1 - p_t)^gamma * binary_cross_entropy_with_logits(input, target),
    p_t = p * target + (1 - p) * (1 - target),   p = sigmoid(input)

    alpha_t = alpha * target + (1 - alpha) * (1 - target), or 1 if alpha < 0.

    Notes
    -----
    Targets must be between 0 and 1, which is not checked here (`nn.FocalLoss` and the trainer do). It is torchvision's
    function of this name, whose reduction is by default "none".

    >>> F.sigmoid_focal_loss(np.array([0.0, 2.0]), np.array([1.0, 0.0]), reduction="none").round(4)
    array([0.0433, 1.2376])
    """
    return _focal.forward(input, target, reduction, sample_weight, _focus(alpha, gamma))


@documented(LOSS_BACKWARD)
def sigmoid_focal_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Array:
    """Gradient of `sigmoid_focal_loss` with respect to input.

    grad_input = grad_output * s * alpha_t * (1 - p_t)^gamma * (gamma * p_t * log(p_t) + p_t - 1)

    for targets of 0 and 1, with s = 2 * target - 1.

    >>> F.sigmoid_focal_loss_backward(1.0, np.array([0.0, 0.0]), np.array([1.0, 0.0]), alpha=-1.0).round(4)
    array([-0.1491,  0.1491])
    """
    return _focal.backward(grad_output, input, target, reduction, sample_weight, _focus(alpha, gamma))


def _focus(alpha: float, gamma: float) -> tuple[float, ...]:
    return check.check_number("alpha", alpha, at_most=1.0), check.check_number("gamma", gamma, at_least=0.0)


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or margin", params=HINGE)
def hinge_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 1.0,
    squared: bool = False,
) -> Any:
    """Hinge loss of scores, for targets of -1 and 1, as in support vector machines (Cortes and Vapnik 1995).

    loss = max(0, margin - target * input), or its square

    Notes
    -----
    Targets must be -1 or 1, which is not checked here (`nn.HingeLoss` and the trainer do). Convert targets of 0 and 1
    by 2 * target - 1: a target of 0 has no gradient.

    >>> F.hinge_loss(np.array([0.5, 0.5]), np.array([1.0, -1.0]), reduction="none")
    array([0.5, 1.5])
    """
    return _hinge.forward(input, target, reduction, sample_weight, _margin(margin, squared))


@documented(LOSS_BACKWARD)
def hinge_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 1.0,
    squared: bool = False,
) -> Array:
    """Gradient of `hinge_loss` with respect to input.

    grad_input = grad_output * (-target where target * input < margin, else 0)

    If squared, -2 * target * max(0, margin - target * input), times grad_output.

    >>> F.hinge_loss_backward(1.0, np.array([0.5, 0.5]), np.array([1.0, -1.0]))
    array([-0.5,  0.5])
    """
    return _hinge.backward(grad_output, input, target, reduction, sample_weight, _margin(margin, squared))


def _margin(margin: float, squared: bool) -> tuple[float, ...]:
    return check.check_number("margin", margin, above=0.0), float(check.check_bool("squared", squared))


@documented(ELEMENTWISE_LOSS)
def soft_margin_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Logistic loss of scores, for targets of -1 and 1.

    loss = log(1 + exp(-target * input))

    It equals `binary_cross_entropy_with_logits` with targets 0 and 1 in place of -1 and 1.

    Notes
    -----
    Targets must be -1 or 1, which is not checked here (`nn.SoftMarginLoss` and the trainer do). PyTorch's function
    overflows for large arguments, this one does not.

    >>> F.soft_margin_loss(np.array([0.0, 2.0]), np.array([1.0, -1.0]), reduction="none").round(4)
    array([0.6931, 2.1269])
    """
    return _soft_margin.forward(input, target, reduction, sample_weight)


@documented(LOSS_BACKWARD)
def soft_margin_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `soft_margin_loss` with respect to input.

    grad_input = -grad_output * target * sigmoid(-target * input)

    >>> F.soft_margin_loss_backward(1.0, np.array([0.0, 0.0]), np.array([1.0, -1.0]))
    array([-0.25,  0.25])
    """
    return _soft_margin.backward(grad_output, input, target, reduction, sample_weight)

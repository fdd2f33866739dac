"""Losses of scores over classes, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from .._core.losses import RowLoss
from ._elementwise import Array
from ._losses import BACKWARD, CLASSES, ClassLoss, LossFunction, documented

__all__ = [
    "cross_entropy",
    "cross_entropy_backward",
    "multi_margin_loss",
    "multi_margin_loss_backward",
    "nll_loss",
    "nll_loss_backward",
    "softmax_focal_loss",
    "softmax_focal_loss_backward",
]

_cross_entropy = ClassLoss("cross_entropy", RowLoss("cross_entropy", like=True), names=("label_smoothing",))
_nll = ClassLoss("nll_loss", RowLoss("nll_loss"))
_focal = ClassLoss("softmax_focal_loss", RowLoss("softmax_focal_loss"), names=("gamma",))
_multi_margin = ClassLoss("multi_margin_loss", RowLoss("multi_margin_loss", shared=False), names=("p", "margin"))
LOSSES: dict[str, LossFunction] = {loss.name: loss for loss in (_cross_entropy, _nll, _focal, _multi_margin)}

LABELS = "integers of shape (rows,), the class of each row"


@documented(
    CLASSES,
    targets=f"{LABELS}; or of input's shape, one-hot or probabilities",
    params=(
        "label_smoothing : float in [0, 1], default 0.0\n"
        "    Share of the target that is spread evenly over all classes.\n"
    ),
    mean='"mean" divides by the sum of the weights of the targets,\n    or, of probabilities, by the number of rows.',
)
def cross_entropy(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
    weight: Any = None,
    ignore_index: int = -100,
) -> Any:
    """Cross-entropy of logits: softmax and its logarithm are part of it.

    loss = -sum_i weight_i q_i log softmax(input)_i,   q = (1 - label_smoothing) * target + label_smoothing / classes

    An entry of -inf whose target is 0 counts for nothing.
    """
    params = check.check_ignored(ignore_index), _smoothing(label_smoothing)
    return _cross_entropy.forward(input, target, reduction, sample_weight, params, weight)


@documented(BACKWARD)
def cross_entropy_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
    weight: Any = None,
    ignore_index: int = -100,
) -> Array:
    """Gradient of `cross_entropy` with respect to input: softmax(input) - q for target probabilities that sum to 1."""
    params = check.check_ignored(ignore_index), _smoothing(label_smoothing)
    return _cross_entropy.backward(grad_output, input, target, reduction, sample_weight, params, weight)


def _smoothing(label_smoothing: float) -> float:
    return check.check_number("label_smoothing", label_smoothing, at_least=0.0, at_most=1.0)


@documented(CLASSES, targets=LABELS)
def nll_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    weight: Any = None,
    ignore_index: int = -100,
) -> Any:
    """Negative log-likelihood of log-probabilities, as `log_softmax` gives them.

    loss = -weight[target[row]] * input[row, target[row]]
    """
    params = (check.check_ignored(ignore_index),)
    return _nll.forward(input, target, reduction, sample_weight, params, weight)


@documented(BACKWARD)
def nll_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    weight: Any = None,
    ignore_index: int = -100,
) -> Array:
    """Gradient of `nll_loss` with respect to input."""
    params = (check.check_ignored(ignore_index),)
    return _nll.backward(grad_output, input, target, reduction, sample_weight, params, weight)


@documented(
    CLASSES,
    targets=LABELS,
    params=(
        "gamma : float, at least 0, default 2.0\n"
        "    How much less a row counts whose class the network gives a high probability; 0 is `cross_entropy`.\n"
    ),
)
def softmax_focal_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    gamma: float = 2.0,
    weight: Any = None,
    ignore_index: int = -100,
) -> Any:
    """Focal loss of logits over classes (Lin et al. 2017, with softmax for the sigmoid).

    loss = -weight[y] * (1 - p)^gamma * log(p),   p = softmax(input)[row, y],   y = target[row]
    """
    params = check.check_ignored(ignore_index), check.check_number("gamma", gamma, at_least=0.0)
    return _focal.forward(input, target, reduction, sample_weight, params, weight)


@documented(BACKWARD)
def softmax_focal_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    gamma: float = 2.0,
    weight: Any = None,
    ignore_index: int = -100,
) -> Array:
    """Gradient of `softmax_focal_loss` with respect to input."""
    params = check.check_ignored(ignore_index), check.check_number("gamma", gamma, at_least=0.0)
    return _focal.backward(grad_output, input, target, reduction, sample_weight, params, weight)


@documented(
    CLASSES,
    targets=LABELS,
    params="p : {1, 2}, default 1\nmargin : float above 0, default 1.0\n",
    mean='"mean" divides by the number of rows all the same, as in PyTorch.',
)
def multi_margin_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    ignore_index: int = -100,
) -> Any:
    """Hinge loss of scores over classes.

    loss = weight[y] * sum_i max(0, margin - input[row, y] + input[row, i])^p / classes,   i != y = target[row]

    The gradient is 0 on the margin.
    """
    params = check.check_ignored(ignore_index), *_power_and_margin(p, margin)
    return _multi_margin.forward(input, target, reduction, sample_weight, params, weight)


@documented(BACKWARD)
def multi_margin_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    ignore_index: int = -100,
) -> Array:
    """Gradient of `multi_margin_loss` with respect to input."""
    params = check.check_ignored(ignore_index), *_power_and_margin(p, margin)
    return _multi_margin.backward(grad_output, input, target, reduction, sample_weight, params, weight)


def _power_and_margin(p: int, margin: float) -> tuple[float, float]:
    power = check.check_integer("p", p, at_least=1, at_most=2)
    return float(power), check.check_number("margin", margin, above=0.0)

"""Losses of several classes, of one score for each, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from .._core.losses import RowLoss
from ._documentation import CLASS_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array
from ._losses import ClassLoss, LossFunction

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

# Of the docstrings below.
LABELS = """the class of each row, 0 to classes - 1: integers, booleans or floats without a fraction of
    shape (rows,) or (rows, 1). For input of shape (classes,) or (rows, classes, d1, ...) it is () or (rows, d1, ...)"""
LABELS_OR_SHARES = f"""{LABELS}
    Or of input's shape, one-hot or probabilities: of input's dtype, or integers or booleans, which are converted."""
SMOOTHING = """label_smoothing : float in [0, 1], default 0.0
    Share of the target that is spread evenly over all classes.
"""
FOCAL = """gamma : float, at least 0, default 2.0
    The larger, the smaller the loss of rows whose class has a high predicted probability; 0 is `cross_entropy`.
"""
MARGIN = """p : {1, 2}, default 1
    Power of each term.
margin : float above 0, default 1.0
    Least difference between the score of the target's class and another that costs nothing.
"""
MEAN_OF_SHARES = """"mean" divides by the sum of the weights of the targets' classes; for probabilities by the
    number of rows."""
MEAN_OF_ROWS = '"mean" divides by the number of rows all the same, as in PyTorch.'
SOFTMAX_NAN = """A row of input with NaN or +inf, or of -inf alone, gives NaN. An entry of -inf has probability 0, and
adds nothing to the loss where its target is 0."""
SOFTMAX_GRADIENT_NAN = "A row of input with NaN or +inf, or of -inf alone, gives a row of NaN."
TARGET_ONLY = "Only the entry of the target's class is read: NaN elsewhere has no effect."
NO_INPUT = "The gradient does not depend on input: NaN there has no effect."
GAP_NAN = "NaN in an entry of input gives NaN at least there and in the entry of the target's class."


@documented(
    CLASS_LOSS,
    targets=LABELS_OR_SHARES,
    params=SMOOTHING,
    mean=MEAN_OF_SHARES,
    values="reduction or label_smoothing",
    nan=SOFTMAX_NAN,
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
    """Cross-entropy of logits; the softmax is part of it.

    loss = -sum_i weight_i q_i log softmax(input)_i,   q = (1 - label_smoothing) * target + label_smoothing / classes

    Here target is a row of probabilities, one-hot for a class index. Label smoothing is that of Szegedy et al. 2016.

    Notes
    -----
    Targets that are probabilities with an ignore_index of 0 or more are a ValueError.

    >>> F.cross_entropy(np.log(np.array([[1.0, 3.0], [1.0, 1.0]])), np.array([1, 0]), reduction="none").round(4)
    array([0.2877, 0.6931])
    """
    params = check.check_ignored(ignore_index), _smoothing(label_smoothing)
    return _cross_entropy.forward(input, target, reduction, sample_weight, params, weight)


@documented(LOSS_BACKWARD, gradient_nan=SOFTMAX_GRADIENT_NAN)
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
    """Gradient of `cross_entropy` with respect to input.

    grad_input_i = grad_output * (softmax(input)_i * sum_j weight_j q_j - weight_i q_i)

    Without class weights, and for probabilities that sum to 1, it is softmax(input) - q.

    >>> F.cross_entropy_backward(1.0, np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([1, 0]))
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    params = check.check_ignored(ignore_index), _smoothing(label_smoothing)
    return _cross_entropy.backward(grad_output, input, target, reduction, sample_weight, params, weight)


def _smoothing(label_smoothing: float) -> float:
    return check.check_number("label_smoothing", label_smoothing, at_least=0.0, at_most=1.0)


@documented(
    CLASS_LOSS,
    targets=LABELS,
    values="reduction",
    nan=TARGET_ONLY,
)
def nll_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    weight: Any = None,
    ignore_index: int = -100,
) -> Any:
    """Negative log-likelihood of log-probabilities, such as those of `log_softmax`.

    loss = -weight[y] * input[row, y],   y = target[row]

    >>> F.nll_loss(np.array([[-0.5, -1.0], [-2.0, -0.25]]), np.array([0, 1]))
    np.float64(0.375)
    """
    params = (check.check_ignored(ignore_index),)
    return _nll.forward(input, target, reduction, sample_weight, params, weight)


@documented(LOSS_BACKWARD, gradient_nan=NO_INPUT)
def nll_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    weight: Any = None,
    ignore_index: int = -100,
) -> Array:
    """Gradient of `nll_loss` with respect to input.

    grad_input[row, i] = -grad_output * weight[y] where i = y, else 0,   y = target[row]

    >>> F.nll_loss_backward(1.0, np.array([[-0.5, -1.0], [-2.0, -0.25]]), np.array([0, 1])) + 0.0  # no -0.0
    array([[-0.5,  0. ],
           [ 0. , -0.5]])
    """
    params = (check.check_ignored(ignore_index),)
    return _nll.backward(grad_output, input, target, reduction, sample_weight, params, weight)


@documented(CLASS_LOSS, targets=LABELS, params=FOCAL, values="reduction or gamma", nan=SOFTMAX_NAN)
def softmax_focal_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    gamma: float = 2.0,
    weight: Any = None,
    ignore_index: int = -100,
) -> Any:
    """Focal loss of logits of several classes (Lin et al. 2017, with softmax in place of the sigmoid).

    loss = -weight[y] * (1 - p)^gamma * log(p),   p = softmax(input)[row, y],   y = target[row]

    >>> F.softmax_focal_loss(np.array([[0.0, 0.0]]), np.array([1])).round(4)
    np.float64(0.1733)
    """
    params = check.check_ignored(ignore_index), check.check_number("gamma", gamma, at_least=0.0)
    return _focal.forward(input, target, reduction, sample_weight, params, weight)


@documented(LOSS_BACKWARD, gradient_nan=SOFTMAX_GRADIENT_NAN)
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
    """Gradient of `softmax_focal_loss` with respect to input.

    grad_input[row, i] = grad_output * weight[y] * c * ((1 if i = y else 0) - softmax(input)[row, i]),
    c = gamma * (1 - p)^(gamma - 1) * p * log(p) - (1 - p)^gamma

    >>> F.softmax_focal_loss_backward(1.0, np.array([[0.0, 0.0]]), np.array([1])).round(4)
    array([[ 0.2983, -0.2983]])
    """
    params = check.check_ignored(ignore_index), check.check_number("gamma", gamma, at_least=0.0)
    return _focal.backward(grad_output, input, target, reduction, sample_weight, params, weight)


@documented(
    CLASS_LOSS,
    targets=LABELS,
    params=MARGIN,
    mean=MEAN_OF_ROWS,
    values="reduction, p or margin",
    nan="NaN in input gives NaN.",
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
    """Hinge loss of scores of several classes (Weston and Watkins 1999), as PyTorch's MultiMarginLoss.

    loss = weight[y] * sum_i max(0, margin - input[row, y] + input[row, i])^p / classes,   i != y = target[row]

    >>> F.multi_margin_loss(np.array([[0.5, 1.0, 2.0]]), np.array([2]), reduction="none", margin=2.0)
    array([0.5])
    """
    params = check.check_ignored(ignore_index), *_power_and_margin(p, margin)
    return _multi_margin.forward(input, target, reduction, sample_weight, params, weight)


@documented(
    LOSS_BACKWARD,
    gradient_nan=GAP_NAN,
)
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
    """Gradient of `multi_margin_loss` with respect to input.

    grad_input[row, i] = grad_output * weight[y] / classes * (1 where gap > 0, else 0; with p = 2: 2 * max(0, gap)),
    gap = margin - input[row, y] + input[row, i]

    for i != y = target[row], and minus the sum of these for i = y. On the margin the gradient is 0.

    >>> F.multi_margin_loss_backward(1.0, np.array([[3.0, 1.5, 2.0, 0.0]]), np.array([2]))
    array([[ 0.25,  0.25, -0.5 ,  0.  ]])
    """
    params = check.check_ignored(ignore_index), *_power_and_margin(p, margin)
    return _multi_margin.backward(grad_output, input, target, reduction, sample_weight, params, weight)


def _power_and_margin(p: int, margin: float) -> tuple[float, float]:
    power = check.check_integer("p", p, at_least=1, at_most=2)
    return float(power), check.check_number("margin", margin, above=0.0)

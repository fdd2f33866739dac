"""Losses and their gradients with respect to the input: names, arguments and meaning; `_losses` has what they share."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from .. import _validation as check
from ._elementwise import Array
from ._losses import ClassLoss, ElementwiseLoss, LossFunction, RootLoss

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "huber_loss",
    "huber_loss_backward",
    "l1_loss",
    "l1_loss_backward",
    "mse_loss",
    "mse_loss_backward",
    "nll_loss",
    "nll_loss_backward",
    "rmse_loss",
    "rmse_loss_backward",
    "smooth_l1_loss",
    "smooth_l1_loss_backward",
]

Function = TypeVar("Function", bound=Callable[..., Any])

ELEMENTWISE = """
Parameters
----------
input, target : ndarray of float32 or float64, one shape and dtype
reduction : {{"mean", "sum", "none"}}, default "mean"
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
{params}
Returns
-------
loss : scalar of input's dtype, or for "none" an array of shape (rows,)

Raises
------
TypeError, ValueError
    If dtypes or shapes do not match, or a class index is out of range (the message names its row).
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


def documented(template: str, **fields: str) -> Callable[[Function], Function]:
    """Append what all losses of a kind share to a docstring."""

    def decorate(function: Function) -> Function:
        text = template.format(**{"params": "", "forward": function.__name__.removesuffix("_backward"), **fields})
        function.__doc__ = inspect.cleandoc(function.__doc__ or "") + "\n" + text
        return function

    return decorate


_l1 = ElementwiseLoss("l1_loss")
_mse = ElementwiseLoss("mse_loss")
_rmse = RootLoss("rmse_loss", "mse_loss")
_huber = ElementwiseLoss("huber_loss")
_smooth_l1 = ElementwiseLoss("smooth_l1_loss")
_bce = ElementwiseLoss("binary_cross_entropy")
_bce_logits = ElementwiseLoss("binary_cross_entropy_with_logits")
_cross_entropy = ClassLoss("cross_entropy", probabilities=True)
_nll = ClassLoss("nll_loss", probabilities=False)
# By name, for those that want value and gradient together.
LOSSES: dict[str, LossFunction] = {
    loss.name: loss for loss in (_l1, _mse, _rmse, _huber, _smooth_l1, _bce, _bce_logits, _cross_entropy, _nll)
}


@documented(ELEMENTWISE)
def l1_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Mean absolute error (MAE).

    loss = |input - target|

    Robust to outliers: its gradient is the sign of the error, 0 at 0.
    """
    return _l1.forward(input, target, reduction, sample_weight)


@documented(BACKWARD)
def l1_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `l1_loss` with respect to input."""
    return _l1.backward(grad_output, input, target, reduction, sample_weight)


@documented(ELEMENTWISE)
def mse_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Mean squared error.

    loss = (input - target)^2

    Grows fast, so it is sensitive to outliers.
    """
    return _mse.forward(input, target, reduction, sample_weight)


@documented(BACKWARD)
def mse_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `mse_loss` with respect to input."""
    return _mse.backward(grad_output, input, target, reduction, sample_weight)


@documented(ELEMENTWISE)
def rmse_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Root mean squared error: the square root of `mse_loss` with the same reduction.

    loss = sqrt(mean((input - target)^2))

    reduction "sum" is the root of the sum, "none" the root of each. Where the root is 0 its gradient is taken as 0.
    """
    return _rmse.forward(input, target, reduction, sample_weight)


@documented(BACKWARD)
def rmse_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `rmse_loss` with respect to input."""
    return _rmse.backward(grad_output, input, target, reduction, sample_weight)


@documented(ELEMENTWISE, params="delta : float above 0, default 1.0\n")
def huber_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, delta: float = 1.0) -> Any:
    """Huber loss (1964).

    loss = e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2),   e = input - target
    """
    delta = check.check_number("delta", delta, above=0.0)
    return _huber.forward(input, target, reduction, sample_weight, delta)


@documented(BACKWARD)
def huber_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    delta: float = 1.0,
) -> Array:
    """Gradient of `huber_loss` with respect to input."""
    delta = check.check_number("delta", delta, above=0.0)
    return _huber.backward(grad_output, input, target, reduction, sample_weight, delta)


@documented(ELEMENTWISE, params="beta : float, at least 0, default 1.0\n")
def smooth_l1_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, beta: float = 1.0
) -> Any:
    """Smooth L1 loss (Girshick 2015).

    loss = e^2 / (2 beta) where |e| < beta, else |e| - beta / 2,   e = input - target

    With beta = 0 it is `l1_loss`.
    """
    beta = check.check_number("beta", beta, at_least=0.0)
    return _smooth_l1.forward(input, target, reduction, sample_weight, beta)


@documented(BACKWARD)
def smooth_l1_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    beta: float = 1.0,
) -> Array:
    """Gradient of `smooth_l1_loss` with respect to input."""
    beta = check.check_number("beta", beta, at_least=0.0)
    return _smooth_l1.backward(grad_output, input, target, reduction, sample_weight, beta)


@documented(ELEMENTWISE)
def binary_cross_entropy(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Binary cross-entropy of probabilities.

    loss = -(target * log(input) + (1 - target) * log(1 - input))

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


@documented(ELEMENTWISE)
def binary_cross_entropy_with_logits(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """Binary cross-entropy of logits, that is of sigmoid(input), without its overflow.

    loss = max(input, 0) - input * target + log(1 + exp(-|input|))
    """
    return _bce_logits.forward(input, target, reduction, sample_weight)


@documented(BACKWARD)
def binary_cross_entropy_with_logits_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `binary_cross_entropy_with_logits` with respect to input."""
    return _bce_logits.backward(grad_output, input, target, reduction, sample_weight)


@documented(
    CLASSES,
    targets="integers of shape (rows,), the class of each row; or of input's shape, one-hot or probabilities",
    params=(
        "label_smoothing : float in [0, 1], default 0.0\n"
        "    Share of the target that is spread evenly over all classes.\n"
    ),
)
def cross_entropy(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, label_smoothing: float = 0.0
) -> Any:
    """Cross-entropy of logits: softmax and its logarithm are part of it.

    loss = -sum_i q_i log softmax(input)_i,   q = (1 - label_smoothing) * target + label_smoothing / classes

    An entry of -inf whose target is 0 counts for nothing.
    """
    label_smoothing = check.check_number("label_smoothing", label_smoothing, at_least=0.0, at_most=1.0)
    return _cross_entropy.forward(input, target, reduction, sample_weight, label_smoothing)


@documented(BACKWARD)
def cross_entropy_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    label_smoothing: float = 0.0,
) -> Array:
    """Gradient of `cross_entropy` with respect to input: softmax(input) - q for target probabilities that sum to 1."""
    label_smoothing = check.check_number("label_smoothing", label_smoothing, at_least=0.0, at_most=1.0)
    return _cross_entropy.backward(grad_output, input, target, reduction, sample_weight, label_smoothing)


@documented(CLASSES, targets="integers of shape (rows,), the class of each row")
def nll_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Negative log-likelihood of log-probabilities, as `log_softmax` gives them.

    loss = -input[row, target[row]]
    """
    return _nll.forward(input, target, reduction, sample_weight)


@documented(BACKWARD)
def nll_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `nll_loss` with respect to input."""
    return _nll.backward(grad_output, input, target, reduction, sample_weight)

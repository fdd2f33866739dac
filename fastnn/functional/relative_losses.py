"""Losses of relative errors, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from ._documentation import ELEMENTWISE_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array
from ._losses import ElementwiseLoss, LossFunction

__all__ = [
    "mape_loss",
    "mape_loss_backward",
    "msle_loss",
    "msle_loss_backward",
]

_mape = ElementwiseLoss("mape_loss", names=("eps",))
_msle = ElementwiseLoss("msle_loss", names=("eps",))
LOSSES: dict[str, LossFunction] = {loss.name: loss for loss in (_mape, _msle)}

# Parameters in the docstrings below.
MAPE = "eps : float above 0, default 1e-7\n    Least magnitude of a target to divide by.\n"
MSLE = "eps : float, at least 0, default 1e-7\n    Inputs and targets below it count as eps.\n"


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or eps", params=MAPE)
def mape_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, eps: float = 1e-7) -> Any:
    """Absolute error in percent of the target (MAPE with reduction "mean").

    loss = 100 * |input - target| / max(|target|, eps)

    It is Keras' MeanAbsolutePercentageError, and 100 times scikit-learn's mean_absolute_percentage_error.

    >>> F.mape_loss(np.array([3.0, 5.0]), np.array([4.0, 4.0]), reduction="none")
    array([25., 25.])
    """
    eps = check.check_number("eps", eps, above=0.0)
    return _mape.forward(input, target, reduction, sample_weight, (eps,))


@documented(LOSS_BACKWARD)
def mape_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    eps: float = 1e-7,
) -> Array:
    """Gradient of `mape_loss` with respect to input.

    grad_input = grad_output * 100 * sign(input - target) / max(|target|, eps)

    >>> F.mape_loss_backward(1.0, np.array([3.0, 5.0]), np.array([4.0, 4.0]))
    array([-12.5,  12.5])
    """
    eps = check.check_number("eps", eps, above=0.0)
    return _mape.backward(grad_output, input, target, reduction, sample_weight, (eps,))


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or eps", params=MSLE)
def msle_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, eps: float = 1e-7) -> Any:
    """Squared error of logarithms (MSLE with reduction "mean"), for targets of very different sizes, 0 or more.

    loss = (log(1 + max(input, eps)) - log(1 + max(target, eps)))^2

    It is Keras' MeanSquaredLogarithmicError; with eps = 0 scikit-learn's mean_squared_log_error.

    >>> F.msle_loss(np.array([1.0, 3.0]), np.array([3.0, 3.0]), reduction="none").round(4)
    array([0.4805, 0.    ])
    """
    eps = check.check_number("eps", eps, at_least=0.0)
    return _msle.forward(input, target, reduction, sample_weight, (eps,))


@documented(LOSS_BACKWARD)
def msle_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    eps: float = 1e-7,
) -> Array:
    """Gradient of `msle_loss` with respect to input.

    grad_input = grad_output * 2 * (log(1 + input) - log(1 + max(target, eps))) / (1 + input), 0 where input <= eps

    Notes
    -----
    A negative input has no gradient: end a network by `nn.ReLU` or `nn.Softplus`, or train it on log(1 + target).

    >>> F.msle_loss_backward(1.0, np.array([1.0, 3.0]), np.array([3.0, 3.0])).round(4)
    array([-0.3466,  0.    ])
    """
    eps = check.check_number("eps", eps, at_least=0.0)
    return _msle.backward(grad_output, input, target, reduction, sample_weight, (eps,))

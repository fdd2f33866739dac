"""Regression losses and their gradients with respect to the input. `_losses` has what all losses share."""

from typing import Any

from .. import _validation as check
from .._core.losses import RowLoss
from ._documentation import ELEMENTWISE_LOSS, LOSS_BACKWARD, ROW_LOSS, documented
from ._elementwise import Array
from ._losses import ElementwiseLoss, LossFunction, RootLoss, RowsLoss

__all__ = [
    "cosine_loss",
    "cosine_loss_backward",
    "huber_loss",
    "huber_loss_backward",
    "l1_loss",
    "l1_loss_backward",
    "log_cosh_loss",
    "log_cosh_loss_backward",
    "mse_loss",
    "mse_loss_backward",
    "quantile_loss",
    "quantile_loss_backward",
    "rmse_loss",
    "rmse_loss_backward",
    "smooth_l1_loss",
    "smooth_l1_loss_backward",
]

_l1 = ElementwiseLoss("l1_loss")
_mse = ElementwiseLoss("mse_loss")
_rmse = RootLoss("rmse_loss", "mse_loss")
_huber = ElementwiseLoss("huber_loss", names=("delta",))
_smooth_l1 = ElementwiseLoss("smooth_l1_loss", names=("beta",))
_quantile = ElementwiseLoss("quantile_loss", names=("q",), extra="q", repeats=True)
_log_cosh = ElementwiseLoss("log_cosh_loss")
_cosine = RowsLoss("cosine_loss", RowLoss("cosine_loss", classes=False, like=True), names=("eps",))
# By name, for callers that need value and gradient in one pass.
LOSSES: dict[str, LossFunction] = {
    loss.name: loss for loss in (_l1, _mse, _rmse, _huber, _smooth_l1, _quantile, _log_cosh, _cosine)
}

# Parameters in the docstrings below.
DELTA = "delta : float above 0, default 1.0\n    Error beyond which the loss is linear.\n"
BETA = (
    "beta : float, at least 0, default 1.0\n    Error beyond which the loss is linear. With 0 the loss is `l1_loss`.\n"
)
QUANTILES = """q : float in (0, 1), or one for each column of input, default 0.5
    The quantile to fit. With several, target may also have shape (rows,) or (rows, 1): it is then used for all columns.
"""
EPS = "eps : float, at least 0, default 1e-8\n    Least norm to divide by.\n"
COSINE_NAN = "A row with NaN or an infinity in input or target gives a row of NaN."


@documented(ELEMENTWISE_LOSS)
def l1_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Absolute error (MAE with reduction "mean").

    loss = |input - target|

    Robust to outliers: the gradient of an element is the sign of its error, 0 at 0.

    >>> F.l1_loss(np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    np.float64(1.25)
    """
    return _l1.forward(input, target, reduction, sample_weight)


@documented(LOSS_BACKWARD)
def l1_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `l1_loss` with respect to input.

    grad_input = grad_output * sign(input - target)

    >>> F.l1_loss_backward(1.0, np.array([1.0, 2.0]), np.array([1.5, 1.0]))
    array([-0.5,  0.5])
    """
    return _l1.backward(grad_output, input, target, reduction, sample_weight)


@documented(ELEMENTWISE_LOSS)
def mse_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Squared error (MSE with reduction "mean").

    loss = (input - target)^2

    Sensitive to outliers: the gradient grows with the error.

    >>> F.mse_loss(np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    np.float64(2.125)
    >>> F.mse_loss(np.array([1.0, 2.0]), np.array([1.5, 4.0]), sample_weight=[3.0, 1.0])
    np.float64(1.1875)
    """
    return _mse.forward(input, target, reduction, sample_weight)


@documented(LOSS_BACKWARD)
def mse_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `mse_loss` with respect to input.

    grad_input = grad_output * 2 * (input - target)

    >>> F.mse_loss_backward(1.0, np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    array([-0.5, -2. ])
    """
    return _mse.backward(grad_output, input, target, reduction, sample_weight)


@documented(ELEMENTWISE_LOSS)
def rmse_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Root mean squared error: the square root of `mse_loss` with the same reduction.

    loss = sqrt(mean((input - target)^2))

    With reduction "sum" it is the root of the sum, with "none" the root of each element, |input - target|.

    >>> F.rmse_loss(np.array([3.0, 1.0]), np.array([4.0, 8.0]))
    np.float64(5.0)
    """
    return _rmse.forward(input, target, reduction, sample_weight)


@documented(
    LOSS_BACKWARD,
    scale="Where the loss is 0 the gradient is taken as 0.",
    gradient_nan="NaN in input or target makes the loss NaN, and with it the gradient of every element. An infinite\n"
    'error gives NaN there and 0 elsewhere, as in PyTorch. With "none" neither has an effect on other elements.',
)
def rmse_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `rmse_loss` with respect to input.

    grad_input = grad_output * (input - target) / (n * loss),   n the number of elements; 1 for reduction "sum"

    For "none" it is grad_output * sign(input - target). With sample weights w the numerator is w * (input - target) and
    n is their sum; for "none" their square root is a factor.

    >>> F.rmse_loss_backward(1.0, np.array([3.0, 1.0]), np.array([4.0, 8.0])).round(4)
    array([-0.1, -0.7])
    """
    return _rmse.backward(grad_output, input, target, reduction, sample_weight)


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or delta", params=DELTA)
def huber_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, delta: float = 1.0) -> Any:
    """Huber loss (Huber 1964): squared near 0, linear beyond delta.

    loss = e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2),   e = input - target

    >>> F.huber_loss(np.array([0.5, 4.0]), np.array([0.0, 0.0]), reduction="none")
    array([0.125, 3.5  ])
    """
    delta = check.check_number("delta", delta, above=0.0)
    return _huber.forward(input, target, reduction, sample_weight, (delta,))


@documented(LOSS_BACKWARD)
def huber_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    delta: float = 1.0,
) -> Array:
    """Gradient of `huber_loss` with respect to input.

    grad_input = grad_output * min(max(input - target, -delta), delta)

    >>> F.huber_loss_backward(np.ones(2), np.array([0.5, 4.0]), np.array([0.0, 0.0]), reduction="none")
    array([0.5, 1. ])
    """
    delta = check.check_number("delta", delta, above=0.0)
    return _huber.backward(grad_output, input, target, reduction, sample_weight, (delta,))


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or beta", params=BETA)
def smooth_l1_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, beta: float = 1.0
) -> Any:
    """Smooth L1 loss (Girshick 2015): `huber_loss` with delta = beta, divided by beta.

    loss = e^2 / (2 beta) where |e| < beta, else |e| - beta / 2,   e = input - target

    >>> F.smooth_l1_loss(np.array([0.5, 4.0]), np.array([0.0, 0.0]), reduction="none", beta=2.0)
    array([0.0625, 3.    ])
    """
    beta = check.check_number("beta", beta, at_least=0.0)
    return _smooth_l1.forward(input, target, reduction, sample_weight, (beta,))


@documented(LOSS_BACKWARD)
def smooth_l1_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    beta: float = 1.0,
) -> Array:
    """Gradient of `smooth_l1_loss` with respect to input.

    grad_input = grad_output * min(max((input - target) / beta, -1), 1)

    With beta = 0 it is the sign of input - target, 0 at 0.

    >>> F.smooth_l1_loss_backward(np.ones(2), np.array([0.5, 4.0]), np.array([0.0, 0.0]), reduction="none", beta=2.0)
    array([0.25, 1.  ])
    """
    beta = check.check_number("beta", beta, at_least=0.0)
    return _smooth_l1.backward(grad_output, input, target, reduction, sample_weight, (beta,))


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or q", params=QUANTILES)
def quantile_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, q: Any = 0.5) -> Any:
    """Quantile or pinball loss (Koenker and Bassett 1978), which is least at the q-quantile of the targets.

    loss = q * e where e >= 0, else (q - 1) * e,   e = target - input

    With q = 0.5 it is half of `l1_loss`, least at the median.

    >>> F.quantile_loss(np.array([1.0, 3.0]), np.array([2.0, 2.0]), reduction="none", q=0.75)
    array([0.75, 0.25])
    """
    return _quantile.forward(input, target, reduction, sample_weight, *_by_column(q))


@documented(LOSS_BACKWARD)
def quantile_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    q: Any = 0.5,
) -> Array:
    """Gradient of `quantile_loss` with respect to input.

    grad_input = grad_output * (-q where target > input, 1 - q where target < input, 0 where they are equal)

    >>> F.quantile_loss_backward(np.ones(2), np.array([1.0, 3.0]), np.array([2.0, 2.0]), reduction="none", q=0.75)
    array([-0.75,  0.25])
    """
    return _quantile.backward(grad_output, input, target, reduction, sample_weight, *_by_column(q))


def _by_column(q: Any) -> tuple[tuple[float, ...], Array | None]:
    return check.split_numbers(check.as_numbers("q", q, above=0.0, below=1.0))


@documented(ELEMENTWISE_LOSS)
def log_cosh_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Any:
    """Logarithm of the hyperbolic cosine of the error: near e^2 / 2 for small errors, near |e| - log 2 for large ones.

    loss = log(cosh(e)),   e = input - target

    Notes
    -----
    It does not overflow, and small errors keep their digits. It is Keras' LogCosh.

    >>> F.log_cosh_loss(np.array([0.0, 3.0]), np.array([0.0, 1.0]), reduction="none").round(4)
    array([0.   , 1.325])
    """
    return _log_cosh.forward(input, target, reduction, sample_weight)


@documented(LOSS_BACKWARD)
def log_cosh_loss_backward(
    grad_output: Any, input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Array:
    """Gradient of `log_cosh_loss` with respect to input.

    grad_input = grad_output * tanh(input - target)

    >>> F.log_cosh_loss_backward(1.0, np.array([0.0, 3.0]), np.array([0.0, 1.0])).round(4)
    array([0.   , 0.482])
    """
    return _log_cosh.backward(grad_output, input, target, reduction, sample_weight)


@documented(ROW_LOSS, values="reduction, sample_weight or eps", params=EPS)
def cosine_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, eps: float = 1e-8) -> Any:
    """One minus the cosine of the angle between the rows of input and target.

    loss = 1 - input . target / (max(|input|, eps) * max(|target|, eps)),   0 to 2

    It is 1 - `torch.nn.functional.cosine_similarity`.

    >>> F.cosine_loss(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[6.0, 8.0], [0.0, 2.0]]), reduction="none").round(4)
    array([0., 1.])
    """
    eps = check.check_number("eps", eps, at_least=0.0)
    return _cosine.forward(input, target, reduction, sample_weight, (eps,))


@documented(LOSS_BACKWARD, gradient_nan=COSINE_NAN)
def cosine_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    eps: float = 1e-8,
) -> Array:
    """Gradient of `cosine_loss` with respect to input.

    grad_input = grad_output * (cosine * input / |input| - target / |target|) / |input|

    Norms are at least eps. A row of zeros in input has no first term, as in PyTorch.

    >>> F.cosine_loss_backward(1.0, np.array([[0.5, 0.0]]), np.array([[0.0, 2.0]]))
    array([[ 0., -2.]])
    """
    eps = check.check_number("eps", eps, at_least=0.0)
    return _cosine.backward(grad_output, input, target, reduction, sample_weight, (eps,))

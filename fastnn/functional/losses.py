"""Losses that compare numbers, and their gradients with respect to the input: names, arguments and meaning.

`_losses` has what all losses share.
"""

from typing import Any

from .. import _validation as check
from .._core.losses import RowLoss
from ._elementwise import Array
from ._losses import BACKWARD, ELEMENTWISE, ROWS, ElementwiseLoss, LossFunction, RootLoss, RowsLoss, documented

__all__ = [
    "cosine_loss",
    "cosine_loss_backward",
    "huber_loss",
    "huber_loss_backward",
    "l1_loss",
    "l1_loss_backward",
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
_cosine = RowsLoss("cosine_loss", RowLoss("cosine_loss", classes=False, like=True), names=("eps",))
# By name, for those that want value and gradient together.
LOSSES: dict[str, LossFunction] = {
    loss.name: loss for loss in (_l1, _mse, _rmse, _huber, _smooth_l1, _quantile, _cosine)
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
    return _huber.forward(input, target, reduction, sample_weight, (delta,))


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
    return _huber.backward(grad_output, input, target, reduction, sample_weight, (delta,))


@documented(ELEMENTWISE, params="beta : float, at least 0, default 1.0\n")
def smooth_l1_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, beta: float = 1.0
) -> Any:
    """Smooth L1 loss (Girshick 2015).

    loss = e^2 / (2 beta) where |e| < beta, else |e| - beta / 2,   e = input - target

    With beta = 0 it is `l1_loss`.
    """
    beta = check.check_number("beta", beta, at_least=0.0)
    return _smooth_l1.forward(input, target, reduction, sample_weight, (beta,))


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
    return _smooth_l1.backward(grad_output, input, target, reduction, sample_weight, (beta,))


QUANTILES = """q : float in (0, 1), or one for each column of input, default 0.5
    With several, the target may also have shape (rows,) or (rows, 1): all columns are quantiles of the same.
"""


@documented(ELEMENTWISE, params=QUANTILES)
def quantile_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, q: Any = 0.5) -> Any:
    """Quantile or pinball loss (Koenker and Bassett 1978): its minimum is the q-quantile of the targets.

    loss = q * e where e >= 0, else (q - 1) * e,   e = target - input

    With q = 0.5 it is half of `l1_loss`, and the minimum the median. As there the gradient is 0 at 0.
    """
    return _quantile.forward(input, target, reduction, sample_weight, *_by_column(q))


@documented(BACKWARD)
def quantile_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    q: Any = 0.5,
) -> Array:
    """Gradient of `quantile_loss` with respect to input."""
    return _quantile.backward(grad_output, input, target, reduction, sample_weight, *_by_column(q))


def _by_column(q: Any) -> tuple[tuple[float, ...], Array | None]:
    return check.split_numbers(check.as_numbers("q", q, above=0.0, below=1.0))


@documented(ROWS)
def cosine_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, eps: float = 1e-8) -> Any:
    """One minus the cosine of the angle between the rows of input and target.

    loss = 1 - input . target / (max(|input|, eps) * max(|target|, eps)),   0 to 2

    It is 1 - `torch.nn.functional.cosine_similarity`, whose gradient it has where a norm is below eps.
    """
    eps = check.check_number("eps", eps, at_least=0.0)
    return _cosine.forward(input, target, reduction, sample_weight, (eps,))


@documented(BACKWARD)
def cosine_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    eps: float = 1e-8,
) -> Array:
    """Gradient of `cosine_loss` with respect to input."""
    eps = check.check_number("eps", eps, at_least=0.0)
    return _cosine.backward(grad_output, input, target, reduction, sample_weight, (eps,))

"""Negative log-likelihoods and divergences of distributions, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from ._elementwise import Array
from ._losses import BACKWARD, ELEMENTWISE, REDUCTIONS, ElementwiseLoss, LossFunction, PairLoss, documented

__all__ = [
    "gaussian_nll_loss",
    "gaussian_nll_loss_backward",
    "kl_div",
    "kl_div_backward",
    "poisson_nll_loss",
    "poisson_nll_loss_backward",
]

_poisson = ElementwiseLoss("poisson_nll_loss", names=("log_input", "full", "eps"))
_kl_div = ElementwiseLoss("kl_div", names=("log_target",), reductions=(*REDUCTIONS, "batchmean"))
_gaussian = PairLoss("gaussian_nll_loss", names=("full", "eps"), extra="var")
LOSSES: dict[str, LossFunction] = {loss.name: loss for loss in (_poisson, _kl_div, _gaussian)}

POISSON = """log_input : bool, default True
    Whether input is the logarithm of the rate.
full : bool, default False
    Whether to add Stirling's approximation of log(target!), t log t - t + log(2 pi t) / 2, for targets above 1.
eps : float above 0, default 1e-8
    Added to a rate before its logarithm is taken.
"""


@documented(ELEMENTWISE, params=POISSON)
def poisson_nll_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
) -> Any:
    """Negative log-likelihood of counts under Poisson distributions.

    loss = exp(input) - target * input, or input - target * log(input + eps)
    """
    return _poisson.forward(input, target, reduction, sample_weight, _of_poisson(log_input, full, eps))


@documented(BACKWARD)
def poisson_nll_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
) -> Array:
    """Gradient of `poisson_nll_loss` with respect to input."""
    return _poisson.backward(grad_output, input, target, reduction, sample_weight, _of_poisson(log_input, full, eps))


def _of_poisson(log_input: bool, full: bool, eps: float) -> tuple[float, ...]:
    flags = check.check_bool("log_input", log_input), check.check_bool("full", full)
    return *map(float, flags), check.check_number("eps", eps, above=0.0)


KL_DIV = """log_target : bool, default False
    Whether target consists of logarithms too.
"""


@documented(ELEMENTWISE, params=KL_DIV, reductions='"mean", "batchmean", "sum", "none"')
def kl_div(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, log_target: bool = False
) -> Any:
    """Kullback-Leibler divergence of target probabilities from log-probabilities, as `log_softmax` gives them.

    loss = target * (log(target) - input) with 0 log 0 = 0, or exp(target) * (target - input)

    "batchmean" divides the sum by the number of rows (with sample weights: by their sum), which gives the divergence;
    "mean" divides by the number of elements, as PyTorch's. A negative probability gives NaN.
    """
    log_target = check.check_bool("log_target", log_target)
    return _kl_div.forward(input, target, reduction, sample_weight, (float(log_target),))


@documented(BACKWARD)
def kl_div_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    log_target: bool = False,
) -> Array:
    """Gradient of `kl_div` with respect to input."""
    log_target = check.check_bool("log_target", log_target)
    return _kl_div.backward(grad_output, input, target, reduction, sample_weight, (float(log_target),))


GAUSSIAN = """full : bool, default False
    Whether to add the constant log(2 pi) / 2.
eps : float above 0, default 1e-6
    The least variance to divide by.
"""


@documented(ELEMENTWISE, params=GAUSSIAN)
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    full: bool = False,
    eps: float = 1e-6,
) -> Any:
    """Negative log-likelihood under normal distributions of means `input` and variances `var` (Nix and Weigend 1994).

    loss = (log(v) + (input - target)^2 / v) / 2,   v = max(var, eps)

    var has the shape and dtype of input; none may be negative.
    """
    return _gaussian.forward(input, target, reduction, sample_weight, _of_gaussian(full, eps), var)


@documented(BACKWARD)
def gaussian_nll_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    var: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    full: bool = False,
    eps: float = 1e-6,
) -> tuple[Array, Array]:
    """Gradients of `gaussian_nll_loss` with respect to input and to var: a pair of arrays.

    That with respect to var passes where var is held at eps, as in PyTorch.
    """
    parameters = _of_gaussian(full, eps)
    gradients: Any = _gaussian.backward(grad_output, input, target, reduction, sample_weight, parameters, var)
    grad_input, grad_var = gradients
    return grad_input, grad_var


def _of_gaussian(full: bool, eps: float) -> tuple[float, ...]:
    return float(check.check_bool("full", full)), check.check_number("eps", eps, above=0.0)

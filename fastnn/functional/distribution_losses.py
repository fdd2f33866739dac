"""Negative log-likelihoods and divergences of distributions, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from ._documentation import ELEMENTWISE_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array
from ._losses import REDUCTIONS, ElementwiseLoss, LossFunction, PairLoss

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

# Of the docstrings below.
POISSON = """log_input : bool, default True
    Whether input is the logarithm of the rate, not the rate.
full : bool, default False
    Whether to add Stirling's approximation of log(target!), t log t - t + log(2 pi t) / 2, for targets t above 1.
eps : float above 0, default 1e-8
    Added to a rate before its logarithm is taken.
"""
KL_DIV = """log_target : bool, default False
    Whether target has log-probabilities too.
"""
BATCHMEAN = """
    "batchmean" divides it by the number of rows (with sample weights: by the sum of the weights), which gives the mean
    divergence."""
VARIANCE = """var : ndarray, shape and dtype of input
    Variances, 0 or more.
"""
GAUSSIAN = """full : bool, default False
    Whether to add the constant log(2 pi) / 2.
eps : float above 0, default 1e-6
    Least variance to divide by.
"""
BOTH_GRADIENTS = "grad_input, grad_var : ndarrays, shape and dtype of input"


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or eps", params=POISSON)
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

    loss = exp(input) - target * input, or input - target * log(input + eps) unless log_input

    The term log(target!), which does not depend on input, is left out unless full. As PyTorch's PoissonNLLLoss.

    >>> F.poisson_nll_loss(np.array([0.0, 1.0]), np.array([2.0, 1.0]), reduction="none").round(4)
    array([1.    , 1.7183])
    """
    return _poisson.forward(input, target, reduction, sample_weight, _of_poisson(log_input, full, eps))


@documented(LOSS_BACKWARD)
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
    """Gradient of `poisson_nll_loss` with respect to input.

    grad_input = grad_output * (exp(input) - target), or grad_output * (1 - target / (input + eps)) unless log_input

    >>> F.poisson_nll_loss_backward(1.0, np.array([0.0, 0.0]), np.array([2.0, 0.0]))
    array([-0.5,  0.5])
    """
    return _poisson.backward(grad_output, input, target, reduction, sample_weight, _of_poisson(log_input, full, eps))


def _of_poisson(log_input: bool, full: bool, eps: float) -> tuple[float, ...]:
    flags = check.check_bool("log_input", log_input), check.check_bool("full", full)
    return *map(float, flags), check.check_number("eps", eps, above=0.0)


@documented(ELEMENTWISE_LOSS, params=KL_DIV, reductions='"mean", "batchmean", "sum", "none"', batchmean=BATCHMEAN)
def kl_div(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, log_target: bool = False
) -> Any:
    """Kullback-Leibler divergence of target probabilities from log-probabilities, such as those of `log_softmax`.

    loss = target * (log(target) - input) with 0 log 0 = 0, or exp(target) * (target - input) with log_target

    Notes
    -----
    Where the target is 0 the loss is 0, even if input is -inf. A negative target gives NaN. Reduction "batchmean" of a
    scalar is a ValueError. As in PyTorch "mean" is not the mean divergence (Kullback and Leibler 1951), but that
    divided by the number of columns.

    >>> F.kl_div(np.log(np.array([[0.25, 0.75]])), np.array([[0.5, 0.5]]), reduction="batchmean").round(4)
    np.float64(0.1438)
    """
    log_target = check.check_bool("log_target", log_target)
    return _kl_div.forward(input, target, reduction, sample_weight, (float(log_target),))


@documented(
    LOSS_BACKWARD, gradient_nan="NaN in target\ngives NaN in the gradient of that element; input has no effect."
)
def kl_div_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    log_target: bool = False,
) -> Array:
    """Gradient of `kl_div` with respect to input.

    grad_input = -grad_output * target, or -grad_output * exp(target) with log_target

    >>> F.kl_div_backward(1.0, np.log(np.array([[0.25, 0.75]])), np.array([[0.5, 0.5]]), reduction="batchmean")
    array([[-0.5, -0.5]])
    """
    log_target = check.check_bool("log_target", log_target)
    return _kl_div.backward(grad_output, input, target, reduction, sample_weight, (float(log_target),))


@documented(ELEMENTWISE_LOSS, before=VARIANCE, values="var, reduction, sample_weight or eps", params=GAUSSIAN)
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

    >>> F.gaussian_nll_loss(np.array([0.0, 0.0]), np.array([1.0, 2.0]), np.array([1.0, 4.0]), reduction="none").round(4)
    array([0.5   , 1.1931])
    """
    return _gaussian.forward(input, target, reduction, sample_weight, _of_gaussian(full, eps), var)


@documented(LOSS_BACKWARD, gradients=BOTH_GRADIENTS)
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
    """Gradients of `gaussian_nll_loss` with respect to input and to var.

    grad_input = grad_output * (input - target) / v,   grad_var = grad_output * (1 - (input - target)^2 / v) / (2 v)

    with v = max(var, eps). As in PyTorch grad_var is not 0 where var is below eps.

    >>> F.gaussian_nll_loss_backward(1.0, np.array([1.0]), np.array([3.0]), np.array([2.0]))
    (array([-1.]), array([-0.25]))
    """
    parameters = _of_gaussian(full, eps)
    gradients: Any = _gaussian.backward(grad_output, input, target, reduction, sample_weight, parameters, var)
    grad_input, grad_var = gradients
    return grad_input, grad_var


def _of_gaussian(full: bool, eps: float) -> tuple[float, ...]:
    return float(check.check_bool("full", full)), check.check_number("eps", eps, above=0.0)

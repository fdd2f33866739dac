"""Negative log-likelihoods and divergences of distributions, and their gradients with respect to the input."""

from typing import Any

from .. import _validation as check
from ._documentation import ELEMENTWISE_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array
from ._losses import REDUCTIONS, ElementwiseLoss, LossFunction, PairLoss

__all__ = [
    "gamma_loss",
    "gamma_loss_backward",
    "gaussian_nll_loss",
    "gaussian_nll_loss_backward",
    "kl_div",
    "kl_div_backward",
    "poisson_nll_loss",
    "poisson_nll_loss_backward",
    "tweedie_loss",
    "tweedie_loss_backward",
]

_poisson = ElementwiseLoss("poisson_nll_loss", names=("log_input", "full", "eps"))
_kl_div = ElementwiseLoss("kl_div", names=("log_target",), reductions=(*REDUCTIONS, "batchmean"))
_gaussian = PairLoss("gaussian_nll_loss", names=("full", "eps"), extra="var")
_tweedie = ElementwiseLoss("tweedie_loss", names=("power", "log_input"))
LOSSES: dict[str, LossFunction] = {
    **{loss.name: loss for loss in (_poisson, _kl_div, _gaussian, _tweedie)},
    "gamma_loss": _tweedie,  # with power 2
}

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
POWER = """power : float, 0 or below, or 1 or above, default 1.5
    The variance is mean^power: 0 is the squared error, 1 the deviance of Poisson distributions, 2 that of gamma ones.
"""
LOG_MEAN = """log_input : bool, default False
    Whether input is the logarithm of the mean, not the mean.
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


@documented(ELEMENTWISE_LOSS, values="reduction, sample_weight or power", params=POWER + LOG_MEAN)
def tweedie_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    power: float = 1.5,
    log_input: bool = False,
) -> Any:
    """Deviance of Tweedie distributions with mean m and variance m^power (Tweedie 1984).

    loss = 2 * (t^(2 - p) / ((1 - p) * (2 - p)) - t * m^(1 - p) / (1 - p) + m^(2 - p) / (2 - p)),   p = power

    with m = input, or exp(input) with log_input, and t = target. Its limits are 2 * (t * log(t / m) - t + m) for p = 1
    and 2 * (log(m / t) + t / m - 1) for p = 2; p = 0 is the squared error.

    Notes
    -----
    It is scikit-learn's mean_tweedie_deviance. Means must be above 0, targets 0 or more where power is 1 or above, and
    above 0 where it is 2 or above: others give NaN here (`nn.TweedieLoss` and the trainer refuse such targets). For
    power below 0 the first term takes max(t, 0).

    >>> F.tweedie_loss(np.array([1.0, 4.0]), np.array([4.0, 4.0]), reduction="none")
    array([4., 0.])
    """
    return _tweedie.forward(input, target, reduction, sample_weight, _of_tweedie(power, log_input))


@documented(LOSS_BACKWARD)
def tweedie_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    power: float = 1.5,
    log_input: bool = False,
) -> Array:
    """Gradient of `tweedie_loss` with respect to input.

    grad_input = grad_output * 2 * (m - target) * m^-power, times m with log_input

    >>> F.tweedie_loss_backward(1.0, np.array([1.0, 4.0]), np.array([4.0, 4.0]), reduction="sum")
    array([-6.,  0.])
    """
    return _tweedie.backward(grad_output, input, target, reduction, sample_weight, _of_tweedie(power, log_input))


def _of_tweedie(power: float, log_input: bool) -> tuple[float, ...]:
    return check_power(power), float(check.check_bool("log_input", log_input))


def check_power(power: float) -> float:
    """The power of a Tweedie distribution, as a float."""
    power = check.check_number("power", power)
    if 0 < power < 1:
        raise ValueError(f"power must be 0 or below, or 1 or above, got {power:g}: there is no such distribution")
    return power


@documented(ELEMENTWISE_LOSS, params=LOG_MEAN)
def gamma_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None, log_input: bool = False
) -> Any:
    """Deviance of gamma distributions, for targets above 0: `tweedie_loss` with power 2.

    loss = 2 * (log(m / target) + target / m - 1),   m = input, or exp(input) with log_input

    Notes
    -----
    It is scikit-learn's mean_gamma_deviance. Means and targets that are not above 0 give NaN or infinity here
    (`nn.GammaLoss` and the trainer refuse such targets).

    >>> F.gamma_loss(np.array([1.0, 2.0]), np.array([1.0, 1.0]), reduction="none").round(4)
    array([0.    , 0.3863])
    """
    return _tweedie.forward(input, target, reduction, sample_weight, _of_tweedie(2.0, log_input))


@documented(LOSS_BACKWARD)
def gamma_loss_backward(
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    log_input: bool = False,
) -> Array:
    """Gradient of `gamma_loss` with respect to input.

    grad_input = grad_output * 2 * (input - target) / input^2, or grad_output * 2 * (1 - target / m) with log_input

    >>> F.gamma_loss_backward(1.0, np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([0.  , 0.25])
    """
    return _tweedie.backward(grad_output, input, target, reduction, sample_weight, _of_tweedie(2.0, log_input))

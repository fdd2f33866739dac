"""Negative log-likelihoods and divergences of distributions; the conventions are those of `losses`."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .elementary import Array

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


@np.errstate(all="ignore")
def poisson_nll_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
) -> Any:
    """Return exp(x) - t x, or x - t log(x + eps) if x is not the logarithm of the rate.

    `full` adds Stirling's approximation of log(t!), t log t - t + log(2 pi t) / 2, where t > 1.
    """
    rate, log_rate = (np.exp(input), input) if log_input else (input, np.log(input + eps))
    log_rate = np.where(np.isposinf(rate), 0, log_rate)  # an infinite rate counts for more than t times its logarithm
    loss = rate - shared(target, log_rate)
    if full:
        stirling = target * np.log(target) - target + 0.5 * np.log(2 * math.pi * target)
        loss = loss + np.where(target <= 1, 0, stirling)
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def poisson_nll_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
) -> Array:
    """Return the gradient of `poisson_nll_loss`: exp(x) - t, or 1 - t / (x + eps)."""
    rate = np.exp(input) if log_input else input + eps
    slope = rate - target if log_input else 1 - np.where((target == 0) & (rate == 0), 0, target / rate)
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


@np.errstate(all="ignore")
def kl_div(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    log_target: bool = False,
) -> Any:
    """Return t (log t - x) of log-probabilities x, or exp(t) (t - x) of logarithms t.

    Where the target's probability is 0 the loss is 0, even if x is -inf.

    reduction "batchmean" divides the sum by the number of rows (or the sum of their weights): the divergence itself.
    """
    if log_target:
        p = np.exp(target)
        loss = p * np.where(p == 0, np.clip(target, -1e30, 1e30) - np.clip(input, -1e30, 1e30), target - input)
    else:
        loss = shared(target, np.log(target)) - shared(target, input)
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def kl_div_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    log_target: bool = False,
) -> Array:
    """Return the gradient of `kl_div`: -t, or -exp(t)."""
    slope = -(np.exp(target) if log_target else target)
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


@np.errstate(all="ignore")
def gaussian_nll_loss(
    input: Array,
    target: Array,
    var: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    full: bool = False,
    eps: float = 1e-6,
) -> Any:
    """Return (log v + (x - t)**2 / v) / 2, v the variance and at least eps; `full` adds log(2 pi) / 2."""
    v, error = np.maximum(var, eps), input - target
    loss = 0.5 * (np.log(v) + error * (error / v)) + (0.5 * math.log(2 * math.pi) if full else 0)
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def gaussian_nll_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    var: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    full: bool = False,
    eps: float = 1e-6,
) -> tuple[Array, Array]:
    """Return the gradients of `gaussian_nll_loss` by input and by var: (x - t) / v and (1 - (x - t)**2 / v) / (2 v).

    The gradient by var is not 0 where var is clamped to eps, as in PyTorch.
    """
    v = np.maximum(var, eps)
    error = input - target
    reaching = upstream(grad_output, input, reduction, sample_weight)
    return shared(reaching, error / v), shared(reaching, 0.5 * (1 - error * (error / v)) / v)


@np.errstate(all="ignore")
def tweedie_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    power: float = 1.5,
    log_input: bool = False,
) -> Any:
    """Return the deviance of a Tweedie distribution with mean m and variance m**power (Tweedie 1984).

    m is input, or exp(input) with log_input. Power 0 is the squared error, 1 the deviance of Poisson distributions, 2
    that of gamma distributions; powers between 0 and 1 do not exist. 0 log 0 = 0.
    """
    t, (m, log_m) = target, _mean_and_log(input, log_input)
    if power == 0:
        loss = (m - t) ** 2
    elif power == 1:
        log_m = np.where(np.isposinf(m), 0, log_m)
        loss = 2 * (shared(t, np.log(t)) - shared(t, log_m) - t + m)
    elif power == 2:
        ratio = t * np.exp(-input) if log_input else t / m
        loss = 2 * (ratio - 1 - np.where(np.isposinf(ratio), 0, np.log(t) - log_m))
    else:
        own = np.exp((2 - power) * np.log(np.maximum(t, 0) if power < 0 else t)) / ((1 - power) * (2 - power))
        loss = 2 * (own + _tweedie_terms(t, log_m, power))
    loss = np.maximum(loss, 0) + 0  # rounding may go below
    return reduced(loss, reduction, sample_weight)


def _mean_and_log(input: Array, log_input: bool) -> tuple[Array, Array]:
    """Return the mean of a distribution and its logarithm, one of which is input."""
    return (np.exp(input), input) if log_input else (input, np.log(input))


def _tweedie_terms(target: Array, log_m: Array, power: float) -> Any:
    """Return t m**(1 - power) / (power - 1) + m**(2 - power) / (2 - power); of two infinities the faster one counts."""
    near = shared(target, np.exp((1 - power) * log_m)) / (power - 1)
    far = np.exp((2 - power) * log_m) / (2 - power)
    if power < 2:
        return np.where(np.isposinf(far), 0 * target, near) + far
    return near + np.where(np.isposinf(near), 0, far)


@np.errstate(all="ignore")
def tweedie_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    power: float = 1.5,
    log_input: bool = False,
) -> Array:
    """Return the gradient of `tweedie_loss`: 2 (m - t) m**-power, times m with log_input."""
    m, log_m = _mean_and_log(input, log_input)
    error = m - target
    if power == 0:
        slope = 2 * error * (m if log_input else 1)
    else:
        plain = error * np.exp((log_input - power) * log_m)
        alone = np.exp((log_input + 1 - power) * log_m)  # without the target
        slope = 2 * np.where((target == 0) | (np.isposinf(m) & np.isfinite(target)), alone, plain)
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


def gamma_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    log_input: bool = False,
) -> Any:
    """Return the deviance of gamma distributions: `tweedie_loss` with power 2."""
    return tweedie_loss(input, target, reduction, sample_weight, 2.0, log_input)


def gamma_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    log_input: bool = False,
) -> Array:
    """Return the gradient of `gamma_loss`."""
    return tweedie_loss_backward(grad_output, input, target, reduction, sample_weight, 2.0, log_input)

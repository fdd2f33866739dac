"""Negative log-likelihoods and divergences of distributions; the conventions are those of `losses`."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .elementary import Array

__all__ = [
    "gaussian_nll_loss",
    "gaussian_nll_loss_backward",
    "kl_div",
    "kl_div_backward",
    "poisson_nll_loss",
    "poisson_nll_loss_backward",
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

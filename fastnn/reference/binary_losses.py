"""Losses of logits and probabilities of two classes; the conventions are those of `losses`.

Targets are 0 and 1 or probabilities, except for `hinge_loss` and `soft_margin_loss`, whose targets are -1 and 1.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .activations import sigmoid
from .elementary import Array

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_backward",
    "hinge_loss",
    "hinge_loss_backward",
    "sigmoid_focal_loss",
    "sigmoid_focal_loss_backward",
    "soft_margin_loss",
    "soft_margin_loss_backward",
]

# Bounds of ATen's binary_cross_entropy: the smallest logarithm, and the smallest divisor x (1 - x).
BCE_MIN_LOG = -100.0
BCE_MIN_VARIANCE = 1e-12


@np.errstate(all="ignore")
def binary_cross_entropy(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Any:
    """Return -(t log x + (1 - t) log(1 - x)) of probabilities x and targets t in [0, 1].

    As in PyTorch each logarithm is at least -100, so the loss of x = 0 for t = 1 is 100, not infinity. `weight`, which
    is broadcast to the shape of x, multiplies the losses and does not count in the mean.
    """
    log_p = np.maximum(np.log(input), BCE_MIN_LOG)
    log_q = np.maximum(np.log1p(-input), BCE_MIN_LOG)
    return reduced(_weighted((target - 1) * log_q - target * log_p, weight), reduction, sample_weight)


def _weighted(y: Array, weight: ArrayLike | None) -> Any:
    """Return y times the weights of elements, if there are any."""
    return y if weight is None else shared(np.asarray(weight, y.dtype), y)


@np.errstate(all="ignore")
def binary_cross_entropy_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `binary_cross_entropy`: (x - t) / max(x (1 - x), 1e-12), as ATen has it.

    It is NaN where x is not in [0, 1], as the loss is; ATen refuses such input.
    """
    variance = (1 - input) * input
    slope = np.where(variance < 0, np.nan, (input - target) / np.maximum(variance, BCE_MIN_VARIANCE))
    return shared(upstream(grad_output, input, reduction, sample_weight), _weighted(slope, weight))


@np.errstate(all="ignore")
def binary_cross_entropy_with_logits(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Any:
    """Return the binary cross-entropy of sigmoid(x): t log(1 + exp(-x)) + (1 - t) log(1 + exp(x)).

    With pos_weight w, a number or one for each column, the first term is multiplied by w. A term whose factor is 0 is
    0.
    """
    loss = _logits_loss(input, target, 1 if pos_weight is None else np.asarray(pos_weight, dtype=input.dtype))
    return reduced(_weighted(loss, weight), reduction, sample_weight)


def _logits_loss(input: Array, target: Array, pos_weight: ArrayLike = 1) -> Array:
    positive, negative = pos_weight * target, 1 - target
    linear = shared(np.where(input < 0, positive, negative), np.abs(input))
    return linear + (negative + positive if np.any(pos_weight != 1) else 1) * _soft_part(input)


def _soft_part(x: Array) -> Array:
    """Return log(1 + exp(-|x|)): what log(1 + exp(x)) is above max(x, 0)."""
    return np.log1p(np.exp(-np.abs(x)))


@np.errstate(all="ignore")
def binary_cross_entropy_with_logits_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `binary_cross_entropy_with_logits`: sigmoid(x) - t."""
    slope = sigmoid(input) - target
    if pos_weight is not None:
        pos_weight = np.asarray(pos_weight, dtype=input.dtype)
        slope = (1 - target) * sigmoid(input) - pos_weight * target * sigmoid(-input)
    return shared(upstream(grad_output, input, reduction, sample_weight), _weighted(slope, weight))


@np.errstate(all="ignore")
def sigmoid_focal_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Any:
    """Return the focal loss (Lin et al. 2017) of logits, as torchvision has it.

    It is the binary cross-entropy times (1 - p_t)**gamma, where p_t is the probability assigned to the target, and
    times alpha for targets 1 and 1 - alpha for targets 0, unless alpha is negative.
    """
    miss = _miss(input, target)
    loss = shared(_balance(target, alpha) * _power(miss, gamma), _logits_loss(input, target))
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def sigmoid_focal_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Array:
    """Return the gradient of `sigmoid_focal_loss`."""
    miss = _miss(input, target)
    # The derivative of miss is (1 - 2 t) p (1 - p), that of miss**gamma has miss**(gamma - 1).
    ratio = np.where(miss == 0, 0, sigmoid(input) * sigmoid(-input) / miss)
    # Where the loss is infinite the ratio has vanished long before.
    change = gamma * (np.minimum(_logits_loss(input, target), 1e30) * ((1 - 2 * target) * ratio))
    slope = _balance(target, alpha) * _power(miss, gamma) * (sigmoid(input) - target + change)
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


def _miss(input: Array, target: Array) -> Array:
    """Return 1 - p_t: the probability that is not assigned to the target."""
    return sigmoid(input) * (1 - target) + sigmoid(-input) * target


def _power(miss: Array, gamma: float) -> Array:
    """Return miss**gamma; NaN for a negative number, of a target outside [0, 1], unless gamma is 0."""
    return np.where(miss < 0, np.nan, miss) ** gamma


def _balance(target: Array, alpha: float) -> Array:
    return alpha * target + (1 - alpha) * (1 - target) if alpha >= 0 else np.ones_like(target)


@np.errstate(all="ignore")
def hinge_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 1.0,
    squared: bool = False,
) -> Any:
    """Return max(0, margin - t x) for targets t of -1 and 1, or its square."""
    loss = np.maximum(0, margin - target * input)
    return reduced(loss * loss if squared else loss, reduction, sample_weight)


@np.errstate(all="ignore")
def hinge_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 1.0,
    squared: bool = False,
) -> Array:
    """Return the gradient of `hinge_loss`: -t, or -2 t times the loss, within the margin; 0 on it and beyond."""
    gap = np.maximum(0, margin - target * input)
    slope = -target * (2 * gap if squared else np.where(gap > 0, 1, gap))
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


@np.errstate(all="ignore")
def soft_margin_loss(
    input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None
) -> Any:
    """Return log(1 + exp(-t x)) for targets t of -1 and 1, without its overflow."""
    margin = target * input
    return reduced(np.maximum(-margin, 0) + _soft_part(margin), reduction, sample_weight)


@np.errstate(all="ignore")
def soft_margin_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `soft_margin_loss`: -t sigmoid(-t x)."""
    return shared(upstream(grad_output, input, reduction, sample_weight), -target * sigmoid(-(target * input)))

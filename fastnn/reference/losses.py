"""Losses and their gradients with respect to `input`, with PyTorch's names and formulas.

    f(input, target, reduction="mean", sample_weight=None, ...)
    f_backward(grad_output, input, target, reduction="mean", sample_weight=None, ...)

input, target : ndarray of float32 or float64, the same shape (but see the losses over classes, at the end)
reduction : "none" gives the loss of every element, "sum" their sum, "mean" their weighted mean
sample_weight : shape (rows,) = input.shape[:1], or the shape of the loss; multiplies the loss of each sample.
    "mean" divides by the sum of the weights over all elements, as scikit-learn does.
grad_output : scalar for "mean" and "sum", shape of the loss for "none"

A loss is a scalar of input's dtype, or an array for "none"; a gradient is like input. NaN gives NaN. The mean
of nothing, or with weights that sum to 0, is NaN. Nothing warns.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .activations import sigmoid
from .elementary import Array
from .softmax import log_softmax, log_softmax_backward

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

# ATen's guards of binary_cross_entropy: the least logarithm, and the least x (1 - x) to divide by.
BCE_MIN_LOG = -100.0
BCE_MIN_VARIANCE = 1e-12


def _element_weights(loss: Array, sample_weight: ArrayLike | None) -> Array:
    """Return the weight of every element of the loss: its sample's, or 1."""
    if sample_weight is None:
        return np.ones_like(loss)
    weight = np.asarray(sample_weight, dtype=loss.dtype)
    trailing = (1,) * (loss.ndim - weight.ndim)
    return np.broadcast_to(weight.reshape(weight.shape + trailing), loss.shape)


def _reduced(loss: Array, reduction: str, sample_weight: ArrayLike | None) -> Any:
    """Return the weighted loss of every element, or its sum or mean."""
    weight = _element_weights(loss, sample_weight)
    weighted = weight * loss
    if reduction == "none":
        return weighted
    return weighted.sum() / weight.sum() if reduction == "mean" else weighted.sum()


def _upstream(grad_output: ArrayLike, loss: Array, reduction: str, sample_weight: ArrayLike | None) -> Array:
    """Return the gradient that reaches every element of the loss: of `loss` only shape and dtype matter."""
    weight = _element_weights(loss, sample_weight)
    if reduction == "mean":
        weight = weight / weight.sum()
    return np.asarray(grad_output, dtype=loss.dtype) * weight


@np.errstate(all="ignore")
def l1_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return the absolute error, |input - target|."""
    return _reduced(np.abs(input - target), reduction, sample_weight)


@np.errstate(all="ignore")
def l1_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `l1_loss`: the sign of input - target, 0 where they are equal."""
    return _upstream(grad_output, input, reduction, sample_weight) * np.sign(input - target)


@np.errstate(all="ignore")
def mse_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return the squared error, (input - target)**2."""
    return _reduced((input - target) ** 2, reduction, sample_weight)


@np.errstate(all="ignore")
def mse_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `mse_loss`: 2 (input - target)."""
    return _upstream(grad_output, input, reduction, sample_weight) * (2 * (input - target))


@np.errstate(all="ignore")
def rmse_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return the root of `mse_loss` after its reduction, sqrt(mean((input - target)**2)) by default."""
    return np.sqrt(mse_loss(input, target, reduction, sample_weight))


@np.errstate(all="ignore")
def rmse_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `rmse_loss`: that of mse_loss over twice the root, and 0 where the root is 0."""
    root = rmse_loss(input, target, reduction, sample_weight)
    grad_mse = np.where(root == 0, 0, np.asarray(grad_output, dtype=input.dtype) / (2 * root))
    return mse_loss_backward(grad_mse, input, target, reduction, sample_weight)


@np.errstate(all="ignore")
def huber_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    delta: float = 1.0,
) -> Any:
    """Return d**2 / 2 where |d| < delta, else delta * (|d| - delta / 2), d = input - target (Huber 1964)."""
    distance = np.abs(input - target)
    loss = np.where(distance < delta, 0.5 * distance * distance, delta * (distance - 0.5 * delta))
    return _reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def huber_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    delta: float = 1.0,
) -> Array:
    """Return the gradient of `huber_loss`: input - target, limited to [-delta, delta]."""
    return _upstream(grad_output, input, reduction, sample_weight) * np.clip(input - target, -delta, delta)


@np.errstate(all="ignore")
def smooth_l1_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    beta: float = 1.0,
) -> Any:
    """Return d**2 / (2 beta) where |d| < beta, else |d| - beta / 2, d = input - target.

    That is huber_loss(delta=beta) / beta, and l1_loss for beta = 0.
    """
    distance = np.abs(input - target)
    loss = np.where(distance < beta, 0.5 * distance * distance / beta, distance - 0.5 * beta)
    return _reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def smooth_l1_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    beta: float = 1.0,
) -> Array:
    """Return the gradient of `smooth_l1_loss`: d / beta where |d| < beta, else the sign of d."""
    difference = input - target
    slope = np.where(np.abs(difference) < beta, difference / beta, np.sign(difference))
    return _upstream(grad_output, input, reduction, sample_weight) * slope


@np.errstate(all="ignore")
def binary_cross_entropy(
    input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None
) -> Any:
    """Return -(t log x + (1 - t) log(1 - x)) of probabilities x and targets t in [0, 1].

    As in PyTorch each logarithm is at least -100, so a certain and wrong prediction costs 100, not infinity.
    """
    log_p = np.maximum(np.log(input), BCE_MIN_LOG)
    log_q = np.maximum(np.log1p(-input), BCE_MIN_LOG)
    return _reduced((target - 1) * log_q - target * log_p, reduction, sample_weight)


@np.errstate(all="ignore")
def binary_cross_entropy_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `binary_cross_entropy`: (x - t) / max(x (1 - x), 1e-12), as ATen has it."""
    slope = (input - target) / np.maximum((1 - input) * input, BCE_MIN_VARIANCE)
    return _upstream(grad_output, input, reduction, sample_weight) * slope


@np.errstate(all="ignore")
def binary_cross_entropy_with_logits(
    input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None
) -> Any:
    """Return the binary cross-entropy of sigmoid(x), as max(x, 0) - x t + log(1 + exp(-|x|))."""
    loss = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    return _reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def binary_cross_entropy_with_logits_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `binary_cross_entropy_with_logits`: sigmoid(x) - t."""
    return _upstream(grad_output, input, reduction, sample_weight) * (sigmoid(input) - target)


# Losses over classes: input has shape (rows, classes), the loss is one number a row.


@np.errstate(all="ignore")
def cross_entropy(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> Any:
    """Return -sum_c t_c log_softmax(input)_c for each row, t the class's weight in the target.

    Parameters
    ----------
    input : ndarray, shape (rows, classes): logits. One of -inf costs nothing where the target is 0.
    target : integers of shape (rows,), class indices; or shape (rows, classes), one-hot rows or probabilities
    label_smoothing : float s, makes of each target t (1 - s) * t + s / classes
    """
    weight = _class_weights(target, input, label_smoothing)
    loss = np.where(weight == 0, 0, -weight * log_softmax(input)).sum(axis=1)
    return _reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def cross_entropy_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the gradient of `cross_entropy`: softmax(input) * sum_c t_c - t."""
    upstream = _upstream(grad_output, input[:, 0], reduction, sample_weight)[:, np.newaxis]
    weight = _class_weights(target, input, label_smoothing)
    return log_softmax_backward(-weight * upstream, log_softmax(input))


@np.errstate(all="ignore")
def nll_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return -input[row, target[row]]: `input` holds log-probabilities, `target` integer class indices."""
    return _reduced(-input[np.arange(len(input)), target], reduction, sample_weight)


@np.errstate(all="ignore")
def nll_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `nll_loss`: -1 at the target's class, 0 elsewhere."""
    rows = np.arange(len(input))
    grad_input = np.zeros_like(input)
    grad_input[rows, target] = -_upstream(grad_output, input[rows, target], reduction, sample_weight)
    return grad_input


def _class_weights(target: Array, input: Array, label_smoothing: float) -> Array:
    """Return the target as a distribution over the classes, shape and dtype of input, smoothed."""
    if target.ndim == 1:
        weight = np.zeros_like(input)
        weight[np.arange(len(input)), target] = 1
    else:
        weight = target.astype(input.dtype)
    return (1 - label_smoothing) * weight + label_smoothing / input.shape[1]

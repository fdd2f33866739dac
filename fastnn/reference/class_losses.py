"""Losses of logits or log-probabilities of classes: input has shape (rows, classes), the loss one number per row.

target : integers of shape (rows,), class indices
weight : shape (classes,), multiplies the loss of each class; "mean" then divides by the sum of the targets' weights
ignore_index : rows with this target have loss 0 and gradient 0 and do not count in the mean, even if they contain NaN

The other conventions are those of `losses`.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .elementary import Array
from .softmax import log_softmax, softmax

__all__ = [
    "cross_entropy",
    "cross_entropy_backward",
    "multi_margin_loss",
    "multi_margin_loss_backward",
    "nll_loss",
    "nll_loss_backward",
    "softmax_focal_loss",
    "softmax_focal_loss_backward",
]


def class_share(
    target: Array, weight: ArrayLike | None = None, ignore_index: float = -100, dtype: Any = "float64"
) -> Array:
    """Return the weight of each row in a mean: that of its class, 1 without `weight`, 0 if it is ignored."""
    kept = target != ignore_index
    if weight is None:
        return kept.astype(dtype)
    return np.where(kept, np.asarray(weight, dtype)[np.where(kept, target, 0)], 0)


def _one_hot(target: Array, input: Array, weight: ArrayLike | None, ignore_index: float) -> Array:
    """Return one-hot rows times the weights of the target classes."""
    shares = np.zeros_like(input)
    kept = np.flatnonzero(target != ignore_index)
    shares[kept, target[kept]] = class_share(target, weight, ignore_index, input.dtype)[kept]
    return shares


def _distribution(
    target: Array, input: Array, label_smoothing: float, weight: ArrayLike | None, ignore_index: float
) -> Array:
    """Return the target as a smoothed, weighted distribution over the classes; 0 in ignored rows."""
    if target.ndim == 1:
        target, kept = _one_hot(target, input, None, ignore_index), target != ignore_index
    else:
        target, kept = target.astype(input.dtype), np.ones(len(input), bool)
    by_class = 1 if weight is None else np.asarray(weight, input.dtype)
    shares = ((1 - label_smoothing) * target + label_smoothing / input.shape[1]) * by_class
    return np.where(kept[:, np.newaxis], shares, 0)


@np.errstate(all="ignore")
def cross_entropy(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Any:
    """Return -sum_c w_c t_c log_softmax(input)_c for each row, with target probabilities t and class weights w.

    Parameters
    ----------
    input : ndarray, shape (rows, classes): logits. One of -inf contributes 0 where the target is 0.
    target : integers of shape (rows,), class indices; or shape (rows, classes), one-hot rows or probabilities
        For rows of probabilities "mean" divides by their number, regardless of the weights of the classes.
    label_smoothing : float s; each target t becomes (1 - s) * t + s / classes
    """
    shares = _distribution(target, input, label_smoothing, weight, ignore_index)
    loss = -(0 + shared(shares, log_softmax(input)).sum(axis=1))  # -0 where it is 0, as PyTorch's
    loss = _without_ignored(loss, target, ignore_index)
    return reduced(loss, reduction, sample_weight, _counts(target, input, weight, ignore_index))


@np.errstate(all="ignore")
def cross_entropy_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Array:
    """Return the gradient of `cross_entropy`: softmax(input) * sum_c t_c - t, with t times the class's weight."""
    counts = _counts(target, input, weight, ignore_index)
    reaching = upstream(grad_output, input[:, 0], reduction, sample_weight, counts)[:, np.newaxis]
    shares = _distribution(target, input, label_smoothing, weight, ignore_index)
    expected = softmax(input) * shares.sum(axis=1, keepdims=True)
    if target.ndim > 1:
        return (expected - shares) * reaching
    spread = label_smoothing / input.shape[1] * (1 if weight is None else np.asarray(weight, input.dtype))
    grad_input = (expected - spread) * reaching
    certain = (1 - label_smoothing) * counts * reaching[:, 0]
    return _at_target(_of_target(grad_input, target, ignore_index) - certain, grad_input, target, ignore_index)


def _counts(target: Array, input: Array, weight: ArrayLike | None, ignore_index: float) -> Any:
    return class_share(target, weight, ignore_index, input.dtype) if target.ndim == 1 else 1


def _without_ignored(values: Array, target: Array, ignore_index: float) -> Array:
    """Return losses, or a gradient, with 0 for rows that are ignored, where there may be NaN."""
    if target.ndim > 1:
        return values
    return np.where((target != ignore_index).reshape(-1, *(1,) * (values.ndim - 1)), values, 0)


@np.errstate(all="ignore")
def nll_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Any:
    """Return -weight[target[row]] * input[row, target[row]]: `input` holds log-probabilities."""
    share = class_share(target, weight, ignore_index, input.dtype)
    loss = _without_ignored(shared(-share, _of_target(input, target, ignore_index)), target, ignore_index)
    return reduced(loss, reduction, sample_weight, share)


@np.errstate(all="ignore")
def nll_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Array:
    """Return the gradient of `nll_loss`: -weight at the target's class, 0 elsewhere."""
    share = class_share(target, weight, ignore_index, input.dtype)
    reaching = upstream(grad_output, input[:, 0], reduction, sample_weight, share)
    return _at_target(-reaching * share, np.zeros_like(input), target, ignore_index)


@np.errstate(all="ignore")
def softmax_focal_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    gamma: float = 2.0,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Any:
    """Return -w (1 - p)**gamma log(p), where p is the softmax probability of the target (Lin et al. 2017)."""
    log_p, share = _log_p(input, target, ignore_index), class_share(target, weight, ignore_index, input.dtype)
    loss = shared(-share * (0 - np.expm1(log_p)) ** gamma, log_p)
    loss = _without_ignored(loss, target, ignore_index)
    return reduced(loss, reduction, sample_weight, share)


@np.errstate(all="ignore")
def softmax_focal_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    gamma: float = 2.0,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Array:
    """Return the gradient of `softmax_focal_loss`: that of log p, times the derivative with respect to log p."""
    log_p, share = _log_p(input, target, ignore_index), class_share(target, weight, ignore_index, input.dtype)
    p, miss = np.exp(log_p), 0 - np.expm1(log_p)
    ratio = np.where(miss > 0, -log_p / miss, 1)  # 1 is its limit
    slope = -share * miss**gamma * (1 + gamma * np.where(p > 0, p * ratio, 0))
    reaching = upstream(grad_output, log_p, reduction, sample_weight, share) * slope
    return _at_target(reaching * miss, softmax(input) * -reaching[:, np.newaxis], target, ignore_index)


def _log_p(input: Array, target: Array, ignore_index: float) -> Array:
    """Return the logarithm of the probability that each row gives to its target."""
    return _of_target(log_softmax(input), target, ignore_index)


def _of_target(scores: Array, target: Array, ignore_index: float) -> Array:
    """Return of each row the entry of its target; where it is ignored, any."""
    return scores[np.arange(len(scores)), np.where(target == ignore_index, 0, target)]


def _at_target(values: Array, grad_input: Array, target: Array, ignore_index: float) -> Array:
    """Return the gradient with `values` in the entries of the targets, and 0 in rows that are ignored."""
    kept = np.flatnonzero(target != ignore_index)
    grad_input[kept, target[kept]] = values[kept]
    return _without_ignored(grad_input, target, ignore_index)


@np.errstate(all="ignore")
def multi_margin_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    p: int = 1,
    margin: float = 1.0,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Any:
    """Return w sum_c max(0, margin - x_y + x_c)**p / classes over the classes c other than the target y.

    "mean" divides by the number of rows, regardless of the weights of the classes, as in PyTorch.
    """
    gaps = _gaps(input, target, margin, ignore_index)
    share = class_share(target, weight, ignore_index, input.dtype)
    loss = shared(share / input.shape[1], (gaps**p).sum(axis=1))
    loss = _without_ignored(loss, target, ignore_index)
    return reduced(loss, reduction, sample_weight, class_share(target, None, ignore_index, input.dtype))


@np.errstate(all="ignore")
def multi_margin_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    p: int = 1,
    margin: float = 1.0,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
) -> Array:
    """Return the gradient of `multi_margin_loss`: 0 on the margin."""
    gaps = _gaps(input, target, margin, ignore_index)
    slopes = np.where(gaps > 0, 1, gaps) if p == 1 else 2 * gaps
    share = class_share(target, weight, ignore_index, input.dtype)
    counted = class_share(target, None, ignore_index, input.dtype)
    reaching = upstream(grad_output, input[:, 0], reduction, sample_weight, counted) * share / input.shape[1]
    grad_input = shared(reaching[:, np.newaxis], slopes)
    others = np.where(_one_hot(target, input, None, ignore_index) == 1, 0, grad_input)
    return _at_target(0 - others.sum(axis=1), grad_input, target, ignore_index)


def _gaps(input: Array, target: Array, margin: float, ignore_index: float) -> Array:
    """Return max(0, margin - x_y + x_c) for every class c; 0 for the target y itself."""
    rows, kept = np.arange(len(input)), np.where(target == ignore_index, 0, target)
    gaps = np.maximum(0, margin - input[rows, kept][:, np.newaxis] + input)
    gaps[rows, kept] = 0
    return gaps

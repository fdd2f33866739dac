"""Losses and their gradients with respect to `input`, with PyTorch's names and formulas.

    f(input, target, reduction="mean", sample_weight=None, ...)
    f_backward(grad_output, input, target, reduction="mean", sample_weight=None, ...)

input, target : ndarray of float32 or float64, the same shape
reduction : "none" gives the loss of every element, "sum" their sum, "mean" their weighted mean
sample_weight : shape (rows,) = input.shape[:1], or the shape of the loss; multiplies the loss of each sample.
    "mean" divides by the sum of the weights over all elements, as scikit-learn does.
grad_output : scalar for "mean" and "sum", shape of the loss for "none"

A loss is a scalar of input's dtype, or an array for "none"; a gradient is like input. NaN gives NaN. The mean of no
elements, or with weights that sum to 0, is NaN. No function warns.

This module has the regression losses; binary_losses, class_losses and distribution_losses have the others.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import element_weights, reduced, shared, upstream
from .elementary import Array, unit_scale

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

LOG2 = math.log(2.0)


@np.errstate(all="ignore")
def l1_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return the absolute error, |input - target|."""
    return reduced(np.abs(input - target), reduction, sample_weight)


@np.errstate(all="ignore")
def l1_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `l1_loss`: the sign of input - target, 0 where they are equal."""
    return shared(upstream(grad_output, input, reduction, sample_weight), np.sign(input - target))


@np.errstate(all="ignore")
def mse_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return the squared error, (input - target)**2."""
    return reduced((input - target) ** 2, reduction, sample_weight)


@np.errstate(all="ignore")
def mse_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `mse_loss`: 2 (input - target)."""
    return shared(upstream(grad_output, input, reduction, sample_weight), 2 * (input - target))


@np.errstate(all="ignore")
def rmse_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return the root of `mse_loss` after its reduction, sqrt(mean((input - target)**2)) by default.

    Errors are scaled by a power of two before they are squared, so that squares do not over- or underflow.
    """
    error = input - target
    if reduction == "none":
        return shared(np.sqrt(element_weights(error, sample_weight)), np.abs(error))
    error = _weighed(error, sample_weight)
    scale = unit_scale(error)
    return np.sqrt(mse_loss(error * scale, np.zeros_like(error), reduction, sample_weight)) / scale


@np.errstate(all="ignore")
def rmse_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `rmse_loss`: that of mse_loss over twice the root, and 0 where the root is 0."""
    error = input - target
    if reduction == "none":
        return np.asarray(grad_output, error.dtype) * (np.sign(error) * np.sqrt(element_weights(error, sample_weight)))
    error = _weighed(error, sample_weight)
    scaled = error * unit_scale(error)
    root = np.sqrt(mse_loss(scaled, np.zeros_like(error), reduction, sample_weight))
    grad_mse = np.where(root == 0, 0, np.asarray(grad_output, dtype=input.dtype) / (2 * root))
    return upstream(grad_mse, error, reduction, sample_weight) * (2 * scaled)


def _weighed(error: Array, sample_weight: ArrayLike | None) -> Array:
    """Return the errors, with 0 where the weight is 0, be they infinite; NaN stays."""
    return shared((element_weights(error, sample_weight) != 0).astype(error.dtype), error)


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
    return reduced(loss, reduction, sample_weight)


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
    return shared(upstream(grad_output, input, reduction, sample_weight), np.clip(input - target, -delta, delta))


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
    return reduced(loss, reduction, sample_weight)


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
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


@np.errstate(all="ignore")
def quantile_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    q: ArrayLike = 0.5,
) -> Any:
    """Return q e where e = target - input is positive, else (q - 1) e (Koenker and Bassett 1978).

    q : the quantile, a number; or one for each column
    """
    q, error = np.asarray(q, dtype=input.dtype), target - input
    return reduced(np.where(error >= 0, q * error, (q - 1) * error), reduction, sample_weight)


@np.errstate(all="ignore")
def quantile_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    q: ArrayLike = 0.5,
) -> Array:
    """Return the gradient of `quantile_loss`: -q below the target, 1 - q above, 0 where they are equal."""
    q, error = np.asarray(q, dtype=input.dtype), target - input
    slope = np.where(error > 0, -q, np.where(error < 0, 1 - q, error + 0))
    return shared(upstream(grad_output, input, reduction, sample_weight), slope)


@np.errstate(all="ignore")
def log_cosh_loss(input: Array, target: Array, reduction: str = "mean", sample_weight: ArrayLike | None = None) -> Any:
    """Return log(cosh(e)), e = input - target, without overflow and without cancellation for small e."""
    size = np.abs(input - target)
    grown = np.expm1(np.minimum(size, 1))  # cosh(e) - 1 = grown^2 / (2 (1 + grown))
    loss = np.where(size < 1, np.log1p(grown * grown / (2 * (1 + grown))), size + np.log1p(np.exp(-2 * size)) - LOG2)
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def log_cosh_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of `log_cosh_loss`: tanh(input - target)."""
    return shared(upstream(grad_output, input, reduction, sample_weight), np.tanh(input - target) + 0)


@np.errstate(all="ignore")
def cosine_loss(
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    eps: float = 1e-8,
) -> Any:
    """Return 1 - cos(input, target) for each row of two matrices; a norm is at least eps, as in PyTorch."""
    cosine = (_unit(input, eps) * _unit(target, eps)).sum(axis=1)
    return reduced(1 - cosine, reduction, sample_weight)


@np.errstate(all="ignore")
def cosine_loss_backward(
    grad_output: ArrayLike,
    input: Array,
    target: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    eps: float = 1e-8,
) -> Array:
    """Return the gradient of `cosine_loss`: (cos x / |x| - t / |t|) / |x|, without its first term where x is 0."""
    x, t = _unit(input, eps), _unit(target, eps)
    cosine = (x * t).sum(axis=1)
    pull = cosine[:, np.newaxis] * np.where((input == 0).all(axis=1, keepdims=True), 0, _unit(input, 0))
    reaching = upstream(grad_output, cosine, reduction, sample_weight)
    return shared(reaching[:, np.newaxis], (pull - t) / _norm(input, eps))


def _norm(x: Array, eps: float) -> Array:
    """Return the norm of every row, at least eps, as a column; squares do not over- or underflow (see `unit_scale`)."""
    scale = unit_scale(x, 1)
    return np.maximum(np.sqrt(((x * scale) ** 2).sum(axis=1, keepdims=True)) / scale, x.dtype.type(eps))


def _unit(x: Array, eps: float) -> Array:
    """Return every row divided by its norm, which is at least eps."""
    return x / _norm(x, eps)

"""The affine map of a fully connected layer, with an optional activation, and its gradients."""

import math

import numpy as np

from . import activations
from .elementary import Array

__all__ = ["linear", "linear_backward"]


@np.errstate(all="ignore")
def linear(x: Array, weight: Array, bias: Array | None = None, activation: str | None = None) -> Array:
    """Return activation(x @ weight + bias).

    Parameters
    ----------
    x : ndarray, shape (..., in_features); with in_features = 0 the result is the bias
    weight : ndarray, shape (in_features, out_features)
    bias : ndarray, shape (out_features,), optional
    activation : name of a function of `activations`, applied with its default parameters, optional

    Returns
    -------
    ndarray, shape (..., out_features), dtype of x
    """
    y = x @ weight
    if bias is not None:
        y = y + bias
    return y if activation is None else activations.named(activation)(y)


@np.errstate(all="ignore")
def linear_backward(grad_output: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Return the gradients (grad_x, grad_weight, grad_bias) of x @ weight + bias.

    `grad_output` has shape (..., out_features): the gradient of the sum, before any activation. The gradients
    of weight and bias are summed over all leading axes.
    """
    in_features, out_features = weight.shape
    rows = math.prod(x.shape[:-1])  # reshape cannot infer it (-1) when a feature axis is empty
    grad_rows = grad_output.reshape(rows, out_features)
    x_rows = x.reshape(rows, in_features)
    return grad_output @ weight.T, x_rows.T @ grad_rows, grad_rows.sum(axis=0)

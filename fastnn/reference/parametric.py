"""Activations with trainable parameters; gradients are with respect to the input and the parameter."""

import numpy as np

from .activations import leaky_relu, leaky_relu_backward
from .elementary import Array

__all__ = ["prelu", "prelu_backward", "temperature_scale", "temperature_scale_backward"]


def prelu(x: Array, weight: Array) -> Array:
    """Return x where x > 0, else weight * x (He et al. 2015); weight has shape (1,) or (features,)."""
    return leaky_relu(x, _parameter(weight))  # type: ignore[arg-type]


@np.errstate(all="ignore")
def prelu_backward(grad_output: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    """Return grad_x, and for each weight the sum of grad_output * x where x <= 0."""
    slopes = np.where(x > 0, 0, grad_output * x)
    grad_weight = slopes.sum().reshape(1) if weight.size == 1 else slopes.sum(axis=tuple(range(x.ndim - 1)))
    return leaky_relu_backward(grad_output, x, _parameter(weight)), grad_weight  # type: ignore[arg-type]


@np.errstate(all="ignore")
def temperature_scale(x: Array, temperature: Array) -> Array:
    """Return x / temperature (Guo et al. 2017); temperature has shape (1,)."""
    return np.asarray(x / _parameter(temperature))


@np.errstate(all="ignore")
def temperature_scale_backward(grad_output: Array, x: Array, temperature: Array) -> tuple[Array, Array]:
    """Return grad_x, and for the temperature -sum(grad_output * x) / temperature**2.

    Where grad_output is 0, x contributes 0, even a logit of -inf.
    """
    products = np.where(grad_output == 0, 0, grad_output * x)
    return np.asarray(grad_output / _parameter(temperature)), -products.sum().reshape(1) / temperature**2


def _parameter(array: Array) -> Array:
    """A parameter of shape (1,) as a scalar, so that the result has the shape of x."""
    return array.reshape(()) if array.size == 1 else array

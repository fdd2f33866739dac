"""Softmax and log-softmax with a temperature, their gradients, and the entropy of a distribution.

`x` has any shape, float32 or float64; results have its shape and dtype. The temperature is a Python
float > 0. An entry -inf has probability 0. A row that contains NaN or +inf, or only -inf, becomes NaN.
Empty arrays give empty arrays.
"""

import numpy as np

from .elementary import Array

__all__ = [
    "entropy",
    "entropy_backward",
    "entropy_with_logits",
    "entropy_with_logits_backward",
    "log_softmax",
    "log_softmax_backward",
    "log_softmax_temperature_backward",
    "softmax",
    "softmax_backward",
    "softmax_temperature_backward",
    "softmin",
    "softmin_backward",
    "softmin_temperature_backward",
]


@np.errstate(all="ignore")
def softmax(x: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return exp(x_i / T) / sum_j exp(x_j / T) along an axis."""
    e = np.exp(_shifted(x, axis, temperature))
    return e / e.sum(axis=axis, keepdims=True)


@np.errstate(all="ignore")
def softmax_backward(grad_output: Array, output: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return output * (grad_output - sum_j grad_output_j output_j) / T, with output = softmax(x).

    Where the output is 0 an infinite gradient, such as that of the entropy, contributes 0.
    """
    grad_output = np.where((output == 0) & np.isinf(grad_output), 0, grad_output)
    mean = (grad_output * output).sum(axis=axis, keepdims=True)
    return output * (grad_output - mean) / temperature


def softmin(x: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return softmax(-x)."""
    return softmax(-x, axis, temperature)


def softmin_backward(grad_output: Array, output: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return the gradient of softmin, from its output."""
    return -softmax_backward(grad_output, output, axis, temperature)


@np.errstate(all="ignore")
def log_softmax(x: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return x_i / T - log(sum_j exp(x_j / T)) along an axis."""
    z = _shifted(x, axis, temperature)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


@np.errstate(all="ignore")
def log_softmax_backward(grad_output: Array, output: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return (grad_output - exp(output) * sum_j grad_output_j) / T, with output = log_softmax(x)."""
    return (grad_output - np.exp(output) * grad_output.sum(axis=axis, keepdims=True)) / temperature


def softmax_temperature_backward(
    grad_output: Array, output: Array, x: Array, axis: int = -1, temperature: float = 1.0
) -> float:
    """Return the derivative of the loss with respect to the temperature T of a softmax.

    dL/dT = -1/T * sum(x * dL/dx), Euler's theorem: softmax depends on x / T only, so it is homogeneous of
    degree 0 in (x, T). Entries whose dL/dx is 0 contribute 0, also where x is -inf.
    """
    return _temperature_slope(softmax_backward(grad_output, output, axis, temperature), x, temperature)


def softmin_temperature_backward(
    grad_output: Array, output: Array, x: Array, axis: int = -1, temperature: float = 1.0
) -> float:
    """Return the derivative of the loss with respect to the temperature of a softmin; see softmax."""
    return _temperature_slope(softmin_backward(grad_output, output, axis, temperature), x, temperature)


def log_softmax_temperature_backward(
    grad_output: Array, output: Array, x: Array, axis: int = -1, temperature: float = 1.0
) -> float:
    """Return the derivative of the loss with respect to T: as `softmax_temperature_backward`."""
    return _temperature_slope(log_softmax_backward(grad_output, output, axis, temperature), x, temperature)


@np.errstate(all="ignore")
def entropy(p: Array, axis: int = -1) -> Array:
    """Return -sum_i p_i log p_i along an axis (which is removed), in nats, with 0 log 0 = 0."""
    return 0 - np.where(p == 0, 0, p * np.log(p)).sum(axis=axis)  # not -0


@np.errstate(all="ignore")
def entropy_backward(grad_output: Array, p: Array, axis: int = -1) -> Array:
    """Return -(log p + 1) * grad_output, with grad_output like the entropy; infinite where p = 0."""
    return -(np.log(p) + 1) * np.expand_dims(grad_output, axis)


@np.errstate(all="ignore")
def entropy_with_logits(x: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return the entropy of softmax(x / T) along an axis (which is removed), in nats; -inf has no probability."""
    p, log_p = softmax(x, axis, temperature), log_softmax(x, axis, temperature)
    return 0 - np.where(p == 0, 0, p * log_p).sum(axis=axis)


@np.errstate(all="ignore")
def entropy_with_logits_backward(grad_output: Array, x: Array, axis: int = -1, temperature: float = 1.0) -> Array:
    """Return p_i (sum_j p_j z_j - z_i) * grad_output / T, 0 where p_i = 0, with z = x / T and p = softmax(z)."""
    p, z = softmax(x, axis, temperature), _shifted(x, axis, temperature)
    mean = np.where(p == 0, 0, p * z).sum(axis=axis, keepdims=True)
    return np.where(p == 0, 0, p * (mean - z)) * np.expand_dims(grad_output, axis) / temperature


def _shifted(x: Array, axis: int, temperature: float) -> Array:
    """Return (x - max x) / T: exp of it cannot overflow, and its largest term is 1."""
    return (x - x.max(axis=axis, keepdims=True, initial=-np.inf)) / temperature


@np.errstate(all="ignore")
def _temperature_slope(grad_x: Array, x: Array, temperature: float) -> float:
    return -float(np.where(grad_x == 0, 0, x * grad_x).sum()) / temperature

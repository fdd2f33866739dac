"""Rules that work on whole matrices: Adafactor and Muon."""

import math

import numpy as np

from ..elementary import Array
from ..parameters import lerp_, total_norm
from ._shared import over_root

__all__ = ["adafactor_step", "muon_step"]

NS_COEFFICIENTS = 3.4445, -4.7750, 2.0315


@np.errstate(all="ignore")
def adafactor_step(
    param: Array,
    grad: Array,
    row_var: Array | None = None,
    col_var: Array | None = None,
    variance: Array | None = None,
    *,
    step: int,
    lr: float = 1e-2,
    beta2_decay: float = -0.8,
    eps: tuple[float | None, float] = (None, 1e-3),
    d: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """Update by Adafactor (Shazeer and Stern, 2018).

        rate = max(eps[1], rms(param)) * min(lr, 1 / sqrt(step))
        row_var, col_var += step**beta2_decay * (means of g * g over rows, columns - row_var, col_var)
        v = row_var * col_var / max(mean(row_var), eps[0])
        u = g / sqrt(max(v, eps[0]**2))
        param -= rate / max(1, rms(u) / d) * u

    A vector has v = variance, the average of g * g. eps[0] is by default the epsilon of the dtype.
    """
    if param.size == 0:
        return
    least = float(np.finfo(param.dtype).eps) if eps[0] is None else eps[0]
    grad = -grad if maximize else grad
    decay, rate = float(step) ** beta2_decay, min(lr, 1 / math.sqrt(step))
    magnitude = total_norm(param) / math.sqrt(param.size)
    rate *= magnitude if magnitude > eps[1] else eps[1]
    param *= 1 - lr * weight_decay
    if param.ndim > 1:
        assert row_var is not None
        assert col_var is not None
        lerp_(row_var, np.mean(grad * grad, axis=-1, keepdims=True), decay)
        lerp_(col_var, np.mean(grad * grad, axis=-2, keepdims=True), decay)
        estimate = row_var / np.maximum(np.mean(row_var, axis=-2, keepdims=True), least) * col_var
    else:
        assert variance is not None
        lerp_(variance, grad * grad, decay)
        estimate = variance
    update = over_root(grad, np.sqrt(np.maximum(estimate, least * least)))
    excess = total_norm(update) / (math.sqrt(param.size) * d)
    param -= (rate / excess if excess > 1 else rate) * update


def orthogonal(x: Array, coefficients: tuple[float, float, float], eps: float, steps: int) -> Array:
    """Return about the nearest matrix with orthonormal rows or columns, by Newton-Schulz iterations."""
    a, b, c = coefficients
    x = x / np.maximum(total_norm(x), eps)
    for _ in range(steps):
        if x.shape[0] > x.shape[1]:
            gram = x.T @ x
            x = a * x + x @ (b * gram + c * (gram @ gram))
        else:
            gram = x @ x.T
            x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x


def adjusted_rate(lr: float, adjust_lr_fn: str | None, outputs: int, inputs: int) -> float:
    """Return Muon's rate for a matrix of this shape."""
    if adjust_lr_fn == "match_rms_adamw":
        return lr * 0.2 * math.sqrt(max(outputs, inputs))
    return lr * math.sqrt(max(1.0, outputs / inputs))


@np.errstate(all="ignore")
def muon_step(
    param: Array,
    grad: Array,
    momentum_buffer: Array,
    *,
    lr: float = 1e-3,
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = NS_COEFFICIENTS,
    eps: float = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
    maximize: bool = False,
) -> None:
    """Update a matrix of shape (outputs, inputs) by Muon (Jordan et al., 2024).

        buf += (1 - momentum) * (g - buf)
        u = g + momentum * (buf - g) with nesterov, or buf
        u /= max(|u|, eps), then ns_steps times, with (a, b, c) = ns_coefficients and G = u u^T:
        u = a * u + (b * G + c * G G) u
        param *= 1 - lr * weight_decay
        param -= lr * sqrt(max(1, outputs / inputs)) * u

    "match_rms_adamw" has the factor 0.2 * sqrt(max(outputs, inputs)) instead of the root.
    """
    if param.size == 0:
        return
    grad = -grad if maximize else grad
    lerp_(momentum_buffer, grad, 1 - momentum)
    update = momentum_buffer
    if nesterov:
        update = grad.copy()
        lerp_(update, momentum_buffer, momentum)
    update = orthogonal(update, ns_coefficients, eps, ns_steps)
    param *= 1 - lr * weight_decay
    param -= adjusted_rate(lr, adjust_lr_fn, *param.shape) * update

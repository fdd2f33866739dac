"""Layer, root mean square and batch normalization, and their gradients.

y = xhat * weight + bias with xhat = (x - mean) / sqrt(variance + eps), with mean and variance of a row (`layer_norm`;
in `rms_norm` the mean is 0) or of a column over all rows (`batch_norm`). `x` has shape (..., features); weight, bias
and running statistics have shape (features,). The variance is the biased one, the mean of squares.
"""

import math
from typing import Any

import numpy as np

from .elementary import Array, unit_scale

__all__ = [
    "batch_norm",
    "batch_norm_backward",
    "layer_norm",
    "layer_norm_backward",
    "rms_norm",
    "rms_norm_backward",
]


@np.errstate(all="ignore")
def layer_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    normalized_shape: tuple[int, ...] | None = None,
) -> Array:
    """Return xhat * weight + bias, with the mean and the variance of each row (Ba, Kiros and Hinton 2016).

    A row is the last axis or, with normalized_shape, the axes at the end that have this shape.
    """
    rows, weight, bias = _flat(x, normalized_shape, weight, bias)
    centered = _centered(rows, -1)
    return _affine(centered * _inverse_root(centered, -1, eps), weight, bias).reshape(x.shape)


@np.errstate(all="ignore")
def layer_norm_backward(
    grad_output: Array,
    x: Array,
    weight: Array | None = None,
    eps: float = 1e-5,
    normalized_shape: tuple[int, ...] | None = None,
) -> tuple[Array, Array, Array]:
    """Return the gradients (grad_x, grad_weight, grad_bias); without a weight, it counts as 1.

    grad_x = (g w - mean(g w) - xhat * mean(g w xhat)) / sqrt(variance + eps), means of rows
    """
    rows, weight, grad_output = _flat(x, normalized_shape, weight, grad_output)
    centered = _centered(rows, -1)
    scale = _inverse_root(centered, -1, eps)
    xhat, g = centered * scale, _affine(grad_output, weight, None)
    grad_x = scale * (g - _mean(g, -1) - xhat * _mean(g * xhat, -1))
    return _shaped(x, normalized_shape, grad_x, _over_rows(grad_output * xhat), _over_rows(grad_output))


@np.errstate(all="ignore")
def rms_norm(
    x: Array,
    weight: Array | None = None,
    eps: float | None = None,
    normalized_shape: tuple[int, ...] | None = None,
) -> Array:
    """Return x / sqrt(mean(x^2) + eps) * weight, means of rows as in `layer_norm` (Zhang and Sennrich 2019).

    By default eps is the machine epsilon of x's dtype, as in PyTorch.
    """
    rows, weight, _ = _flat(x, normalized_shape, weight, None)
    return _affine(rows * _inverse_root(rows, -1, _eps(eps, x)), weight, None).reshape(x.shape)


@np.errstate(all="ignore")
def rms_norm_backward(
    grad_output: Array,
    x: Array,
    weight: Array | None = None,
    eps: float | None = None,
    normalized_shape: tuple[int, ...] | None = None,
) -> tuple[Array, Array]:
    """Return the gradients (grad_x, grad_weight): as `layer_norm_backward`, but without the term of the mean of x."""
    rows, weight, grad_output = _flat(x, normalized_shape, weight, grad_output)
    scale = _inverse_root(rows, -1, _eps(eps, x))
    xhat, g = rows * scale, _affine(grad_output, weight, None)
    grad_x = scale * (g - xhat * _mean(g * xhat, -1))
    return _shaped(x, normalized_shape, grad_x, _over_rows(grad_output * xhat))


@np.errstate(all="ignore")
def batch_norm(
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Return xhat * weight + bias, with the mean and the variance of each column (Ioffe and Szegedy 2015).

    With training they are those of x, and the running statistics, unless None, are updated in place:
    running = (1 - momentum) * running + momentum * (mean, or n / (n - 1) * variance). Otherwise they are the running
    statistics. Without rows nothing changes.
    """
    if not training:
        assert running_mean is not None
        assert running_var is not None
        return _affine((x - running_mean) * (1 / np.sqrt(running_var + eps)), weight, bias)
    columns = x.reshape(-1, x.shape[-1]) if x.size else x
    centered = _centered(columns, 0)
    if running_mean is not None and running_var is not None and x.size:
        scale = unit_scale(centered, 0)
        unbiased = (((centered * scale) ** 2).sum(axis=0) / (len(columns) - 1) / scale / scale)[0]
        running_mean[...] = (1 - momentum) * running_mean + momentum * _mean(columns, 0)[0]
        running_var[...] = (1 - momentum) * running_var + momentum * unbiased
    return _affine(centered * _inverse_root(centered, 0, eps), weight, bias).reshape(x.shape)


@np.errstate(all="ignore")
def batch_norm_backward(
    grad_output: Array,
    x: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    training: bool = False,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Return the gradients (grad_x, grad_weight, grad_bias); without a weight, it counts as 1.

    grad_x = (g - mean(g) - xhat * mean(g xhat)) * weight / sqrt(variance + eps), means of columns, for statistics of x;
    running statistics do not depend on x, and both means are 0.
    """
    columns = x.reshape(-1, x.shape[-1]) if x.size else x
    g = grad_output.reshape(columns.shape)
    if training:
        centered = _centered(columns, 0)
        scale = _inverse_root(centered, 0, eps)
        xhat = centered * scale
        grad = g - _mean(g, 0) - xhat * _mean(g * xhat, 0)
    else:
        assert running_mean is not None
        assert running_var is not None
        scale = 1 / np.sqrt(running_var + eps)
        xhat, grad = (columns - running_mean) * scale, g
    grad_x = _affine(grad * scale, weight, None).reshape(x.shape)
    return grad_x, _over_rows(g * xhat), _over_rows(g)


def _flat(x: Array, normalized_shape: tuple[int, ...] | None, *arrays: Array | None) -> tuple[Any, ...]:
    """Return the arrays with the axes of normalized_shape as one; None stays, and so does all without it."""
    if normalized_shape is None:
        return x, *arrays
    axes, cols = len(normalized_shape), math.prod(normalized_shape)
    return tuple(None if a is None else a.reshape(*a.shape[: a.ndim - axes], cols) for a in (x, *arrays))


def _shaped(x: Array, normalized_shape: tuple[int, ...] | None, grad_x: Array, *vectors: Array) -> tuple[Any, ...]:
    """Return gradients of rows in the shapes of x and of its parameters."""
    shape = x.shape[-1:] if normalized_shape is None else normalized_shape
    return grad_x.reshape(x.shape), *(vector.reshape(shape) for vector in vectors)


def _centered(x: Array, axis: int) -> Array:
    """Return x - mean(x). The rounding error of the mean is subtracted too, which matters for a large mean."""
    centered = x - _mean(x, axis)
    return centered - _mean(centered, axis)


def _mean(x: Array, axis: int) -> Array:
    scale = unit_scale(x, axis)
    return (x * scale).sum(axis=axis, keepdims=True) / x.dtype.type(max(x.shape[axis], 1)) / scale


def _inverse_root(x: Array, axis: int, eps: float) -> Array:
    """Return 1 / sqrt(mean(x^2) + eps), from numbers scaled by a power of two, whose squares do not overflow."""
    eps = x.dtype.type(eps)
    scale = unit_scale(x, axis, np.sqrt(eps))
    return scale / np.sqrt(_mean((x * scale) ** 2, axis) + eps * scale * scale)


def _affine(x: Array, weight: Array | None, bias: Array | None) -> Array:
    y = x if weight is None else x * weight
    return y if bias is None else y + bias


def _over_rows(x: Array) -> Array:
    """Return the sums over all axes but the last."""
    return x.sum(axis=tuple(range(x.ndim - 1)))


def _eps(eps: float | None, x: Array) -> float:
    return float(np.finfo(x.dtype).eps) if eps is None else eps

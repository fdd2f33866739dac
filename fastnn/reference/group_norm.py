"""Group and instance normalization, and their gradients: layer normalization of parts of each sample."""

import numpy as np

from .elementary import Array
from .normalization import batch_norm, batch_norm_backward, layer_norm, layer_norm_backward

__all__ = ["group_norm", "group_norm_backward", "instance_norm", "instance_norm_backward"]


@np.errstate(all="ignore")
def group_norm(
    x: Array, num_groups: int, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> Array:
    """Return xhat * weight + bias, with mean and variance of each group of channels of a sample (Wu and He 2018)."""
    y = layer_norm(_groups(x, num_groups), eps=eps).reshape(x.shape)
    y = y if weight is None else y * _channels(weight, x)
    return y if bias is None else y + _channels(bias, x)


@np.errstate(all="ignore")
def group_norm_backward(
    grad_output: Array, x: Array, num_groups: int, weight: Array | None = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients (grad_x, grad_weight, grad_bias); without a weight, it counts as 1."""
    g = grad_output if weight is None else grad_output * _channels(weight, x)
    groups = _groups(x, num_groups)
    grad_x = layer_norm_backward(g.reshape(groups.shape), groups, eps=eps)[0].reshape(x.shape)
    xhat = layer_norm(groups, eps=eps).reshape(x.shape)
    axes = (0, *range(2, x.ndim))
    return grad_x, (grad_output * xhat).sum(axis=axes), grad_output.sum(axis=axes)


@np.errstate(all="ignore")
def instance_norm(
    x: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Return xhat * weight + bias, with mean and variance of each channel of a sample (Ulyanov et al. 2016).

    Running statistics, unless None, move towards the means over the samples; without `use_input_stats` they are used.
    """
    if not use_input_stats:
        columns = np.moveaxis(x, 1, -1)
        return np.moveaxis(batch_norm(columns, running_mean, running_var, weight, bias, eps=eps), -1, 1)
    if running_mean is not None and running_var is not None and x.size:
        rows = x.reshape(*x.shape[:2], -1)
        # One column for each channel of a sample: its mean and unbiased variance.
        mean, var = np.zeros(rows.shape[:2], x.dtype), np.ones(rows.shape[:2], x.dtype)
        batch_norm(rows.reshape(-1, rows.shape[2]).T, mean.reshape(-1), var.reshape(-1), training=True, momentum=1.0)
        running_mean[...] = (1 - momentum) * running_mean + momentum * mean.mean(axis=0)
        running_var[...] = (1 - momentum) * running_var + momentum * var.mean(axis=0)
    return group_norm(x, x.shape[1], weight, bias, eps)


@np.errstate(all="ignore")
def instance_norm_backward(
    grad_output: Array,
    x: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    use_input_stats: bool = True,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Return the gradients (grad_x, grad_weight, grad_bias); without a weight, it counts as 1."""
    if use_input_stats:
        return group_norm_backward(grad_output, x, x.shape[1], weight, eps)
    g, columns = np.moveaxis(grad_output, 1, -1), np.moveaxis(x, 1, -1)
    grad_x, grad_weight, grad_bias = batch_norm_backward(g, columns, running_mean, running_var, weight, eps=eps)
    return np.moveaxis(grad_x, -1, 1), grad_weight, grad_bias


def _groups(x: Array, num_groups: int) -> Array:
    return x.reshape(x.shape[0] * num_groups, -1) if x.size else np.empty((0, 1), x.dtype)


def _channels(vector: Array, x: Array) -> Array:
    return vector.reshape(-1, *(1 for _ in x.shape[2:]))

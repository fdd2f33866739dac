"""Group and instance normalization, which are of parts of each sample, and their gradients."""

import math
from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.group_norm import GroupNorm
from .._core.normalization import batch_norm
from .._frames import SHORT_ERRORS
from ._documentation import documented
from ._elementwise import Array, reference_function
from ._normalization import apart, check_eps
from .batch_norm import batch_norm as _batch_norm
from .batch_norm import batch_norm_backward as _batch_norm_backward

__all__ = ["group_norm", "group_norm_backward", "instance_norm", "instance_norm_backward"]

FORWARD = """
Parameters
----------
x : ndarray of float32 or float64, shape (rows, channels, ...)
{before}weight, bias : ndarray of the same dtype, shape (channels,), optional
    Without them 1 and 0.
{after}eps : float, at least 0, default 1e-5
out : ndarray like x, optional
    Written and returned; may be x itself.

Returns
-------
y : ndarray, shape and dtype of x

Raises
------
TypeError
    If the arrays differ in dtype or are not float32 or float64, or another argument has the wrong type.
ValueError
    If shapes do not match, {values}eps is negative, or out is not C-contiguous, aligned and writable.

Notes
-----
{part} with NaN or an infinity is NaN, and no other. A large mean costs no accuracy, nor do squares that overflow. It
is `torch.nn.functional.{forward}`.
"""

BACKWARD = """
Parameters
----------
grad_output : ndarray, shape and dtype of x
    Gradient of the loss with respect to the output.
{same}
    As given to `{forward}`.

Returns
-------
grad_x, grad_weight, grad_bias : ndarrays, shapes of x, (channels,) and (channels,)
    Without a weight, grad_weight is the gradient for a weight of 1.

Raises
------
TypeError, ValueError
    As `{forward}`; also if grad_output differs from x in dtype or shape.

Notes
-----
NaN in x or grad_output gives NaN in its part of grad_x, and in grad_weight of its channel.
"""


@documented(
    FORWARD,
    before="num_groups : int, at least 1\n    A divisor of channels.\n",
    after="",
    values="num_groups does not divide channels, ",
    part="A group",
)
def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *, out: Array | None = None
) -> Array:
    """Group normalization (Wu and He 2018): each group of channels of a sample gets mean 0 and variance 1.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    Mean and biased variance are those of channels / num_groups consecutive channels of one sample, over all their
    positions; weight and bias have one number for each channel.

    >>> F.group_norm(np.array([[1.0, 3.0, 8.0, 4.0]]), 2, eps=0)
    array([[-1.,  1.,  1., -1.]])
    """
    with SHORT_ERRORS:
        x, vectors = _checked(x, weight=weight, bias=bias)
        groups, eps = _check_groups(num_groups, x), check_eps(eps)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("group_norm")(x, groups, *vectors, eps)
            return y
        x = check.without_overlap(x, y, in_place=True)
        return _run(x, groups, apart(vectors[0], y), apart(vectors[1], y), y, eps)


@documented(BACKWARD)
def group_norm_backward(
    grad_output: Any, x: Any, num_groups: int, weight: Any = None, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Gradients of `group_norm`.

    grad_x = (g w - mean(g w) - xhat mean(g w xhat)) / sqrt(variance + eps),   xhat = (x - mean) / sqrt(variance + eps)
    grad_weight = sum of g xhat,   grad_bias = sum of g,   over all axes but that of the channels

    Here g is grad_output and w weight; means are those of groups.

    >>> x = np.array([[1.0, 3.0, 8.0, 4.0]])
    >>> grad_x, grad_weight, grad_bias = F.group_norm_backward(np.ones((1, 4)), x, 2, eps=0)
    >>> grad_weight, grad_bias
    (array([-1.,  1.,  1., -1.]), array([1., 1., 1., 1.]))
    """
    with SHORT_ERRORS:
        g, x, weight = _checked_gradient(grad_output, x, weight)
        groups, eps = _check_groups(num_groups, x), check_eps(eps)
        if dispatch.get_reference():
            backward = reference_function("group_norm_backward")
            return tuple(backward(g, x, groups, weight, eps))
        return _run_backward(g, x, groups, weight, eps)


@documented(
    FORWARD,
    before="running_mean, running_var : ndarray of the same dtype, shape (channels,), optional\n"
    "    Running statistics, updated in place if use_input_stats; both or none.\n",
    after="use_input_stats : bool, default True\n    If False, the running statistics are those to normalize by.\n"
    "momentum : float in [0, 1], default 0.1\n",
    values="one running statistic is missing, momentum is out of its range, a channel has one position, ",
    part="A channel of a sample",
)
def instance_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    out: Array | None = None,
) -> Array:
    """Instance normalization (Ulyanov, Vedaldi and Lempitsky 2016): channels of samples get mean 0 and variance 1.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    Mean and biased variance are those of all positions of a channel of one sample, or the running ones:

    running = (1 - momentum) * running + momentum * (mean over the samples of the means, or unbiased variances)

    >>> F.instance_norm(np.array([[[1.0, 3.0], [8.0, 4.0]]]), eps=0)
    array([[[-1.,  1.],
            [ 1., -1.]]])
    """
    with SHORT_ERRORS:
        x, vectors = _checked(x, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
        eps, use = check_eps(eps), check.check_bool("use_input_stats", use_input_stats)
        momentum = check.check_number("momentum", momentum, at_least=0, at_most=1)
        weight, bias, *running = vectors
        _check_running(running, use, x)
        running = [None if v is None else check.as_writable(f"running_{n}", v) if use else v
                   for n, v in zip(("mean", "var"), (running_mean, running_var), strict=True)]  # fmt: skip
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("instance_norm")(x, *running, weight, bias, use, momentum, eps)
            return y
        if not use:
            y[...] = np.moveaxis(
                _batch_norm(np.moveaxis(x, 1, -1), running[0], running[1], weight, bias, eps=eps), -1, 1
            )
            return y
        x = check.without_overlap(x, y, in_place=True)
        if running[0] is not None and x.size:
            _update(x, running[0], running[1], momentum)  # type: ignore[arg-type]
        return _run(x, x.shape[1], apart(weight, y), apart(bias, y), y, eps)


@documented(BACKWARD)
def instance_norm_backward(
    grad_output: Any,
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    use_input_stats: bool = True,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Gradients of `instance_norm`.

    As those of `group_norm_backward` with a group for each channel; as those of `batch_norm_backward` by running
    statistics, which do not depend on x.

    >>> grad_x, grad_weight, grad_bias = F.instance_norm_backward(np.ones((1, 1, 2)), np.array([[[1.0, 3.0]]]))
    >>> grad_weight, grad_bias
    (array([0.]), array([2.]))
    """
    with SHORT_ERRORS:
        use = check.check_bool("use_input_stats", use_input_stats)
        g, x, weight = _checked_gradient(grad_output, x, weight)
        _, running = _checked(x, running_mean=running_mean, running_var=running_var)
        _check_running(running, use, x)
        eps = check_eps(eps)
        if dispatch.get_reference():
            backward = reference_function("instance_norm_backward")
            return tuple(backward(g, x, *running, weight, use, eps))
        if use:
            return _run_backward(g, x, x.shape[1], weight, eps)
        columns = np.moveaxis(g, 1, -1), np.moveaxis(x, 1, -1)
        grad_x, grad_weight, grad_bias = _batch_norm_backward(*columns, running[0], running[1], weight, eps=eps)
        return np.ascontiguousarray(np.moveaxis(grad_x, -1, 1)), grad_weight, grad_bias


def _checked(x: Any, **vectors: Any) -> tuple[Array, list[Array | None]]:
    """x, and the vectors of one number for each of its channels, checked; those that are None stay None."""
    x = check.as_array("x", x)
    if x.ndim < 2:
        raise ValueError(f"x must have shape (rows, channels, ...), got {x.shape}")
    arrays = {name: None if v is None else check.as_array(name, v) for name, v in vectors.items()}
    check.check_same_dtype(x=x, **arrays)
    for name, array in arrays.items():
        if array is not None:
            check.check_shape(name, array, x.shape[1:2], f"for x of shape {x.shape}")
    return x, list(arrays.values())


def _checked_gradient(grad_output: Any, x: Any, weight: Any) -> tuple[Array, Array, Array | None]:
    g = check.as_array("grad_output", grad_output)
    x, (weight,) = _checked(x, weight=weight)
    check.check_same_dtype(grad_output=g, x=x)
    check.check_same_shape(x=x, grad_output=g)
    return g, x, weight


def _check_groups(num_groups: Any, x: Array) -> int:
    groups = check.check_integer("num_groups", num_groups, at_least=1)
    if x.shape[1] % groups:
        raise ValueError(f"num_groups must divide the number of channels, {x.shape[1]}, got {groups}")
    return groups


def _check_running(running: list[Array | None], use: bool, x: Array) -> None:
    if sum(v is None for v in running) == 1 or (running[0] is None and not use):
        raise ValueError("running_mean and running_var must both be given, or neither with use_input_stats")
    if use and x.size and math.prod(x.shape[2:]) == 1:
        raise ValueError(f"instance_norm needs more than one position for each channel, got x of shape {x.shape}")


def _core(x: Array, groups: int) -> tuple[GroupNorm, tuple[int, int]]:
    """The normalization, and the shape of x as a matrix with a row for each sample."""
    length = math.prod(x.shape[2:])
    return GroupNorm(groups, length), (x.shape[0], x.shape[1] * length)


def _run(x: Array, groups: int, weight: Array | None, bias: Array | None, y: Array, eps: float) -> Array:
    core, shape = _core(x, groups)
    if x.size:
        core.run(x.reshape(shape), weight, bias, y.reshape(shape), eps)
    return y


def _run_backward(g: Array, x: Array, groups: int, weight: Array | None, eps: float) -> tuple[Array, Array, Array]:
    core, shape = _core(x, groups)
    gradients = np.empty_like(x), np.zeros(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype)
    if x.size:
        core.backward(g.reshape(shape), x.reshape(shape), weight, gradients[0].reshape(shape), *gradients[1:], eps)
    return gradients


def _update(x: Array, running_mean: Array, running_var: Array, momentum: float) -> None:
    """Move running statistics towards the means over the samples of those of x."""
    rows = math.prod(x.shape[:2])
    columns = np.ascontiguousarray(x.reshape(rows, -1).T)  # one for each channel of a sample
    mean, var = np.zeros(rows, x.dtype), np.ones(rows, x.dtype)
    batch_norm(columns, mean, var, None, None, np.empty_like(columns), True, 1.0, 1e-5)
    for running, new in ((running_mean, mean), (running_var, var)):
        running[...] = (1 - momentum) * running + momentum * new.reshape(x.shape[:2]).mean(axis=0)

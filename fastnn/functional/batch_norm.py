"""Batch normalization and its gradients."""

from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core import normalization as core
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function
from ._normalization import apart, check_eps, checked, checked_gradient, new_gradients

__all__ = ["batch_norm", "batch_norm_backward"]


def batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    out: Array | None = None,
) -> Array:
    """Batch normalization (Ioffe and Szegedy 2015): each feature gets mean 0 and variance 1, then weight and bias.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    In training mean and biased variance are those of x over all axes but the last, otherwise the running ones. Training
    also updates the running statistics, with the unbiased variance:

    running = (1 - momentum) * running + momentum * new

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (..., features)
    running_mean, running_var : ndarray of the same dtype, shape (features,)
        Running statistics. In training they are updated in place, and may both be None.
    weight, bias : ndarray of the same dtype, shape (features,), optional
        Without them 1 and 0.
    training : bool, default False
    momentum : float in [0, 1], default 0.1
        With 1 / n for the n-th batch the running statistics are averages of all batches.
    eps : float, at least 0, default 1e-5
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
        If shapes do not match, x is a scalar, eps or momentum is out of its range, x has a single row in training, the
        running statistics are missing or cannot be updated, or out is not C-contiguous, aligned and writable.

    Notes
    -----
    In training a feature with NaN or an infinity is NaN, and no other. Otherwise NaN gives NaN in its own place, and a
    running variance below -eps gives NaN. With eps = 0 a feature with variance 0 is NaN where x is its mean, and
    infinite elsewhere. An x without rows updates nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> running_mean, running_var = np.array([0.0]), np.array([1.0])
    >>> F.batch_norm(np.array([[1.0], [3.0]]), running_mean, running_var, training=True, momentum=0.5, eps=0)
    array([[-1.],
           [ 1.]])
    >>> running_mean, running_var
    (array([1.]), array([1.5]))
    """
    quick = core.quick_batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps, out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, (weight, bias) = checked(x, weight=weight, bias=bias)
        running = _running(x, running_mean, running_var, training)
        momentum = check.check_number("momentum", momentum, at_least=0.0, at_most=1.0)
        eps, y = check_eps(eps), check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("batch_norm")(x, *running, weight, bias, training, momentum, eps)
            return y
        if not training:
            running = apart(running[0], y), apart(running[1], y)
        weight, bias = apart(weight, y), apart(bias, y)
        x = check.without_overlap(x, y, in_place=True)
        core.batch_norm(x, *running, weight, bias, y, training, momentum, eps)
        return y


def batch_norm_backward(
    grad_output: Any,
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    training: bool = False,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Gradients of `batch_norm`.

    grad_x = (g - mean(g) - xhat mean(g xhat)) w / sqrt(variance + eps),   xhat = (x - mean) / sqrt(variance + eps)
    grad_weight = sum of g xhat,   grad_bias = sum of g,   over all axes but the last

    Here g is grad_output and w weight. Unless training, mean and variance do not depend on x, and the terms mean(g) and
    xhat mean(g xhat) are absent.

    Parameters
    ----------
    grad_output : ndarray, shape and dtype of x
        Gradient of the loss with respect to the output.
    x, running_mean, running_var, weight, training, eps
        As given to `batch_norm`. In training the running statistics are not used.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shapes of x, (features,) and (features,)
        Without a weight, grad_weight is the gradient for a weight of 1.

    Raises
    ------
    TypeError, ValueError
        As `batch_norm`; also if grad_output differs from x in dtype or shape.

    Notes
    -----
    In training NaN in x or grad_output gives NaN in its feature's column of grad_x. Otherwise grad_x does not depend on
    x, and NaN in grad_output gives NaN in its own place.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> g, x = np.array([[1.0], [3.0]]), np.array([[1.0], [5.0]])
    >>> grad_x, grad_weight, grad_bias = F.batch_norm_backward(g, x, np.array([1.0]), np.array([4.0]), eps=0)
    >>> grad_x, grad_weight, grad_bias
    (array([[0.5],
           [1.5]]), array([6.]), array([4.]))
    """
    with SHORT_ERRORS:
        g, x, (weight,) = checked_gradient(grad_output, x, weight=weight)
        running = (
            _running(x, None, None, True) if training is True else _running(x, running_mean, running_var, training)
        )
        eps = check_eps(eps)
        if dispatch.get_reference():
            gradients = reference_function("batch_norm_backward")(g, x, *running, weight, training, eps)
            return gradients[0], gradients[1], gradients[2]
        gradients = new_gradients(x)
        core.batch_norm_backward(g, x, *running, weight, *gradients, eps)
        return gradients


def _running(x: Array, running_mean: Any, running_var: Any, training: bool) -> tuple[Array | None, Array | None]:
    """The running statistics, checked: in training they must be writable, and x must have more than one row."""
    if not isinstance(training, bool):
        raise TypeError(f"training must be True or False, got {training!r}")
    given = {"running_mean": running_mean, "running_var": running_var}
    missing = [name for name, array in given.items() if array is None]
    if len(missing) == 1 or (missing and not training):
        raise ValueError(
            f"{missing[0]} must be given" + (" where the other one is" if training else " unless training")
        )
    _, (mean, variance) = checked(x, **given)
    if training:
        if x.size and x.size == x.shape[-1]:
            raise ValueError("x must have more than 1 row when training, got 1: it has no variance to normalize by")
        for name, array, found in (("running_mean", running_mean, mean), ("running_var", running_var, variance)):
            if found is not None and (found is not array or not found.flags.writeable):
                raise ValueError(f"{name} must be a writable, C-contiguous ndarray, since it is updated in place")
    return mean, variance

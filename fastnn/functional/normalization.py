"""Layer, root mean square and batch normalization, and their gradients."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import normalization as core
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function

__all__ = [
    "batch_norm",
    "batch_norm_backward",
    "layer_norm",
    "layer_norm_backward",
    "rms_norm",
    "rms_norm_backward",
]

_LAYER, _RMS = core.RowNorm("layer_norm"), core.RowNorm("rms_norm")
_EPSILON = {dtype: float(np.finfo(dtype).eps) for dtype in check.DTYPES}


def layer_norm(x: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5, *, out: Array | None = None) -> Array:
    """Layer normalization (Ba, Kiros and Hinton 2016): each row gets mean 0 and variance 1, then weight and bias.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    Mean and biased variance are those of the last axis.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (..., features)
    weight, bias : ndarray of the same dtype, shape (features,), optional
        Without them 1 and 0.
    eps : float, at least 0, default 1e-5
    out : ndarray like x, optional
        Written and returned; may be x itself.

    Returns
    -------
    y : ndarray, shape and dtype of x

    Raises
    ------
    TypeError
        If the arrays differ in dtype or are not float32 or float64, or eps is not a number.
    ValueError
        If shapes do not match, x is a scalar, eps is negative, or out is not C-contiguous, aligned and writable.

    Notes
    -----
    A row with NaN or an infinity is NaN, and no other. With eps = 0 a row of equal numbers is NaN (0 / 0), as in
    PyTorch. A large mean costs no accuracy: it is kept as the sum of two numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.layer_norm(np.array([[1.0, 3.0], [4.0, 0.0]]), eps=0)
    array([[-1.,  1.],
           [ 1., -1.]])
    """
    quick = _LAYER.quick(x, weight, bias, eps, out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, (weight, bias) = _checked(x, weight=weight, bias=bias)
        eps, y = _check_eps(eps), check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("layer_norm")(x, weight, bias, eps)
            return y
        weight, bias = _apart(weight, y), _apart(bias, y)
        _LAYER.run(check.without_overlap(x, y, in_place=True), weight, bias, y, eps)
        return y


def layer_norm_backward(grad_output: Any, x: Any, weight: Any = None, eps: float = 1e-5) -> tuple[Array, Array, Array]:
    """Gradients of `layer_norm`.

    grad_x = (g w - mean(g w) - xhat mean(g w xhat)) / sqrt(variance + eps),   xhat = (x - mean) / sqrt(variance + eps)
    grad_weight = sum of g xhat,   grad_bias = sum of g,   over all axes but the last

    Here g is grad_output and w weight.

    Parameters
    ----------
    grad_output : ndarray, shape and dtype of x
        Gradient of the loss with respect to the output.
    x, weight, eps
        As given to `layer_norm`.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shapes of x, (features,) and (features,)
        Without a weight, grad_weight is the gradient for a weight of 1.

    Raises
    ------
    TypeError, ValueError
        As `layer_norm`; also if grad_output differs from x in dtype or shape.

    Notes
    -----
    NaN in x or grad_output gives NaN in its row of grad_x. In grad_weight a row of x with NaN makes everything NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> grad_x, grad_weight, grad_bias = F.layer_norm_backward(np.array([[1.0, 3.0]]), np.array([[5.0, 1.0]]), eps=0)
    >>> grad_weight, grad_bias
    (array([ 1., -3.]), array([1., 3.]))
    """
    quick = _LAYER.quick_backward(grad_output, x, weight, eps)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        g, x, (weight,) = _checked_gradient(grad_output, x, weight=weight)
        eps = _check_eps(eps)
        if dispatch.get_reference():
            grad_x, grad_weight, grad_bias = reference_function("layer_norm_backward")(g, x, weight, eps)
            return grad_x, grad_weight, grad_bias
        gradients = _new_gradients(x)
        _LAYER.backward(g, x, weight, *gradients, eps)
        return gradients


def rms_norm(x: Any, weight: Any = None, eps: float | None = None, *, out: Array | None = None) -> Array:
    """Root mean square normalization (Zhang and Sennrich 2019): `layer_norm` without subtraction of the mean.

    y = x / sqrt(mean(x^2) + eps) * weight

    The mean is that of the last axis.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (..., features)
    weight : ndarray of the same dtype, shape (features,), optional
        Without it 1.
    eps : float, at least 0, optional
        By default the machine epsilon of x's dtype, as in PyTorch.
    out : ndarray like x, optional
        Written and returned; may be x itself.

    Returns
    -------
    y : ndarray, shape and dtype of x

    Raises
    ------
    TypeError
        If the arrays differ in dtype or are not float32 or float64, or eps is not a number.
    ValueError
        If shapes do not match, x is a scalar, eps is negative, or out is not C-contiguous, aligned and writable.

    Notes
    -----
    A row with NaN is NaN. An infinity becomes NaN, and the finite numbers of its row 0. With eps = 0 a row of zeros is
    NaN (0 / 0).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.rms_norm(np.array([[1.0, 7.0]]), eps=0).round(4)
    array([[0.2, 1.4]])
    """
    if eps is None and type(x) is np.ndarray:
        eps = _EPSILON.get(x.dtype)
    quick = _RMS.quick(x, weight, None, eps, out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, (weight,) = _checked(x, weight=weight)
        eps = _EPSILON[x.dtype] if eps is None else _check_eps(eps)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("rms_norm")(x, weight, eps)
            return y
        _RMS.run(check.without_overlap(x, y, in_place=True), _apart(weight, y), None, y, eps)
        return y


def rms_norm_backward(grad_output: Any, x: Any, weight: Any = None, eps: float | None = None) -> tuple[Array, Array]:
    """Gradients of `rms_norm`.

    grad_x = (g w - xhat mean(g w xhat)) / sqrt(mean(x^2) + eps),   xhat = x / sqrt(mean(x^2) + eps)
    grad_weight = sum of g xhat over all axes but the last

    Here g is grad_output and w weight.

    Parameters
    ----------
    grad_output : ndarray, shape and dtype of x
        Gradient of the loss with respect to the output.
    x, weight, eps
        As given to `rms_norm`.

    Returns
    -------
    grad_x, grad_weight : ndarrays, shapes of x and (features,)
        Without a weight, grad_weight is the gradient for a weight of 1.

    Raises
    ------
    TypeError, ValueError
        As `rms_norm`; also if grad_output differs from x in dtype or shape.

    Notes
    -----
    NaN in x or grad_output gives NaN in its row of grad_x. In grad_weight a row of x with NaN makes everything NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> grad_x, grad_weight = F.rms_norm_backward(np.array([[1.0, 0.0]]), np.array([[1.0, 7.0]]), eps=0)
    >>> grad_x.round(4), grad_weight.round(4)
    (array([[ 0.196, -0.028]]), array([0.2, 0. ]))
    """
    if eps is None and type(x) is np.ndarray:
        eps = _EPSILON.get(x.dtype)
    quick = _RMS.quick_backward(grad_output, x, weight, eps)
    if quick is not None:
        return quick[:2]
    with SHORT_ERRORS:
        g, x, (weight,) = _checked_gradient(grad_output, x, weight=weight)
        eps = _EPSILON[x.dtype] if eps is None else _check_eps(eps)
        if dispatch.get_reference():
            grad_x, grad_weight = reference_function("rms_norm_backward")(g, x, weight, eps)
            return grad_x, grad_weight
        gradients = _new_gradients(x)
        _RMS.backward(g, x, weight, *gradients, eps)
        return gradients[:2]


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
        x, (weight, bias) = _checked(x, weight=weight, bias=bias)
        running = _running(x, running_mean, running_var, training)
        momentum = check.check_number("momentum", momentum, at_least=0.0, at_most=1.0)
        eps, y = _check_eps(eps), check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("batch_norm")(x, *running, weight, bias, training, momentum, eps)
            return y
        if not training:
            running = _apart(running[0], y), _apart(running[1], y)
        weight, bias = _apart(weight, y), _apart(bias, y)
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
    g, x, (weight,) = _checked_gradient(grad_output, x, weight=weight)
    running = _running(x, None, None, True) if training is True else _running(x, running_mean, running_var, training)
    eps = _check_eps(eps)
    if dispatch.get_reference():
        gradients = reference_function("batch_norm_backward")(g, x, *running, weight, training, eps)
        return gradients[0], gradients[1], gradients[2]
    gradients = _new_gradients(x)
    core.batch_norm_backward(g, x, *running, weight, *gradients, eps)
    return gradients


def _checked(x: Any, **vectors: Any) -> tuple[Array, list[Array | None]]:
    """x, and the vectors of one number for each of its features, checked; those that are None stay None."""
    x = check.as_array("x", x)
    if x.ndim < 1:
        raise ValueError("x must have shape (..., features), got a scalar")
    arrays = {name: None if v is None else check.as_array(name, v) for name, v in vectors.items()}
    check.check_same_dtype(x=x, **arrays)
    for name, array in arrays.items():
        if array is not None:
            check.check_shape(name, array, x.shape[-1:], f"for x of shape {x.shape}")
    return x, list(arrays.values())


def _checked_gradient(grad_output: Any, x: Any, **vectors: Any) -> tuple[Array, Array, list[Array | None]]:
    g = check.as_array("grad_output", grad_output)
    x, arrays = _checked(x, **vectors)
    check.check_same_dtype(grad_output=g, x=x)
    check.check_same_shape(x=x, grad_output=g)
    return g, x, arrays


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
    _, (mean, variance) = _checked(x, **given)
    if training:
        if x.size and x.size == x.shape[-1]:
            raise ValueError("x must have more than 1 row when training, got 1: it has no variance to normalize by")
        for name, array, checked in (("running_mean", running_mean, mean), ("running_var", running_var, variance)):
            if checked is not None and (checked is not array or not checked.flags.writeable):
                raise ValueError(f"{name} must be a writable, C-contiguous ndarray, since it is updated in place")
    return mean, variance


def _apart(vector: Array | None, y: Array) -> Array | None:
    return None if vector is None else check.without_overlap(vector, y)


def _check_eps(eps: Any) -> float:
    return check.check_number("eps", eps, at_least=0.0)


def _new_gradients(x: Array) -> tuple[Array, Array, Array]:
    """Uninitialized arrays for the gradients with respect to x, weight and bias."""
    return np.empty_like(x), np.empty(x.shape[-1], x.dtype), np.empty(x.shape[-1], x.dtype)

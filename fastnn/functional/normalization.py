"""Layer and root mean square normalization, which are of rows, and their gradients; `batch_norm` is of columns."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.normalization import RowNorm
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function
from ._normalization import apart, check_eps, check_rows, checked, checked_gradient, new_gradients

__all__ = ["layer_norm", "layer_norm_backward", "rms_norm", "rms_norm_backward"]

_LAYER, _RMS = RowNorm("layer_norm"), RowNorm("rms_norm")
_EPSILON = {dtype: float(np.finfo(dtype).eps) for dtype in check.DTYPES}


def layer_norm(
    x: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    normalized_shape: Any = None,
    *,
    out: Array | None = None,
) -> Array:
    """Layer normalization (Ba, Kiros and Hinton 2016): each row gets mean 0 and variance 1, then weight and bias.

    y = (x - mean) / sqrt(variance + eps) * weight + bias

    Mean and biased variance are those of the last axis or, with normalized_shape, of the last axes of this shape.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (..., features)
    weight, bias : ndarray of the same dtype, shape (features,), optional
        Without them 1 and 0.
    eps : float, at least 0, default 1e-5
    normalized_shape : int or sequence of int, optional
        The shape at the end of x, and that of weight and bias, to normalize over several axes.
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
    if normalized_shape is not None:
        return _several(layer_norm, x, normalized_shape, eps, out, weight=weight, bias=bias)
    quick = _LAYER.quick(x, weight, bias, eps, out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, (weight, bias) = checked(x, weight=weight, bias=bias)
        eps, y = check_eps(eps), check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("layer_norm")(x, weight, bias, eps)
            return y
        weight, bias = apart(weight, y), apart(bias, y)
        _LAYER.run(check.without_overlap(x, y, in_place=True), weight, bias, y, eps)
        return y


def layer_norm_backward(
    grad_output: Any, x: Any, weight: Any = None, eps: float = 1e-5, normalized_shape: Any = None
) -> tuple[Array, Array, Array]:
    """Gradients of `layer_norm`.

    grad_x = (g w - mean(g w) - xhat mean(g w xhat)) / sqrt(variance + eps),   xhat = (x - mean) / sqrt(variance + eps)
    grad_weight = sum of g xhat,   grad_bias = sum of g,   over all axes but the last

    Here g is grad_output and w weight.

    Parameters
    ----------
    grad_output : ndarray, shape and dtype of x
        Gradient of the loss with respect to the output.
    x, weight, eps, normalized_shape
        As given to `layer_norm`.

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shapes of x, (features,) and (features,), or normalized_shape
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
    if normalized_shape is not None:
        return _several_backward(layer_norm_backward, grad_output, x, weight, normalized_shape, eps)
    quick = _LAYER.quick_backward(grad_output, x, weight, eps)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        g, x, (weight,) = checked_gradient(grad_output, x, weight=weight)
        eps = check_eps(eps)
        if dispatch.get_reference():
            grad_x, grad_weight, grad_bias = reference_function("layer_norm_backward")(g, x, weight, eps)
            return grad_x, grad_weight, grad_bias
        gradients = new_gradients(x)
        _LAYER.backward(g, x, weight, *gradients, eps)
        return gradients


def rms_norm(
    x: Any, weight: Any = None, eps: float | None = None, normalized_shape: Any = None, *, out: Array | None = None
) -> Array:
    """Root mean square normalization (Zhang and Sennrich 2019): `layer_norm` without subtraction of the mean.

    y = x / sqrt(mean(x^2) + eps) * weight

    The mean is that of the last axis or, with normalized_shape, of the last axes of this shape.

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (..., features)
    weight : ndarray of the same dtype, shape (features,), optional
        Without it 1.
    eps : float, at least 0, optional
        By default the machine epsilon of x's dtype, as in PyTorch.
    normalized_shape : int or sequence of int, optional
        The shape at the end of x, and that of weight, to normalize over several axes.
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
    if normalized_shape is not None:
        return _several(rms_norm, x, normalized_shape, eps, out, weight=weight)
    if eps is None and type(x) is np.ndarray:
        eps = _EPSILON.get(x.dtype)
    quick = _RMS.quick(x, weight, None, eps, out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, (weight,) = checked(x, weight=weight)
        eps = _EPSILON[x.dtype] if eps is None else check_eps(eps)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("rms_norm")(x, weight, eps)
            return y
        _RMS.run(check.without_overlap(x, y, in_place=True), apart(weight, y), None, y, eps)
        return y


def rms_norm_backward(
    grad_output: Any, x: Any, weight: Any = None, eps: float | None = None, normalized_shape: Any = None
) -> tuple[Array, Array]:
    """Gradients of `rms_norm`.

    grad_x = (g w - xhat mean(g w xhat)) / sqrt(mean(x^2) + eps),   xhat = x / sqrt(mean(x^2) + eps)
    grad_weight = sum of g xhat over all axes but the last

    Here g is grad_output and w weight.

    Parameters
    ----------
    grad_output : ndarray, shape and dtype of x
        Gradient of the loss with respect to the output.
    x, weight, eps, normalized_shape
        As given to `rms_norm`.

    Returns
    -------
    grad_x, grad_weight : ndarrays, shapes of x and (features,), or normalized_shape
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
    if normalized_shape is not None:
        return _several_backward(rms_norm_backward, grad_output, x, weight, normalized_shape, eps)
    if eps is None and type(x) is np.ndarray:
        eps = _EPSILON.get(x.dtype)
    quick = _RMS.quick_backward(grad_output, x, weight, eps)
    if quick is not None:
        return quick[:2]
    with SHORT_ERRORS:
        g, x, (weight,) = checked_gradient(grad_output, x, weight=weight)
        eps = _EPSILON[x.dtype] if eps is None else check_eps(eps)
        if dispatch.get_reference():
            grad_x, grad_weight = reference_function("rms_norm_backward")(g, x, weight, eps)
            return grad_x, grad_weight
        gradients = new_gradients(x)
        _RMS.backward(g, x, weight, *gradients, eps)
        return gradients[:2]


def _several(function: Any, x: Any, normalized_shape: Any, eps: Any, out: Array | None, **vectors: Any) -> Array:
    """A normalization of rows over several axes."""
    with SHORT_ERRORS:
        x = check.as_array("x", x)
        _, (rows, *flat) = check_rows(x, normalized_shape, **vectors)
        y = check.check_output(out, x.shape, x.dtype)
        function(rows, *flat, eps=eps, out=y.reshape(rows.shape))
        return y


def _several_backward(function: Any, grad_output: Any, x: Any, weight: Any, normalized_shape: Any, eps: Any) -> Any:
    """The gradients of a normalization of rows over several axes."""
    with SHORT_ERRORS:
        x = check.as_array("x", x)
        shape, (rows, w, g) = check_rows(x, normalized_shape, weight=weight, grad_output=grad_output)
        grad_x, *vectors = function(g, rows, w, eps)
        return grad_x.reshape(x.shape), *(vector.reshape(shape) for vector in vectors)

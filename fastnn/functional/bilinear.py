"""The bilinear map of two inputs, its gradients, and one-hot rows of labels."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import distances as core
from .._core import linear as products
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function
from ._symbolic import symbolic

__all__ = ["bilinear", "bilinear_backward", "one_hot"]


def bilinear(x1: Any, x2: Any, weight: Any, bias: Any = None) -> Array:
    """Bilinear map of two inputs.

    y_k = sum_ij x1_i weight_kij x2_j + bias_k

    Parameters
    ----------
    x1 : ndarray of float32 or float64, shape (..., in1_features)
    x2 : ndarray of the same dtype, shape (..., in2_features)
        With the same axes before the last.
    weight : ndarray of the same dtype, shape (out_features, in1_features, in2_features)
    bias : ndarray of the same dtype, shape (out_features,), optional

    Returns
    -------
    y : ndarray, shape (..., out_features), dtype of x1

    Raises
    ------
    TypeError
        If the arrays differ in dtype, or are not float32 or float64.
    ValueError
        If shapes do not match.

    Notes
    -----
    Computed as a product of x1 with all of weight, of shape (rows, out_features * in2_features), and a dot product with
    x2 for each output. NaN gives NaN in all outputs of its row. It is `torch.nn.functional.bilinear`.

    In a traced `forward` it is compiled as the products x1_i x2_j, in1_features * in2_features columns, and one product
    with the weight.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.bilinear(np.array([[1.0, 2.0]]), np.array([[3.0]]), np.array([[[1.0], [0.5]]]))
    array([[6.]])
    """
    if (symbol := symbolic(x1, x2, weight, bias)) is not None:
        traced: Array = symbol.apply("bilinear", x1, x2, weight, bias)
        return traced
    with SHORT_ERRORS:
        x1, x2, weight, bias = _checked(x1, x2, weight, bias)
        if dispatch.get_reference():
            return np.asarray(reference_function("bilinear")(x1, x2, weight, bias))
        z, second = _products(x1, x2, weight)[2:]
        out = np.empty((*x1.shape[:-1], len(weight)), x1.dtype)
        core.bilinear(None, z, second, bias, out, len(weight))
        return out


def bilinear_backward(grad_output: Any, x1: Any, x2: Any, weight: Any) -> tuple[Array, Array, Array, Array]:
    """Gradients of `bilinear`.

    grad_x1_i = sum_kj g_k weight_kij x2_j,   grad_x2_j = sum_ki g_k weight_kij x1_i
    grad_weight_kij = sum over rows of g_k x1_i x2_j,   grad_bias_k = sum over rows of g_k,   g = grad_output

    Parameters
    ----------
    grad_output : ndarray, shape (..., out_features), dtype of x1
        Gradient of the loss with respect to the output.
    x1, x2, weight
        As given to `bilinear`.

    Returns
    -------
    grad_x1, grad_x2, grad_weight, grad_bias : ndarrays, shapes of x1, x2, weight and (out_features,)

    Raises
    ------
    TypeError, ValueError
        As `bilinear`; also if grad_output differs from the output in dtype or shape.

    Notes
    -----
    NaN gives NaN in all elements that it enters.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> x1, x2, weight = np.array([[1.0, 2.0]]), np.array([[3.0]]), np.array([[[1.0], [0.5]]])
    >>> grad_x1, grad_x2, grad_weight, grad_bias = F.bilinear_backward(np.ones((1, 1)), x1, x2, weight)
    >>> grad_x1, grad_x2, grad_bias
    (array([[3. , 1.5]]), array([[2.]]), array([1.]))
    """
    with SHORT_ERRORS:
        g = check.as_array("grad_output", grad_output)
        x1, x2, weight, _ = _checked(x1, x2, weight, None)
        outs, n1, n2 = weight.shape
        check.check_same_dtype(grad_output=g, x1=x1)
        check.check_shape("grad_output", g, (*x1.shape[:-1], outs), "for these x1 and weight")
        if dispatch.get_reference():
            return tuple(reference_function("bilinear_backward")(g, x1, x2, weight))
        first, wide, z, second = _products(x1, x2, weight)
        grad_x1, grad_x2 = np.empty(x1.shape, x1.dtype), np.empty(x2.shape, x1.dtype)
        core.bilinear(g, z, second, None, grad_x2, outs)  # z becomes its gradient
        grad_wide, sums = np.empty_like(wide), np.empty(outs * n2, x1.dtype)
        products.linear_backward(z, first, wide, grad_x1.reshape(first.shape), grad_wide, sums)
        grad_weight = np.ascontiguousarray(grad_wide.reshape(n1, outs, n2).transpose(1, 0, 2))
        return grad_x1, grad_x2, grad_weight, _sums(g.reshape(len(first), outs))


def one_hot(labels: Any, num_classes: int = -1) -> Array:
    """One-hot rows of labels: 1 at the label, 0 elsewhere.

    Parameters
    ----------
    labels : ndarray of integers, any shape
        From 0 to num_classes - 1.
    num_classes : int, default -1
        The number of classes; by default the largest label + 1.

    Returns
    -------
    y : ndarray of int64, shape (*labels.shape, num_classes)

    Raises
    ------
    TypeError
        If labels are no integers, or num_classes is none.
    ValueError
        If a label is out of range, or there are no labels to find the number of classes by.

    Notes
    -----
    It is `torch.nn.functional.one_hot`. Targets of losses are floats: `one_hot(labels).astype("float32")`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> F.one_hot(np.array([2, 0]))
    array([[0, 0, 1],
           [1, 0, 0]])
    """
    with SHORT_ERRORS:
        labels = check.from_any("labels", labels)
        if labels.dtype.kind not in "iu":
            raise TypeError(f"labels must be integers, got {labels.dtype}: use labels.astype('int64')")
        classes = check.check_integer("num_classes", num_classes, at_least=-1)
        if classes == -1:
            if not labels.size:
                raise ValueError("labels is empty: num_classes must be given")
            classes = int(labels.max()) + 1
        bad = np.argwhere((labels < 0) | (labels >= classes))
        if len(bad):
            where = ", ".join(map(str, bad[0]))
            least = "at least 0" if num_classes == -1 else f"between 0 and {classes - 1}"
            raise ValueError(f"labels[{where}] is {labels[tuple(bad[0])]}: labels must be {least}")
        if dispatch.get_reference():
            return np.asarray(reference_function("one_hot")(labels, classes))
        y = np.zeros((*labels.shape, classes), "int64")
        y.reshape(-1)[np.arange(labels.size) * classes + labels.reshape(-1).astype("int64")] = 1
        return y


def _checked(x1: Any, x2: Any, weight: Any, bias: Any) -> tuple[Array, Array, Array, Array | None]:
    x1, x2 = check.as_array("x1", x1), check.as_array("x2", x2)
    weight = check.as_array("weight", weight)
    bias = None if bias is None else check.as_array("bias", bias)
    check.check_same_dtype(x1=x1, x2=x2, weight=weight, bias=bias)
    if weight.ndim != 3:
        raise ValueError(f"weight must have shape (out_features, in1_features, in2_features), got {weight.shape}")
    for name, x, n in (("x1", x1, weight.shape[1]), ("x2", x2, weight.shape[2])):
        if x.ndim < 1 or x.shape[-1] != n:
            raise ValueError(f"{name} must have shape (..., {n}) for weight of shape {weight.shape}, got {x.shape}")
    if x1.shape[:-1] != x2.shape[:-1]:
        raise ValueError(f"x1 and x2 must have the same axes before the last, got shapes {x1.shape} and {x2.shape}")
    if bias is not None:
        check.check_shape("bias", bias, weight.shape[:1], f"for weight of shape {weight.shape}")
    return x1, x2, weight, bias


def _products(x1: Array, x2: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """x1 as rows, weight as a matrix of (in1_features, out_features * in2_features), their product, x2 as rows."""
    outs, n1, n2 = weight.shape
    rows = int(np.prod(x1.shape[:-1], dtype="int64"))
    first, second = x1.reshape(rows, n1), x2.reshape(rows, n2)
    wide = np.ascontiguousarray(weight.transpose(1, 0, 2)).reshape(n1, outs * n2)
    z = np.empty((rows, outs * n2), x1.dtype)
    products.linear(first, wide, None, z)
    return first, wide, z, second


def _sums(g: Array) -> Array:
    """Column sums in the order of the rows, as those of `linear_backward`."""
    rows, outs = g.shape
    sums, nothing = np.empty(outs, g.dtype), np.empty((rows, 0), g.dtype)
    products.linear_backward(g, nothing, np.empty((0, outs), g.dtype), nothing, np.empty((0, outs), g.dtype), sums)
    return sums

"""The affine map of a layer, with its activation, and its gradients."""

import math
from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import linear as core
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function
from ._symbolic import symbolic

__all__ = ["linear", "linear_backward"]

# Those that have a kernel for their gradient too; gelu_tanh is gelu with an argument.
ACTIVATIONS = tuple(
    name
    for name, (_, group) in dispatch.PLACES.items()
    if group == "map1"
    and f"{name}_backward" in dispatch.PLACES
    and name not in ("gelu_tanh", "affine", "reciprocal")  # the last two are arithmetic with numbers
)
# The parameters of those that have some, by default.
DEFAULTS = {
    "leaky_relu": (0.01,),
    "elu": (1.0,),
    "celu": (1.0,),
    "softplus": (1.0, 20.0),
    "hardtanh": (-1.0, 1.0),
    "threshold": (0.0, 0.0),
    "softshrink": (0.5,),
    "hardshrink": (0.5,),
}


def _checked(x: Array, weight: Array, bias: Array | None) -> None:
    check.check_same_dtype(x=x, weight=weight, bias=bias)
    if weight.ndim != 2:
        raise ValueError(f"weight must have shape (in_features, out_features), got {weight.shape}")
    if x.ndim < 1 or x.shape[-1] != weight.shape[0]:
        given = f"{x.shape[-1]} features" if x.ndim else "no features (it is a scalar)"
        raise ValueError(f"linear: x has {given}, weight of shape {weight.shape} takes {weight.shape[0]}")
    if bias is not None:
        check.check_shape("bias", bias, weight.shape[1:], f"for weight of shape {weight.shape}")


def linear(x: Any, weight: Any, bias: Any = None, activation: str | None = None, *, out: Array | None = None) -> Array:
    """Affine map with an optional activation, in one pass.

    y = activation(x W + b)

    Parameters
    ----------
    x : ndarray of float32 or float64, shape (..., in_features)
    weight : ndarray of the same dtype, shape (in_features, out_features)
        W: the transpose of PyTorch's.
    bias : ndarray of the same dtype, shape (out_features,), optional
        b; without it 0.
    activation : str, optional
        Name of an elementwise activation of this module ("relu", "tanh", ...), with its default parameters.
    out : ndarray, shape (..., out_features), optional
        Written and returned; may overlap the inputs, which are then copied first.

    Returns
    -------
    y : ndarray, shape (..., out_features), dtype of x

    Raises
    ------
    TypeError
        If the arrays differ in dtype, or are not float32 or float64.
    ValueError
        If shapes do not match, the activation is unknown, or out is not C-contiguous, aligned and writable.

    Notes
    -----
    Each output is one chain of fused multiply-adds over the inputs in ascending order, starting from the bias: its bits
    depend neither on the other rows nor on the number of threads or the instruction set (x86 without FMA excepted).
    Zeros are not skipped, so NaN gives NaN, and so does 0 * inf.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> x, weight, bias = np.array([[1.0, 2.0]]), np.array([[1.0, -1.0], [0.5, -2.0]]), np.array([0.5, 0.0])
    >>> F.linear(x, weight, bias)
    array([[ 2.5, -5. ]])
    >>> F.linear(x, weight, bias, activation="relu")
    array([[2.5, 0. ]])
    """
    params = DEFAULTS.get(activation or "", ())
    if activation is None or activation in ACTIVATIONS:
        quick = core.quick_linear(x, weight, bias, out, activation, *params)
        if quick is not None:
            return quick
    if (symbol := symbolic(x, weight, bias)) is not None:
        y = symbol.apply("linear", x, weight, bias)
        return y if activation is None else y.apply(activation, y, *params)
    with SHORT_ERRORS:
        x, weight = check.as_array("x", x), check.as_array("weight", weight)
        bias = None if bias is None else check.as_array("bias", bias)
        _checked(x, weight, bias)
        check.check_choice("activation", activation, (None, *ACTIVATIONS))
        y = check.check_output(out, (*x.shape[:-1], weight.shape[1]), x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("linear")(x, weight, bias, activation)
            return y
        x, weight = check.without_overlap(x, y), check.without_overlap(weight, y)
        bias = None if bias is None else check.without_overlap(bias, y)
        rows = x.size // x.shape[-1] if x.shape[-1] else math.prod(x.shape[:-1])
        core.linear(x.reshape(rows, x.shape[-1]), weight, bias, y.reshape(rows, weight.shape[1]), activation, *params)
        return y


def linear_backward(grad_output: Any, x: Any, weight: Any) -> tuple[Array, Array, Array]:
    """Gradients of `linear` without activation.

    grad_x = g W^T,   grad_weight = x^T g,   grad_bias = column sums of g,   g = grad_output

    Parameters
    ----------
    grad_output : ndarray of float32 or float64, shape (..., out_features)
        Gradient of the loss with respect to the output.
    x : ndarray of the same dtype, shape (..., in_features)
    weight : ndarray of the same dtype, shape (in_features, out_features)

    Returns
    -------
    grad_x, grad_weight, grad_bias : ndarrays, shapes of x, weight and (out_features,)

    Raises
    ------
    TypeError
        If the arrays differ in dtype, or are not float32 or float64.
    ValueError
        If shapes do not match.

    Notes
    -----
    Sums over rows run in ascending order, one chain for each element. NaN gives NaN in all elements that it enters.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import functional as F
    >>> x, weight = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> grad_x, grad_weight, grad_bias = F.linear_backward(np.ones((1, 1)), x, weight)
    >>> grad_x, grad_bias
    (array([[3., 4.]]), array([1.]))
    >>> grad_weight
    array([[1.],
           [2.]])
    """
    quick = core.quick_linear_backward(grad_output, x, weight)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        g, x = check.as_array("grad_output", grad_output), check.as_array("x", x)
        weight = check.as_array("weight", weight)
        check.check_same_dtype(grad_output=g, x=x, weight=weight)
        _checked(x, weight, None)
        check.check_shape("grad_output", g, (*x.shape[:-1], weight.shape[1]), "for these x and weight")
        if dispatch.get_reference():
            grad_x, grad_weight, grad_bias = reference_function("linear_backward")(g, x, weight)
            return grad_x, grad_weight, grad_bias
        n_in, n_out = weight.shape
        rows = math.prod(x.shape[:-1])
        grad_x = np.empty((rows, n_in), x.dtype)
        grad_weight, grad_bias = np.empty_like(weight), np.empty(n_out, x.dtype)
        core.linear_backward(g.reshape(rows, n_out), x.reshape(rows, n_in), weight, grad_x, grad_weight, grad_bias)
        return grad_x.reshape(x.shape), grad_weight, grad_bias

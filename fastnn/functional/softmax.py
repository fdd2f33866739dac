"""Softmax with temperature, its logarithm, softmin, and their gradients."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.parametric import dot, quick_dot
from .._core.softmax import Rows1, Rows2
from .._frames import SHORT_ERRORS
from ._axes import as_rows, axis_of, put_rows
from ._documentation import documented
from ._elementwise import Array, reference_function
from ._symbolic import Symbolic

__all__ = [
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

_FORWARD = {name: Rows1(name) for name in ("softmax", "softmin", "log_softmax")}
_BACKWARD = {name: Rows2(f"{name}_backward") for name in _FORWARD}

FORWARD = """
Parameters
----------
x : ndarray of float32 or float64, at least one dimension
axis : int, default -1
temperature : float above 0, default 1.0
    T above; at least the smallest normal number of x's dtype.
dim : int, optional
    PyTorch's name of axis.
dtype : {{"float32", "float64"}}, optional
    Convert x before; without it x keeps its dtype.
out : ndarray like y, optional
    Written and returned; may be x itself.

Returns
-------
y : ndarray, shape and dtype of x, or of dtype

Raises
------
TypeError
    If x is not float32 or float64, axis is not an integer, temperature is not a number, or out has another dtype.
ValueError
    If x has no such axis, axis and dim are both given, dtype is neither of these, temperature is out of its range, or
    out has another shape or is not C-contiguous, aligned and writable.
"""

BACKWARD = """
Parameters
----------
grad_output : ndarray of float32 or float64
    Gradient of the loss with respect to the output.
output : ndarray, shape and dtype of grad_output
    The output of `{forward}`.
axis, temperature
    As given to `{forward}`.
out : ndarray like output, optional
    Written and returned; may be one of the inputs.

Returns
-------
grad_x : ndarray, shape and dtype of output

Raises
------
TypeError, ValueError
    As `{forward}`; also if grad_output and output differ in dtype or shape.

Notes
-----
A slice along axis with NaN in grad_output gives NaN.
"""

TEMPERATURE_BACKWARD = """
Parameters
----------
grad_output : ndarray of float32 or float64
    Gradient of the loss with respect to the output.
output, x : ndarray, shape and dtype of grad_output
    The output of `{of}`, and its input.
axis, temperature
    As given to `{of}`.

Returns
-------
grad_temperature : float

Raises
------
TypeError, ValueError
    As `{of}`; also if the arrays differ in dtype or shape.

Notes
-----
Entries where grad_x is 0 add nothing, whatever x is there, so a logit of -inf does no harm. NaN in other entries, or in
grad_output, gives NaN.
"""


def _forward(
    name: str, x: Any, axis: int, temperature: float, out: Array | None, dim: int | None = None, dtype: Any = None
) -> Any:
    if dim is not None or dtype is not None:
        if isinstance(x, Symbolic):
            return x.apply(name, x, axis if dim is None else dim, temperature)
        with SHORT_ERRORS:
            x, axis = _as_torch(x, axis, dim, dtype)
    quick = _FORWARD[name].quick(x, axis, temperature, out)
    if quick is not None:
        return quick
    if isinstance(x, Symbolic):
        return x.apply(name, x, axis, temperature)
    with SHORT_ERRORS:
        x = check.as_array("x", x)
        axis = axis_of("x", x, axis)
        temperature = check.check_temperature(temperature, x.dtype)
        out = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            out[...] = reference_function(name)(x, axis, temperature)
            return out
        rows = as_rows(check.without_overlap(x, out, in_place=True), axis)
        result = out.reshape(rows.shape) if axis == x.ndim - 1 and x.size else np.empty_like(rows)
        _FORWARD[name].run(rows, result, 1.0 / temperature)
        return put_rows(result, out, axis)


def _as_torch(x: Any, axis: int, dim: int | None, dtype: Any) -> tuple[Array, int]:
    """x in the dtype, and the axis, where they are given as PyTorch's keywords."""
    if dim is not None and axis != -1:
        raise ValueError(f"dim is another name of axis: give one of them, got axis={axis} and dim={dim}")
    x = check.as_array("x", x)
    return x if dtype is None else x.astype(check.check_dtype(dtype), copy=False), axis if dim is None else dim


def _backward(name: str, grad_output: Any, output: Any, axis: int, temperature: float, out: Array | None) -> Array:
    quick = _BACKWARD[name].quick(grad_output, output, axis, temperature, out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        g, y = check.as_array("grad_output", grad_output), check.as_array("output", output)
        check.check_same_dtype(grad_output=g, output=y)
        check.check_same_shape(output=y, grad_output=g)
        axis = axis_of("output", y, axis)
        temperature = check.check_temperature(temperature, y.dtype)
        out = check.check_output(out, y.shape, y.dtype)
        if dispatch.get_reference():
            out[...] = reference_function(f"{name}_backward")(g, y, axis, temperature)
            return out
        g, y = (as_rows(check.without_overlap(a, out, in_place=True), axis) for a in (g, y))
        result = np.empty_like(y)
        _BACKWARD[name].run(g, y, result, 1.0 / temperature)
        return put_rows(result, out, axis)


def _temperature_backward(name: str, grad_output: Any, output: Any, x: Any, axis: int, temperature: float) -> float:
    grad_x = _backward(name, grad_output, output, axis, temperature, None)
    quick = quick_dot(x, grad_x)
    if quick is not None:
        return float(-quick / temperature)
    with SHORT_ERRORS:
        x = check.as_array("x", x)
        check.check_same_dtype(x=x, output=grad_x)
        check.check_same_shape(output=grad_x, x=x)
        if dispatch.get_reference():
            g, y = check.as_array("grad_output", grad_output), check.as_array("output", output)
            return float(reference_function(f"{name}_temperature_backward")(g, y, x, axis, temperature))
        return float(-dot(x, grad_x) / temperature)


@documented(FORWARD)
def softmax(
    x: Any,
    axis: int = -1,
    temperature: float = 1.0,
    *,
    dim: int | None = None,
    dtype: Any = None,
    out: Array | None = None,
) -> Array:
    """Softmax along an axis, with a temperature.

    y_i = exp(x_i / T) / sum_j exp(x_j / T)

    A low temperature T sharpens the distribution, a high one spreads it (`entropy` measures that); the order of the
    entries stays. Calibration by temperature: Guo et al. 2017.

    Notes
    -----
    The largest entry is subtracted first, so nothing overflows. Entries of -inf give 0. A slice along axis with NaN or
    +inf, or of -inf alone, is NaN, as in PyTorch.

    >>> F.softmax(np.log(np.array([1.0, 3.0]))).round(4)
    array([0.25, 0.75])
    >>> F.softmax(np.log(np.array([1.0, 3.0])), temperature=0.5).round(4)
    array([0.1, 0.9])
    """
    return _forward("softmax", x, axis, temperature, out, dim, dtype)


@documented(BACKWARD)
def softmax_backward(
    grad_output: Any, output: Any, axis: int = -1, temperature: float = 1.0, *, out: Array | None = None
) -> Array:
    """Gradient of `softmax` with respect to x; takes its output, as ATen's.

    grad_x_i = y_i * (g_i - sum_j g_j y_j) / T,   g = grad_output, y = output

    >>> F.softmax_backward(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([ 0.25, -0.25])
    """
    return _backward("softmax", grad_output, output, axis, temperature, out)


@documented(FORWARD)
def softmin(
    x: Any,
    axis: int = -1,
    temperature: float = 1.0,
    *,
    dim: int | None = None,
    dtype: Any = None,
    out: Array | None = None,
) -> Array:
    """Softmax of -x: the smallest entry has the largest share.

    y_i = exp(-x_i / T) / sum_j exp(-x_j / T)

    Notes
    -----
    Entries of +inf give 0. A slice along axis with NaN or -inf, or of +inf alone, is NaN, as in PyTorch.

    >>> F.softmin(np.log(np.array([1.0, 3.0]))).round(4)
    array([0.75, 0.25])
    """
    return _forward("softmin", x, axis, temperature, out, dim, dtype)


@documented(BACKWARD)
def softmin_backward(
    grad_output: Any, output: Any, axis: int = -1, temperature: float = 1.0, *, out: Array | None = None
) -> Array:
    """Gradient of `softmin` with respect to x; takes its output.

    grad_x_i = -y_i * (g_i - sum_j g_j y_j) / T,   g = grad_output, y = output

    >>> F.softmin_backward(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([-0.25,  0.25])
    """
    return _backward("softmin", grad_output, output, axis, temperature, out)


@documented(FORWARD)
def log_softmax(
    x: Any,
    axis: int = -1,
    temperature: float = 1.0,
    *,
    dim: int | None = None,
    dtype: Any = None,
    out: Array | None = None,
) -> Array:
    """Logarithm of `softmax`, without the underflow of its small entries.

    y_i = x_i / T - log(sum_j exp(x_j / T))

    Notes
    -----
    The largest entry is subtracted first, so nothing overflows. Entries of -inf give -inf. A slice along axis with NaN
    or +inf, or of -inf alone, is NaN, as in PyTorch.

    >>> F.log_softmax(np.array([0.0, 0.0])).round(4)
    array([-0.6931, -0.6931])
    """
    return _forward("log_softmax", x, axis, temperature, out, dim, dtype)


@documented(BACKWARD)
def log_softmax_backward(
    grad_output: Any, output: Any, axis: int = -1, temperature: float = 1.0, *, out: Array | None = None
) -> Array:
    """Gradient of `log_softmax` with respect to x; takes its output, as ATen's.

    grad_x_i = (g_i - exp(y_i) * sum_j g_j) / T,   g = grad_output, y = output

    >>> F.log_softmax_backward(np.array([1.0, 0.0]), np.log(np.array([0.5, 0.5]))).round(4)
    array([ 0.5, -0.5])
    """
    return _backward("log_softmax", grad_output, output, axis, temperature, out)


@documented(TEMPERATURE_BACKWARD, of="softmax")
def softmax_temperature_backward(
    grad_output: Any, output: Any, x: Any, axis: int = -1, temperature: float = 1.0
) -> float:
    """Gradient of a loss with respect to the temperature of a `softmax`.

    grad_temperature = -(1 / T) * sum(x * grad_x),   grad_x = softmax_backward(grad_output, output, axis, T)

    This is Euler's theorem: softmax is homogeneous of degree 0 in (x, T).

    >>> x = np.log(np.array([1.0, 3.0]))
    >>> round(F.softmax_temperature_backward(np.array([1.0, 0.0]), F.softmax(x), x), 4)
    0.206
    """
    return _temperature_backward("softmax", grad_output, output, x, axis, temperature)


@documented(TEMPERATURE_BACKWARD, of="log_softmax")
def log_softmax_temperature_backward(
    grad_output: Any, output: Any, x: Any, axis: int = -1, temperature: float = 1.0
) -> float:
    """Gradient of a loss with respect to the temperature of a `log_softmax`.

    grad_temperature = -(1 / T) * sum(x * grad_x),   grad_x = log_softmax_backward(grad_output, output, axis, T)

    >>> x = np.log(np.array([1.0, 3.0]))
    >>> round(F.log_softmax_temperature_backward(np.array([1.0, 0.0]), F.log_softmax(x), x), 4)
    0.824
    """
    return _temperature_backward("log_softmax", grad_output, output, x, axis, temperature)


@documented(TEMPERATURE_BACKWARD, of="softmin")
def softmin_temperature_backward(
    grad_output: Any, output: Any, x: Any, axis: int = -1, temperature: float = 1.0
) -> float:
    """Gradient of a loss with respect to the temperature of a `softmin`.

    grad_temperature = -(1 / T) * sum(x * grad_x),   grad_x = softmin_backward(grad_output, output, axis, T)

    >>> x = np.log(np.array([1.0, 3.0]))
    >>> round(F.softmin_temperature_backward(np.array([1.0, 0.0]), F.softmin(x), x), 4)
    -0.206
    """
    return _temperature_backward("softmin", grad_output, output, x, axis, temperature)

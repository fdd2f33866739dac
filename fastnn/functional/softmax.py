"""Softmax with temperature, its logarithm, entropy, and their gradients."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.parametric import dot, quick_dot
from .._core.softmax import Rows1, Rows2
from .._frames import USE, shortened
from ._elementwise import Array, reference_function

__all__ = [
    "entropy",
    "entropy_backward",
    "entropy_with_logits",
    "entropy_with_logits_backward",
    "log_softmax",
    "log_softmax_backward",
    "log_softmax_temperature_backward",
    "softmax",
    "softmax_backward",
    "softmax_temperature_backward",
]

_FORWARD = {"softmax": Rows1("softmax"), "log_softmax": Rows1("log_softmax")}
_BACKWARD = {name: Rows2(f"{name}_backward") for name in _FORWARD}
_ENTROPY = {name: Rows1(name) for name in ("entropy", "entropy_with_logits")}
_ENTROPY_GRADIENT = {name: Rows2(f"{name}_backward") for name in _ENTROPY}


def _axis_of(name: str, x: Array, axis: int) -> int:
    axis = check.check_integer("axis", axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis must be between {-x.ndim} and {x.ndim - 1} for {name} of shape {x.shape}, got {axis}")
    return axis % x.ndim


def _rows(x: Array, axis: int) -> Array:
    """`x` as a contiguous matrix whose rows run along `axis`."""
    moved = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    return moved.reshape(-1, moved.shape[-1]) if x.size else np.empty((0, 1), x.dtype)


def _put_rows(rows: Array, out: Array, axis: int) -> Array:
    """Write the matrix made by `_rows` back into the layout of `out`."""
    moved = np.moveaxis(out, axis, -1)
    if out.size and not np.shares_memory(rows, out):
        moved[...] = rows.reshape(moved.shape)
    return out


def _forward(name: str, x: Any, axis: int, temperature: float, out: Array | None) -> Array:
    quick = _FORWARD[name].quick(x, axis, temperature, out)
    if quick is not None:
        return quick
    try:
        x = check.as_array("x", x)
        axis = _axis_of("x", x, axis)
        temperature = check.check_temperature(temperature, x.dtype)
        out = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            out[...] = reference_function(name)(x, axis, temperature)
            return out
        rows = _rows(check.without_overlap(x, out, in_place=True), axis)
        result = out.reshape(rows.shape) if axis == x.ndim - 1 and x.size else np.empty_like(rows)
        _FORWARD[name].run(rows, result, 1.0 / temperature)
        return _put_rows(result, out, axis)
    except USE as error:
        raise shortened(error)  # noqa: B904


def _backward(name: str, grad_output: Any, output: Any, axis: int, temperature: float, out: Array | None) -> Array:
    quick = _BACKWARD[name].quick(grad_output, output, axis, temperature, out)
    if quick is not None:
        return quick
    try:
        g, y = check.as_array("grad_output", grad_output), check.as_array("output", output)
        check.check_same_dtype(grad_output=g, output=y)
        check.check_same_shape(output=y, grad_output=g)
        axis = _axis_of("output", y, axis)
        temperature = check.check_temperature(temperature, y.dtype)
        out = check.check_output(out, y.shape, y.dtype)
        if dispatch.get_reference():
            out[...] = reference_function(f"{name}_backward")(g, y, axis, temperature)
            return out
        g, y = (_rows(check.without_overlap(a, out, in_place=True), axis) for a in (g, y))
        result = np.empty_like(y)
        _BACKWARD[name].run(g, y, result, 1.0 / temperature)
        return _put_rows(result, out, axis)
    except USE as error:
        raise shortened(error)  # noqa: B904


def _temperature_backward(name: str, grad_output: Any, output: Any, x: Any, axis: int, temperature: float) -> float:
    grad_x = _backward(name, grad_output, output, axis, temperature, None)
    quick = quick_dot(x, grad_x)
    if quick is not None:
        return float(-quick / temperature)
    x = check.as_array("x", x)
    check.check_same_dtype(x=x, output=grad_x)
    check.check_same_shape(output=grad_x, x=x)
    if dispatch.get_reference():
        g, y = check.as_array("grad_output", grad_output), check.as_array("output", output)
        return float(reference_function(f"{name}_temperature_backward")(g, y, x, axis, temperature))
    return float(-dot(x, grad_x) / temperature)


def softmax(x: Any, axis: int = -1, temperature: float = 1.0, *, out: Array | None = None) -> Array:
    """Softmax along an axis, at a temperature.

    y_i = exp(x_i / T) / sum_j exp(x_j / T)

    The sum is 1 and the order of the entries the same at every temperature; a low one sharpens the distribution, a high
    one spreads it (`entropy` measures that).

    Parameters
    ----------
    x : ndarray of float32 or float64, at least one dimension
    axis : int, default -1
    temperature : float above 0, default 1.0
    out : ndarray like x, optional
        Written and returned; may be x itself.

    Returns
    -------
    y : ndarray, shape and dtype of x

    Raises
    ------
    TypeError
        If x is not float32 or float64.
    ValueError
        If axis is out of range or temperature not above 0.

    Notes
    -----
    The largest entry is subtracted first, so nothing overflows. Entries of -inf give 0. A slice with NaN or +inf, or
    all of whose entries are -inf, is NaN, as in PyTorch.
    """
    return _forward("softmax", x, axis, temperature, out)


def softmax_backward(
    grad_output: Any, output: Any, axis: int = -1, temperature: float = 1.0, *, out: Array | None = None
) -> Array:
    """Gradient of `softmax` with respect to x; takes the output, as ATen's.

    grad_x_i = y_i * (g_i - sum_j g_j y_j) / T

    Parameters
    ----------
    grad_output, output : ndarray of one shape and dtype
        The gradient g with respect to the output, and the output y.
    axis, temperature
        As given to `softmax`.
    out : ndarray like output, optional

    Returns
    -------
    grad_x : ndarray, shape and dtype of output
    """
    return _backward("softmax", grad_output, output, axis, temperature, out)


def log_softmax(x: Any, axis: int = -1, temperature: float = 1.0, *, out: Array | None = None) -> Array:
    """Logarithm of `softmax`, without its underflow.

    y_i = x_i / T - log(sum_j exp(x_j / T))

    Parameters, errors and special values as for `softmax`.
    """
    return _forward("log_softmax", x, axis, temperature, out)


def log_softmax_backward(
    grad_output: Any, output: Any, axis: int = -1, temperature: float = 1.0, *, out: Array | None = None
) -> Array:
    """Gradient of `log_softmax` with respect to x; takes the output, as ATen's.

    grad_x_i = (g_i - exp(y_i) * sum_j g_j) / T

    Parameters as for `softmax_backward`.
    """
    return _backward("log_softmax", grad_output, output, axis, temperature, out)


def softmax_temperature_backward(
    grad_output: Any, output: Any, x: Any, axis: int = -1, temperature: float = 1.0
) -> float:
    """Gradient of a loss with respect to the temperature of a `softmax`.

    dL/dT = -(1 / T) * sum(x * grad_x),   grad_x = softmax_backward(grad_output, output)

    by Euler's theorem: softmax is homogeneous of degree 0 in (x, T). Entries whose gradient is 0 count for nothing, so
    a logit of -inf does no harm.

    Parameters
    ----------
    grad_output, output, x : ndarray of one shape and dtype
    axis, temperature
        As given to `softmax`.

    Returns
    -------
    grad_temperature : float
    """
    return _temperature_backward("softmax", grad_output, output, x, axis, temperature)


def log_softmax_temperature_backward(
    grad_output: Any, output: Any, x: Any, axis: int = -1, temperature: float = 1.0
) -> float:
    """Gradient of a loss with respect to the temperature of a `log_softmax`.

    Parameters, result and formula as for `softmax_temperature_backward`, with the output of `log_softmax`.
    """
    return _temperature_backward("log_softmax", grad_output, output, x, axis, temperature)


def entropy(p: Any, axis: int = -1) -> Array:
    """Entropy of distributions along an axis, in nats.

    H = -sum_i p_i log p_i,   with 0 log 0 = 0

    Between 0 (one entry is 1) and log n (all n are equal).

    Parameters
    ----------
    p : ndarray of float32 or float64, at least one dimension
        Probabilities; that they sum to 1 is not checked. A negative one gives NaN.
    axis : int, default -1

    Returns
    -------
    h : ndarray of p's dtype, without that axis (a scalar for one dimension)
    """
    return _entropy("entropy", "p", p, axis, None)


def entropy_backward(grad_output: Any, p: Any, axis: int = -1) -> Array:
    """Gradient of `entropy`.

    grad_p_i = -(log p_i + 1) * g

    Parameters
    ----------
    grad_output : ndarray or scalar of p's dtype, shape of the entropy
    p : ndarray, as given to `entropy`
    axis : int, default -1

    Returns
    -------
    grad_p : ndarray, shape and dtype of p; infinite where p is 0, which `softmax_backward` makes 0 again

    Notes
    -----
    Of a softmax, `entropy_with_logits_backward` has the gradient in one step.
    """
    return _entropy_backward("entropy", "p", grad_output, p, axis, None)


def entropy_with_logits(x: Any, axis: int = -1, temperature: float = 1.0) -> Array:
    """Entropy of softmax(x / T) along an axis, in nats, without a step over its probabilities.

    H = log(sum_j exp(z_j)) - sum_i p_i z_i,   z = x / T,  p = softmax(z)

    Parameters
    ----------
    x : ndarray of float32 or float64, at least one dimension
        Logits. One of -inf has probability 0 and counts for nothing; special values otherwise as for `softmax`.
    axis : int, default -1
    temperature : float above 0, default 1.0

    Returns
    -------
    h : ndarray of x's dtype, without that axis (a scalar for one dimension)
    """
    return _entropy("entropy_with_logits", "x", x, axis, temperature)


def entropy_with_logits_backward(grad_output: Any, x: Any, axis: int = -1, temperature: float = 1.0) -> Array:
    """Gradient of `entropy_with_logits`, finite for every probability.

    grad_x_i = p_i * (sum_j p_j z_j - z_i) * g / T,   0 where p_i is 0

    Parameters
    ----------
    grad_output : ndarray or scalar of x's dtype, shape of the entropy
    x, axis, temperature
        As given to `entropy_with_logits`.

    Returns
    -------
    grad_x : ndarray, shape and dtype of x
    """
    return _entropy_backward("entropy_with_logits", "x", grad_output, x, axis, temperature)


def _entropy_arguments(
    argument: str, value: Any, axis: int, temperature: float | None
) -> tuple[Array, int, tuple[float, ...]]:
    """The array, its axis, and the temperature if there is one, checked."""
    x = check.as_array(argument, value)
    axis = _axis_of(argument, x, axis)
    given = () if temperature is None else (check.check_temperature(temperature, x.dtype),)
    return x, axis, given


def _entropy(name: str, argument: str, value: Any, axis: int, temperature: float | None) -> Array:
    quick = _ENTROPY[name].quick_number(value, axis, temperature)
    if quick is not None:
        return quick
    try:
        x, axis, given = _entropy_arguments(argument, value, axis, temperature)
        if dispatch.get_reference():
            return np.asarray(reference_function(name)(x, axis, *given), x.dtype)[()]
        h = np.zeros(x.shape[:axis] + x.shape[axis + 1 :], x.dtype)
        if x.size:
            _ENTROPY[name].run(_rows(x, axis), h, *(1.0 / t for t in given))
        return h[()]
    except USE as error:
        raise shortened(error)  # noqa: B904


def _entropy_backward(
    name: str, argument: str, grad_output: Any, value: Any, axis: int, temperature: float | None
) -> Array:
    quick = _ENTROPY_GRADIENT[name].quick_number(grad_output, value, axis, temperature)
    if quick is not None:
        return quick
    try:
        x, axis, given = _entropy_arguments(argument, value, axis, temperature)
        g = check.as_array("grad_output", grad_output)
        check.check_same_dtype(**{"grad_output": g, argument: x})
        check.check_shape("grad_output", g, x.shape[:axis] + x.shape[axis + 1 :], f"({argument} without its axis)")
        if dispatch.get_reference():
            return np.asarray(reference_function(f"{name}_backward")(g, x, axis, *given))
        out = np.empty_like(x)
        if x.size:
            rows = _rows(x, axis)
            result = np.empty_like(rows)
            _ENTROPY_GRADIENT[name].run(g, rows, result, *(1.0 / t for t in given))
            _put_rows(result, out, axis)
        return out
    except USE as error:
        raise shortened(error)  # noqa: B904

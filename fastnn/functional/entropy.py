"""The entropy of distributions, given as probabilities or logits, and its gradients."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.softmax import Rows1, Rows2
from .._frames import SHORT_ERRORS
from ._axes import as_rows, axis_of, put_rows
from ._documentation import documented
from ._elementwise import Array, reference_function

__all__ = ["entropy", "entropy_backward", "entropy_with_logits", "entropy_with_logits_backward"]

_ENTROPY = {name: Rows1(name) for name in ("entropy", "entropy_with_logits")}
_ENTROPY_GRADIENT = {name: Rows2(f"{name}_backward") for name in _ENTROPY}

PROBABILITIES = """p : ndarray of float32 or float64, at least one dimension
    Probabilities, 0 or more; that they sum to 1 is not checked."""
LOGITS = """x : ndarray of float32 or float64, at least one dimension
    Logits."""
TEMPERATURE = """
temperature : float above 0, default 1.0
    T above; at least the smallest normal number of x's dtype."""

ENTROPY = """
Parameters
----------
{x}
axis : int, default -1{temperature}

Returns
-------
h : ndarray of {dtype}'s dtype, without that axis (a scalar for one dimension)

Raises
------
TypeError
    If {dtype} is not float32 or float64, or another argument is not a number.
ValueError
    If {dtype} has no such axis{values}.
"""

ENTROPY_BACKWARD = """
Parameters
----------
grad_output : ndarray or scalar of {dtype}'s dtype, shape of the entropy
{same}
    As given to `{forward}`.

Returns
-------
grad_{dtype} : ndarray, shape and dtype of {dtype}

Raises
------
TypeError, ValueError
    As `{forward}`; also if grad_output differs from the entropy in dtype or shape.
"""


@documented(ENTROPY, x=PROBABILITIES, dtype="p", temperature="", values="")
def entropy(p: Any, axis: int = -1) -> Array:
    """Entropy of distributions along an axis, in nats (Shannon 1948).

    h = -sum_i p_i log p_i,   with 0 log 0 = 0

    Between 0, if one entry is 1, and log n, if all n are equal.

    Notes
    -----
    A slice along axis with NaN or a negative entry gives NaN.

    >>> F.entropy(np.array([[0.5, 0.5], [0.25, 0.75]])).round(4)
    array([0.6931, 0.5623])
    """
    return _entropy("entropy", "p", p, axis, None)


@documented(ENTROPY_BACKWARD, dtype="p")
def entropy_backward(grad_output: Any, p: Any, axis: int = -1) -> Array:
    """Gradient of `entropy`.

    grad_p_i = -grad_output * (log p_i + 1)

    Notes
    -----
    It is infinite where p is 0, and NaN where p is NaN or negative. `entropy_with_logits_backward` returns the gradient
    with respect to the logits of a softmax, which is finite.

    >>> F.entropy_backward(np.array(1.0), np.array([0.5, 0.5])).round(4)
    array([-0.3069, -0.3069])
    """
    return _entropy_backward("entropy", "p", grad_output, p, axis, None)


@documented(ENTROPY, x=LOGITS, dtype="x", temperature=TEMPERATURE, values=", or temperature is out of its range")
def entropy_with_logits(x: Any, axis: int = -1, temperature: float = 1.0) -> Array:
    """Entropy of softmax(x / T) along an axis, in nats, computed from the logits.

    h = log(sum_j exp(z_j)) - sum_i p_i z_i,   z = x / T,  p = softmax(z)

    Notes
    -----
    A logit of -inf has probability 0 and adds nothing. A slice along axis with NaN or +inf, or of -inf alone, is NaN.

    >>> F.entropy_with_logits(np.array([[1.0, 1.0], [0.0, 1.0]])).round(4)
    array([0.6931, 0.5822])
    """
    return _entropy("entropy_with_logits", "x", x, axis, temperature)


@documented(ENTROPY_BACKWARD, dtype="x")
def entropy_with_logits_backward(grad_output: Any, x: Any, axis: int = -1, temperature: float = 1.0) -> Array:
    """Gradient of `entropy_with_logits`, finite for every finite x.

    grad_x_i = p_i * (sum_j p_j z_j - z_i) * grad_output / T,   z = x / T,  p = softmax(z)

    Notes
    -----
    It is 0 where x is -inf. A slice along axis with NaN or +inf, or of -inf alone, is NaN.

    >>> F.entropy_with_logits_backward(np.array(1.0), np.array([0.0, 1.0])).round(4)
    array([ 0.1966, -0.1966])
    """
    return _entropy_backward("entropy_with_logits", "x", grad_output, x, axis, temperature)


def _entropy_arguments(
    argument: str, value: Any, axis: int, temperature: float | None
) -> tuple[Array, int, tuple[float, ...]]:
    """The array, its axis, and the temperature if there is one, checked."""
    x = check.as_array(argument, value)
    axis = axis_of(argument, x, axis)
    given = () if temperature is None else (check.check_temperature(temperature, x.dtype),)
    return x, axis, given


def _entropy(name: str, argument: str, value: Any, axis: int, temperature: float | None) -> Array:
    quick = _ENTROPY[name].quick_number(value, axis, temperature)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, axis, given = _entropy_arguments(argument, value, axis, temperature)
        if dispatch.get_reference():
            return np.asarray(reference_function(name)(x, axis, *given), x.dtype)[()]
        h = np.zeros(x.shape[:axis] + x.shape[axis + 1 :], x.dtype)
        if x.size:
            _ENTROPY[name].run(as_rows(x, axis), h, *(1.0 / t for t in given))
        return h[()]


def _entropy_backward(
    name: str, argument: str, grad_output: Any, value: Any, axis: int, temperature: float | None
) -> Array:
    quick = _ENTROPY_GRADIENT[name].quick_number(grad_output, value, axis, temperature)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        x, axis, given = _entropy_arguments(argument, value, axis, temperature)
        g = check.as_array("grad_output", grad_output)
        check.check_same_dtype(**{"grad_output": g, argument: x})
        check.check_shape("grad_output", g, x.shape[:axis] + x.shape[axis + 1 :], f"({argument} without its axis)")
        if dispatch.get_reference():
            return np.asarray(reference_function(f"{name}_backward")(g, x, axis, *given))
        out = np.empty_like(x)
        if x.size:
            rows = as_rows(x, axis)
            result = np.empty_like(rows)
            _ENTROPY_GRADIENT[name].run(g, rows, result, *(1.0 / t for t in given))
            put_rows(result, out, axis)
        return out

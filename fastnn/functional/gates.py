"""Gates, which combine several features to one, and their gradients; all work on the last axis."""

import math
from typing import Any

from .. import _validation as check
from .._core import dispatch
from .._core.softmax import Rows1, Rows2
from .._frames import SHORT_ERRORS
from ._documentation import documented
from ._elementwise import Array, reference_function
from ._symbolic import Symbolic

__all__ = ["glu", "glu_backward", "maxout", "maxout_backward", "swiglu", "swiglu_backward"]

_NAMES = ("glu", "swiglu", "maxout")
_FORWARD = {name: Rows1(name) for name in _NAMES}
_BACKWARD = {name: Rows2(f"{name}_backward") for name in _NAMES}


FORWARD = """
Parameters
----------
x : ndarray of float32 or float64, shape (..., {share})
{params}out : ndarray, shape (..., features), optional
    Written and returned.

Returns
-------
y : ndarray, shape (..., features), dtype of x

Raises
------
TypeError
    If x is not float32 or float64, or out has another dtype{types}.
ValueError
    If x is a scalar, the length of its last axis {even}, or out has another shape or is
    not C-contiguous, aligned and writable{values}.
"""

BACKWARD = """
Parameters
----------
grad_output : ndarray, shape (..., features), dtype of x
    Gradient of the loss with respect to the output.
{same}
    As given to `{forward}`.
out : ndarray like x, optional
    Written and returned.

Returns
-------
grad_x : ndarray, shape and dtype of x

Raises
------
TypeError, ValueError
    As `{forward}`; also if grad_output differs from the output in dtype or shape.

Notes
-----
{nan}
"""

POOL_SIZE = "pool_size : int, at least 1, default 2\n    Number of features of a pool.\n"


@documented(FORWARD, share="2 * features", even="is not an even number", types="", values="")
def glu(x: Any, *, out: Array | None = None) -> Array:
    """Gated linear unit (Dauphin et al. 2017) over the last axis.

    y = a * sigmoid(b),   where x = [a, b], two halves

    Notes
    -----
    NaN in either half gives NaN, and so does a = inf with b = -inf (inf * 0).

    >>> F.glu(np.array([1.0, 2.0, 0.0, 0.0]))
    array([0.5, 1. ])
    """
    return _forward("glu", x, 2, (), out)


@documented(BACKWARD, nan="NaN in grad_output, a or b gives NaN where it enters the formula.")
def glu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `glu`.

    grad_a = grad_output * sigmoid(b),   grad_b = grad_output * a * sigmoid(b) * (1 - sigmoid(b)),
    grad_x = [grad_a, grad_b]

    >>> F.glu_backward(np.ones(2), np.array([1.0, 2.0, 0.0, 0.0]))
    array([0.5 , 0.5 , 0.25, 0.5 ])
    """
    return _backward("glu", grad_output, x, 2, (), out)


@documented(FORWARD, share="2 * features", even="is not an even number", types="", values="")
def swiglu(x: Any, *, out: Array | None = None) -> Array:
    """Gated SiLU (Shazeer 2020) over the last axis.

    y = silu(a) * b,   where x = [a, b], two halves

    Notes
    -----
    NaN in either half gives NaN.

    >>> F.swiglu(np.array([0.0, 2.0, 3.0, 0.5])).round(4)
    array([0.    , 0.8808])
    """
    return _forward("swiglu", x, 2, (), out)


@documented(BACKWARD, nan="NaN in grad_output, a or b gives NaN where it enters the formula.")
def swiglu_backward(grad_output: Any, x: Any, *, out: Array | None = None) -> Array:
    """Gradient of `swiglu`.

    grad_a = grad_output * b * silu'(a),   grad_b = grad_output * silu(a),   grad_x = [grad_a, grad_b]

    >>> F.swiglu_backward(np.ones(2), np.array([0.0, 2.0, 3.0, 0.5])).round(4)
    array([1.5   , 0.5454, 0.    , 1.7616])
    """
    return _backward("swiglu", grad_output, x, 2, (), out)


@documented(
    FORWARD,
    share="features * pool_size",
    even="is not a multiple of pool_size",
    params=POOL_SIZE,
    types=", or pool_size is not an integer",
    values=", or pool_size is below 1",
)
def maxout(x: Any, pool_size: int = 2, *, out: Array | None = None) -> Array:
    """Largest of each pool of consecutive features (Goodfellow et al. 2013), over the last axis.

    y_i = max(x_(i k), ..., x_(i k + k - 1)),   k = pool_size

    Notes
    -----
    A pool with NaN gives NaN.

    >>> F.maxout(np.array([1.0, 3.0, 2.0, 2.5]))
    array([3. , 2.5])
    """
    return _forward("maxout", x, *_pool(pool_size), out)


@documented(BACKWARD, nan="In a pool with NaN the first NaN has the gradient.")
def maxout_backward(grad_output: Any, x: Any, pool_size: int = 2, *, out: Array | None = None) -> Array:
    """Gradient of `maxout`.

    grad_x_j = grad_output_i where x_j is the largest of pool i, else 0

    Of several equal ones the first has the gradient.

    >>> F.maxout_backward(np.ones(2), np.array([1.0, 3.0, 2.0, 2.0]))
    array([0., 1., 1., 0.])
    """
    return _backward("maxout", grad_output, x, *_pool(pool_size), out)


def _pool(pool_size: Any) -> tuple[int, tuple[int]]:
    pool = check.check_integer("pool_size", pool_size, at_least=1, at_most=check.MAX_ROWS)
    return pool, (pool,)


def _shape(name: str, x: Array, share: int) -> tuple[int, ...]:
    """The shape of the output, which has one feature for every `share` features of x."""
    if x.ndim == 0 or x.shape[-1] % share:
        given = f"{x.shape[-1]} features" if x.ndim else "no features (it is a scalar)"
        raise ValueError(f"{name}: x has {given}, but must have a multiple of {share}")
    return (*x.shape[:-1], x.shape[-1] // share)


def _forward(name: str, x: Any, share: int, params: tuple[int, ...], out: Array | None) -> Any:
    quick = _FORWARD[name].quick_share(x, share, float(share), out)
    if quick is not None:
        return quick
    if isinstance(x, Symbolic):
        return x.apply(name, x, *params)
    with SHORT_ERRORS:
        x = check.as_array("x", x)
        y = check.check_output(out, _shape(name, x, share), x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function(name)(x, *params)
        else:
            rows = math.prod(x.shape[:-1])
            x = check.without_overlap(x, y)
            _FORWARD[name].run(x.reshape(rows, x.shape[-1]), y.reshape(rows, y.shape[-1]), *map(float, params))
        return y


def _backward(name: str, grad_output: Any, x: Any, share: int, params: tuple[int, ...], out: Array | None) -> Array:
    quick = _BACKWARD[name].quick_share(grad_output, x, share, float(share), out)
    if quick is not None:
        return quick
    with SHORT_ERRORS:
        g, x = check.as_array("grad_output", grad_output), check.as_array("x", x)
        check.check_same_dtype(grad_output=g, x=x)
        check.check_shape("grad_output", g, _shape(name, x, share), f"for x of shape {x.shape}")
        grad_x = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            grad_x[...] = reference_function(f"{name}_backward")(g, x, *params)
        else:
            rows = math.prod(x.shape[:-1])
            g, x = check.without_overlap(g, grad_x), check.without_overlap(x, grad_x)
            g, x = g.reshape(rows, g.shape[-1]), x.reshape(rows, x.shape[-1])
            _BACKWARD[name].run(g, x, grad_x.reshape(x.shape), *map(float, params))
        return grad_x

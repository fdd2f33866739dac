"""Norms of slices, distances and cosines of pairs of vectors, and their gradients."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core.distances import Pairs
from .._core.softmax import Rows1, Rows2
from .._frames import SHORT_ERRORS
from ._axes import as_rows, axis_of, put_rows
from ._documentation import documented
from ._elementwise import Array, reference_function

__all__ = [
    "cosine_similarity",
    "cosine_similarity_backward",
    "normalize",
    "normalize_backward",
    "pairwise_distance",
    "pairwise_distance_backward",
]

_NORMALIZE, _NORMALIZE_BACKWARD = Rows1("normalize"), Rows2("normalize_backward")
_COSINE, _DISTANCE = Pairs("cosine_similarity"), Pairs("pairwise_distance")

ONE = """
Parameters
----------
{arrays}p : float, at least 0, default 2.0
    Of the norm (sum |x_i|^p)^(1/p); float("inf") for the largest |x_i|, 0 for the number of x_i that are not 0.
dim : int, default 1
    The axis along which the norm is taken.
eps : float, at least 0, default 1e-12
    The least divisor.
{out}
Returns
-------
{result} : ndarray, shape and dtype of x

Raises
------
TypeError
    If x is not float32 or float64, or another argument has the wrong type.
ValueError
    If x has no axis `dim`, or a number is out of its range{values}.

Notes
-----
{nan} Squares that over- or underflow are computed from scaled numbers. It is `torch.nn.functional.normalize`.
"""

PAIR = """
Parameters
----------
{upstream}x1, x2 : ndarray of float32 or float64, shape (..., features)
    Of one dtype; shapes are broadcast.
{params}
Returns
-------
{result}

Raises
------
TypeError
    If the arrays are not float32 or float64, or differ in dtype, or another argument has the wrong type.
ValueError
    If shapes do not match, or a number is out of its range.

Notes
-----
A pair of vectors with NaN or an infinity gives NaN{infinite}. Squares that over- or underflow are computed from scaled
numbers. It is `torch.nn.functional.{of}`.
"""

DIM = (
    "dim : int, default 1\n    The axis of the features.\neps : float, at least 0, default 1e-8\n    The least norm.\n"
)
DISTANCE = """p : float, at least 0, default 2.0
    Of the norm (sum |d_i|^p)^(1/p); float("inf") for the largest |d_i|, 0 for the number of d_i that are not 0.
eps : float, default 1e-6
    Added to each difference.
keepdim : bool, default False
    Whether the result keeps the last axis, with length 1.
"""
UPSTREAM = "grad_output : ndarray, shape of the output\n    Gradient of the loss with respect to the output.\n"


@documented(
    ONE,
    arrays="x : ndarray of float32 or float64\n",
    out="out : ndarray like x, optional\n    Written and returned; may be x itself.\n",
    result="y",
    values=", or out has another shape or is not C-contiguous, aligned and\n    writable",
    nan="A slice with NaN is NaN. With an infinity, its finite numbers are 0 and the infinity is NaN.",
)
def normalize(x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, *, out: Array | None = None) -> Array:
    """Vectors divided by their norm.

    y = x / max(|x|_p, eps)

    >>> F.normalize(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    with SHORT_ERRORS:
        x = check.as_array("x", x)
        axis, p, eps = axis_of("x", x, dim, "dim"), _norm_type("p", p), check.check_number("eps", eps, at_least=0.0)
        y = check.check_output(out, x.shape, x.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("normalize")(x, p, axis, eps)
            return y
        rows = as_rows(check.without_overlap(x, y, in_place=True), axis)
        result = y.reshape(rows.shape) if axis == x.ndim - 1 and x.size else np.empty_like(rows)
        _NORMALIZE.run(rows, result, p, eps)
        return put_rows(result, y, axis)


@documented(
    ONE,
    arrays=UPSTREAM + "x : ndarray of float32 or float64\n",
    out="",
    result="grad_x",
    values=", or grad_output has another shape than x",
    nan="A slice with NaN in x or grad_output is NaN.",
)
def normalize_backward(grad_output: Any, x: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Array:
    """Gradient of `normalize`.

    grad_x_i = (g_i - sum_j g_j y_j d|x| / dx_i) / |x|,   or g_i / eps where the norm |x| is below eps

    The derivative of the norm is 0 at x_i = 0 for p <= 1; of p = inf it is shared by the entries of largest magnitude.

    >>> F.normalize_backward(np.array([[1.0, 0.0]]), np.array([[3.0, 4.0]])).round(4)
    array([[ 0.128, -0.096]])
    """
    with SHORT_ERRORS:
        g, x = check.as_array("grad_output", grad_output), check.as_array("x", x)
        check.check_same_dtype(grad_output=g, x=x)
        check.check_same_shape(x=x, grad_output=g)
        axis, p, eps = axis_of("x", x, dim, "dim"), _norm_type("p", p), check.check_number("eps", eps, at_least=0.0)
        if dispatch.get_reference():
            return np.asarray(reference_function("normalize_backward")(g, x, p, axis, eps))
        g, rows = as_rows(g, axis), as_rows(x, axis)
        result = np.empty_like(rows)
        _NORMALIZE_BACKWARD.run(g, rows, result, p, eps)
        return put_rows(result, np.empty(x.shape, x.dtype), axis) if axis < x.ndim - 1 else result.reshape(x.shape)


@documented(
    PAIR,
    upstream="",
    params=DIM,
    result="y : ndarray, broadcast shape without the axis `dim`, dtype of x1",
    infinite="",
    of="cosine_similarity",
)
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Array:
    """Cosine of the angle between vectors.

    y = x1 . x2 / (max(|x1|, eps) max(|x2|, eps))

    >>> F.cosine_similarity(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]]))
    array([0.96])
    """
    with SHORT_ERRORS:
        a, b, *_ = _pair(x1, x2)
        axis, eps = axis_of("x1 and x2", a, dim, "dim"), check.check_number("eps", eps, at_least=0.0)
        if dispatch.get_reference():
            return np.asarray(reference_function("cosine_similarity")(a, b, axis, eps))
        return _values(_COSINE, a, b, axis, eps, 0.0)


@documented(
    PAIR,
    upstream=UPSTREAM,
    params=DIM,
    result="grad_x1, grad_x2 : ndarrays, shapes and dtype of x1 and x2",
    infinite=" in both gradients",
    of="cosine_similarity",
)
def cosine_similarity_backward(
    grad_output: Any, x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8
) -> tuple[Array, Array]:
    """Gradients of `cosine_similarity`.

    grad_x1 = g (x2 / |x2| - y x1 / |x1|) / |x1|,   and with x1 and x2 exchanged grad_x2

    A norm below eps is eps, but that of y x1 / |x1|, as in PyTorch, is not.

    >>> F.cosine_similarity_backward(np.ones(1), np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]]))
    (array([[0., 1.]]), array([[0.5, 0. ]]))
    """
    with SHORT_ERRORS:
        a, b, *shapes = _pair(x1, x2)
        axis, eps = axis_of("x1 and x2", a, dim, "dim"), check.check_number("eps", eps, at_least=0.0)
        g = _upstream(grad_output, a, (*a.shape[:axis], *a.shape[axis + 1 :]))
        if dispatch.get_reference():
            grad_a, grad_b = reference_function("cosine_similarity_backward")(g, a, b, axis, eps)
        else:
            grad_a = _gradient(_COSINE, g, a, b, axis, eps, 0.0)
            grad_b = _gradient(_COSINE, g, b, a, axis, eps, 0.0)
        return _like(grad_a, shapes[0]), _like(grad_b, shapes[1])


@documented(
    PAIR,
    upstream="",
    params=DISTANCE,
    result="y : ndarray, broadcast shape without its last axis, or with length 1 there, dtype of x1",
    infinite=", but a distance of infinity\nwhere the differences have no NaN",
    of="pairwise_distance",
)
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Array:
    """Distance between vectors, along the last axis.

    y = |x1 - x2 + eps|_p

    >>> F.pairwise_distance(np.array([[3.0, 0.0]]), np.array([[0.0, 4.0]]), eps=0.0)
    array([5.])
    """
    with SHORT_ERRORS:
        a, b, *_ = _pair(x1, x2)
        p, eps = _norm_type("p", p), check.check_number("eps", eps)
        keepdim = check.check_bool("keepdim", keepdim)
        axis = axis_of("x1 and x2", a, -1, "dim")
        if dispatch.get_reference():
            return np.asarray(reference_function("pairwise_distance")(a, b, p, eps, keepdim))
        y = _values(_DISTANCE, a, b, axis, p, eps)
        return y[..., None] if keepdim else y


@documented(
    PAIR,
    upstream=UPSTREAM,
    params=DISTANCE,
    result="grad_x1, grad_x2 : ndarrays, shapes and dtype of x1 and x2",
    infinite=" in both gradients",
    of="pairwise_distance",
)
def pairwise_distance_backward(
    grad_output: Any, x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> tuple[Array, Array]:
    """Gradients of `pairwise_distance`.

    grad_x1 = g d|d|_p / dd,   grad_x2 = -grad_x1,   with d = x1 - x2 + eps

    They are 0 where d is 0; entries that share the largest magnitude share the gradient of p = inf.

    >>> F.pairwise_distance_backward(np.ones(1), np.array([[3.0, 0.0]]), np.array([[0.0, 4.0]]), eps=0.0)
    (array([[ 0.6, -0.8]]), array([[-0.6,  0.8]]))
    """
    with SHORT_ERRORS:
        a, b, *shapes = _pair(x1, x2)
        p, eps = _norm_type("p", p), check.check_number("eps", eps)
        keepdim = check.check_bool("keepdim", keepdim)
        axis = axis_of("x1 and x2", a, -1, "dim")
        g = _upstream(grad_output, a, (*a.shape[:-1], 1) if keepdim else a.shape[:-1])
        if dispatch.get_reference():
            grad, _ = reference_function("pairwise_distance_backward")(g, a, b, p, eps, keepdim)
        else:
            grad = _gradient(_DISTANCE, g.reshape(a.shape[:-1]), a, b, axis, p, eps)
        return _like(grad, shapes[0]), _like(-grad, shapes[1])


def _norm_type(name: str, p: Any) -> float:
    return check.check_number(name, p, at_least=0.0)


def _pair(x1: Any, x2: Any) -> tuple[Array, Array, tuple[int, ...], tuple[int, ...]]:
    """x1 and x2, checked and broadcast to one shape, and the shapes that they had."""
    a, b = check.as_array("x1", x1), check.as_array("x2", x2)
    check.check_same_dtype(x1=a, x2=b)
    shapes = a.shape, b.shape
    if a.shape == b.shape:
        return a, b, *shapes
    try:
        a, b = np.broadcast_arrays(a, b)
    except ValueError:
        raise ValueError(f"x1 and x2 must have shapes that can be broadcast, got {a.shape} and {b.shape}") from None
    return a, b, *shapes


def _upstream(grad_output: Any, x: Array, shape: tuple[int, ...]) -> Array:
    g = check.as_array("grad_output", grad_output)
    check.check_same_dtype(grad_output=g, x1=x)
    check.check_shape("grad_output", g, shape, "for these x1 and x2")
    return g


def _like(grad: Array, shape: tuple[int, ...]) -> Array:
    """A gradient, summed over the axes along which its array, of this shape, was broadcast."""
    from ..reference.distances import summed_to

    return grad if grad.shape == shape else summed_to(grad, shape)


def _values(pairs: Pairs, a: Array, b: Array, axis: int, p: float, q: float) -> Array:
    shape = (*a.shape[:axis], *a.shape[axis + 1 :])
    rows = _matrix(a, axis)
    return pairs.run(None, rows, _matrix(b, axis), np.empty(len(rows), a.dtype), p, q).reshape(shape)


def _gradient(pairs: Pairs, g: Array, a: Array, b: Array, axis: int, p: float, q: float) -> Array:
    rows = _matrix(a, axis)
    grad = pairs.run(np.ascontiguousarray(g).reshape(-1), rows, _matrix(b, axis), np.empty_like(rows), p, q)
    moved = np.moveaxis(a, axis, -1).shape
    return np.ascontiguousarray(np.moveaxis(grad.reshape(moved), -1, axis))


def _matrix(x: Array, axis: int) -> Array:
    """`x` as a contiguous matrix whose rows are the slices along `axis`, of which there may be none."""
    moved = np.moveaxis(x, axis, -1)
    rows = 1
    for n in moved.shape[:-1]:
        rows *= n
    return np.ascontiguousarray(moved).reshape(rows, moved.shape[-1])

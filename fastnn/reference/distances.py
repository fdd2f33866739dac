"""Norms of slices, distances and cosines of pairs of rows, bilinear maps, one-hot rows, and the gradients."""

import math

import numpy as np

from .elementary import Array, unit_scale

__all__ = [
    "bilinear",
    "bilinear_backward",
    "cosine_similarity",
    "cosine_similarity_backward",
    "normalize",
    "normalize_backward",
    "one_hot",
    "pairwise_distance",
    "pairwise_distance_backward",
]


@np.errstate(all="ignore")
def normalize(x: Array, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Array:
    """Return x / max(norm, eps), with the p-norm along `dim`."""
    scale = _scale(x, p, dim, eps)
    return x * scale / _held(x * scale, p, dim, eps * scale)


@np.errstate(all="ignore")
def normalize_backward(grad_output: Array, x: Array, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Array:
    """Return (g - sum(g y) dnorm/dx) / norm, or g / eps where the norm is below eps."""
    scale = _scale(x, p, dim, eps)
    held = _held(x * scale, p, dim, eps * scale)
    y = x * scale / held
    clamped = norm(x * scale, p, dim) < eps * scale
    slope = np.where(clamped, 0, norm_slope(x, y, p, dim))
    along = np.where(clamped, 0, (grad_output * y).sum(axis=dim, keepdims=True))
    return (grad_output - along * slope) / held * scale


@np.errstate(all="ignore")
def pairwise_distance(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Array:
    """Return the p-norm of x1 - x2 + eps along the last axis."""
    d = x1 - x2 + x1.dtype.type(eps)
    scale = _scale(d, p, -1)
    y = norm(d * scale, p, -1) / scale
    return y if keepdim else y[..., 0]


@np.errstate(all="ignore")
def pairwise_distance_backward(
    grad_output: Array, x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> tuple[Array, Array]:
    """Return the gradients with respect to x1 and x2, 0 where the distance is 0."""
    d = x1 - x2 + x1.dtype.type(eps)
    g = grad_output if keepdim else grad_output[..., None]
    scaled = d * _scale(d, p, -1)
    length = norm(scaled, p, -1)
    grad = g * np.where(length == 0, 0, norm_slope(d, scaled / length, p, -1))
    return summed_to(grad, x1.shape), summed_to(-grad, x2.shape)


@np.errstate(all="ignore")
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """Return x1.x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`."""
    x1, x2 = np.broadcast_arrays(x1, x2)
    return (normalize(x1, 2.0, dim, eps) * normalize(x2, 2.0, dim, eps)).sum(axis=dim)


@np.errstate(all="ignore")
def cosine_similarity_backward(
    grad_output: Array, x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8
) -> tuple[Array, Array]:
    """Return the gradients with respect to x1 and x2.

    Where a norm is below eps, the gradient is that of PyTorch, in which the clamped norm still depends on x.
    """
    a, b = np.broadcast_arrays(x1, x2)
    g, cosine = (np.expand_dims(v, dim) for v in (grad_output, cosine_similarity(a, b, dim, eps)))
    units = [normalize(x, 2.0, dim, eps) for x in (a, b)]
    gradients = []
    for x, other, given in ((a, units[1], x1), (b, units[0], x2)):
        scale = _scale(x, 2.0, dim, eps)
        length, held = norm(x * scale, 2.0, dim), _held(x * scale, 2.0, dim, eps * scale)
        pull = np.where(length == 0, 0, cosine * (x * scale / length))
        gradients.append(summed_to(g * (other - pull) / held * scale, given.shape))
    return gradients[0], gradients[1]


@np.errstate(all="ignore")
def bilinear(x1: Array, x2: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return sum_ij x1_i weight[k, i, j] x2_j + bias_k."""
    y = np.einsum("...i,kij,...j->...k", x1, weight, x2)
    return y if bias is None else y + bias


@np.errstate(all="ignore")
def bilinear_backward(grad_output: Array, x1: Array, x2: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """Return the gradients of x1, x2, weight and bias."""
    g = grad_output
    rows = math.prod(x1.shape[:-1])
    flat = [a.reshape(rows, a.shape[-1]) for a in (g, x1, x2)]
    return (
        np.einsum("...k,kij,...j->...i", g, weight, x2),
        np.einsum("...k,kij,...i->...j", g, weight, x1),
        np.einsum("rk,ri,rj->kij", *flat),
        flat[0].sum(axis=0),
    )


def one_hot(labels: Array, num_classes: int = -1) -> Array:
    """Return rows of 0 with a 1 at the label, int64; by default there are as many classes as the labels need."""
    classes = int(labels.max(initial=-1)) + 1 if num_classes == -1 else num_classes
    return (labels[..., None] == np.arange(classes)).astype("int64")


def norm(x: Array, p: float, axis: int) -> Array:
    """Return the p-norm along an axis, which stays with length 1."""
    a = np.abs(x)
    if p == 0:
        return np.where(np.isnan(x), x, x != 0).sum(axis=axis, keepdims=True).astype(x.dtype)
    if p == np.inf:
        return a.max(axis=axis, keepdims=True, initial=0)
    if p == 1:
        return a.sum(axis=axis, keepdims=True)
    if p == 2:
        return np.sqrt((a * a).sum(axis=axis, keepdims=True))
    return (a ** x.dtype.type(p)).sum(axis=axis, keepdims=True) ** x.dtype.type(1 / p)


def norm_slope(x: Array, y: Array, p: float, axis: int) -> Array:
    """Return the derivative of the p-norm with respect to each entry of x, with y = x / norm."""
    sign = np.sign(y)
    if p == 0:
        return 0 * y
    if p == np.inf:
        largest = np.abs(x) == np.abs(x).max(axis=axis, keepdims=True, initial=0)
        return np.where(largest, sign / largest.sum(axis=axis, keepdims=True, dtype=y.dtype), 0 * y)
    return y if p == 2 else np.where(y == 0, sign, sign * np.abs(y) ** y.dtype.type(p - 1))


def summed_to(x: Array, shape: tuple[int, ...]) -> Array:
    """Return x summed over the axes along which an array of `shape` was broadcast."""
    if x.shape == shape:
        return x
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    return x.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 and x.shape[i] != 1), keepdims=True)


def _scale(x: Array, p: float, axis: int, least: float = 0.0) -> Array:
    """Return a power of two by which slices are scaled before their norm is taken: 1 where that is a number."""
    scale = unit_scale(x, axis, least)
    return np.ones_like(scale) if p == 0 else scale


def _held(x: Array, p: float, dim: int, least: Array) -> Array:
    return np.maximum(norm(x, p, dim), least.astype(x.dtype))

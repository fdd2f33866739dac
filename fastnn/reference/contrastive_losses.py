"""Losses of samples beside others, with a gradient for each input; the conventions are those of `losses`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._losses import reduced, shared, upstream
from .class_losses import cross_entropy, cross_entropy_backward
from .elementary import Array
from .embedding_losses import slope_of
from .linear import linear, linear_backward
from .normalization import rms_norm, rms_norm_backward

__all__ = [
    "info_nce_loss",
    "info_nce_loss_backward",
    "triplet_margin_loss",
    "triplet_margin_loss_backward",
    "triplet_margin_with_distance_loss",
    "triplet_margin_with_distance_loss_backward",
]

Distance = Callable[[Array, Array], tuple[Array, Array, Array]]


@np.errstate(all="ignore")
def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
) -> Any:
    """Return max(0, margin + d(a, p) - d(a, n)) for each row, d the p-norm of the difference + eps.

    It is that of Balntas et al. 2016. With `swap` the smaller one of d(a, n) and d(p, n) counts.
    """
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, reduction, sample_weight, lambda x, y: _distance(x, y, p, eps), margin, swap
    )


@np.errstate(all="ignore")
def triplet_margin_loss_backward(
    grad_output: ArrayLike,
    anchor: Array,
    positive: Array,
    negative: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
) -> tuple[Array, Array, Array]:
    """Return the gradients of `triplet_margin_loss`; where both distances of `swap` are equal, each has half of it."""
    distance = lambda x, y: _distance(x, y, p, eps)  # noqa: E731
    return triplet_margin_with_distance_loss_backward(
        grad_output, anchor, positive, negative, reduction, sample_weight, distance, margin, swap
    )


def _distance(x: Array, y: Array, p: float = 2.0, eps: float = 1e-6) -> tuple[Array, Array, Array]:
    """Return the p-norm of each row of x - y + eps, and its gradients with respect to x and y."""
    e = x - y + x.dtype.type(eps)
    size = np.abs(e)
    largest = size.max(axis=1, keepdims=True, initial=0)
    usable = np.where((largest > 0) & np.isfinite(largest), largest, 1)
    if p == np.inf:
        norm, ties = largest, (size == largest).sum(axis=1, keepdims=True)
        slope = np.where(size == norm, np.sign(e) / ties.astype(x.dtype), 0 * np.sign(e))
    else:
        norm = usable * ((size / usable) ** p).sum(axis=1, keepdims=True) ** x.dtype.type(1 / p)
        slope = np.where(e == 0, e, np.sign(e) * (size / norm) ** (p - 1))
    slope = np.where(norm == 0, 0, slope)
    return norm[:, 0], slope, -slope


@np.errstate(all="ignore")
def triplet_margin_with_distance_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
) -> Any:
    """Return max(0, margin + d(a, p) - d(a, n)), d any function of rows that returns distances and their gradients.

    distance_function : (x, y) -> (distances, their gradients with respect to x, with respect to y)
    """
    distance = distance_function or _distance
    near, far = distance(anchor, positive)[0], distance(anchor, negative)[0]
    far = np.minimum(far, distance(positive, negative)[0]) if swap else far
    return reduced(np.maximum(margin + near - far, 0), reduction, sample_weight)


@np.errstate(all="ignore")
def triplet_margin_with_distance_loss_backward(
    grad_output: ArrayLike,
    anchor: Array,
    positive: Array,
    negative: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
) -> tuple[Array, Array, Array]:
    """Return the gradients of `triplet_margin_with_distance_loss` with respect to its three inputs."""
    distance = distance_function or _distance
    (near, near_a, near_p), (far, far_a, far_n) = distance(anchor, positive), distance(anchor, negative)
    least, share, swapped_p, swapped_n = far, np.ones_like(far), np.zeros_like(anchor), np.zeros_like(anchor)
    if swap:
        swapped, swapped_p, swapped_n = distance(positive, negative)
        least = np.minimum(far, swapped)
        share = np.where(far < swapped, 1, np.where(far > swapped, 0, 0.5)).astype(far.dtype)
    reaching = shared(upstream(grad_output, near, reduction, sample_weight), slope_of(margin + near - least))
    g, of_far, of_swapped = (shared(factor, reaching)[:, np.newaxis] for factor in (1, share, 1 - share))
    return (
        0 + shared(g, near_a) - shared(of_far, far_a),
        0 + shared(g, near_p) - shared(of_swapped, swapped_p),
        0 - shared(of_far, far_n) - shared(of_swapped, swapped_n),
    )


@np.errstate(all="ignore")
def info_nce_loss(
    query: Array,
    positive: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    temperature: float = 0.1,
    symmetric: bool = False,
) -> Any:
    """Return the cross-entropy of row i of cosines / temperature between all queries and positives, i being the class.

    With `symmetric` the mean of that and the same with queries and positives exchanged (Radford et al. 2021).
    """
    if not len(query):
        return reduced(query.sum(axis=1), reduction, sample_weight)
    logits = linear(_unit_rows(query), _unit_rows(positive).T) / query.dtype.type(temperature)
    own = np.arange(len(query))
    loss = cross_entropy(logits, own, "none")
    if symmetric:
        loss = 0.5 * (loss + cross_entropy(logits.T, own, "none"))
    return reduced(loss, reduction, sample_weight)


@np.errstate(all="ignore")
def info_nce_loss_backward(
    grad_output: ArrayLike,
    query: Array,
    positive: Array,
    reduction: str = "mean",
    sample_weight: ArrayLike | None = None,
    temperature: float = 0.1,
    symmetric: bool = False,
) -> tuple[Array, Array]:
    """Return the gradients of `info_nce_loss` with respect to the queries and the positives."""
    if not len(query):
        return np.zeros_like(query), np.zeros_like(positive)
    q, k, own = _unit_rows(query), _unit_rows(positive), np.arange(len(query))
    logits = linear(q, k.T) / query.dtype.type(temperature)
    share = query.dtype.type(0.5 if symmetric else 1)
    reaching = share * upstream(grad_output, query.sum(axis=1), reduction, sample_weight)
    grad = cross_entropy_backward(reaching, logits, own, "none")
    if symmetric:
        grad = grad + cross_entropy_backward(reaching, logits.T, own, "none").T
    grad_q, grad_k, _ = linear_backward(grad / query.dtype.type(temperature), q, k.T)
    scale = _inverse_root_of_columns(query)
    grad_query, _ = rms_norm_backward(grad_q, query, scale, NORM_EPS)
    grad_positive, _ = rms_norm_backward(grad_k.T, positive, scale, NORM_EPS)
    return grad_query, grad_positive


NORM_EPS = 1e-24  # added to the mean of squares of a row: a row of zeros stays


def _unit_rows(x: Array) -> Array:
    """Return rows over their norms: the roots of the means of their squares, times that of the number of columns."""
    return rms_norm(x, _inverse_root_of_columns(x), NORM_EPS)


def _inverse_root_of_columns(x: Array) -> Array:
    return np.full(x.shape[1], max(x.shape[1], 1) ** -0.5, x.dtype)

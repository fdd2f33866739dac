"""Losses of samples beside others: triplets, and each sample of a batch against all, with gradients for all inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from ._documentation import EMBEDDING_LOSS, LOSS_BACKWARD, documented
from ._elementwise import Array, reference_function
from ._losses import LossFunction, Params
from ._vector_losses import VectorsFunction
from .class_losses import cross_entropy, cross_entropy_backward
from .embedding_losses import margin_ranking_loss, margin_ranking_loss_backward
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


class TripletLoss(VectorsFunction):
    """The triplet loss; the kernel takes `swap` as the sign of p."""

    def _reference_arguments(
        self, x: Array, t: Array, keywords: dict[str, Any]
    ) -> tuple[tuple[Array, ...], dict[str, Any]]:
        return (x, t), keywords | {"p": abs(keywords["p"]), "swap": keywords["p"] < 0}


_triplet = TripletLoss("triplet_margin_loss", ("anchor", "positive", "negative"), "negative", ("margin", "p", "eps"))
LOSSES: dict[str, LossFunction] = {"triplet_margin_loss": _triplet}

# Of the docstrings below.
TRIPLET = """anchor, positive, negative : ndarray of float32 or float64, shape (rows, features), one dtype
    Samples, others like them, and others unlike them.
"""
MARGIN = """margin : float above 0, default 1.0
    By how much the positive is to be nearer than the negative.
"""
SWAP = """swap : bool, default False
    Whether the distance of positive and negative counts where it is the smaller one.
"""
NORM = """p : float, at least 1, default 2.0
    Power of the norm; infinity takes the largest difference.
eps : float, at least 0, default 1e-6
    Added to each difference.
"""
FUNCTION = """distance_function : callable, optional
    distance_function(x, y), of two arrays of shape (rows, features), returns the distances, shape (rows,), and their
    gradients with respect to x and to y. By default the Euclidean distance, as of `triplet_margin_loss`.
"""
ALL = "grad_anchor, grad_positive, grad_negative : ndarrays, shape and dtype of the inputs"
QUERIES = """query, positive : ndarray of float32 or float64, shape (rows, features), one dtype
    Row i of positive is the one that belongs to row i of query; all others are negatives.
"""
TEMPERATURE = """temperature : float above 0, default 0.1
    What cosines are divided by. SimCLR has 0.1 to 0.5, CLIP begins at 0.07.
symmetric : bool, default False
    Whether to take the mean with the loss of exchanged arguments, as CLIP does.
"""
ROW_NAN = "NaN or an infinity in a row of an input gives rows of NaN."


@documented(EMBEDDING_LOSS, before=TRIPLET, values="another argument", params=MARGIN + NORM + SWAP)
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
) -> Any:
    """Triplet loss: the anchor is to be nearer to the positive than to the negative (Balntas et al. 2016).

    loss = max(0, margin + d(anchor, positive) - d(anchor, negative)),   d(x, y) = |x - y + eps|_p

    >>> a = np.zeros((1, 2))
    >>> F.triplet_margin_loss(a, a + [[0.0, 1.0]], a + [[1.5, 0.0]], eps=0.0)
    np.float64(0.5)
    """
    params = triplet_params(margin, p, eps, swap)
    return _triplet.forward(anchor, positive, reduction, sample_weight, params, negative)


@documented(LOSS_BACKWARD, gradients=ALL, gradient_nan=ROW_NAN)
def triplet_margin_loss_backward(
    grad_output: Any,
    anchor: Any,
    positive: Any,
    negative: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
) -> tuple[Array, Array, Array]:
    """Gradients of `triplet_margin_loss` with respect to anchor, positive and negative.

    The gradient of a distance d with respect to x is sign(e) * (|e| / d)^(p - 1), e = x - y + eps, and 0 where d = 0.
    With swap, two distances that are equal share the gradient.

    >>> a = np.zeros((1, 2))
    >>> grads = F.triplet_margin_loss_backward(1.0, a, a + [[0.0, 1.0]], a + [[1.5, 0.0]], eps=0.0)
    >>> [g.tolist() for g in grads]
    [[[1.0, -1.0]], [[0.0, 1.0]], [[-1.0, 0.0]]]
    """
    params = triplet_params(margin, p, eps, swap)
    gradients: Any = _triplet.backward(grad_output, anchor, positive, reduction, sample_weight, params, negative)
    return gradients


def triplet_params(margin: float, p: float, eps: float, swap: bool) -> Params:
    """The parameters of the kernel, after a check."""
    sign = -1.0 if check.check_bool("swap", swap) else 1.0
    p = sign * check.check_number("p", p, at_least=1.0)
    return check.check_number("margin", margin, above=0.0), p, check.check_number("eps", eps, at_least=0.0)


@documented(EMBEDDING_LOSS, before=TRIPLET, values="another argument", params=FUNCTION + MARGIN + SWAP)
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
) -> Any:
    """Triplet loss by a distance of your own.

    loss = max(0, margin + d(anchor, positive) - d(anchor, negative))

    >>> def squares(x, y):
    ...     return ((x - y) ** 2).sum(axis=1), 2 * (x - y), 2 * (y - x)
    >>> a = np.zeros((1, 2))
    >>> F.triplet_margin_with_distance_loss(a, a + [[0.0, 1.0]], a + [[0.5, 0.0]], distance_function=squares)
    np.float64(1.75)
    """
    if distance_function is None:
        return triplet_margin_loss(anchor, positive, negative, reduction, sample_weight, margin, swap=swap)
    margin, _, _ = triplet_params(margin, 2.0, 0.0, swap)
    (near, _, _), (far, _, _), *swapped = _distances(distance_function, anchor, positive, negative, swap)
    far = np.minimum(far, swapped[0][0]) if swap else far
    return margin_ranking_loss(far, near, np.ones_like(near), reduction, sample_weight, margin)


@documented(LOSS_BACKWARD, gradients=ALL, gradient_nan=ROW_NAN)
def triplet_margin_with_distance_loss_backward(
    grad_output: Any,
    anchor: Any,
    positive: Any,
    negative: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
) -> tuple[Array, Array, Array]:
    """Gradients of `triplet_margin_with_distance_loss` with respect to anchor, positive and negative.

    They are the gradients of the distances, of triplets whose loss is not clamped. With swap, two distances that are
    equal share the gradient.

    >>> def squares(x, y):
    ...     return ((x - y) ** 2).sum(axis=1), 2 * (x - y), 2 * (y - x)
    >>> a = np.zeros((1, 1))
    >>> grads = F.triplet_margin_with_distance_loss_backward(1.0, a, a + 1.0, a + 0.5, distance_function=squares)
    >>> [g.tolist() for g in grads]
    [[[-1.0]], [[2.0]], [[-1.0]]]
    """
    if distance_function is None:
        arrays = grad_output, anchor, positive, negative, reduction, sample_weight
        return triplet_margin_loss_backward(*arrays, margin, swap=swap)
    margin, _, _ = triplet_params(margin, 2.0, 0.0, swap)
    distances = _distances(distance_function, anchor, positive, negative, swap)
    (near, near_a, near_p), (far, far_a, far_n), *swapped = distances
    other, other_p, other_n = swapped[0] if swap else (far, 0 * near_p, 0 * far_n)
    with np.errstate(all="ignore"):
        least = np.minimum(far, other)
        arguments = grad_output, least, near, np.ones_like(near), reduction, sample_weight, margin
        of_far, of_near = (g[:, np.newaxis] for g in margin_ranking_loss_backward(*arguments))
        share = np.where(far < other, 1, np.where(far > other, 0, 0.5 if swap else 1)).astype(far.dtype)[:, np.newaxis]
        mine, others = share * of_far, (1 - share) * of_far
        return of_near * near_a + mine * far_a, of_near * near_p + others * other_p, mine * far_n + others * other_n


def _distances(
    distance_function: Distance, anchor: Any, positive: Any, negative: Any, swap: bool
) -> list[tuple[Array, Array, Array]]:
    """The distances of each pair and their gradients, checked."""
    arrays = {n: check.as_array(n, v) for n, v in (("anchor", anchor), ("positive", positive), ("negative", negative))}
    check.check_same_dtype(**arrays)
    check.check_same_shape(**arrays)
    x = arrays["anchor"]
    if x.ndim != 2:
        raise ValueError(f"anchor must have shape (rows, features), got {x.shape}")
    pairs = [("anchor", "positive"), ("anchor", "negative")] + ([("positive", "negative")] if swap else [])
    found = []
    for pair in pairs:
        results = distance_function(*(arrays[name] for name in pair))
        if not isinstance(results, tuple) or len(results) != 3:
            raise TypeError(
                "distance_function must return the distances and their gradients with respect to both arguments, got "
                f"{type(results).__name__}"
            )
        distance, *gradients = (np.ascontiguousarray(result, x.dtype) for result in results)
        check.check_shape("distances", distance, x.shape[:1], "one a row")
        for gradient in gradients:
            check.check_shape("a gradient of distances", gradient, x.shape, "that of the samples")
        found.append((distance, gradients[0], gradients[1]))
    return found


@documented(EMBEDDING_LOSS, before=QUERIES, values="another argument", params=TEMPERATURE)
def info_nce_loss(
    query: Any,
    positive: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    temperature: float = 0.1,
    symmetric: bool = False,
) -> Any:
    """InfoNCE (van den Oord et al. 2018): each query is to find its positive among all of the batch.

    loss_i = -log(exp(c_ii / temperature) / sum_j exp(c_ij / temperature)),   c_ij = cos(query_i, positive_j)

    With symmetric it is CLIP's loss (Radford et al. 2021), the mean of both directions. SimCLR's NT-Xent (Chen et al.
    2020) also has the other queries among the negatives.

    >>> F.info_nce_loss(np.eye(2), np.eye(2), temperature=1.0).round(4)
    np.float64(0.3133)
    """
    x, y, settings = _batch(query, positive, temperature, symmetric)
    if dispatch.get_reference():
        weight = None if sample_weight is None else check.as_weights("sample_weight", sample_weight, x.dtype)
        return reference_function("info_nce_loss")(x, y, reduction, weight, temperature, symmetric)
    logits, own = _logits(x, y, settings)[0], np.arange(len(x))
    loss = cross_entropy(logits, own, reduction, sample_weight)
    if not symmetric:
        return loss
    return loss.dtype.type(0.5) * (loss + cross_entropy(_transposed(logits), own, reduction, sample_weight))


@documented(LOSS_BACKWARD, gradients="grad_query, grad_positive : ndarrays, shape and dtype of the inputs",
            gradient_nan="NaN in an input gives NaN in both gradients.")  # fmt: skip
def info_nce_loss_backward(
    grad_output: Any,
    query: Any,
    positive: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    temperature: float = 0.1,
    symmetric: bool = False,
) -> tuple[Array, Array]:
    """Gradients of `info_nce_loss` with respect to query and positive.

    They are those of the cross-entropy of cosines over the temperature, through the cosines.

    >>> grad_query, grad_positive = F.info_nce_loss_backward(1.0, np.eye(2), np.eye(2), temperature=1.0)
    >>> grad_query.round(4)[0, 1], grad_positive.round(4)[1, 0]
    (np.float64(0.1345), np.float64(0.1345))
    """
    x, y, settings = _batch(query, positive, temperature, symmetric)
    if dispatch.get_reference():
        weight = None if sample_weight is None else check.as_weights("sample_weight", sample_weight, x.dtype)
        backward = reference_function("info_nce_loss_backward")
        gradients: tuple[Array, Array] = backward(grad_output, x, y, reduction, weight, temperature, symmetric)
        return gradients
    (logits, q, k), own = _logits(x, y, settings), np.arange(len(x))
    grad = cross_entropy_backward(grad_output, logits, own, reduction, sample_weight)
    if symmetric:
        back = cross_entropy_backward(grad_output, _transposed(logits), own, reduction, sample_weight)
        grad = x.dtype.type(0.5) * (grad + back.T)
    grad_q, grad_k, _ = linear_backward(grad, q, k)
    scales, scale = settings
    return (
        rms_norm_backward(grad_q, x, scales, NORM_EPS)[0],
        rms_norm_backward(_transposed(grad_k), y, scale, NORM_EPS)[0],
    )


NORM_EPS = 1e-24  # added to the mean of squares of a row: a row of zeros stays


def _batch(query: Any, positive: Any, temperature: float, symmetric: bool) -> tuple[Array, Array, tuple[Array, Array]]:
    """Checked inputs, and what columns are multiplied by: those of queries also by the inverse of the temperature."""
    x, y = check.as_array("query", query), check.as_array("positive", positive)
    if x.ndim != 2:
        raise ValueError(f"query must have shape (rows, features), got {x.shape}")
    check.check_same_dtype(query=x, positive=y)
    check.check_same_shape(query=x, positive=y)
    check.check_bool("symmetric", symmetric)
    temperature = check.check_temperature(temperature, x.dtype)
    scale = max(x.shape[1], 1) ** -0.5
    return x, y, (np.full(x.shape[1], scale / temperature, x.dtype), np.full(x.shape[1], scale, x.dtype))


def _logits(x: Array, y: Array, scales: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """The cosines of all pairs over the temperature, and the two factors of that product."""
    q, k = rms_norm(x, scales[0], NORM_EPS), _transposed(rms_norm(y, scales[1], NORM_EPS))
    return linear(q, k), q, k


def _transposed(x: Array) -> Array:
    return np.ascontiguousarray(x.T)

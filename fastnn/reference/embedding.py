"""Embedding: rows of a table by index, bags of rows, and the gradients of the table."""

from itertools import pairwise

import numpy as np

from .distances import norm
from .elementary import Array, unit_scale

__all__ = ["embedding", "embedding_backward", "embedding_bag", "embedding_bag_backward"]


def embedding(
    codes: Array,
    weight: Array,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Array:
    """Return weight[codes], shape (*codes.shape, dim); codes are integers, in any dtype.

    With max_norm, longer rows among those are scaled to this norm first, in place.
    """
    _limit(codes, weight, max_norm, norm_type)
    return weight[codes.astype(int)]


@np.errstate(all="ignore")
def embedding_backward(
    grad_output: Array,
    codes: Array,
    weight: Array,
    padding_idx: int | None = None,
    scale_grad_by_freq: bool = False,
) -> Array:
    """Return the gradient of weight: row i is the sum of grad_output where the code is i; 0 for padding_idx.

    With scale_grad_by_freq the row is divided by how often i is among the codes.
    """
    grad_weight, indices = np.zeros_like(weight), codes.astype(int)
    g = grad_output * (1 / _frequencies(indices, weight))[indices][..., None] if scale_grad_by_freq else grad_output
    np.add.at(grad_weight, indices, g)
    if padding_idx is not None:
        grad_weight[padding_idx] = 0
    return grad_weight


@np.errstate(all="ignore")
def embedding_bag(
    codes: Array,
    weight: Array,
    offsets: Array | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    per_sample_weights: Array | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Array:
    """Return the sum, mean or largest entries of weight[codes] over each bag, without entries of padding_idx."""
    _limit(codes, weight, max_norm, norm_type)
    bags = bags_of(codes, offsets, include_last_offset)
    indices, y = codes.reshape(-1).astype(int), np.zeros((len(bags), weight.shape[1]), weight.dtype)
    for row, bag in zip(y, bags, strict=True):
        kept = _kept(indices, bag, padding_idx, weight)
        rows = weight[indices[kept]]
        if mode == "max":
            row[...] = rows.max(axis=0) if kept.size else 0
        elif per_sample_weights is not None:
            row[...] = (rows * per_sample_weights.reshape(-1)[kept, None]).sum(axis=0)
        else:
            row[...] = rows.sum(axis=0) / weight.dtype.type(max(kept.size, 1) if mode == "mean" else 1)
    return y


@np.errstate(all="ignore")
def embedding_bag_backward(
    grad_output: Array,
    codes: Array,
    weight: Array,
    offsets: Array | None = None,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    per_sample_weights: Array | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Array | tuple[Array, Array]:
    """Return the gradient of weight; with per_sample_weights, theirs as well."""
    indices, grad_weight = codes.reshape(-1).astype(int), np.zeros_like(weight)
    factors = np.ones(indices.size, weight.dtype) if per_sample_weights is None else per_sample_weights.reshape(-1)
    factors = factors / _frequencies(indices, weight)[indices] if scale_grad_by_freq else factors
    grad_samples = np.zeros(indices.size, weight.dtype)
    for g, bag in zip(grad_output, bags_of(codes, offsets, include_last_offset), strict=True):
        kept = _kept(indices, bag, padding_idx, weight)
        if mode == "max" and kept.size:
            np.add.at(grad_weight, (indices[kept[weight[indices[kept]].argmax(axis=0)]], np.arange(g.size)), g)
        elif mode != "max":
            divisor = weight.dtype.type(max(kept.size, 1) if mode == "mean" else 1)
            np.add.at(grad_weight, indices[kept], factors[kept, None] / divisor * g)
            grad_samples[kept] = (weight[indices[kept]] * g).sum(axis=1)
    return grad_weight if per_sample_weights is None else (grad_weight, grad_samples.reshape(per_sample_weights.shape))


def bags_of(codes: Array, offsets: Array | None, include_last_offset: bool) -> list[range]:
    """Return the places of the codes of each bag: a row of a matrix of codes, or those from one offset to the next."""
    if offsets is None:
        size = codes.shape[1]
        return [range(i * size, (i + 1) * size) for i in range(len(codes))]
    ends = [*offsets.tolist()] if include_last_offset else [*offsets.tolist(), codes.size]
    return [range(int(start), int(stop)) for start, stop in pairwise(ends)]


@np.errstate(all="ignore")
def row_scales(codes: Array, weight: Array, max_norm: float, norm_type: float) -> Array:
    """Return max_norm / (norm + 1e-7) for rows among the codes whose norm is above max_norm, else 1."""
    scale = unit_scale(weight, 1)
    length = norm(weight * scale, norm_type, 1)
    length = (length if norm_type == 0 else length / scale)[:, 0].astype("float64")
    too_long = np.isin(np.arange(len(weight)), codes) & (length > max_norm)
    return np.where(too_long, max_norm / (length + 1e-7), 1).astype(weight.dtype)


def _limit(codes: Array, weight: Array, max_norm: float | None, norm_type: float) -> None:
    if max_norm is not None:
        weight *= row_scales(codes, weight, max_norm, norm_type)[:, None]


def _frequencies(indices: Array, weight: Array) -> Array:
    return np.bincount(indices.reshape(-1), minlength=len(weight)).astype(weight.dtype)


def _kept(indices: Array, bag: range, padding_idx: int | None, weight: Array) -> Array:
    """Return the places in a bag whose code is not padding_idx."""
    places = np.arange(bag.start, bag.stop)
    return places if padding_idx is None else places[indices[places] != padding_idx % len(weight)]

"""Embedding: rows of a table by index."""

import numpy as np

from .elementary import Array

__all__ = ["embedding", "embedding_backward"]


def embedding(codes: Array, weight: Array, padding_idx: int | None = None) -> Array:
    """Return weight[codes], shape (*codes.shape, dim); codes are integers, in any dtype."""
    return weight[codes.astype(int)]


@np.errstate(all="ignore")
def embedding_backward(grad_output: Array, codes: Array, weight: Array, padding_idx: int | None = None) -> Array:
    """Return the gradient of weight: row i is the sum of grad_output where the code is i; 0 for padding_idx."""
    grad_weight = np.zeros_like(weight)
    np.add.at(grad_weight, codes.astype(int), grad_output)
    if padding_idx is not None:
        grad_weight[padding_idx] = 0
    return grad_weight

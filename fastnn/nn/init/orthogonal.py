"""Orthogonal matrices by the Gram-Schmidt process, with this package's matrix products: the same bits everywhere."""

from __future__ import annotations

import math

import numpy as np

from ..._core import linear as core
from ..._validation import Array

BLOCK = 64  # rows that are orthogonalized together against all rows before them


def orthonormal_rows(matrix: Array) -> Array:
    """Make the rows of a float64 matrix, no more than columns, orthonormal one after the other, in place.

    Every row is orthogonalized twice, which is enough (Giraud, Langou, Rozloznik and van den Eshof, 2005). The result
    is the transpose of Q in the QR decomposition of the transposed matrix whose R has a positive diagonal.
    """
    for start in range(0, len(matrix), BLOCK):
        block, before = matrix[start : start + BLOCK], matrix[:start]
        if start:
            for _ in range(2):
                shares = _product(before, np.ascontiguousarray(block.T))
                block -= _product(np.ascontiguousarray(shares.T), before)
        for i, row in enumerate(block):
            for _ in range(2 if i else 0):
                row -= _product(_product(block[:i], row[:, None]).T, block[:i])[0]
            row /= math.sqrt(_product(row[None], row[:, None]).item())
    return matrix


def _product(a: Array, b: Array) -> Array:
    return core.linear(a, b, None, np.empty((len(a), b.shape[1])))

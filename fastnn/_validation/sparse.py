"""Sparse matrices of SciPy, as rows that programs read."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array


def is_sparse(value: Any) -> bool:
    """Whether it is a sparse matrix or array of SciPy, or something with its attributes."""
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


class SparseRows:
    """The rows of a sparse matrix.

    Attributes
    ----------
    values : ndarray of float32 or float64, shape (n,)
    columns : ndarray of int64, shape (n,)
        Of the values; ascending in each row.
    ends : ndarray of int64, shape (rows + 1,)
        Row r has the values from ends[r] to ends[r + 1] - 1.
    shape : (int, int)

    Notes
    -----
    `rows[index]` is the dense matrix of some rows.
    """

    ndim = 2

    def __init__(self, values: Array, columns: Array, ends: Array, shape: tuple[int, int]) -> None:
        self.values, self.columns, self.ends, self.shape = values, columns, ends, shape

    @classmethod
    def of(cls, name: str, matrix: Any, dtype: Any) -> SparseRows:
        """A matrix of SciPy; TypeError or ValueError if its numbers are not real, or too large for `dtype`."""
        if matrix.ndim != 2:
            raise ValueError(f"{name} must have shape (rows, features), got {matrix.shape}")
        if np.dtype(matrix.dtype).kind not in "fiub":
            raise TypeError(f"{name} must be a matrix of real numbers, got {matrix.dtype}")
        csr = matrix.tocsr()
        if not csr.has_canonical_format:
            csr = csr.copy()
            csr.sum_duplicates()
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(csr.data, dtype)
        beyond = np.isinf(values) & np.isfinite(csr.data)
        if beyond.any():
            raise ValueError(f"{name} has {csr.data[beyond][0]}, which is too large for {np.dtype(dtype).name}")
        columns, ends = (np.ascontiguousarray(array, np.int64) for array in (csr.indices, csr.indptr))
        return cls(values, columns, ends, csr.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.values.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Array:
        rows = np.arange(self.shape[0])[index]
        single, rows = rows.ndim == 0, np.atleast_1d(rows)
        out = np.zeros((len(rows), self.shape[1]), self.values.dtype)
        for i, row in enumerate(rows):
            part = slice(self.ends[row], self.ends[row + 1])
            out[i, self.columns[part]] = self.values[part]
        return out[0] if single else out

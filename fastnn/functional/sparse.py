"""Products with sparse matrices of SciPy, and their gradients."""

from typing import Any

import numpy as np

from .. import _validation as check
from .._core import dispatch
from .._core import sparse as core
from .._frames import SHORT_ERRORS
from ._elementwise import Array, reference_function

__all__ = ["sparse_linear", "sparse_linear_backward"]


def sparse_linear(x: Any, weight: Any, bias: Any = None, *, out: Array | None = None) -> Array:
    """Affine map of sparse rows: only the numbers that are there are multiplied.

    y = x W + b

    Parameters
    ----------
    x : sparse matrix or array of SciPy, shape (rows, in_features)
        Of real numbers; CSR is read as it is, others are converted.
    weight : ndarray of float32 or float64, shape (in_features, out_features)
    bias : ndarray like weight, shape (out_features,), optional
    out : ndarray of weight's dtype, shape (rows, out_features), optional
        Written and returned.

    Returns
    -------
    y : ndarray of weight's dtype, shape (rows, out_features)

    Raises
    ------
    TypeError
        If x is not sparse, or a dtype does not fit.
    ValueError
        If a shape does not fit, or a number of x is too large for the dtype of the weight.

    Notes
    -----
    For finite operands the bits are those of `linear` for the dense matrix, but for the sign of 0. NaN and infinity in
    the weight do not meet the zeros of x: `linear` gives NaN there, this function does not.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> from fastnn import functional as F
    >>> x = scipy.sparse.csr_array(np.array([[0.0, 2.0], [0.0, 0.0]]))
    >>> F.sparse_linear(x, np.array([[1.0], [3.0]]), np.array([0.5])).tolist()
    [[6.5], [0.5]]
    """
    with SHORT_ERRORS:
        w = check.as_array("weight", weight)
        if w.ndim != 2:
            raise ValueError(f"weight must have shape (in_features, out_features), got {w.shape}")
        rows = _rows("x", x, w.dtype)
        if rows.shape[1] != w.shape[0]:
            raise ValueError(f"weight must have shape ({rows.shape[1]}, out_features) for this x, got {w.shape}")
        b = None if bias is None else check.as_array("bias", bias)
        check.check_same_dtype(weight=w, bias=b)
        if b is not None:
            check.check_shape("bias", b, w.shape[1:], "one an output")
        y = check.check_output(out, (rows.shape[0], w.shape[1]), w.dtype)
        if dispatch.get_reference():
            y[...] = reference_function("linear")(rows[:], w, b)
        else:
            b = None if b is None else check.without_overlap(b, y)
            core.sparse_linear(rows, check.without_overlap(w, y), b, y)
        return y


def sparse_linear_backward(grad_output: Any, x: Any) -> tuple[Array, Array]:
    """Gradients of `sparse_linear`.

    grad_weight = x^T grad_output,   grad_bias = sum of the rows of grad_output

    Parameters
    ----------
    grad_output : ndarray of float32 or float64, shape (rows, out_features)
    x : sparse matrix or array of SciPy, shape (rows, in_features)

    Returns
    -------
    grad_weight : ndarray, shape (in_features, out_features)
        A dense matrix.
    grad_bias : ndarray, shape (out_features,)

    Raises
    ------
    TypeError, ValueError
        As `sparse_linear`.

    Notes
    -----
    The gradient of x is not computed. NaN and infinity in grad_output do not meet the zeros of x.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse
    >>> from fastnn import functional as F
    >>> x = scipy.sparse.csr_array(np.array([[0.0, 2.0], [0.0, 0.0]]))
    >>> grad_weight, grad_bias = F.sparse_linear_backward(np.array([[1.5], [1.0]]), x)
    >>> grad_weight.tolist(), grad_bias.tolist()
    ([[0.0], [3.0]], [2.5])
    """
    with SHORT_ERRORS:
        g = check.as_array("grad_output", grad_output)
        if g.ndim != 2:
            raise ValueError(f"grad_output must have shape (rows, out_features), got {g.shape}")
        rows = _rows("x", x, g.dtype)
        if len(rows) != len(g):
            raise ValueError(f"grad_output must have {len(rows)} rows, as x, got {len(g)}")
        if dispatch.get_reference():
            dense = rows[:]
            return dense.T @ g, g.sum(0)
        grad_weight, grad_bias = np.empty((rows.shape[1], g.shape[1]), g.dtype), np.empty(g.shape[1], g.dtype)
        core.sparse_linear_backward(g, rows, grad_weight, grad_bias)
        return grad_weight, grad_bias


def _rows(name: str, x: Any, dtype: Any) -> check.SparseRows:
    """x as sparse rows; TypeError if it is not sparse."""
    if not check.is_sparse(x):
        raise TypeError(f"{name} must be a sparse matrix of SciPy, got {type(x).__name__}: see linear")
    return check.SparseRows.of(name, x, dtype)

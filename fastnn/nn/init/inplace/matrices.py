"""Structured matrices: orthogonal, identity, sparse, in place."""

from __future__ import annotations

from ...._validation import Array
from .. import rules
from .fill import fill


def orthogonal_(array: Array, gain: float = 1.0, *, seed: int | None = None) -> Array:
    """Fill an array: orthogonal matrix (Saxe et al. 2014).

    Rows or columns, whichever are fewer, are orthogonal to each other and of length |gain|.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
    gain : float, default 1.0
    seed : int in [0, 2^64), optional
        It alone determines the numbers. By default one is drawn.

    Returns
    -------
    array : ndarray, the argument itself

    Raises
    ------
    TypeError, ValueError
        If array is not such an array, or another argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> w = nn.init.orthogonal_(np.empty((4, 2)), seed=0)
    >>> np.allclose(w.T @ w, np.eye(2))
    True
    """
    return fill(array, rules.Orthogonal(gain), seed)


def eye_(array: Array) -> Array:
    """Fill an array: 1 on the diagonal, 0 elsewhere.

    As many inputs as possible are passed on unchanged.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.

    Returns
    -------
    array : ndarray, the argument itself

    Raises
    ------
    TypeError, ValueError
        If array is not such an array.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> nn.init.eye_(np.empty((2, 3)))
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    return fill(array, rules.Eye())


def sparse_(array: Array, sparsity: float, std: float = 0.01, *, seed: int | None = None) -> Array:
    """Fill an array: sparse initialization (Martens 2010): normal values, of which a fraction in each column is 0.

    A column of a layer's weight holds the weights into one unit. Its zeros are chosen at random; sparsity * in of them,
    rounded up.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
    sparsity : float in [0, 1]
        Fraction of zeros in each column.
    std : float, at least 0, default 0.01
        Standard deviation of the others.
    seed : int in [0, 2^64), optional
        It alone determines the numbers. By default one is drawn.

    Returns
    -------
    array : ndarray, the argument itself

    Raises
    ------
    TypeError, ValueError
        If array is not such an array, or another argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> (nn.init.sparse_(np.empty((10, 3)), 0.5, seed=0) == 0).sum(axis=0).tolist()
    [5, 5, 5]
    """
    return fill(array, rules.Sparse(sparsity, std), seed)

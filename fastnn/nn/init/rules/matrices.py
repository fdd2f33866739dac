"""Structured matrices: orthogonal, identity, sparse."""

from __future__ import annotations

import math

import numpy as np

from .... import _validation as check
from ..draws import Draws
from ..orthogonal import orthonormal_rows
from .initializer import Initializer

Array = check.Array


class Orthogonal(Initializer):
    """Orthogonal matrix (Saxe et al. 2014).

    Rows or columns, whichever are fewer, are orthogonal to each other and of length |gain|.

    For matrices (in, out) only. `nn.init.orthogonal_` fills an array in place.

    Parameters
    ----------
    gain : float, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> w = nn.Linear(4, 2, weight_init=nn.init.Orthogonal(2.0), seed=0).weight
    >>> np.allclose(w.T @ w, 4.0 * np.eye(2), atol=1e-5)
    True
    """

    needs_matrix = True

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check.check_number("gain", gain)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        few, many = sorted(shape)
        rows = orthonormal_rows(draws.normal(few * many, dtype="float64").reshape(few, many))
        return self.gain * (rows if shape[0] <= shape[1] else rows.T)


class Eye(Initializer):
    """1 on the diagonal, 0 elsewhere.

    As many inputs as possible are passed on unchanged.

    For matrices (in, out) only. `nn.init.eye_` fills an array in place.

    Raises
    ------
    ValueError
        When a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 3, weight_init=nn.init.Eye(), seed=0).weight.tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    needs_matrix = True

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.eye(shape[0], shape[1])


class Sparse(Initializer):
    """Sparse initialization (Martens 2010): normal values, of which a fraction in each column is 0.

    A column of a layer's weight holds the weights into one unit. Its zeros are chosen at random; sparsity * in of them,
    rounded up.

    For matrices (in, out) only. `nn.init.sparse_` fills an array in place.

    Parameters
    ----------
    sparsity : float in [0, 1]
        Fraction of zeros in each column.
    std : float, at least 0, default 0.01
        Standard deviation of the others.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> w = nn.Linear(10, 3, weight_init=nn.init.Sparse(0.5), seed=0).weight
    >>> (w == 0).sum(axis=0).tolist()
    [5, 5, 5]
    """

    needs_matrix = True

    def __init__(self, sparsity: float, std: float = 0.01) -> None:
        self.sparsity = check.check_number("sparsity", sparsity, at_least=0.0, at_most=1.0)
        self.std = check.check_number("std", std, at_least=0.0)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        values = draws.normal(math.prod(shape), 0.0, self.std).reshape(shape)
        keys = draws.each(math.prod(shape), lambda u: u, "float64").reshape(shape)
        zeros = np.argsort(keys, axis=0, kind="stable")[: math.ceil(self.sparsity * shape[0])]
        np.put_along_axis(values, zeros, 0.0, axis=0)
        return values

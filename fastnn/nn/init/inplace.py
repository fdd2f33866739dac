"""Initial values for arrays, in place, with PyTorch's names: for layers of your own, or to initialize parameters again.

Each returns the array. Those that draw random numbers take a `seed`, which alone determines them. A matrix has shape
(in, out), like the weight of a layer here; PyTorch's have (out, in).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ... import _validation as check
from . import rules
from .draws import INIT_STREAM
from .names import initial_value

Array = check.Array


def _fill(array: Any, rule: rules.Initializer, seed: int | None = None) -> Array:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"array must be an ndarray, got {type(array).__name__}")
    if array.dtype not in check.DTYPES:
        raise TypeError(f"array must be float32 or float64, got {array.dtype}")
    if not array.flags.writeable:
        raise ValueError("array must be writable")
    rule.check_shape("array", array.shape)
    seed = int.from_bytes(os.urandom(8), "little") if seed is None else check.check_seed(seed)
    array[...] = initial_value(rule, array.shape, array.dtype, seed, INIT_STREAM)
    return array


def zeros_(array: Array) -> Array:
    """Fill an array: 0 everywhere.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable
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
    >>> nn.init.zeros_(np.empty(2))
    array([0., 0.])
    """
    return _fill(array, rules.Zeros())


def ones_(array: Array) -> Array:
    """Fill an array: 1 everywhere.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable
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
    >>> nn.init.ones_(np.empty(2))
    array([1., 1.])
    """
    return _fill(array, rules.Ones())


def constant_(array: Array, val: float) -> Array:
    """Fill an array: one value everywhere.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable
        Overwritten.
    val : float

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
    >>> nn.init.constant_(np.empty(2), 0.5)
    array([0.5, 0.5])
    """
    return _fill(array, rules.Constant(val))


def uniform_(array: Array, a: float = 0.0, b: float = 1.0, *, seed: int | None = None) -> Array:
    """Fill an array: uniform in [a, b).

    Parameters
    ----------
    array : ndarray of float32 or float64, writable
        Overwritten.
    a : float, default 0.0
    b : float, at least a, default 1.0
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
    >>> a = nn.init.uniform_(np.empty((50, 60)), -0.5, 0.5, seed=0)
    >>> bool(a.min() >= -0.5 and a.max() <= 0.5)
    True
    """
    return _fill(array, rules.Uniform(a, b), seed)


def normal_(array: Array, mean: float = 0.0, std: float = 1.0, *, seed: int | None = None) -> Array:
    """Fill an array: normal with a mean and a standard deviation.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable
        Overwritten.
    mean : float, default 0.0
    std : float, at least 0, default 1.0
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
    >>> a = nn.init.normal_(np.empty((50, 60)), std=0.5, seed=0)
    >>> bool(abs(a.std() / 0.5 - 1) < 0.05)
    True
    """
    return _fill(array, rules.Normal(mean, std), seed)


def trunc_normal_(
    array: Array, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, seed: int | None = None
) -> Array:
    """Fill an array: normal, truncated to [a, b].

    Parameters
    ----------
    array : ndarray of float32 or float64, writable
        Overwritten.
    mean : float, default 0.0
    std : float above 0, default 1.0
        Of the distribution before it is truncated.
    a : float, default -2.0
    b : float above a, default 2.0
        Bounds of the values themselves, not in units of std.
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
    >>> a = nn.init.trunc_normal_(np.empty((50, 60)), a=-1.0, b=1.0, seed=0)
    >>> bool(a.min() >= -1 and a.max() <= 1)
    True
    """
    return _fill(array, rules.TruncNormal(mean, std, a, b), seed)


def xavier_uniform_(array: Array, gain: float = 1.0, *, seed: int | None = None) -> Array:
    """Fill an array: uniform Glorot initialization (Glorot and Bengio 2010).

    Uniform within gain * sqrt(6 / (in + out)).

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
    gain : float, at least 0, default 1.0
        Factor for the nonlinearity that follows; see `calculate_gain`.
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
    >>> a = nn.init.xavier_uniform_(np.empty((50, 100)), seed=0)
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """
    return _fill(array, rules.XavierUniform(gain), seed)


def xavier_normal_(array: Array, gain: float = 1.0, *, seed: int | None = None) -> Array:
    """Fill an array: normal Glorot initialization (Glorot and Bengio 2010).

    Normal with mean 0 and std gain * sqrt(2 / (in + out)).

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
    gain : float, at least 0, default 1.0
        Factor for the nonlinearity that follows; see `calculate_gain`.
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
    >>> a = nn.init.xavier_normal_(np.empty((50, 150)), seed=0)
    >>> bool(abs(a.std() / 0.1 - 1) < 0.05)
    True
    """
    return _fill(array, rules.XavierNormal(gain), seed)


def kaiming_uniform_(
    array: Array, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: int | None = None
) -> Array:
    """Fill an array: uniform He initialization (He et al. 2015).

    Uniform within gain * sqrt(3 / fan); `calculate_gain` has the gains.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
    a : float, default 0.0
        The slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}, default "fan_in"
        Whether the variance is kept in the forward pass (fan is the number of inputs) or backward (of outputs).
    nonlinearity : str, default "leaky_relu"
        One of those of `calculate_gain`. With a = 0, "leaky_relu" is "relu".
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
    >>> a = nn.init.kaiming_uniform_(np.empty((150, 20)), seed=0)
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """
    return _fill(array, rules.KaimingUniform(a, mode, nonlinearity), seed)


def kaiming_normal_(
    array: Array, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: int | None = None
) -> Array:
    """Fill an array: normal He initialization (He et al. 2015).

    Normal with mean 0 and std gain / sqrt(fan); `calculate_gain` has the gains.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
    a : float, default 0.0
        The slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}, default "fan_in"
        Whether the variance is kept in the forward pass (fan is the number of inputs) or backward (of outputs).
    nonlinearity : str, default "leaky_relu"
        One of those of `calculate_gain`. With a = 0, "leaky_relu" is "relu".
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
    >>> a = nn.init.kaiming_normal_(np.empty((50, 100)), seed=0)
    >>> bool(abs(a.std() / 0.2 - 1) < 0.05)
    True
    """
    return _fill(array, rules.KaimingNormal(a, mode, nonlinearity), seed)


def lecun_uniform_(array: Array, *, seed: int | None = None) -> Array:
    """Fill an array: uniform LeCun initialization (LeCun et al. 1998; for SELU: Klambauer et al. 2017).

    Uniform within sqrt(3 / in).

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
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
    >>> a = nn.init.lecun_uniform_(np.empty((75, 20)), seed=0)
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """
    return _fill(array, rules.LecunUniform(), seed)


def lecun_normal_(array: Array, *, seed: int | None = None) -> Array:
    """Fill an array: normal LeCun initialization (LeCun et al. 1998; for SELU: Klambauer et al. 2017).

    Normal with mean 0 and std 1 / sqrt(in).

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
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
    >>> a = nn.init.lecun_normal_(np.empty((100, 50)), seed=0)
    >>> bool(abs(a.std() / 0.1 - 1) < 0.05)
    True
    """
    return _fill(array, rules.LecunNormal(), seed)


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
    return _fill(array, rules.Orthogonal(gain), seed)


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
    return _fill(array, rules.Eye())


def sparse_(array: Array, sparsity: float, std: float = 0.01, *, seed: int | None = None) -> Array:
    """Fill an array: sparse initialization (Martens 2010): normal values, of which a share in each column is 0.

    A column of a layer's weight holds the weights into one unit. Its zeros are chosen at random; sparsity * in of them,
    rounded up.

    Parameters
    ----------
    array : ndarray of float32 or float64, writable, shape (in, out)
        Overwritten.
    sparsity : float in [0, 1]
        Share of zeros in each column.
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
    return _fill(array, rules.Sparse(sparsity, std), seed)

"""Constants and distributions that do not depend on the shape, in place."""

from __future__ import annotations

from ...._validation import Array
from .. import rules
from .fill import fill


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
    return fill(array, rules.Zeros())


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
    return fill(array, rules.Ones())


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
    return fill(array, rules.Constant(val))


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
    return fill(array, rules.Uniform(a, b), seed)


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
    return fill(array, rules.Normal(mean, std), seed)


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
    return fill(array, rules.TruncNormal(mean, std, a, b), seed)

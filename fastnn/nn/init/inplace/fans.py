"""Distributions scaled by the number of inputs and outputs (fan_in, fan_out), in place."""

from __future__ import annotations

from ...._validation import Array
from .. import rules
from .fill import fill


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
    return fill(array, rules.XavierUniform(gain), seed)


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
    return fill(array, rules.XavierNormal(gain), seed)


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
    return fill(array, rules.KaimingUniform(a, mode, nonlinearity), seed)


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
    return fill(array, rules.KaimingNormal(a, mode, nonlinearity), seed)


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
    return fill(array, rules.LecunUniform(), seed)


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
    return fill(array, rules.LecunNormal(), seed)

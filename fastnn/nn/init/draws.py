"""Random numbers for initial values, drawn from one stream in the order of the calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._core import activations as core
from ..._core import random
from ..._core.quantile import FAR_TAIL, MIDDLE, TAIL, ratio
from ..._validation import Array

INIT_STREAM = 1 << 62  # random streams of initial values: this + (layer << 8) + parameter
DRAWN_AT_ONCE = 1 << 16  # numbers drawn at a time, to limit the memory of float64 temporaries

_log = core.Map1("log", None)  # type: ignore[arg-type]


def normal_quantile(q: Array) -> Array:
    """The quantile 1/2 + q of the standard normal distribution; |q| < 1/2, float64.

    Computed with additions, multiplications and square roots of NumPy and the logarithm of this package, so its bits
    are the same everywhere.
    """
    z = q * ratio(MIDDLE, np.maximum(0.180625 - q * q, 0.0))
    tail = np.flatnonzero(np.abs(q) > 0.425)
    if tail.size:
        share = np.maximum(0.5 - np.abs(q[tail]), 2.0**-60)
        _log.run(share, share, 0.0, 0.0)
        r = np.sqrt(-share)
        size = np.where(r <= 5.0, ratio(TAIL, r - 1.6), ratio(FAR_TAIL, np.maximum(r, 5.0) - 5.0))
        z[tail] = np.copysign(size, q[tail])
    return z


class Draws:
    """Random numbers of one stream; each call continues where the last one stopped.

    Parameters
    ----------
    dtype : dtype
        Of the numbers; they are computed in float64 and rounded.
    seed, stream : int in [0, 2^64)
        They alone determine the numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> draws = nn.init.Draws("float32", seed=0, stream=1)
    >>> first, second = draws(3, -1.0, 1.0), draws.normal(2)
    >>> again = nn.init.Draws("float32", seed=0, stream=1)
    >>> np.array_equal(again(3, -1.0, 1.0), first), draws.position
    (True, 5)
    """

    def __init__(self, dtype: Any, seed: int, stream: int) -> None:
        self.dtype, self.seed, self.stream = np.dtype(dtype), seed, stream
        self.position = 0

    def __call__(self, n: int, low: float, high: float) -> Array:
        """Draw uniform numbers.

        Parameters
        ----------
        n : int
        low, high : float

        Returns
        -------
        numbers : ndarray, shape (n,)
            In [low, high).
        """
        return self.each(n, lambda u: (high - low) * u + low)

    def normal(self, n: int, mean: float = 0.0, std: float = 1.0, dtype: Any = None) -> Array:
        """Draw normal numbers, by the inverse of the distribution function.

        Parameters
        ----------
        n : int
        mean, std : float, default 0.0 and 1.0
        dtype : dtype, optional
            By default that of the draws.

        Returns
        -------
        numbers : ndarray, shape (n,)
        """
        # u is a multiple of 2^-53; adding half a step keeps it from being 0.
        return self.each(n, lambda u: std * normal_quantile((u - 0.5) + 2.0**-54) + mean, dtype)

    def each(self, n: int, transform: Callable[[Array], Array], dtype: Any = None) -> Array:
        """Draw numbers of any distribution.

        Parameters
        ----------
        n : int
        transform : function
            Maps an array of uniform numbers in [0, 1), float64, to one of the same shape. It is called several times,
            for consecutive parts of the n numbers.
        dtype : dtype, optional
            By default that of the draws.

        Returns
        -------
        numbers : ndarray, shape (n,)
        """
        drawn = np.empty(n, dtype or self.dtype)
        for start in range(0, n, DRAWN_AT_ONCE):
            part = drawn[start : start + DRAWN_AT_ONCE]
            part[...] = transform(random.uniform(self.seed, self.stream, self.position, len(part)))
            self.position += len(part)
        return drawn

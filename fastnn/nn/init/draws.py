"""Where initial values come from: numbers drawn from a random stream, in the order in which they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..._core import activations as core
from ..._core import random
from ..._validation import Array

INIT_STREAM = 1 << 62  # random streams of initial values: this + (layer << 8) + parameter
DRAWN_AT_ONCE = 1 << 16  # in float64, which would need several times the memory for all

_log = core.Map1("log", None)  # type: ignore[arg-type]

# Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), PPND16:
# numerators and denominators, highest power first, for the middle and for two stretches of the tails.
MIDDLE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
TAIL = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
FAR_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], r: Array) -> Array:
    numerator, denominator = (np.polyval(c, r) for c in coefficients)
    return numerator / denominator


def normal_quantile(q: Array) -> Array:
    """The standard normal number below which a share of 1/2 + q lies; |q| < 1/2, float64.

    Additions, multiplications and square roots of NumPy and the logarithm of this package: the same bits everywhere.
    """
    z = q * _ratio(MIDDLE, np.maximum(0.180625 - q * q, 0.0))
    tail = np.flatnonzero(np.abs(q) > 0.425)
    if tail.size:
        share = np.maximum(0.5 - np.abs(q[tail]), 2.0**-60)
        _log.run(share, share, 0.0, 0.0)
        r = np.sqrt(-share)
        size = np.where(r <= 5.0, _ratio(TAIL, r - 1.6), _ratio(FAR_TAIL, np.maximum(r, 5.0) - 5.0))
        z[tail] = np.copysign(size, q[tail])
    return z


class Draws:
    """Random numbers of one stream; each call goes on where the last one stopped.

    Parameters
    ----------
    dtype : dtype
        Of the numbers, which are made in float64.
    seed, stream : int
        What decides them, and nothing else does.
    """

    def __init__(self, dtype: Any, seed: int, stream: int) -> None:
        self.dtype, self.seed, self.stream = np.dtype(dtype), seed, stream
        self.position = 0

    def __call__(self, n: int, low: float, high: float) -> Array:
        """Draw n numbers, uniform in [low, high)."""
        return self.each(n, lambda u: (high - low) * u + low)

    def normal(self, n: int, mean: float = 0.0, std: float = 1.0, dtype: Any = None) -> Array:
        """Draw n normal numbers."""
        # The middle of each of the 2^53 steps of u: never 0 or 1.
        return self.each(n, lambda u: std * normal_quantile((u - 0.5) + 2.0**-54) + mean, dtype)

    def each(self, n: int, transform: Callable[[Array], Array], dtype: Any = None) -> Array:
        """Make n numbers from as many of float64, uniform in [0, 1); stretches of them at a time."""
        drawn = np.empty(n, dtype or self.dtype)
        for start in range(0, n, DRAWN_AT_ONCE):
            part = drawn[start : start + DRAWN_AT_ONCE]
            part[...] = transform(random.uniform(self.seed, self.stream, self.position, len(part)))
            self.position += len(part)
        return drawn

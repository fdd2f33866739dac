"""Initial values of parameters: functions of (shape, uniform), where uniform(n) draws n numbers from [0, 1).

A weight has shape (in_features, out_features). The numbers come from a stream of the network's seed and the layer's
place, so they depend on neither the other layers nor the number of threads.
"""

import math
from collections.abc import Callable

import numpy as np

from .._validation import Array

Uniform = Callable[[int], Array]
Init = Callable[[tuple[int, ...], Uniform], Array]


def zeros(shape: tuple[int, ...], uniform: Uniform) -> Array:
    """All 0."""
    return np.zeros(shape)


def uniform_within(bound: float) -> Init:
    """Uniform in [-bound, bound)."""

    def init(shape: tuple[int, ...], uniform: Uniform) -> Array:
        return (2 * bound * uniform(math.prod(shape)) - bound).reshape(shape)

    return init


def linear_default(in_features: int) -> Init:
    """PyTorch's default for weight and bias of a linear layer: uniform within 1 / sqrt(in_features)."""
    return uniform_within(1 / math.sqrt(in_features) if in_features > 0 else 0.0)

"""Initial values of parameters: functions of (shape, uniform), where uniform(n, low, high) draws n from [low, high).

A weight has shape (in_features, out_features). The numbers come from a stream of the network's seed and the layer's
place, so they depend on neither the other layers nor the number of threads.
"""

import math
from collections.abc import Callable

from .._validation import Array

Draw = Callable[[int, float, float], Array]


class Uniform:
    """Uniform in [-bound, bound)."""

    def __init__(self, bound: float) -> None:
        self.bound = bound

    def __call__(self, shape: tuple[int, ...], uniform: Draw) -> Array:
        return uniform(math.prod(shape), -self.bound, self.bound).reshape(shape)


def linear_default(in_features: int) -> Uniform:
    """PyTorch's default for weight and bias of a linear layer: uniform within 1 / sqrt(in_features)."""
    return Uniform(1 / math.sqrt(in_features) if in_features > 0 else 0.0)

"""The base class of the initializers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from ...._validation import Array
from ..draws import Draws


class Initializer:
    """Base of the initializers.

    An initializer of your own is a subclass, or any function of (shape, draws) that returns an array of that shape:
    `draws(n, low, high)` returns n uniform numbers and `draws.normal(n, mean, std)` n normal ones, which depend only on
    the network's seed and the layer's position.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> def twice(shape, draws):
    ...     return 2.0 * np.eye(*shape)
    >>> nn.Linear(2, 2, weight_init=twice).weight.tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    needs_matrix: ClassVar[bool] = False

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        """Return the initial values.

        Parameters
        ----------
        shape : tuple of int
        draws : Draws
            The source of random numbers.

        Returns
        -------
        values : ndarray of that shape
        """
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, draws)")

    def check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise ValueError if the initializer does not apply to arrays of this shape."""
        if self.needs_matrix and len(shape) != 2:
            raise ValueError(f"{name}: {type(self).__name__} is for matrices (in, out), not for shape {shape}")

    def before(self, layers: Iterable[object]) -> Initializer:
        """The initializer for a layer that is followed by `layers`; `KaimingUniform` takes its gain from them."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

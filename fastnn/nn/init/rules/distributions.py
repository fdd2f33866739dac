"""Constants and distributions that do not depend on the shape: constant, uniform, normal, truncated normal."""

from __future__ import annotations

import math

import numpy as np

from .... import _validation as check
from ..draws import Draws, normal_quantile
from .initializer import Initializer

Array = check.Array


class Constant(Initializer):
    """One value everywhere.

    For arrays of any shape. `nn.init.constant_` fills an array in place.

    Parameters
    ----------
    val : float

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 2, weight_init=nn.init.Constant(0.5), seed=0).weight.tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """

    def __init__(self, val: float) -> None:
        self.val = check.check_number("val", val)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.full(shape, self.val)


class Zeros(Initializer):
    """0 everywhere.

    For arrays of any shape. `nn.init.zeros_` fills an array in place.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 2, weight_init=nn.init.Zeros(), seed=0).weight.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.zeros(shape)


class Ones(Initializer):
    """1 everywhere.

    For arrays of any shape. `nn.init.ones_` fills an array in place.

    Examples
    --------
    >>> from fastnn import nn
    >>> nn.Linear(2, 2, weight_init=nn.init.Ones(), seed=0).weight.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.ones(shape)


class Uniform(Initializer):
    """Uniform in [a, b).

    For arrays of any shape. `nn.init.uniform_` fills an array in place.

    Parameters
    ----------
    a : float, default 0.0
    b : float, at least a, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 60, weight_init=nn.init.Uniform(-0.5, 0.5), seed=0).weight
    >>> bool(a.min() >= -0.5 and a.max() <= 0.5)
    True
    """

    def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
        self.a, self.b = check.check_number("a", a), check.check_number("b", b)
        check.check_number("b", b, at_least=self.a)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return draws(math.prod(shape), self.a, self.b).reshape(shape)


class Normal(Initializer):
    """Normal with a mean and a standard deviation.

    For arrays of any shape. `nn.init.normal_` fills an array in place.

    Parameters
    ----------
    mean : float, default 0.0
    std : float, at least 0, default 1.0

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 60, weight_init=nn.init.Normal(std=0.5), seed=0).weight
    >>> bool(abs(a.std() / 0.5 - 1) < 0.05)
    True
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        self.mean, self.std = check.check_number("mean", mean), check.check_number("std", std, at_least=0.0)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return draws.normal(math.prod(shape), self.mean, self.std).reshape(shape)


class TruncNormal(Initializer):
    """Normal, truncated to [a, b].

    For arrays of any shape. `nn.init.trunc_normal_` fills an array in place.

    Parameters
    ----------
    mean : float, default 0.0
    std : float above 0, default 1.0
        Of the distribution before it is truncated.
    a : float, default -2.0
    b : float above a, default 2.0
        Bounds of the values themselves, not in units of std.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 60, weight_init=nn.init.TruncNormal(a=-1.0, b=1.0), seed=0).weight
    >>> bool(a.min() >= -1 and a.max() <= 1)
    True
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0) -> None:
        self.mean, self.std = check.check_number("mean", mean), check.check_number("std", std, above=0.0)
        self.a = check.check_number("a", a)
        self.b = check.check_number("b", b, above=self.a)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        low, high = (math.erf((end - self.mean) / self.std / math.sqrt(2)) / 2 for end in (self.a, self.b))

        def transform(u: Array) -> Array:
            z = normal_quantile(low + (high - low) * (u + 2.0**-54))
            return np.clip(self.std * z + self.mean, self.a, self.b)

        return draws.each(math.prod(shape), transform).reshape(shape)

"""Distributions scaled by the number of inputs and outputs (fan_in, fan_out): Xavier, Kaiming, LeCun."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, Self

from .... import _validation as check
from ..draws import Draws
from .distributions import Uniform
from .gains import GAINS, calculate_gain
from .initializer import Initializer

Array = check.Array


class Scaled(Initializer):
    """Base of the initializers whose standard deviation depends on the shape (fan_in, fan_out)."""

    needs_matrix = True
    uniform: ClassVar[bool]

    def std(self, fan_in: int, fan_out: int) -> float:
        """The standard deviation for this number of inputs and outputs."""
        raise NotImplementedError

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        std = self.std(*(max(1, fan) for fan in shape))
        if self.uniform:
            bound = math.sqrt(3.0) * std
            return draws(math.prod(shape), -bound, bound).reshape(shape)
        return draws.normal(math.prod(shape), 0.0, std).reshape(shape)


class XavierUniform(Scaled):
    """Uniform Glorot initialization (Glorot and Bengio 2010).

    Uniform within gain * sqrt(6 / (in + out)).

    For matrices (in, out) only. `nn.init.xavier_uniform_` fills an array in place.

    Parameters
    ----------
    gain : float, at least 0, default 1.0
        Factor for the nonlinearity that follows; see `calculate_gain`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 100, weight_init=nn.init.XavierUniform(), seed=0).weight
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """

    uniform = True

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check.check_number("gain", gain, at_least=0.0)

    def std(self, fan_in: int, fan_out: int) -> float:
        return self.gain * math.sqrt(2.0 / (fan_in + fan_out))


class XavierNormal(XavierUniform):
    """Normal Glorot initialization (Glorot and Bengio 2010).

    Normal with mean 0 and std gain * sqrt(2 / (in + out)).

    For matrices (in, out) only. `nn.init.xavier_normal_` fills an array in place.

    Parameters
    ----------
    gain : float, at least 0, default 1.0
        Factor for the nonlinearity that follows; see `calculate_gain`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 150, weight_init=nn.init.XavierNormal(), seed=0).weight
    >>> bool(abs(a.std() / 0.1 - 1) < 0.05)
    True
    """

    uniform = False


class KaimingUniform(Scaled):
    """Uniform He initialization (He et al. 2015).

    Uniform within gain * sqrt(3 / fan); `calculate_gain` has the gains.

    For matrices (in, out) only. `nn.init.kaiming_uniform_` fills an array in place.

    Parameters
    ----------
    a : float, default 0.0
        The slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}, default "fan_in"
        Whether the variance is kept in the forward pass (fan is the number of inputs) or backward (of outputs).
    nonlinearity : str, optional
        One of those of `calculate_gain`. By default the first of them, with its slope, among the layers between this
        one and the next one with weights; "relu" if there is none.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(150, 20, weight_init=nn.init.KaimingUniform(), seed=0).weight
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """

    uniform = True

    def __init__(self, a: float = 0.0, mode: str = "fan_in", nonlinearity: str | None = None) -> None:
        self.a = check.check_number("a", a)
        check.check_choice("mode", mode, ("fan_in", "fan_out"))
        if nonlinearity is not None:
            check.check_choice("nonlinearity", nonlinearity, tuple(GAINS))
        self.mode, self.nonlinearity = mode, nonlinearity

    def before(self, layers: Iterable[object]) -> Self:
        if self.nonlinearity is None:
            for layer in layers:
                kernel = getattr(layer, "kernel", None)
                if kernel in GAINS:
                    return type(self)(getattr(layer, "negative_slope", self.a), self.mode, kernel)
        return self

    def std(self, fan_in: int, fan_out: int) -> float:
        fan = fan_in if self.mode == "fan_in" else fan_out
        return calculate_gain(self.nonlinearity or "relu", self.a) / math.sqrt(fan)


class KaimingNormal(KaimingUniform):
    """Normal He initialization (He et al. 2015).

    Normal with mean 0 and std gain / sqrt(fan); `calculate_gain` has the gains.

    For matrices (in, out) only. `nn.init.kaiming_normal_` fills an array in place.

    Parameters
    ----------
    a : float, default 0.0
        The slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}, default "fan_in"
        Whether the variance is kept in the forward pass (fan is the number of inputs) or backward (of outputs).
    nonlinearity : str, optional
        One of those of `calculate_gain`. By default the first of them, with its slope, among the layers between this
        one and the next one with weights; "relu" if there is none.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range; when a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(50, 100, weight_init=nn.init.KaimingNormal(), seed=0).weight
    >>> bool(abs(a.std() / 0.2 - 1) < 0.05)
    True
    """

    uniform = False


class LecunUniform(Scaled):
    """Uniform LeCun initialization (LeCun et al. 1998; for SELU: Klambauer et al. 2017).

    Uniform within sqrt(3 / in).

    For matrices (in, out) only. `nn.init.lecun_uniform_` fills an array in place.

    Raises
    ------
    ValueError
        When a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(75, 20, weight_init=nn.init.LecunUniform(), seed=0).weight
    >>> bool(a.min() >= -0.2 and a.max() <= 0.2)
    True
    """

    uniform = True

    def std(self, fan_in: int, fan_out: int) -> float:
        return 1.0 / math.sqrt(fan_in)


class LecunNormal(LecunUniform):
    """Normal LeCun initialization (LeCun et al. 1998; for SELU: Klambauer et al. 2017).

    Normal with mean 0 and std 1 / sqrt(in).

    For matrices (in, out) only. `nn.init.lecun_normal_` fills an array in place.

    Raises
    ------
    ValueError
        When a layer is made, if the parameter is not a matrix.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> a = nn.Linear(100, 50, weight_init=nn.init.LecunNormal(), seed=0).weight
    >>> bool(abs(a.std() / 0.1 - 1) < 0.05)
    True
    """

    uniform = False


def linear_default(in_features: int) -> Uniform:
    """PyTorch's default for weight and bias of a linear layer: uniform within 1 / sqrt(in_features)."""
    bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
    return Uniform(-bound, bound)

"""The rules for initial values: objects that are called with (shape, draws)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ... import _validation as check
from .draws import Draws, normal_quantile
from .orthogonal import orthonormal_rows

if TYPE_CHECKING:
    from ..module import Module

Array = check.Array


class Initializer:
    """Base of the rules.

    A rule of your own is a subclass, or any function of (shape, draws) that returns an array of that shape: `draws(n,
    low, high)` gives n uniform numbers and `draws.normal(n, mean, std)` n normal ones, which depend on the network's
    seed and the layer's place only.
    """

    needs_matrix: ClassVar[bool] = False

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, draws)")

    def check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise ValueError if the rule is not for arrays of this shape."""
        if self.needs_matrix and len(shape) != 2:
            raise ValueError(f"{name}: {type(self).__name__} is for matrices (in, out), not for shape {shape}")

    def before(self, layers: Iterable[Module]) -> Initializer:
        """The rule for a layer that is followed by `layers`."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


# -- gains -------------------------------------------------------------------------------------------------------------

GAINS = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "leaky_relu": math.nan,  # of its slope
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much larger weights must be before a nonlinearity for the variance to stay the same, as PyTorch has it.

    Parameters
    ----------
    nonlinearity : {"linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"}
        With gains 1, 1, 5/3, sqrt(2), sqrt(2 / (1 + param^2)) and 3/4.
    param : float, optional
        The slope of "leaky_relu", by default 0.01.
    """
    check.check_choice("nonlinearity", nonlinearity, tuple(GAINS))
    if nonlinearity != "leaky_relu":
        return GAINS[nonlinearity]
    slope = 0.01 if param is None else check.check_number("param", param)
    return math.sqrt(2.0 / (1 + slope * slope))


# -- without regard to the shape ---------------------------------------------------------------------------------------


class Constant(Initializer):
    """The value `val` everywhere."""

    def __init__(self, val: float) -> None:
        self.val = check.check_number("val", val)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.full(shape, self.val)


class Zeros(Initializer):
    """0 everywhere."""

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.zeros(shape)


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.ones(shape)


class Uniform(Initializer):
    """Uniform in [a, b)."""

    def __init__(self, a: float = 0.0, b: float = 1.0) -> None:
        self.a, self.b = check.check_number("a", a), check.check_number("b", b)
        check.check_number("b", b, at_least=self.a)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return draws(math.prod(shape), self.a, self.b).reshape(shape)


class Normal(Initializer):
    """Normal."""

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        self.mean, self.std = check.check_number("mean", mean), check.check_number("std", std, at_least=0.0)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return draws.normal(math.prod(shape), self.mean, self.std).reshape(shape)


class TruncNormal(Initializer):
    """Normal, but only values in [a, b]."""

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


# -- by the number of inputs and outputs -------------------------------------------------------------------------------


class Scaled(Initializer):
    """Base of the rules whose standard deviation comes from the shape (in, out): `std(fan_in, fan_out)`."""

    needs_matrix = True
    uniform: ClassVar[bool]

    def std(self, fan_in: int, fan_out: int) -> float:
        """The standard deviation for so many inputs and outputs."""
        raise NotImplementedError

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        std = self.std(*(max(1, fan) for fan in shape))
        if self.uniform:
            bound = math.sqrt(3.0) * std
            return draws(math.prod(shape), -bound, bound).reshape(shape)
        return draws.normal(math.prod(shape), 0.0, std).reshape(shape)


class XavierUniform(Scaled):
    """Uniform within gain * sqrt(6 / (in + out)) (Glorot and Bengio, 2010)."""

    uniform = True

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check.check_number("gain", gain, at_least=0.0)

    def std(self, fan_in: int, fan_out: int) -> float:
        return self.gain * math.sqrt(2.0 / (fan_in + fan_out))


class XavierNormal(XavierUniform):
    """Normal with std gain * sqrt(2 / (in + out)) (Glorot and Bengio, 2010)."""

    uniform = False


class KaimingUniform(Scaled):
    """Uniform within gain * sqrt(3 / fan) (He et al., 2015).

    Parameters
    ----------
    a : float, default 0
        The slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}
        Whether the variance is to be kept on the way forward (fan is the number of inputs) or back (of outputs).
    nonlinearity : str, optional
        One of those of `calculate_gain`, which has the gains. By default that of the first layer after this one and
        before the next weights which is one of them, with its slope; "relu" where there is none.
    """

    uniform = True

    def __init__(self, a: float = 0.0, mode: str = "fan_in", nonlinearity: str | None = None) -> None:
        self.a = check.check_number("a", a)
        check.check_choice("mode", mode, ("fan_in", "fan_out"))
        if nonlinearity is not None:
            check.check_choice("nonlinearity", nonlinearity, tuple(GAINS))
        self.mode, self.nonlinearity = mode, nonlinearity

    def before(self, layers: Iterable[Module]) -> Self:
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
    """Normal with std gain / sqrt(fan) (He et al., 2015).

    Parameters as `KaimingUniform`.
    """

    uniform = False


class LecunUniform(Scaled):
    """Uniform within sqrt(3 / in) (LeCun et al., 1998; for SELU: Klambauer et al., 2017)."""

    uniform = True

    def std(self, fan_in: int, fan_out: int) -> float:
        return 1.0 / math.sqrt(fan_in)


class LecunNormal(LecunUniform):
    """Normal with std 1 / sqrt(in) (LeCun et al., 1998; for SELU: Klambauer et al., 2017)."""

    uniform = False


def linear_default(in_features: int) -> Uniform:
    """PyTorch's default for weight and bias of a linear layer: uniform within 1 / sqrt(in_features)."""
    bound = 1 / math.sqrt(in_features) if in_features > 0 else 0.0
    return Uniform(-bound, bound)


# -- matrices of a kind ------------------------------------------------------------------------------------------------


class Orthogonal(Initializer):
    """Rows or columns, whichever are fewer, orthogonal and of length `gain` (Saxe et al., 2014)."""

    needs_matrix = True

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = check.check_number("gain", gain)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        few, many = sorted(shape)
        rows = orthonormal_rows(draws.normal(few * many, dtype="float64").reshape(few, many))
        return self.gain * (rows if shape[0] <= shape[1] else rows.T)


class Eye(Initializer):
    """1 on the diagonal, 0 elsewhere: as many inputs as possible are passed on."""

    needs_matrix = True

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        return np.eye(shape[0], shape[1])


class Sparse(Initializer):
    """Normal with `std`, but in each column, chosen at random, a share of `sparsity` is 0 (Martens, 2010).

    A column of a layer's weight has what comes into one unit. The number of zeros is rounded up.
    """

    needs_matrix = True

    def __init__(self, sparsity: float, std: float = 0.01) -> None:
        self.sparsity = check.check_number("sparsity", sparsity, at_least=0.0, at_most=1.0)
        self.std = check.check_number("std", std, at_least=0.0)

    def __call__(self, shape: tuple[int, ...], draws: Draws) -> Array:
        values = draws.normal(math.prod(shape), 0.0, self.std).reshape(shape)
        keys = draws.each(math.prod(shape), lambda u: u, "float64").reshape(shape)
        zeros = np.argsort(keys, axis=0, kind="stable")[: math.ceil(self.sparsity * shape[0])]
        np.put_along_axis(values, zeros, 0.0, axis=0)
        return values

"""Dropout and its kin as layers: noise while training, nothing at inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..functional.dropout import check_parameter
from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Noise(Module):
    """Base of the layers that draw: a kernel and its one parameter, which 0 makes do nothing."""

    kernel: ClassVar[str]
    planned = ("p",)
    fixed = ("kernel",)

    def __init__(self, value: float) -> None:
        super().__init__()
        setattr(self, self.planned[0], value)
        setattr(self, self.planned[0], self._value())

    def _value(self) -> float:
        name = self.planned[0]
        return check_parameter(self.kernel, name, getattr(self, name))

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.noise(self, label, self.kernel, self._value(), position)

    def extra_repr(self) -> str:
        return f"{self.planned[0]}={self._value():g}"


class Dropout(Noise):
    """Zero each element with probability p while training, and scale the others by 1 / (1 - p).

    As the first layer of a network it drops features of the input. The mask of the n-th training pass depends only on
    the network's seed, the layer's place and n.

    Parameters
    ----------
    p : float in [0, 1], default 0.5
    """

    kernel = "dropout"

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)


class AlphaDropout(Noise):
    """Dropout for networks with SELU, which keeps mean 0 and variance 1; `functional.alpha_dropout` has the formula.

    Draws as `Dropout` does.

    Parameters
    ----------
    p : float in [0, 1], default 0.5
    """

    kernel = "alpha_dropout"

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)


class GaussianDropout(Noise):
    """Multiply by normal noise of mean 1 and variance p / (1 - p) while training (as Keras does).

    Draws as `Dropout` does.

    Parameters
    ----------
    p : float in [0, 1), default 0.5
    """

    kernel = "gaussian_dropout"

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)


class GaussianNoise(Noise):
    """Add normal noise of mean 0 while training (as Keras does); gradients pass as they are.

    Draws as `Dropout` does.

    Parameters
    ----------
    std : float of at least 0, default 0.1
        Standard deviation.
    """

    kernel = "gaussian_noise"
    planned = ("std",)

    def __init__(self, std: float = 0.1) -> None:
        super().__init__(std)

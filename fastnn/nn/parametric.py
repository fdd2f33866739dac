"""Activations with a parameter that learns, as layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class PReLU(Module):
    """x where x > 0, else weight * x, where weight learns (He et al. 2015)

    Parameters
    ----------
    num_parameters : int, default 1
        1 for one slope, or the number of features for one each. The parameter is called "weight".
    init : float, default 0.25
        The first value of all slopes.
    dtype : {"float32", "float64"}, default "float32"
        For a layer that is used alone.
    """

    fixed = ("num_parameters",)

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: str = "float32") -> None:
        super().__init__()
        self.num_parameters = check.check_integer("num_parameters", num_parameters, at_least=1)
        self.init = check.check_number("init", init)
        self.dtype = check.check_dtype(dtype)
        self.add_parameter("weight", (self.num_parameters,), self.init)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.parametric(self, label, "prelu", (float(self.num_parameters == 1),))

    def in_features_hint(self) -> int | None:
        return self.num_parameters if self.num_parameters > 1 else None

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Temperature(Module):
    """x / temperature, where temperature, one number, learns: it calibrates logits (Guo et al. 2017)

    Put behind a trained network whose other parameters are kept fixed, and trained by cross-entropy on validation data,
    it makes probabilities that are right as often as they say; predicted classes stay the same.

    Parameters
    ----------
    init : float above 0, default 1.0
        The first value. The parameter is called "temperature".
    dtype : {"float32", "float64"}, default "float32"
        For a layer that is used alone.
    """

    def __init__(self, init: float = 1.0, *, dtype: str = "float32") -> None:
        super().__init__()
        self.init = check.check_number("init", init, above=0.0)
        self.dtype = check.check_dtype(dtype)
        self.add_parameter("temperature", (1,), self.init)

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.parametric(self, label, "temperature_scale", parameter="temperature")

    def extra_repr(self) -> str:
        return f"init={self.init:g}"

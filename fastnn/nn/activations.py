"""Activations as layers; the functions of the same names in `functional` have formulas, accuracy and special values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import _validation as check
from .module import Module

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Activation(Module):
    """Base of the elementwise activations: a kernel and its parameters."""

    kernel: ClassVar[str]
    fixed = ("kernel",)

    def __init__(self, **params: float) -> None:
        super().__init__()
        for name, value in params.items():
            if name not in self.planned:
                raise TypeError(f"{type(self).__name__} takes no argument {name!r}")
            setattr(self, name, check.check_number(name, value))

    @property
    def params(self) -> dict[str, float]:
        """The parameters of the kernel, by name."""
        return {name: check.check_number(name, getattr(self, name)) for name in self.planned}

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.activation(self, label, self.kernel, tuple(self.params.values()))

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.params.items())


class Sigmoid(Activation):
    """1 / (1 + exp(-x))"""

    kernel = "sigmoid"


class Tanh(Activation):
    """tanh(x)"""

    kernel = "tanh"


class ReLU(Activation):
    """max(0, x)"""

    kernel = "relu"


class LeakyReLU(Activation):
    """x where x > 0, else negative_slope * x"""

    kernel = "leaky_relu"
    planned = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__(negative_slope=negative_slope)


class ELU(Activation):
    """x where x > 0, else alpha * (exp(x) - 1)"""

    kernel = "elu"
    planned = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(alpha=alpha)


class SELU(Activation):
    """1.0507 * (x where x > 0, else 1.6733 * (exp(x) - 1))"""

    kernel = "selu"


class CELU(Activation):
    """x where x > 0, else alpha * (exp(x / alpha) - 1)"""

    kernel = "celu"
    planned = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        if alpha == 0:
            raise ValueError("alpha must not be 0")
        super().__init__(alpha=alpha)


class SiLU(Activation):
    """x * sigmoid(x)"""

    kernel = "silu"


class Mish(Activation):
    """x * tanh(softplus(x))"""

    kernel = "mish"


class Softplus(Activation):
    """log(1 + exp(beta * x)) / beta, or x where beta * x > threshold"""

    kernel = "softplus"
    planned = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        if beta == 0:
            raise ValueError("beta must not be 0")
        super().__init__(beta=beta, threshold=threshold)


class Softsign(Activation):
    """x / (1 + |x|)"""

    kernel = "softsign"


class Hardsigmoid(Activation):
    """min(max(x + 3, 0), 6) / 6"""

    kernel = "hardsigmoid"


class Hardswish(Activation):
    """x * min(max(x + 3, 0), 6) / 6"""

    kernel = "hardswish"


class Hardtanh(Activation):
    """min(max(x, min_val), max_val)"""

    kernel = "hardtanh"
    planned = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__(min_val=min_val, max_val=max_val)
        if not min_val < max_val:
            raise ValueError(f"max_val must be greater than min_val, got {min_val} and {max_val}")


class ReLU6(Activation):
    """min(max(0, x), 6)"""

    kernel = "relu6"


class GELU(Activation):
    """x * Phi(x), or its approximation by tanh"""

    planned = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        check.check_choice("approximate", approximate, ("none", "tanh"))
        super().__init__()
        self.approximate = approximate

    @property
    def params(self) -> dict[str, float]:
        """None: the approximation is a kernel of its own."""
        return {}

    @property
    def kernel(self) -> str:  # type: ignore[override]
        return "gelu" if self.approximate == "none" else "gelu_tanh"

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Softmax(Module):
    """exp(x_i / T) / sum_j exp(x_j / T) over the features of each row

    Parameters
    ----------
    dim : int, default -1
        The features: -1, or 1 for x of shape (rows, features). Called alone, a layer with dim=1 takes x of more
        dimensions and works along that one, as PyTorch's; in a network such an x is an error.
    temperature : float above 0, default 1.0
    """

    kernel = "softmax"
    planned = ("temperature",)
    fixed = ("kernel",)

    def __init__(self, dim: int = -1, temperature: float = 1.0) -> None:
        super().__init__()
        if dim not in (-1, 1):
            raise ValueError(f"dim must be -1 or 1 in a network, got {dim}: functional.{self.kernel} takes any axis")
        self.dim = dim
        self.temperature = check.check_temperature(temperature, "float32")

    def __call__(self, x: Any) -> check.Array:
        return self._along_dim(super().__call__, check.as_array("x", x))

    def backward(self, grad_output: Any) -> check.Array:
        return self._along_dim(super().backward, check.as_array("grad_output", grad_output))

    def _along_dim(self, function: Callable[[check.Array], check.Array], x: check.Array) -> check.Array:
        """What a function of rows makes of those of x along `dim`."""
        if self.dim == -1 or x.ndim == 2:
            return function(x)
        if x.ndim < 2:
            raise ValueError(f"{type(self).__name__}: dim=1 is out of range for x of shape {x.shape}: take dim=-1")
        rows = np.moveaxis(x, 1, -1)
        y = function(np.ascontiguousarray(rows).reshape(math.prod(rows.shape[:-1]), rows.shape[-1]))
        return np.ascontiguousarray(np.moveaxis(y.reshape(rows.shape), -1, 1))

    def plan(self, plan: Plan, label: str, position: int) -> None:
        plan.rows(self, label, self.kernel, (1.0 / check.check_temperature(self.temperature, "float32"),))

    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}"


class LogSoftmax(Softmax):
    """The logarithm of `Softmax`, with its parameters"""

    kernel = "log_softmax"

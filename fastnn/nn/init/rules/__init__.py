"""The initializers: objects that are called with (shape, draws) and return initial values."""

from .distributions import Constant, Normal, Ones, TruncNormal, Uniform, Zeros
from .fans import (
    KaimingNormal,
    KaimingUniform,
    LecunNormal,
    LecunUniform,
    XavierNormal,
    XavierUniform,
    linear_default,
)
from .gains import calculate_gain
from .initializer import Initializer
from .matrices import Eye, Orthogonal, Sparse

__all__ = [
    "Constant",
    "Eye",
    "Initializer",
    "KaimingNormal",
    "KaimingUniform",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "Sparse",
    "TruncNormal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "calculate_gain",
    "linear_default",
]

"""Initial values for arrays, in place, with PyTorch's names: for layers of your own, or to begin anew.

Each takes `seed`, which alone decides the numbers (by default one is drawn), and returns the array. A matrix is taken
as (in, out), like the weight of a layer here, where PyTorch's are (out, in).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ... import _validation as check
from . import rules
from .draws import INIT_STREAM
from .names import initial_value

Array = check.Array


def _fill(array: Any, rule: rules.Initializer, seed: int | None = None) -> Array:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"array must be an ndarray, got {type(array).__name__}")
    if array.dtype not in check.DTYPES:
        raise TypeError(f"array must be float32 or float64, got {array.dtype}")
    if not array.flags.writeable:
        raise ValueError("array must be writable")
    rule.check_shape("array", array.shape)
    seed = int.from_bytes(os.urandom(8), "little") if seed is None else check.check_seed(seed)
    array[...] = initial_value(rule, array.shape, array.dtype, seed, INIT_STREAM)
    return array


def zeros_(array: Array) -> Array:
    """0 everywhere."""
    return _fill(array, rules.Zeros())


def ones_(array: Array) -> Array:
    """1 everywhere."""
    return _fill(array, rules.Ones())


def constant_(array: Array, val: float) -> Array:
    """`val` everywhere."""
    return _fill(array, rules.Constant(val))


def uniform_(array: Array, a: float = 0.0, b: float = 1.0, *, seed: int | None = None) -> Array:
    """Uniform in [a, b)."""
    return _fill(array, rules.Uniform(a, b), seed)


def normal_(array: Array, mean: float = 0.0, std: float = 1.0, *, seed: int | None = None) -> Array:
    """Normal."""
    return _fill(array, rules.Normal(mean, std), seed)


def trunc_normal_(
    array: Array, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, *, seed: int | None = None
) -> Array:
    """Normal, but only values in [a, b]."""
    return _fill(array, rules.TruncNormal(mean, std, a, b), seed)


def xavier_uniform_(array: Array, gain: float = 1.0, *, seed: int | None = None) -> Array:
    """Uniform within gain * sqrt(6 / (in + out))."""
    return _fill(array, rules.XavierUniform(gain), seed)


def xavier_normal_(array: Array, gain: float = 1.0, *, seed: int | None = None) -> Array:
    """Normal with std gain * sqrt(2 / (in + out))."""
    return _fill(array, rules.XavierNormal(gain), seed)


def kaiming_uniform_(
    array: Array, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: int | None = None
) -> Array:
    """Uniform within gain * sqrt(3 / fan); `calculate_gain` has the gains."""
    return _fill(array, rules.KaimingUniform(a, mode, nonlinearity), seed)


def kaiming_normal_(
    array: Array, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: int | None = None
) -> Array:
    """Normal with std gain / sqrt(fan); `calculate_gain` has the gains."""
    return _fill(array, rules.KaimingNormal(a, mode, nonlinearity), seed)


def lecun_uniform_(array: Array, *, seed: int | None = None) -> Array:
    """Uniform within sqrt(3 / in)."""
    return _fill(array, rules.LecunUniform(), seed)


def lecun_normal_(array: Array, *, seed: int | None = None) -> Array:
    """Normal with std 1 / sqrt(in)."""
    return _fill(array, rules.LecunNormal(), seed)


def orthogonal_(array: Array, gain: float = 1.0, *, seed: int | None = None) -> Array:
    """Rows or columns, whichever are fewer, orthogonal and of length `gain`."""
    return _fill(array, rules.Orthogonal(gain), seed)


def eye_(array: Array) -> Array:
    """1 on the diagonal, 0 elsewhere."""
    return _fill(array, rules.Eye())


def sparse_(array: Array, sparsity: float, std: float = 0.01, *, seed: int | None = None) -> Array:
    """Normal with `std`, but in each column a share of `sparsity` is 0."""
    return _fill(array, rules.Sparse(sparsity, std), seed)

"""Elementary functions, elementwise, in the dtype of their argument.

NaN gives NaN, infinities give the limits, poles and values out of the domain give infinities and NaN as in
IEEE 754; no function warns.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "add",
    "affine",
    "affine_backward",
    "divide",
    "erf",
    "erf_backward",
    "exp",
    "exp_backward",
    "expm1",
    "expm1_backward",
    "log",
    "log1p",
    "log1p_backward",
    "log_backward",
    "multiply",
    "reciprocal",
    "reciprocal_backward",
    "subtract",
]

# Any floating dtype: every function of this package returns the dtype of its argument.
Array = NDArray[Any]


@np.errstate(all="ignore")
def exp(x: Array) -> Array:
    """Return e**x."""
    return np.exp(x)


@np.errstate(all="ignore")
def exp_backward(grad_output: Array, output: Array) -> Array:
    """Return grad_output * output, with output = exp(x)."""
    return np.multiply(grad_output, output)


@np.errstate(all="ignore")
def expm1(x: Array) -> Array:
    """Return e**x - 1, accurate near 0."""
    return np.expm1(x)


@np.errstate(all="ignore")
def expm1_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output * exp(x)."""
    return grad_output * np.exp(x)


@np.errstate(all="ignore")
def log(x: Array) -> Array:
    """Return the natural logarithm: -inf at 0, NaN below it."""
    return np.log(x)


@np.errstate(all="ignore")
def log_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output / x."""
    return np.divide(grad_output, x)


@np.errstate(all="ignore")
def log1p(x: Array) -> Array:
    """Return log(1 + x), accurate near 0: -inf at -1, NaN below it."""
    return np.log1p(x)


@np.errstate(all="ignore")
def log1p_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output / (1 + x)."""
    return grad_output / (1 + x)


@np.errstate(all="ignore")
def erf(x: Array) -> Array:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return map_float64(math.erf, x).astype(x.dtype)


@np.errstate(all="ignore")
def erf_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output * 2 / sqrt(pi) * exp(-x**2), which is 0 beyond +-30.

    x^2 = n^2 + (x - n) (x + n) with n a multiple of 1 / 64: exp would multiply the rounding error of x^2 by x^2.
    """
    x = np.clip(x, -30, 30)
    n = np.round(64 * x) / 64
    return grad_output * (np.exp(-n * n) * np.exp((n - x) * (n + x)) * (2.0 / math.sqrt(math.pi)))


@np.errstate(all="ignore")
def add(x: Array, other: Array) -> Array:
    """Return x + other."""
    return np.add(x, other)


@np.errstate(all="ignore")
def subtract(x: Array, other: Array) -> Array:
    """Return x - other."""
    return np.subtract(x, other)


@np.errstate(all="ignore")
def multiply(x: Array, other: Array) -> Array:
    """Return x * other."""
    return np.multiply(x, other)


@np.errstate(all="ignore")
def divide(x: Array, other: Array) -> Array:
    """Return x / other."""
    return np.divide(x, other)


@np.errstate(all="ignore")
def affine(x: Array, scale: float = 1.0, shift: float = -0.0) -> Array:
    """Return scale * x + shift, each operation rounded."""
    return np.add(x.dtype.type(scale) * x, x.dtype.type(shift))


@np.errstate(all="ignore")
def affine_backward(grad_output: Array, x: Array, scale: float = 1.0, shift: float = -0.0) -> Array:
    """Return scale * grad_output."""
    return np.multiply(grad_output, x.dtype.type(scale))


@np.errstate(all="ignore")
def reciprocal(x: Array, scale: float = 1.0) -> Array:
    """Return scale / x."""
    return np.divide(x.dtype.type(scale), x)


@np.errstate(all="ignore")
def reciprocal_backward(grad_output: Array, x: Array, scale: float = 1.0) -> Array:
    """Return -grad_output * scale / x**2, without the square."""
    return np.multiply(grad_output, x.dtype.type(scale) / x / -x)


def map_float64(function: Callable[[float], float], x: Array) -> NDArray[np.float64]:
    """Apply a function of Python floats to every element, for functions that NumPy lacks."""
    return np.asarray(np.frompyfunc(function, 1, 1)(x.astype(np.float64)), dtype=np.float64)


@np.errstate(all="ignore")
def unit_scale(x: Array, axis: int | None = None, least: float = 0.0) -> Array:
    """Return a power of two that scales the largest magnitude of x (or along an axis), or `least` if larger, near 1.

    Numbers times this are not rounded, and their squares do not over- or underflow. It is 1 for zeros, infinities and
    NaN.
    """
    largest = np.maximum(np.abs(x).max(axis=axis, keepdims=axis is not None, initial=0), least)
    limits = np.finfo(x.dtype)
    exponents = np.clip(-np.frexp(largest)[1], limits.minexp, -limits.minexp)
    return np.ldexp(x.dtype.type(1), np.where(np.isfinite(largest) & (largest > 0), exponents, 0))

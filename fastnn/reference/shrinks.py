"""Shrinks and their gradients, elementwise; see `activations`."""

import math

import numpy as np

from .elementary import Array

__all__ = [
    "hardshrink",
    "hardshrink_backward",
    "softshrink",
    "softshrink_backward",
    "tanhshrink",
    "tanhshrink_backward",
]


@np.errstate(all="ignore")
def tanhshrink(x: Array) -> Array:
    """Return x - tanh(x).

    For |x| < 1 it is (x cosh x - sinh x) / cosh x, whose numerator is the sum of 2k / (2k + 1)! x^(2k + 1) from k = 1
    on; for larger |x| (|x| - 1) + 2 / (exp(2 |x|) + 1). So nothing cancels.
    """
    a, square = np.abs(x), x * x
    series = np.zeros_like(x)
    for k in range(12, 0, -1):
        series = series * square + x.dtype.type(2 * k) / x.dtype.type(math.factorial(2 * k + 1))
    large = np.copysign((a - 1) + 2 / (np.exp(2 * a) + 1), x)
    return np.where(a < 1, x * (square * series) / np.cosh(x), large)


@np.errstate(all="ignore")
def tanhshrink_backward(grad_output: Array, x: Array) -> Array:
    """Return grad_output * tanh(x)**2."""
    return grad_output * np.tanh(x) ** 2


@np.errstate(all="ignore")
def softshrink(x: Array, lambd: float = 0.5) -> Array:
    """Return 0 where |x| <= lambd, else x moved towards 0 by lambd."""
    return np.where(np.abs(x) <= lambd, 0, x - np.copysign(x.dtype.type(lambd), x))


def softshrink_backward(grad_output: Array, x: Array, lambd: float = 0.5) -> Array:
    """Return 0 where |x| <= lambd, else grad_output: that, too, where x is NaN."""
    return np.where(np.abs(x) <= lambd, 0, grad_output)


def hardshrink(x: Array, lambd: float = 0.5) -> Array:
    """Return 0 where |x| <= lambd, else x."""
    return np.where(np.abs(x) <= lambd, 0, x)


def hardshrink_backward(grad_output: Array, x: Array, lambd: float = 0.5) -> Array:
    """Return 0 where |x| <= lambd, else grad_output: that, too, where x is NaN."""
    return softshrink_backward(grad_output, x, lambd)

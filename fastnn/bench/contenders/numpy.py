"""NumPy, written for speed: in place, into existing arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import data
from ..cases import Case
from .common import Run, imported, repeated

Array = Any
VERSION = f"NumPy {np.__version__}"


def linear(case: Case) -> Run:
    """By the matrix product of NumPy's BLAS, usually OpenBLAS."""
    x, weight, bias, grad = data.product(case)
    y = np.empty_like(grad)

    def call() -> Any:
        np.matmul(x, weight, out=y)
        np.add(y, bias, out=y)
        return np.maximum(y, 0, out=y)

    return repeated(call)


def linear_backward(case: Case) -> Run:
    """Two products and a sum."""
    x, weight, bias, grad = data.product(case)
    grad_x, grad_weight, grad_bias = np.empty_like(x), np.empty_like(weight), np.empty_like(bias)

    def call() -> Any:
        np.matmul(grad, weight.T, out=grad_x)
        np.matmul(x.T, grad, out=grad_weight)
        np.sum(grad, axis=0, out=grad_bias)
        return grad_x, grad_weight, grad_bias

    return repeated(call)


def function(case: Case) -> Run | None:
    """A function of the tables below, into an existing array."""
    called = FUNCTIONS.get(case.operation)
    if called is None or case.options:
        return None
    arguments = data.arguments(case)
    out = np.empty_like(arguments[0])
    return repeated(lambda: called(*arguments, out))


def _sigmoid(x: Array, out: Array) -> Array:
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    return np.reciprocal(out, out=out)


def _sigmoid_backward(grad: Array, y: Array, out: Array) -> Array:
    np.subtract(1, y, out=out)
    np.multiply(out, y, out=out)
    return np.multiply(out, grad, out=out)


def _tanh_backward(grad: Array, y: Array, out: Array) -> Array:
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)
    return np.multiply(out, grad, out=out)


def _elu(x: Array, out: Array) -> Array:
    np.minimum(x, 0, out=out)
    np.expm1(out, out=out)
    return np.maximum(x, out, out=out)


def _silu(x: Array, out: Array) -> Array:
    return np.multiply(_sigmoid(x, out), x, out=out)


def _softmax(x: Array, out: Array) -> Array:
    np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    np.exp(out, out=out)
    return np.divide(out, out.sum(axis=-1, keepdims=True), out=out)


def _log_softmax(x: Array, out: Array) -> Array:
    np.subtract(x, x.max(axis=-1, keepdims=True), out=out)
    return np.subtract(out, np.log(np.exp(out).sum(axis=-1, keepdims=True)), out=out)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    "exp": lambda x, out: np.exp(x, out=out),
    "relu": lambda x, out: np.maximum(x, 0, out=out),
    "relu_backward": lambda grad, x, out: np.multiply(grad, x > 0, out=out),
    "tanh": lambda x, out: np.tanh(x, out=out),
    "tanh_backward": _tanh_backward,
    "sigmoid": _sigmoid,
    "sigmoid_backward": _sigmoid_backward,
    "elu": _elu,
    "silu": _silu,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
}


def startup(case: Case) -> Run:
    """The import."""
    return imported("numpy")

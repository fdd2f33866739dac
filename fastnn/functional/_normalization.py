"""Checks of arguments that the normalizations share."""

import math
from typing import Any

import numpy as np

from .. import _validation as check
from ._elementwise import Array


def checked(x: Any, **vectors: Any) -> tuple[Array, list[Array | None]]:
    """x, and the vectors of one number for each of its features, checked; those that are None stay None."""
    x = check.as_array("x", x)
    if x.ndim < 1:
        raise ValueError("x must have shape (..., features), got a scalar")
    arrays = {name: None if v is None else check.as_array(name, v) for name, v in vectors.items()}
    check.check_same_dtype(x=x, **arrays)
    for name, array in arrays.items():
        if array is not None:
            check.check_shape(name, array, x.shape[-1:], f"for x of shape {x.shape}")
    return x, list(arrays.values())


def checked_gradient(grad_output: Any, x: Any, **vectors: Any) -> tuple[Array, Array, list[Array | None]]:
    g = check.as_array("grad_output", grad_output)
    x, arrays = checked(x, **vectors)
    check.check_same_dtype(grad_output=g, x=x)
    check.check_same_shape(x=x, grad_output=g)
    return g, x, arrays


def check_rows(x: Any, normalized_shape: Any, **arrays: Any) -> tuple[tuple[int, ...], list[Any]]:
    """normalized_shape as a tuple, and x and the arrays with the axes of that shape as one; None stays."""
    shape = (normalized_shape,) if hasattr(normalized_shape, "__index__") else tuple(normalized_shape)
    shape = tuple(check.check_integer("normalized_shape", n, at_least=1) for n in shape)
    flat = []
    for name, value in {"x": x, **arrays}.items():
        array = None if value is None else check.as_array(name, value)
        if array is not None:
            whole = name in ("x", "grad_output")
            if not shape or (array.shape[-len(shape) :] if whole else array.shape) != shape:
                asked = f"end with normalized_shape, {shape}" if whole else f"be normalized_shape, {shape}"
                raise ValueError(f"the shape of {name} must {asked}, got {array.shape}")
            array = array.reshape(*array.shape[: array.ndim - len(shape)], math.prod(shape))
        flat.append(array)
    return shape, flat


def apart(vector: Array | None, y: Array) -> Array | None:
    return None if vector is None else check.without_overlap(vector, y)


def check_eps(eps: Any) -> float:
    return check.check_number("eps", eps, at_least=0.0)


def new_gradients(x: Array) -> tuple[Array, Array, Array]:
    """Uninitialized arrays for the gradients with respect to x, weight and bias."""
    return np.empty_like(x), np.empty(x.shape[-1], x.dtype), np.empty(x.shape[-1], x.dtype)

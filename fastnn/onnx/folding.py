"""Constant folding: nodes whose inputs are all constant are computed when a model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._validation import Array

# Stands for a length that is not known, such as the number of rows, among the numbers of a shape.
UNKNOWN = np.iinfo("int64").min // 2
MOST = 1 << 20  # values of a result that is larger than all inputs together

Fold = Callable[..., Array]
FOLDS: dict[str, Fold] = {}


def _fold(*operators: str) -> Callable[[Fold], Fold]:
    def register(function: Fold) -> Fold:
        FOLDS.update(dict.fromkeys(operators, function))
        return function

    return register


def _elementwise(operator: str, function: Callable[..., Any]) -> None:
    def fold(attributes: dict[str, Any], *inputs: Array) -> Array:
        size = int(np.prod([float(n) for n in np.broadcast_shapes(*(x.shape for x in inputs))]))
        if size > MOST + sum(x.size for x in inputs):
            raise ValueError(f"a result of {size} values")
        unknown = np.zeros((), bool)
        for x in inputs:
            if x.dtype == "int64":
                unknown = unknown | (x == UNKNOWN)
        with np.errstate(all="ignore"):
            result = np.asarray(function(*inputs))
        result = result.astype(inputs[0].dtype) if result.dtype != "bool" else result
        return np.where(unknown, np.asarray(UNKNOWN, result.dtype), result) if unknown.any() else result

    FOLDS[operator] = fold


def _quotient(x: Array, y: Array) -> Array:
    if x.dtype.kind in "iu":
        return np.where(y == 0, 0, np.trunc(x / np.where(y == 0, 1, y)))
    return x / y


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": _quotient, "Neg": np.negative, "Sqrt": np.sqrt,
    "Exp": np.exp, "Reciprocal": np.reciprocal, "Abs": np.abs,
}  # fmt: skip
for _name, _function in ARITHMETIC.items():
    _elementwise(_name, _function)
_elementwise("Pow", lambda x, y: np.power(x, y.astype(x.dtype)) if x.dtype.kind == "f" else np.power(x, np.abs(y)))


@_fold("Constant")
def _constant(attributes: dict[str, Any]) -> Array:
    for key, kind in {
        "value_float": "float32",
        "value_floats": "float32",
        "value_int": "int64",
        "value_ints": "int64",
    }.items():
        if key in attributes:
            return np.asarray(attributes[key], kind)
    return np.asarray(attributes["value"])


@_fold("ConstantOfShape")
def _constant_of_shape(attributes: dict[str, Any], shape: Array) -> Array:
    if (shape < 0).any() or np.prod(shape.astype(float)) > MOST:
        raise ValueError(f"a constant of shape {shape.tolist()!r:.60}")
    value = np.asarray(attributes.get("value", np.zeros(1, "float32")))
    return np.full(tuple(shape.ravel()), value.ravel()[0])


@_fold("Cast")
def _cast(attributes: dict[str, Any], x: Array) -> Array:
    from onnx import helper

    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(int(attributes["to"])))
    with np.errstate(all="ignore"):
        return x.astype("float32" if dtype.name in ("float16", "bfloat16") else dtype)


@_fold("Identity", "CastLike")
def _identity(attributes: dict[str, Any], x: Array, *other: Array) -> Array:
    return x


@_fold("Reshape")
def _reshape(attributes: dict[str, Any], x: Array, shape: Array) -> Array:
    sizes = [x.shape[i] if n == 0 and not attributes.get("allowzero") else int(n) for i, n in enumerate(shape.ravel())]
    return x.reshape(sizes)


@_fold("Flatten")
def _flatten(attributes: dict[str, Any], x: Array) -> Array:
    return x.reshape(int(np.prod(x.shape[: attributes.get("axis", 1)])), -1)


@_fold("Transpose")
def _transpose(attributes: dict[str, Any], x: Array) -> Array:
    return np.transpose(x, attributes.get("perm"))


@_fold("Unsqueeze")
def _unsqueeze(attributes: dict[str, Any], x: Array, axes: Array | None = None) -> Array:
    given = attributes["axes"] if axes is None else axes.ravel().tolist()
    return np.expand_dims(x, tuple(int(a) for a in given))


@_fold("Squeeze")
def _squeeze(attributes: dict[str, Any], x: Array, axes: Array | None = None) -> Array:
    given = attributes.get("axes") if axes is None else axes.ravel().tolist()
    return np.squeeze(x, None if given is None else tuple(int(a) for a in given))


@_fold("Concat")
def _concat(attributes: dict[str, Any], *parts: Array) -> Array:
    return np.concatenate(parts, axis=int(attributes["axis"]))


@_fold("Gather")
def _gather(attributes: dict[str, Any], x: Array, places: Array) -> Array:
    axis = int(attributes.get("axis", 0))
    if places.size * (x.size // max(1, x.shape[axis])) > MOST + x.size:
        raise ValueError("a result that is too large")
    return np.take(x, places, axis=axis)


@_fold("Slice")
def _slice(
    attributes: dict[str, Any], x: Array, starts: Array, ends: Array, axes: Any = None, steps: Any = None
) -> Array:
    places = [slice(None)] * x.ndim
    for i, (start, end) in enumerate(zip(starts.ravel().tolist(), ends.ravel().tolist(), strict=True)):
        axis = i if axes is None else int(axes.ravel()[i])
        step = 1 if steps is None else int(steps.ravel()[i])
        places[axis] = slice(start, None if step < 0 and end <= -x.shape[axis] - 1 else end, step)
    return x[tuple(places)]


def fold(operator: str, attributes: dict[str, Any], inputs: list[Array]) -> Array | None:
    """The result of a node whose inputs are all constant; None for an operator that is not computed."""
    function = FOLDS.get(operator)
    return None if function is None else function(attributes, *inputs)

"""What a state consists of, declared: what comes from a file or a user is checked before any of it is used.

A schema is a function of a name and a value. It returns the value, or raises TypeError or ValueError that names the
part that is wrong: `record(epoch=integer(), lr=number(at_least=0.0))("run", state)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from . import _validation as check

Schema = Callable[[str, Any], Any]

MOST_STEPS = 2**53  # far beyond any training, and exact as a float


def integer(at_least: int = 0, at_most: int = MOST_STEPS) -> Schema:
    """An int within bounds."""
    return lambda name, value: check.check_integer(name, value, at_least=at_least, at_most=at_most)


def number(*, nan: bool = False, **bounds: float) -> Schema:
    """A float within the bounds of `check_number`, or, with `nan`, NaN."""

    def checked(name: str, value: Any) -> float:
        return (
            value
            if nan and isinstance(value, float) and math.isnan(value)
            else check.check_number(name, value, **bounds)
        )

    return checked


def text(name: str, value: Any) -> str:
    """A str."""
    return _of_type(name, value, str, "text")


def switch(name: str, value: Any) -> bool:
    """True or False."""
    return check.check_bool(name, value)


def anything(name: str, value: Any) -> Any:
    """What others check."""
    return value


def optional(schema: Schema) -> Schema:
    """None, or what `schema` says."""
    return lambda name, value: None if value is None else schema(name, value)


def listed(schema: Schema = anything) -> Schema:
    """A list or tuple of such values."""

    def checked(name: str, value: Any) -> Any:
        return [schema(f"{name}[{i}]", item) for i, item in enumerate(_of_type(name, value, (list, tuple), "a list"))]

    return checked


def mapping(schema: Schema = anything) -> Schema:
    """A dict of such values by names."""

    def checked(name: str, value: Any) -> Any:
        items = _of_type(name, value, dict, "a dict").items()
        return {text(f"a key of {name}", key): schema(_inner(name, key), item) for key, item in items}

    return checked


def record(required: dict[str, Schema], more: dict[str, Schema] | None = None) -> Schema:
    """A dict with just these keys; those of `more` may be missing."""
    fields = required | (more or {})

    def checked(name: str, value: Any) -> dict[str, Any]:
        _of_type(name, value, dict, "a dict")
        missing = [key for key in required if key not in value]
        unknown = [key for key in value if key not in fields]
        for word, keys in (("no", missing), ("an unknown", unknown)):
            if keys:
                raise ValueError(f"{name or 'state'} has {word} {keys[0]!r:.60}; there must be {', '.join(required)}")
        return {key: fields[key](_inner(name, key), item) for key, item in value.items()}

    return checked


def array(dtype: Any = None, ndim: int | None = None) -> Schema:
    """An ndarray of numbers, of this dtype and so many axes."""

    def checked(name: str, value: Any) -> check.Array:
        _of_type(name, value, np.ndarray, "an array")
        if value.dtype.kind not in "fiub" if dtype is None else value.dtype != dtype:
            raise TypeError(f"{name} must be of {dtype or 'numbers'}, got {value.dtype}")
        if ndim is not None and value.ndim != ndim:
            raise ValueError(f"{name} must have {ndim} axes, got shape {value.shape}")
        return np.require(value, requirements=["C", "A"])

    return checked


def _inner(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)


def _of_type(name: str, value: Any, types: Any, words: str) -> Any:
    if not isinstance(value, types):
        raise TypeError(f"{name or 'state'} must be {words}, got {type(value).__name__}")
    return value

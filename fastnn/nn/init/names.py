"""The initializers by name, and the conversion of arguments such as `weight_init`."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ... import _validation as check
from . import rules
from .draws import Draws

Array = check.Array

NAMES: dict[str, type[rules.Initializer]] = {
    "zeros": rules.Zeros,
    "ones": rules.Ones,
    "constant": rules.Constant,
    "uniform": rules.Uniform,
    "normal": rules.Normal,
    "trunc_normal": rules.TruncNormal,
    "xavier_uniform": rules.XavierUniform,
    "xavier_normal": rules.XavierNormal,
    "kaiming_uniform": rules.KaimingUniform,
    "kaiming_normal": rules.KaimingNormal,
    "lecun_uniform": rules.LecunUniform,
    "lecun_normal": rules.LecunNormal,
    "glorot_uniform": rules.XavierUniform,
    "glorot_normal": rules.XavierNormal,
    "he_uniform": rules.KaimingUniform,
    "he_normal": rules.KaimingNormal,
    "orthogonal": rules.Orthogonal,
    "eye": rules.Eye,
    "identity": rules.Eye,
    "sparse": rules.Sparse,
}


def as_initializer(name: str, value: Any, shape: tuple[int, ...]) -> Any:
    """Convert an argument for the initial values of a parameter to an initializer, or return its values unchanged.

    Parameters
    ----------
    value : str, Initializer, function, number or array
        The name of an initializer with its default arguments, an initializer, or the values.

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or not for this shape. The message for an unknown name lists the known ones.
    """
    if isinstance(value, str):
        check.check_choice(name, value, tuple(NAMES))
        rule = NAMES[value]
        if any(p.default is p.empty for p in inspect.signature(rule).parameters.values()):
            raise ValueError(f"{name}={value!r} needs an argument: give nn.init.{rule.__name__}(...)")
        value = rule()
    if isinstance(value, type) and issubclass(value, rules.Initializer):
        raise TypeError(f"{name} must be an object, not the class: write {value.__name__}()")
    if isinstance(value, rules.Initializer):
        value.check_shape(name, shape)
    if callable(value):
        return value
    array = check.as_objects(name, value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be the name of a rule of nn.init, a rule, or numbers, got {value!r:.60}")
    try:
        np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(f"{name} must fit shape {shape}, got shape {array.shape}") from None
    return value


def initial_value(init: Any, shape: tuple[int, ...], dtype: np.dtype[Any], seed: int, stream: int) -> Array:
    """The initial value of a parameter; an initializer draws from the given random stream."""
    if not callable(init):
        return np.broadcast_to(np.asarray(init, dtype), shape)
    value = np.asarray(init(shape, Draws(dtype, seed, stream)), dtype)
    check.check_shape(f"what {init!r:.80} returns", value, shape, "of the parameter")
    return value

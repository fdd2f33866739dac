"""Checks of names: one of several choices, dtypes, keywords; with the nearest known name in the message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def check_choice(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if isinstance(value, np.ndarray):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got an array")
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def check_dtype(dtype: Any) -> str:
    """The name of a dtype for parameters: "float32" or "float64"; ValueError otherwise."""
    try:
        name = "None" if dtype is None else np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    check_choice("dtype", name, ("float32", "float64"))
    return name


# Names of arguments in other libraries, and their names here.
TWINS = {
    "beta_1": "betas",
    "beta_2": "betas",
    "decay": "weight_decay",
    "epsilon": "eps",
    "learning_rate": "lr",
    "reduce": "reduction",
    "size_average": "reduction",
}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message, ": did you mean NAME?", with the most similar known name; "" if none is similar."""
    import difflib

    names = list(known)
    twin = TWINS.get(name)
    close = [twin] if twin in names else difflib.get_close_matches(name, names, 1, 0.6)
    return f": did you mean {close[0]}?" if close else ""


def refuse_unknown(cls: type, unknown: Iterable[str], more: Iterable[str] = ()) -> None:
    """Raise TypeError for `unknown` keywords of a constructor; `more` has those that its base class takes."""
    import inspect

    for name in unknown:
        parameters = inspect.signature(vars(cls).get("__init__", cls)).parameters.values()
        named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.name != "self"]
        known = [*named, *more]
        hint = did_you_mean(name, known) or f": it takes {', '.join(known)}"
        raise TypeError(f"{cls.__name__} takes no argument {name!r}{hint}")

"""State dicts: named arrays that fit a network, of which all are loaded or none."""

from __future__ import annotations

from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from .. import _validation as check


class LoadedKeys(NamedTuple):
    """What `load_state_dict` returns: names that the state lacks, and names in it that the network does not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_arrays(mine: dict[str, check.Array], state: Any, strict: bool = True) -> LoadedKeys:
    """Copy the arrays of `state` into those of the same names in `mine`.

    Raises
    ------
    TypeError, ValueError
        If something does not fit: all of it is named, and nothing is copied.
    """
    arrays, keys = check_arrays(mine, state, strict)
    # One call into C, which allocates nothing: Ctrl-C finds all of it or nothing. Each item is None.
    any(map(np.ndarray.__setitem__, [mine[name] for name in arrays], repeat(...), arrays.values()))
    return keys


def check_arrays(
    mine: dict[str, check.Array], state: Any, strict: bool = True
) -> tuple[dict[str, check.Array], LoadedKeys]:
    """The arrays of `state` that have a place in `mine`; see `load_arrays`."""
    if not hasattr(state, "items"):
        raise TypeError(f"state must be a dict of arrays, got {type(state).__name__}")
    arrays = {name: check.from_any(str(name), value) for name, value in state.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{name} must be an array of numbers, got {array.dtype}")
    keys = LoadedKeys([n for n in mine if n not in arrays], [n for n in arrays if n not in mine])
    problems = [f"{word} {names}" for word, names in zip(("missing", "unexpected"), keys, strict=True) if names]
    problems = problems if strict else []
    for name, array in arrays.items():
        if name in mine and array.shape != mine[name].shape:
            turned = ', which is its transpose: PyTorch\'s weights are (out, in), give layout="torch"'
            fits = array.ndim == 2 and array.T.shape == mine[name].shape
            problems.append(f"{name} has shape {array.shape}, in this network {mine[name].shape}{turned * fits}")
    if problems:
        raise ValueError(f"state does not fit this network: {'; '.join(problems)}")
    known = {name: array for name, array in arrays.items() if name in mine}
    for name, array in known.items():
        if array.dtype != mine[name].dtype:
            raise TypeError(f"{name} is {array.dtype} but in this network {mine[name].dtype}")
    return known, keys

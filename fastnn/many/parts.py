"""What each of many networks is trained on: arrays for all, one for each, or the rows of groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _validation as check
from ..training import Trainer


class Part(NamedTuple):
    """A trainer, and its arguments of `fit`."""

    trainer: Trainer
    data: tuple[Any, Any, Any]  # x, y, sample_weight
    validation: Any
    seed: int | None


def parts_of(
    trainers: Any, x: Any, y: Any, sample_weight: Any, groups: Any, validation: Any, seed: Any
) -> tuple[list[Part], list[Any] | None]:
    """The part of each network, and the values of `groups`.

    Raises
    ------
    TypeError, ValueError
        If the trainers are none, or of one network, or arguments do not have one part for each.
    """
    names = None
    if groups is not None:
        if validation is not None:
            raise ValueError("validation_data does not go with groups: give validation_split")
        names, rows = _rows_of(groups, x.shape[0] if check.is_sparse(x) else len(x))
        trainers = _of_groups(trainers, names)
        given = {"X": x, "y": y, "sample_weight": sample_weight}
        data = [_parts(name, values, rows) for name, values in given.items()]
    else:
        trainers = _listed(trainers)
        n = len(trainers)
        data = [_each("X", x, n, 2), _each("y", y, n, 1), _each("sample_weight", sample_weight, n, 1)]
    n = len(trainers)
    _check_trainers(trainers)
    validations = list(validation) if isinstance(validation, list) else [validation] * n
    seeds = list(seed) if isinstance(seed, Sequence | np.ndarray) else [seed] * n
    for name, values in (("validation_data", validations), ("seed", seeds)):
        if len(values) != n:
            raise ValueError(f"{name} must have one item for each of {n} trainers, got {len(values)}")
    each = zip(trainers, zip(*data, strict=True), validations, seeds, strict=True)
    return [Part(*items) for items in each], names


def _listed(trainers: Any) -> list[Any]:
    if isinstance(trainers, Mapping) or callable(trainers):
        raise TypeError("trainers must be a list of trainers; a mapping or a function goes with groups=")
    if not isinstance(trainers, Sequence):
        raise TypeError(f"trainers must be a list of trainers, got {type(trainers).__name__}")
    return list(trainers)


def _check_trainers(trainers: list[Any]) -> None:
    """Raise TypeError or ValueError unless these are trainers, of different networks."""
    seen: dict[int, int] = {}
    for i, trainer in enumerate(trainers):
        if not isinstance(trainer, Trainer):
            raise TypeError(f"trainers[{i}] must be a Trainer, got {type(trainer).__name__}")
        if trainer.engine.team is not None:
            raise ValueError(
                f"trainers[{i}] has comm or blocks: many networks are trained by one process, without blocks"
            )
        other = seen.setdefault(id(trainer.net), i)
        if other != i:
            what = "are the same trainer" if trainers[other] is trainer else "train the same network"
            raise ValueError(f"trainers[{other}] and trainers[{i}] {what}: each needs a network of its own")


def _each(name: str, value: Any, n: int, axes: int) -> list[Any]:
    """A value for each of n networks: the items of a list of arrays of so many axes or more, or one value for all."""
    if not isinstance(value, (list, tuple)) or not value or np.ndim(value[0]) < axes:
        return [value] * n
    if len(value) != n:
        raise ValueError(f"{name} must be one array, or a list of one for each of {n} trainers, got {len(value)}")
    return list(value)


def _rows_of(groups: Any, rows: int) -> tuple[list[Any], list[Any]]:
    """The sorted values of `groups`, and the rows of each."""
    array = np.asarray(groups)
    check.check_shape("groups", array, (rows,), "one a row of X")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"groups[{int(np.isnan(array).argmax())}] is nan: each row needs a group")
    values, counts = np.unique(array, return_counts=True)
    if len(values) and counts.min() < 2:
        raise ValueError(f"groups: the group {values[counts.argmin()]!r} has one row, each needs two or more")
    order = np.argsort(array, kind="stable")
    return values.tolist(), np.split(order, np.cumsum(counts)[:-1])


def _parts(name: str, values: Any, rows: list[Any]) -> list[Any]:
    """The rows of each group; of an array views of one sorted copy."""
    if values is None:
        return [None] * len(rows)
    if check.is_sparse(values):
        csr = values.tocsr()
        return [csr[r] for r in rows]
    array = check.from_any(name, values)
    together = array[np.concatenate(rows)] if rows else array
    ends = np.cumsum([len(r) for r in rows])
    return [together[end - len(r) : end] for r, end in zip(rows, ends, strict=True)]


def _of_groups(trainers: Any, names: list[Any]) -> list[Any]:
    """The trainer of each group."""
    if isinstance(trainers, Mapping):
        missing = [name for name in names if name not in trainers]
        if missing:
            raise ValueError(f"trainers has none for {len(missing)} groups, the first is {missing[0]!r}")
        return [trainers[name] for name in names]
    if callable(trainers):
        make: Callable[[Any], Any] = trainers
        return [make(name) for name in names]
    listed = _listed(trainers)
    if len(listed) != len(names):
        raise ValueError(f"trainers must have one for each of {len(names)} groups, got {len(listed)}")
    return listed

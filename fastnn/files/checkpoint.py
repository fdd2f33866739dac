"""Checkpoints: all that decides how a training goes on, in one file.

What the trainer holds tells its state by `state_dict()` and takes it over by `load_state_dict()`. Arrays among them
become tensors of the file, named by the way to them ("net.values.0.weight"), everything else JSON.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .._validation import Array
from .architecture import Architecture
from .format import FileFormatError, read, write
from .replace import Path
from .values import Values

if TYPE_CHECKING:
    from ..training.trainer import Trainer

# What a trainer may hold beside its network.
PARTS = ("optimizer", "scheduler", "average")


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write the state of a trainer; see `Trainer.save_checkpoint`."""
    tensors: dict[str, Array] = {}
    state = _Tensors(tensors).encode(_state(trainer, trainer.run or trainer.paused), "")
    write(path, "checkpoint", tensors, {"architecture": _sketch(trainer), "loss": repr(trainer.loss), "state": state})


def load_checkpoint(trainer: Trainer, path: Path) -> dict[str, Any] | None:
    """Take over the state that `save_checkpoint` wrote, and return that of the run that was going on; all or nothing.

    Raises
    ------
    FileFormatError
        If the file is truncated, changed or not a checkpoint.
    ValueError
        If it is of another network, loss or optimizer: the message says what differs.
    """
    tensors, content = read(path, "checkpoint")
    state = _Tensors(tensors).decode(content.get("state"), "")
    try:
        problem = _misfit(trainer, content, state)
    except (TypeError, LookupError, AttributeError) as error:
        raise FileFormatError(f"{path} is not as fastnn writes checkpoints: {error!r}") from None
    if problem:
        raise ValueError(f"{path} does not fit: {problem}")
    with _unless_done(trainer):
        try:
            _take_over(trainer, state)
        except (TypeError, ValueError, LookupError) as error:
            raise ValueError(f"{path} does not fit: {error}") from error
    run = state["run"]
    return run if run is None else run | {"history": _rows(run["history"])}


@contextmanager
def resuming(trainer: Trainer, path: Path | None, resume: Any = True) -> Iterator[dict[str, Any] | None]:
    """Give the state of the run to go on with, or None; if what follows raises, the trainer is as it was."""
    if resume is not True:
        raise TypeError(f"resume must be True or False, got {resume!r}")
    if path is None and trainer.paused is None:
        raise ValueError("resume=True needs checkpoint=path, or trainer.load_checkpoint(path) before")
    paused = trainer.paused
    with _unless_done(trainer):
        if path is not None and os.path.exists(path):
            paused = load_checkpoint(trainer, path)
        yield paused
        trainer.paused = None


# -- the state of a trainer --------------------------------------------------------------------------------------------


def _state(trainer: Trainer, run: Any = None) -> dict[str, Any]:
    net = trainer.net
    if run is not None and not isinstance(run, dict):
        run = run.state_dict()
    parts = {name: part for name in PARTS if (part := getattr(trainer, name, None)) is not None}
    return {
        "net": {"values": net.state_dict(), "seed": net.seed, "tick": int(net._tick[0])},
        "parts": {name: {"class": type(p).__name__, "state": p.state_dict()} for name, p in parts.items()},
        "epochs": trainer._epochs,
        "run": run and run | {"history": _columns(run["history"])},
    }


def _take_over(trainer: Trainer, state: dict[str, Any]) -> None:
    net, saved = trainer.net, state["net"]
    net.load_state_dict(saved["values"])
    for name, part in state["parts"].items():
        getattr(trainer, name).load_state_dict(part["state"])
    net._tick[0], trainer._epochs = saved["tick"], state["epochs"]
    if net.seed != saved["seed"]:  # programs have it for their masks
        net.seed = saved["seed"]
        net._forget_programs()


@contextmanager
def _unless_done(trainer: Trainer) -> Iterator[None]:
    """Give the trainer its state back if an error comes."""
    before = _state(trainer)
    try:
        yield
    except BaseException:
        _take_over(trainer, before)
        raise


# -- does it fit? ------------------------------------------------------------------------------------------------------


def _misfit(trainer: Trainer, content: dict[str, Any], state: dict[str, Any]) -> str | None:
    """The first difference between a checkpoint and a trainer, in words; None if there is none."""
    problem = _array_difference(state["net"]["values"], trainer.net.state_dict())
    if problem:
        return problem
    words = [content["loss"], repr(trainer.loss)]
    if words[0] != words[1]:
        return f"checkpoint has the loss {words[0]}, this trainer {words[1]}"
    for name in PARTS:
        part = getattr(trainer, name, None)
        words = [state["parts"].get(name, {}).get("class", "none"), "none" if part is None else type(part).__name__]
        if words[0] != words[1]:
            return f"checkpoint has the {name} {words[0]}, this trainer {words[1]}"
    return _difference(content["architecture"], _sketch(trainer), "net")


def _array_difference(saved: dict[str, Array], mine: dict[str, Array]) -> str | None:
    for name in dict.fromkeys([*mine, *saved]):
        if name not in saved:
            return f"checkpoint has no {name!r}, this network has"
        if name not in mine:
            return f"checkpoint has {name!r}, this network has not"
        if saved[name].shape != mine[name].shape:
            return f"checkpoint has {name!r} of shape {saved[name].shape}, this network {mine[name].shape}"
        if saved[name].dtype != mine[name].dtype:
            return f"checkpoint has {name!r} in {saved[name].dtype}, this network in {mine[name].dtype}"
    return None


def _difference(saved: Any, mine: Any, where: str) -> str | None:
    """Where two architectures differ; seeds do not count, for that of the checkpoint is taken over."""
    if isinstance(saved, dict) and isinstance(mine, dict) and saved.keys() == mine.keys():
        pairs = [(f"{where}.{key}", saved[key], mine[key]) for key in saved if key != "seed"]
    elif isinstance(saved, list) and isinstance(mine, list) and len(saved) == len(mine):
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(saved, mine, strict=True))]
    else:
        where = where.replace(".arguments", "")
        return None if saved == mine else f"checkpoint has {saved!r:.60} as {where}, this network {mine!r:.60}"
    return next((text for place, a, b in pairs if (text := _difference(a, b, place))), None)


class _Sketch(Architecture):
    """An architecture to compare: of what a file cannot hold, the class."""

    def encode(self, value: Any, where: str) -> Any:
        try:
            return super().encode(value, where)
        except (TypeError, ValueError):
            return {"class": type(value).__name__}


def _sketch(trainer: Trainer) -> Any:
    return _Sketch().encode(trainer.net, "net")


# -- as a file ---------------------------------------------------------------------------------------------------------


class _Tensors(Values):
    """Arrays become tensors, named by where they are."""

    def __init__(self, tensors: dict[str, Array]) -> None:
        self.tensors = tensors

    def encode_array(self, array: Array, where: str) -> Any:
        name = where.removeprefix(".")
        while name in self.tensors:  # {1: array, "1": array}
            name += "'"
        self.tensors[name] = array
        return {"array": name}

    def decode_array(self, spec: dict[str, Any], where: str) -> Array:
        return self.tensors[spec["array"]]


def _columns(rows: list[dict[str, float]]) -> dict[str, dict[str, Array]]:
    """The records of many epochs as a few arrays; a value may be missing in some."""
    names = dict.fromkeys(name for row in rows for name in row)
    places = {name: [i for i, row in enumerate(rows) if name in row] for name in names}
    return {
        name: {"epoch": np.array(epochs, "int64"), "value": np.array([rows[i][name] for i in epochs], "float64")}
        for name, epochs in places.items()
    }


def _rows(columns: dict[str, dict[str, Array]]) -> list[dict[str, float]]:
    count = max((int(column["epoch"][-1]) + 1 for column in columns.values()), default=0)
    rows: list[dict[str, float]] = [{} for _ in range(count)]
    for name, column in columns.items():
        for epoch, value in zip(column["epoch"].tolist(), column["value"].tolist(), strict=True):
            rows[epoch][name] = value
    return rows

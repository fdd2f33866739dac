"""Checkpoints: the whole state of a training, in one file.

Each part of the trainer returns its state by `state_dict()` and loads it by `load_state_dict()`. Arrays of the states
become tensors of the file, named by their path ("net.values.0.weight"), everything else JSON.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from .. import _schema as schema
from .._validation import MAX_ROWS, Array
from ..files.format import FileFormatError, read, write
from ..files.objects import Source, Target, label
from ..files.replace import Path
from ..files.values import Values
from ..nn.architecture import Architecture
from ..nn.registry import LAYERS
from ..nn.saving import frozen_names
from .engine import Engine
from .state import FIELDS, RARE_FIELDS

# Attributes of an engine that have a state, beside its network.
PARTS = ("optimizer", "scheduler", "average")
MOST_WORDS = 2000  # characters of the repr of a loss; of a longer one, the file has the hash

# In a file, the history of a run is two arrays for each record, not a dict for each epoch.
COLUMN = schema.record({"epoch": schema.array("int64", 1), "value": schema.array("float64", 1)})
PART = schema.record({"class": schema.text, "state": schema.mapping()})
TRAINER = {
    "net": schema.record(
        {"values": schema.mapping(schema.array()), "seed": schema.integer(0, 2**64 - 1), "tick": schema.integer()},
        {"frozen": schema.listed(schema.text)},  # names of parameters; files of earlier versions do not have it
    ),
    "parts": schema.mapping(PART),
    "epochs": schema.integer(0, MAX_ROWS),
}
MOST_EMPTY_EPOCHS = 10**5  # epochs in a history that have no record at all


class HasState(Protocol):
    """What a checkpoint is of: a trainer."""

    engine: Engine
    run: Any  # the run that is going on, with a method `state_dict`, or None
    paused: dict[str, Any] | None  # the state of a run that can be resumed
    _without_run: bool  # whether a checkpoint was loaded that has none


def save_checkpoint(trainer: HasState, path: Target) -> None:
    """Write the state of a trainer to a file, at a path atomically; `Trainer.save_checkpoint(path)` calls this.

    Parameters
    ----------
    trainer : Trainer
    path : str, path-like or binary file object
        A file that is there is replaced. A file object is written where it is, and stays open.

    Raises
    ------
    ValueError, TypeError
        If the state of a callback is nested too deep, or has values that a file cannot hold.
    OSError
        If the file cannot be written; the old file is then still there.

    Notes
    -----
    The file holds the values of the network (NaN too) and the counters of its random numbers, the states of optimizer,
    scheduler and weight average, and within a `fit` the state of the run: its place, its history and the states of its
    callbacks.

    Examples
    --------
    >>> import fastnn, os, tempfile
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> from fastnn.training.checkpoint import load_checkpoint, save_checkpoint
    >>> x = np.ones((4, 2), "float32")
    >>> def make():
    ...     net = nn.Sequential(nn.Linear(2, 1), seed=0)
    ...     return fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=0.1))
    >>> first, second = make(), make()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "run.safetensors")
    ...     loss = first.step(x, x[:, :1])
    ...     save_checkpoint(first, path)
    ...     load_checkpoint(second, path)  # returns None: no fit was going on
    >>> first.step(x, x[:, :1]) == second.step(x, x[:, :1])
    True
    """
    tensors: dict[str, Array] = {}
    try:
        state = Values(tensors).encode(_state(trainer, trainer.run or trainer.paused), "")
    except RecursionError:
        raise ValueError(f"{label(path)} cannot be written: the state of a callback is nested too deep") from None
    write(path, "checkpoint", tensors, {"architecture": _sketch(trainer), "loss": _loss(trainer), "state": state})


def load_checkpoint(trainer: HasState, path: Source) -> dict[str, Any] | None:
    """Load the state that `save_checkpoint` wrote; `Trainer.load_checkpoint(path)` calls this.

    Parameters
    ----------
    trainer : Trainer
        With the same network, loss, optimizer, scheduler and average as the saved one. If an error is raised, it is as
        before.
    path : str, path-like, binary file object or bytes
        A file object is read from where it is to its end, and stays open. Bytes are the content of a file.

    Returns
    -------
    run : dict or None
        The state of the run, if the checkpoint was written within a `fit`.

    Raises
    ------
    FileFormatError
        If the file is truncated, damaged or not a checkpoint.
    ValueError
        If the trainer has another network, loss, optimizer, scheduler or average, or other parameters of the network
        are frozen: the message says what differs.
    OSError
        If the file cannot be read.
    """
    tensors, content = read(path, "checkpoint")
    name = label(path)
    state = _checked(name, content, tensors)
    problem = _misfit(trainer, content, state)
    if problem:
        raise ValueError(f"{name} does not fit: {problem}")
    with unless_done(trainer):
        try:
            _take_over(trainer, state)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"{name} does not fit: {error}") from error
    run: dict[str, Any] | None = state["run"]
    trainer._without_run = run is None
    return run


def _checked(path: Path, content: dict[str, Any], tensors: dict[str, Array]) -> dict[str, Any]:
    """The state in a file, with every part checked; FileFormatError if one is not as `save_checkpoint` writes it."""
    run = schema.record(FIELDS | {"history": schema.mapping(COLUMN)}, RARE_FIELDS)
    try:
        schema.text("loss", content.get("loss"))
        state = Values(tensors).decode(content.get("state"), "")
        state = schema.record(TRAINER | {"run": schema.optional(run)})("", state)
        if tensors:
            raise ValueError(f"nothing refers to the tensor {next(iter(tensors))!r:.60}")
        if state["run"] is not None:
            epochs = max(0, state["run"]["epoch"] - state["run"].get("initial_epoch", 0))
            state["run"]["history"] = _rows(state["run"]["history"], epochs)
    except (TypeError, ValueError, RecursionError) as error:
        raise FileFormatError(f"{path} is not as fastnn writes checkpoints: {error}") from None
    return state


@contextmanager
def resuming(trainer: HasState, path: Path | None, resume: Any = True) -> Iterator[dict[str, Any] | None]:
    """A context that gives the state of the run to resume, or None; if its body raises, the trainer is restored.

    Parameters
    ----------
    trainer : Trainer
    path : str, path-like or None
        The checkpoint, loaded if it exists; otherwise, and for None, the run is that of `trainer.paused`.
    resume : bool, default True
        The argument of `Trainer.fit`, checked to be True.

    Raises
    ------
    TypeError
        If `resume` is not True.
    ValueError
        If there is neither a path nor a paused run, or the checkpoint does not fit.
    """
    if resume is not True:
        raise TypeError(f"resume must be True or False, got {resume!r}")
    if path is None and trainer.paused is None:
        if trainer._without_run:
            raise ValueError(
                "resume=True: the checkpoint that was loaded was saved outside of a run, so there is none to resume: "
                f"fit(..., initial_epoch={trainer.engine.epochs}) continues from its weights"
            )
        raise ValueError("resume=True needs checkpoint=path, or trainer.load_checkpoint(path) before")
    paused = trainer.paused
    with unless_done(trainer):
        source = None if path is None else _existing(trainer, path)
        if source is not None:
            paused = load_checkpoint(trainer, source)
        yield paused
        trainer.paused = None


def _existing(trainer: HasState, path: Path) -> Source | None:
    """A checkpoint to load: the path, or where ranks share a run the content of rank 0's file; None without one."""
    if trainer.engine.team is None:
        return path if os.path.exists(path) else None
    from .together import file_for_all

    return file_for_all(trainer.engine.team, path)


# -- the state of a trainer --------------------------------------------------------------------------------------------


def _state(trainer: HasState, run: Any = None) -> dict[str, Any]:
    engine = trainer.engine
    net = engine.net
    if run is not None and not isinstance(run, dict):
        run = run.state_dict()
    parts = {name: part for name in PARTS if (part := getattr(engine, name)) is not None}
    return {
        "net": {"values": net.state_dict(), "seed": net.seed, "tick": int(net._tick[0]), "frozen": frozen_names(net)},
        "parts": {name: {"class": type(p).__name__, "state": p.state_dict()} for name, p in parts.items()},
        "epochs": engine.epochs,
        "run": run and run | {"history": _columns(run["history"])},
    }


def _take_over(trainer: HasState, state: dict[str, Any]) -> None:
    engine, saved = trainer.engine, state["net"]
    net = engine.net
    net.load_state_dict(saved["values"])
    for name, part in state["parts"].items():
        getattr(engine, name).load_state_dict(part["state"])
    net._tick[0], engine.epochs = saved["tick"], state["epochs"]
    if net.seed != saved["seed"]:  # compiled programs hold it, for their dropout masks
        net.seed = saved["seed"]
        net._forget_programs()


@contextmanager
def unless_done(trainer: HasState) -> Iterator[None]:
    """A context that gives the trainer its state back if its body raises."""
    before = _state(trainer)
    try:
        yield
    except BaseException:
        _take_over(trainer, before)
        raise


# -- does it fit? ------------------------------------------------------------------------------------------------------


def _misfit(trainer: HasState, content: dict[str, Any], state: dict[str, Any]) -> str | None:
    """The first difference between a checkpoint and a trainer, as text; None if there is none."""
    problem = _array_difference(state["net"]["values"], trainer.engine.net.state_dict())
    if problem:
        return problem
    problem = _frozen_difference(state["net"].get("frozen"), frozen_names(trainer.engine.net))
    if problem:
        return problem
    words = [content["loss"], _loss(trainer)]
    if words[0] != words[1]:
        return f"checkpoint has the loss {words[0]}, this trainer {words[1]}"
    for name in PARTS:
        part = getattr(trainer.engine, name)
        words = [state["parts"].get(name, {}).get("class", "none"), "none" if part is None else type(part).__name__]
        if words[0] != words[1]:
            return f"checkpoint has the {name} {words[0]}, this trainer {words[1]}"
    return _difference(content.get("architecture"), _sketch(trainer), "net")


def _array_difference(saved: dict[str, Array], mine: dict[str, Array]) -> str | None:
    """The first difference in names, shapes or dtypes of two dicts of arrays, as text; None if there is none."""
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


def _frozen_difference(saved: list[str] | None, mine: list[str]) -> str | None:
    """The parameters that are frozen in a checkpoint or in a network but not in both, as text; None if none are."""
    if saved is None or set(saved) == set(mine):
        return None
    more, less = sorted(set(saved).difference(mine)), sorted(set(mine).difference(saved))
    one, other, names = ("checkpoint", "this network", more) if more else ("this network", "checkpoint", less)
    return f"{one} has {', '.join(names)} frozen, {other} has not: see requires_grad_"


def _difference(saved: Any, mine: Any, where: str) -> str | None:
    """The first difference of two architectures, as text; seeds and initial values may differ."""
    saved = _with_new_arguments(saved, mine)
    if isinstance(saved, dict) and isinstance(mine, dict) and saved.keys() == mine.keys():
        keys = [key for key in saved if key != "seed" and not key.endswith("_init")]
        pairs = [(f"{where}.{key}", saved[key], mine[key]) for key in keys]
    elif isinstance(saved, list) and isinstance(mine, list) and len(saved) == len(mine):
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(saved, mine, strict=True))]
    else:
        where = where.replace(".arguments", "")
        return None if saved == mine else f"checkpoint has {saved!r:.60} as {where}, this network {mine!r:.60}"
    return next((text for place, a, b in pairs if (text := _difference(a, b, place))), None)


def _with_new_arguments(saved: Any, mine: Any) -> Any:
    """A saved layer with the arguments that its class did not have at the time, if mine has their defaults."""
    both = isinstance(saved, dict) and isinstance(mine, dict) and saved.keys() == mine.keys() == {"layer", "arguments"}
    if not both or saved["layer"] != mine["layer"] or mine["layer"] not in LAYERS:
        return saved
    if not isinstance(saved["arguments"], dict):
        return saved
    known = inspect.signature(LAYERS[mine["layer"]]).parameters
    new = {
        key: value
        for key, value in mine["arguments"].items()
        if key not in saved["arguments"] and key in known and value == known[key].default
    }
    return saved | {"arguments": saved["arguments"] | new}


class _Sketch(Architecture):
    """An architecture for comparison: the class of a value that a file cannot hold, the hash of an array."""

    def encode(self, value: Any, where: str) -> Any:
        try:
            return super().encode(value, where)
        except (TypeError, ValueError):
            return {"class": type(value).__name__}

    def encode_array(self, array: Array, where: str) -> Any:
        digest = hashlib.sha256(np.ascontiguousarray(array).view("uint8").data).hexdigest()
        return {"array": f"{array.dtype}{array.shape}", "sha256": digest}


def _sketch(trainer: HasState) -> Any:
    return _Sketch({}).encode(trainer.engine.net, "net")


def _loss(trainer: HasState) -> str:
    words = repr(trainer.engine.loss)
    return words if len(words) <= MOST_WORDS else hashlib.sha256(words.encode()).hexdigest()


# -- as a file ---------------------------------------------------------------------------------------------------------


def _columns(rows: list[dict[str, float]]) -> dict[str, dict[str, Array]]:
    """The records of many epochs as columns of arrays; a record may be missing in some epochs."""
    names = dict.fromkeys(name for row in rows for name in row)
    places = {name: [i for i, row in enumerate(rows) if name in row] for name in names}
    return {
        name: {"epoch": np.array(epochs, "int64"), "value": np.array([rows[i][name] for i in epochs], "float64")}
        for name, epochs in places.items()
    }


def _rows(columns: dict[str, dict[str, Array]], epochs: int) -> list[dict[str, float]]:
    """The records of each epoch, from columns; ValueError if they are not of so many epochs."""
    if epochs > MOST_EMPTY_EPOCHS + sum(column["epoch"].size for column in columns.values()):
        raise ValueError(f"history has no records of {epochs} epochs")
    rows: list[dict[str, float]] = [{} for _ in range(epochs)]
    for name, column in columns.items():
        numbers, values = column["epoch"], column["value"]
        ascending = numbers.size == values.size and (np.diff(numbers) > 0).all()
        if not ascending or (numbers.size and not 0 <= numbers[0] <= numbers[-1] < epochs):
            raise ValueError(f"history.{name:.60} is not of epochs below {epochs}, one value each")
        for epoch, value in zip(numbers.tolist(), values.tolist(), strict=True):
            rows[epoch][name] = value
    return rows

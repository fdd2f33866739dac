"""The state of a run between two batches: what a checkpoint keeps of it, and how another run goes on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _schema as schema
from .. import _validation as check
from ..compiler.counters import SUMS
from .data import Data

if TYPE_CHECKING:
    from .run import Run

# What must be the same for a run to go on where another one stopped.
SETTINGS = {
    "seed": schema.integer(0, 2**64 - 1),
    "batch_size": schema.optional(schema.integer(1, check.MAX_ROWS)),
    "accumulate": schema.integer(1, 2**31 - 1),
    "shuffle": schema.switch,
    "samples": schema.optional(schema.integer(1, check.MAX_ROWS)),
    "mixing": schema.text,
    "metrics": schema.listed(schema.text),
}
PLACE = {
    "first": schema.integer(0, check.MAX_ROWS),
    "epoch": schema.integer(0, check.MAX_ROWS),
    "batch": schema.integer(0, check.MAX_ROWS),
    "position": schema.integer(0, check.MAX_ROWS),
    "seconds": schema.number(at_least=0.0),
    "lr": schema.number(at_least=0.0),
}
FIELDS = {
    **SETTINGS,
    **PLACE,
    "sums": schema.array("float64", 1),
    "history": schema.listed(schema.mapping(schema.number(nan=True))),
    "stopped": schema.optional(schema.text),
    "callbacks": schema.mapping(),
}
STATE = schema.record(FIELDS)


def state_of(run: Run) -> dict[str, Any]:
    """The state: numbers, strings, arrays, and dicts and lists of them.

    With the states of network and optimizer it decides everything that comes.
    """
    return {
        **{name: getattr(run, name) for name in (*SETTINGS, *PLACE)},
        "sums": run.sums.copy(),
        "history": [dict(row) for row in run.history.rows],
        "stopped": None if run.paused else run.history.stopped,
        "callbacks": {name: run.callbacks[i].state_dict() for name, i in _callback_names(run).items()},
    }


def take_over(run: Run, given: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Let a run go on where another one, with the same settings, was; nothing changes if it does not fit.

    Returns
    -------
    states : dict
        Those of callbacks, by their places, which take them over when the run begins.

    Raises
    ------
    TypeError, ValueError
        If the state is none, or of a run with other settings, other data or other callbacks.
    """
    state = STATE("run", given)
    for name in SETTINGS:
        if state[name] != getattr(run, name):
            raise ValueError(f"{name} must be {state[name]!r} as in the run to go on with, got {getattr(run, name)!r}")
    names = _callback_names(run)
    if list(state["callbacks"]) != list(names):
        raise ValueError(f"callbacks must be {list(state['callbacks'])} as in the run to go on with, got {list(names)}")
    _check_place(run, state)
    states = {names[name]: saved for name, saved in state["callbacks"].items()}
    for i, saved in states.items():
        try:
            run.callbacks[i].check_state(saved, run)
        except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"{type(run.callbacks[i]).__name__} does not take its state: {error}") from error
    run.resumed = True
    for name in PLACE:
        setattr(run, name, state[name])
    run.sums = state["sums"].copy()
    run.history.rows[:] = state["history"]
    run.history.stopped = state["stopped"]
    run.trainer._epochs = max(run.trainer._epochs, run.first + run.epoch)
    run.bar.advance(run.epoch * (run.samples or 0) + run.position)
    return states


def _check_place(run: Run, state: dict[str, Any]) -> None:
    """Raise ValueError if the run cannot have been there: numbers that do not go together, sums of other metrics."""
    epoch, batch, position = (state[name] for name in ("epoch", "batch", "position"))
    if len(state["history"]) != epoch:
        raise ValueError(f"history must have {epoch} epochs, got {len(state['history'])}")
    data, size = run.data, run.batch_size
    if isinstance(data, Data) and size is not None:
        right = position == min(batch * size, len(data)) and batch <= data.batches(size)
    else:
        right = batch <= position <= (run.samples or position) and (batch == 0) == (position == 0)
    if not right:
        raise ValueError(f"position must be that after {batch} batches of {size} rows, got {position}")
    sums = state["sums"].size
    if sums < SUMS or (run.data.like is not None and sums != run.sums.size):
        raise ValueError(f"sums must have {run.sums.size} numbers for these metrics, got {sums}")


def _callback_names(run: Run) -> dict[str, int]:
    """Names of the callbacks that a resumed run needs again, and their places."""
    needed = [i for i, callback in enumerate(run.callbacks) if callback.in_checkpoints]
    return {f"{n}.{type(run.callbacks[i]).__name__}": i for n, i in enumerate(needed)}

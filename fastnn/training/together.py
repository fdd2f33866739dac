"""The run of a team of ranks: callbacks on rank 0, one end for all, and what must be the same on all before it."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core import dispatch
from .._version import __version__
from ..distributed import Team
from ..distributed.team import Ended
from . import blocks
from .checkpointer import Checkpointer
from .data import Array, Data
from .history import History
from .loop import Loop
from .nonfinite import first_parameter
from .state import PLACE
from .streams import BatchStream, ShardStream, Source

if TYPE_CHECKING:
    from .engine import Engine

# Of fit; and where the run is that is resumed.
ARGUMENTS = (
    "epochs", "batch_size", "accumulate", "shuffle", "seed", "drop_last", "first", "epoch", "batch",
)  # fmt: skip
WITHOUT_FMA = ("sse2",)  # instruction sets with bits of their own
SAMPLE = 1 << 20  # bytes of an array that are compared between ranks


class TeamLoop(Loop):
    """A run that several ranks share: each has a part of every batch, and all of them have the same bits after it.

    Notes
    -----
    Callbacks run on rank 0. What they change (weights, states, rates, `run.stop`) is told to the others at the next
    meeting, before a gradient is used; at the end rank 0 also tells its history and its schedule.
    """

    def __init__(self, trainer: Any, engine: Engine, data: Source, *args: Any) -> None:
        assert engine.team is not None
        if isinstance(data, BatchStream):
            raise ValueError(
                "comm: x must be all samples, on each rank: an array, a numpy.memmap or fastnn.data.Shards; the "
                "batches of an iterable are known to one rank alone"
            )
        validation, callbacks, *more = args
        if engine.team.rank:
            callbacks, more[7] = [], False  # progress
        super().__init__(trainer, engine, data, validation, callbacks, *more)
        self.team: Team = engine.team
        self._version = engine.net._version
        self._watches = any(type(callback) is not Checkpointer for callback in callbacks)
        self._digest = b""  # of what a callback may change, after the last meeting
        self._looks = False  # whether callbacks may have been called since

    def agree(self) -> None:
        """Raise ValueError on all ranks unless all are about to do the same; with room for their messages."""
        if self.team.size > 1:
            self.team.compare(facts(self))
        like = self.data.like
        assert like is not None
        counted = [self.sums.size]
        if self.validation is not None:
            counted.append(self.engine.scoring.new_sums(self.validation).size)
        self._numbers, self._program = max(counted), self.engine.get("step", like, self.batch_size or 1)

    def load_state_dict(self, given: dict[str, Any]) -> None:
        super().load_state_dict(given | {"callbacks": {}} if self.team.rank and isinstance(given, dict) else given)

    def first_nonfinite(self) -> str:
        return first_parameter(self.net) or "all parameters are finite"

    # -- the run -------------------------------------------------------------------------------------------------------

    def go(self) -> History:
        with _interrupts(self.team):
            return super().go()

    def calls(self) -> Iterator[None]:
        """As in any run; then the last meeting, in which errors and the end are told."""
        error: BaseException | None = None
        self._open()
        try:
            yield from super().calls()
        except Ended as ended:
            self._hear(ended.message)
        except BaseException as raised:
            error = raised
        self._close(error)
        if error is not None:
            raise error

    def _open(self) -> None:
        team = self.team
        blocks.begin(team, self._program, self.net, self._numbers)
        team.tell, team.hear = self._changes, self._hear
        if self._watches:
            self._digest = self._digest_now()

    def _close(self, error: BaseException | None) -> None:
        """The last meeting, unless it has been; then rank 0 tells how things are there, if there was an error."""
        team = self.team
        try:
            if not team.over:
                team.leave(error, self._end_message() if team.rank == 0 and error is None else None)
        except Ended as ended:
            self._hear(ended.message)
        finally:
            if team.over == "failed":
                self._hear(team.comm.bcast(self._end_message() if team.rank == 0 else None, root=0))
            team.tell, team.hear = lambda: None, lambda message: None

    def _is_quiet(self) -> bool:
        return False

    def _slice(self, data: Data, order: Array | None, start: int, stop: int) -> None:
        self._looks = True
        try:
            super()._slice(data, order, start, stop)
        finally:
            if self._watches:
                self._digest = self._digest_now()

    def _validate(self, validation: Data, values: dict[str, float]) -> None:
        """As in any run, but that each rank has its share of the samples."""
        self._looks = self._watches and self._digest_now() != self._digest
        if not self._looks:  # the weights of an average, or those that the optimizer evaluates, are nothing to tell
            self.team.tell = lambda: None
        self.engine.shares = True
        try:
            super()._validate(validation, values)
        finally:
            self.engine.shares, self.team.tell = False, self._changes

    # -- what rank 0 tells ---------------------------------------------------------------------------------------------

    def _state(self) -> list[Array]:
        """What a callback may change, beside the run."""
        optimizer, grad = self.engine.optimizer, self.net.parameters().grad
        states = [state for state in optimizer.states.values() if state is not None]
        own = [optimizer.hyper, optimizer.clipping, optimizer.step_count, *states]
        return [*(array for array in self.engine.changed_by_step() if array is not grad), *own]

    def _digest_now(self) -> bytes:
        whole = hashlib.blake2b(digest_size=16)
        for array in self._state():
            whole.update(np.ascontiguousarray(array).view("uint8").data)
        return whole.digest()

    def _changes(self) -> dict[str, Any] | None:
        """Before a meeting, on rank 0: the state, if a callback has changed it since the last one."""
        if self.net._version != self._version:
            raise RuntimeError(
                "a callback changed which parameters are trained, or the layers, on rank 0 alone: end this fit, change "
                "them on all ranks, and call fit again"
            )
        if not (self._watches and self._looks):
            return None
        self._looks = False
        if self._digest_now() == self._digest:
            return None
        return {"state": self._state()}

    def _end_message(self) -> dict[str, Any]:
        """How the run has ended, for the other ranks."""
        scheduler = self.engine.scheduler
        return {
            "closing": True,
            "state": self._state() if self._watches else None,
            "place": {name: getattr(self, name) for name in PLACE},
            "sums": self.sums,
            "rows": self.history.rows,
            "stopped": self.history.stopped,
            "paused": self.paused,
            "epochs": self.engine.epochs,
            "scheduler": None if scheduler is None else scheduler.state_dict(),
        }

    def _hear(self, message: dict[str, Any]) -> None:
        """Take over what rank 0 told."""
        if self.team.rank == 0:
            return
        if message["state"] is not None:
            for array, told in zip(self._state(), message["state"], strict=True):
                array[...] = told
        if message.get("closing"):
            self.__dict__.update(message["place"], paused=message["paused"])
            self.sums = message["sums"]
            self.history.rows[:] = message["rows"]
            self.history.stopped, self.engine.epochs = message["stopped"], message["epochs"]
            if self.engine.scheduler is not None:
                self.engine.scheduler.load_state_dict(message["scheduler"])


@contextmanager
def _interrupts(team: Team) -> Iterator[None]:
    """A context in which Ctrl-C is told to all ranks at the next meeting; a second one ends this process's wait."""
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is not signal.default_int_handler:
        yield
        return

    def note(number: int, frame: Any) -> None:
        if team.interrupted or team.over:
            raise KeyboardInterrupt
        team.interrupted = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if team.interrupted:  # after the last meeting
        raise KeyboardInterrupt


def step(engine: Engine, make: Callable[[], Data]) -> float:
    """A step of all ranks outside of a run, on the data that `make` returns; its loss."""
    team = engine.team
    assert team is not None
    if not team.over:
        raise RuntimeError("trainer.step trains on all ranks: a callback runs on rank 0 alone")
    with team.starting():
        data = make()
        team.compare({name: _words_of(array) for name, array in _arrays(data, "").items()})
        program = engine.get("step", data, data.samples)
    blocks.begin(team, program, engine.net, engine.scoring.new_sums(data).size)
    try:
        return engine.step(data)
    finally:
        team.over = team.over or "closed"


# -- before a run ------------------------------------------------------------------------------------------------------


def file_for_all(team: Team, path: Any) -> bytes | None:
    """The content of a file that rank 0 can read, on all ranks; None if it is not there."""
    content = None
    if team.rank == 0 and os.path.exists(path):
        with open(path, "rb") as file:
            content = file.read()
    shared: bytes | None = team.exchange(content)[0]
    return shared


def facts(run: TeamLoop) -> dict[str, tuple[str, str]]:
    """What must be the same on all ranks, by name: words for a message, and a text to compare."""
    engine, data = run.engine, run.data
    net, optimizer = engine.net, engine.optimizer
    sketch = {name: (view.shape, str(view.dtype)) for name, view in net.named_parameters()}
    plain = {
        "version of fastnn": __version__,
        "network": repr(net),
        "parameters": repr(sketch),
        "loss": repr(engine.loss),
        "optimizer": repr(optimizer),
        "scheduler": repr(engine.scheduler),
        "average": type(engine.average).__name__,
        "metrics": ", ".join(run.metrics),
        "transform": run.mixing,
        "blocks": f"{run.team.blocks} blocks",
        "penalties": f"l1={engine.l1}, l2={engine.l2}, missing={engine.missing}",
        "random seed": f"seed={net.seed}",
        "validation_freq": repr(sorted(often) if isinstance(often := run.validation_freq, frozenset) else often),
        "validate_average": repr(run.validated_average is not None),
        **{name: repr(getattr(run, name)) for name in ARGUMENTS},
    }
    states = {name: state for name, state in optimizer.states.items() if state is not None}
    found = {name: (words, words) for name, words in plain.items()}
    isa = dispatch.get_isa()
    found["instruction set"] = isa, isa if isa in WITHOUT_FMA else "bits of all others"
    size = sum(view.size for _, view in net.named_parameters())
    found["initial weights"] = f"{size} parameters", _hash(*net.state_dict().values())
    found["state of the optimizer"] = type(optimizer).__name__, _hash(optimizer.hyper, *states.values())
    if isinstance(data, ShardStream):
        found["x"] = f"{len(data.shards)} shards of {data.samples} rows", repr((data.shards.names, data.lengths))
        data = data.like
    arrays = _arrays(data, "") | ({} if run.validation is None else _arrays(run.validation, "validation "))
    for name, array in arrays.items():
        found.setdefault(name, _words_of(array))
    return found


def _arrays(data: Any, prefix: str) -> dict[str, Array]:
    """The arrays of data by name."""
    rows = getattr(data, "rows", None)
    arrays = {"x": data.x, "y": data.y, "sample_weight": data.weight, "rows of the split": rows}
    return {prefix + name: array for name, array in arrays.items() if array is not None}


def _words_of(array: Array) -> tuple[str, str]:
    return f"{array.dtype} of shape {array.shape}", _hash(_sample(array))


def _sample(array: Array) -> Array:
    """Rows at equal distances, so many that they take at most `SAMPLE` bytes."""
    row = max(1, array.dtype.itemsize * int(np.prod(array.shape[1:])))
    count = max(2, min(len(array), SAMPLE // row))
    return array[np.unique(np.linspace(0, len(array) - 1, count).astype("int64"))]


def _hash(*arrays: Array) -> str:
    whole = hashlib.blake2b(digest_size=16)
    for array in arrays:
        whole.update(repr((array.dtype.str, array.shape)).encode())
        whole.update(np.ascontiguousarray(array).view("uint8").data)
    return whole.hexdigest()

"""Checkpoints of many networks that are being trained, in one file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from time import monotonic
from typing import Any

import numpy as np

from ..files.format import FileFormatError, read, write
from ..files.objects import label
from ..training.checkpoint import load_checkpoint, unless_done
from .ensemble import as_bytes
from .workers import Member, Workers


class Checkpoints:
    """Writes the states of all members to a file, now and then.

    Parameters
    ----------
    path : str or path-like
    every : float
        Seconds.
    members : list of Member
    """

    def __init__(self, path: Any, every: float, members: list[Member]) -> None:
        self.path, self.every, self.members = path, every, members
        self._next = monotonic() + every

    def look(self, workers: Workers) -> None:
        """Write the file if it is time, with what each member was at its last pause."""
        if monotonic() < self._next:
            return
        with workers.paused():
            states = self.states()
        self.write(states)
        self._next = monotonic() + self.every

    def states(self) -> dict[str, Any]:
        """The states of the members that have begun, now or before; all must be between two batches."""
        states = {
            str(member.index): as_bytes(member.trainer.save_checkpoint) if member.has_begun else member.saved
            for member in self.members
        }
        return {name: state for name, state in states.items() if state is not None}

    def write(self, states: dict[str, Any]) -> None:
        """Replace the file."""
        write(self.path, "fleet", states, {"count": len(self.members)})


def resume_from(path: Any, members: list[Member], undo: ExitStack) -> None:
    """Load the states of the members that a file has; `undo` gives the trainers theirs back if something raises.

    Raises
    ------
    FileFormatError
        If the file is damaged, or none of a fleet.
    ValueError
        If it is of another number of networks, or one does not fit.
    """
    if not os.path.exists(path):
        return
    tensors, content = read(path, "fleet")
    count = content.get("count")
    if count != len(members):
        raise ValueError(f"{label(path)} is of {count} networks, there are {len(members)} trainers")
    known = {str(member.index): member for member in members}
    for name, array in tensors.items():
        if name not in known or array.dtype != np.uint8:
            raise FileFormatError(f"{label(path)}: no network is called {name!r:.20}")
        member = known[name]
        undo.enter_context(unless_done(member.trainer))
        member.saved = array
        try:
            state = load_checkpoint(member.trainer, array.tobytes())
            if state is None:
                raise FileFormatError("there is no run in it")
            member.run.load_state_dict(state)
        except FileFormatError as error:
            raise FileFormatError(f"{label(path)}: trainers[{member.index}]: {error}") from None
        except (TypeError, ValueError) as error:
            raise type(error)(f"{label(path)}: trainers[{member.index}]: {error}") from None

"""Locks that copies, pickles and forked children do without: each of those begins with a new one."""

from __future__ import annotations

import os
import threading
from typing import Any
from weakref import WeakSet

_all: WeakSet[Lock]


class Lock(threading.RLock().__class__):  # type: ignore[misc]
    """A lock that the thread which holds it may take again.

    `with lock:` runs no Python code, so that Ctrl-C cannot come between taking the lock and knowing that it is taken.
    """

    def __new__(cls) -> Lock:
        try:
            lock: Lock = super().__new__(cls)
        except RuntimeError as error:  # "can't allocate lock"
            raise MemoryError("no memory for a lock") from error
        _all.add(lock)
        return lock

    def __reduce__(self) -> Any:
        return Lock, ()


def _forked() -> None:
    """In the child the threads that held locks do not exist; what this thread holds, it goes on to hold."""
    for lock in list(_all):
        if not lock._is_owned():
            lock._at_fork_reinit()


_all = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

# Held by whoever makes something that is made when it is first used, or forgets it: programs, what runs them, networks
# of single layers. So there is one of each, and nobody sees it before it is complete.
MAKING = Lock()

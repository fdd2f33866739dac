"""Locks that copies, pickles and forked children do without: each of those begins with a new one."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import Any
from weakref import WeakSet

_all: WeakSet[Lock]


class Lock:
    """A lock that the thread which holds it may take again."""

    def __init__(self) -> None:
        try:
            self.inner = threading.RLock()
        except RuntimeError as error:  # "can't allocate lock"
            raise MemoryError("no memory for a lock") from error
        _all.add(self)

    def __enter__(self) -> None:
        self.inner.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.inner.release()

    def __reduce__(self) -> Any:
        return Lock, ()


def _forked() -> None:
    """In the child the threads that held locks do not exist; what this thread holds, it goes on to hold."""
    for lock in list(_all):
        if not lock.inner._is_owned():  # type: ignore[attr-defined]
            lock.inner = threading.RLock()


_all = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

# Held by whoever makes something that is made when it is first used, or forgets it: programs, what runs them, networks
# of single layers. So there is one of each, and nobody sees it before it is complete.
MAKING = Lock()

"""Reading ahead on one background thread."""

from __future__ import annotations

import contextvars
import threading
import warnings
from collections.abc import Generator, Iterator
from queue import Empty, Queue
from typing import Any, TypeVar

from .._frames import frames_to_caller

Item = TypeVar("Item")

PATIENCE = 1.0  # seconds to wait, at an early end, for an item that is being made
STILL_WAITING = (
    "the thread that reads ahead still waits for the next batch of x, and ends when that comes: let the iterable "
    "return, or use prefetch=0"
)


def ahead(items: Iterator[Item], depth: int) -> Generator[Item, None, None]:
    """The same items, up to `depth` of them made before they are asked for; 0 makes each when it is asked for.

    What making one raises comes out here, in its turn. When this generator is closed, also by an error, the thread ends
    and `items` is closed.

    Warns
    -----
    RuntimeWarning
        If an item is being made at such an end, and takes more than a second: no thread can be stopped in code of a
        user. It ends with that item; the process does not wait for it.
    """
    if depth == 0:
        yield from items
        return
    queue: Queue[tuple[str, Any]] = Queue(depth)
    over = threading.Event()

    def make() -> None:
        try:
            for item in items:
                queue.put(("item", item))
                if over.is_set():
                    break
            else:
                queue.put(("end", None))
        except BaseException as error:
            queue.put(("error", error))
        finally:
            if hasattr(items, "close"):
                items.close()

    run = contextvars.copy_context().run  # what makes items computes on the backend of this thread
    thread = threading.Thread(target=run, args=(make,), name="fastnn reads ahead", daemon=True)
    try:
        thread.start()
        while True:
            kind, content = queue.get()
            if kind == "error":
                raise content
            if kind == "end":
                return
            yield content
    finally:
        over.set()
        try:
            while True:  # a full queue would hold the thread
                queue.get_nowait()
        except Empty:
            if thread.ident is not None:
                thread.join(PATIENCE)
        if thread.is_alive():
            warnings.warn(STILL_WAITING, RuntimeWarning, stacklevel=frames_to_caller())

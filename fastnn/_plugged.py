"""Backends of other packages: modules with functions of our names, found by the entry points "fastnn.backends"."""

from __future__ import annotations

from contextvars import ContextVar
from importlib.metadata import entry_points
from typing import Any

GROUP = "fastnn.backends"
PLUGGED: ContextVar[tuple[str, Any] | None] = ContextVar("fastnn_plugged", default=None)


def names() -> list[str]:
    """The names of the backends that are installed."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def load(name: str) -> Any:
    """The module of a backend; KeyError if none is installed under this name."""
    for point in entry_points(group=GROUP):
        if point.name == name:
            return point.load()
    raise KeyError(name)


def function_of(name: str) -> Any:
    """The function of the backend in use; None if that is the NumPy reference.

    Raises
    ------
    NotImplementedError
        If the backend does not have it.
    """
    plugged = PLUGGED.get()
    if plugged is None:
        return None
    function = getattr(plugged[1], name, None)
    if function is None:
        raise NotImplementedError(f"the backend {plugged[0]!r} has no function {name!r}")
    return function

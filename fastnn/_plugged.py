"""Backends of other packages: modules with functions of our names, found by the entry points "fastnn.backends"."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

GROUP = "fastnn.backends"
PLUGGED: ContextVar[tuple[str, Any] | None] = ContextVar("fastnn_plugged", default=None)


def _installed() -> Any:
    """The entry points of backends."""
    from importlib.metadata import entry_points  # slow to import, and rarely needed

    return entry_points(group=GROUP)


def names() -> list[str]:
    """The names of the backends that are installed."""
    return sorted({point.name for point in _installed()})


def load(name: str) -> Any:
    """The module of a backend; KeyError if none is installed under this name."""
    for point in _installed():
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

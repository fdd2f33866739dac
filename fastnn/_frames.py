"""The frames of this package in tracebacks and warnings: errors of use show the line of the caller and at most two.

`FASTNN_TRACEBACK=full` in the environment shows all. Where code of a user runs within (a callback, a loss, a batch),
nothing is left out.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, ClassVar, TypeVar

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
# Frames of compiled code have the names of their sources; those of decorated functions go through contextlib.
OURS = (PACKAGE, "fastnn/_core/", contextlib.__file__)
FULL = os.environ.get("FASTNN_TRACEBACK", "") == "full"
MOST = 2  # frames of this package
USE = (TypeError, ValueError, RuntimeError, OSError)  # what wrong use raises

Function = TypeVar("Function", bound=Callable[..., Any])


def frames_to_caller() -> int:
    """The `stacklevel` of a warning that is to show the line outside of this package that led to it."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _inside(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    return level


def shorten(error: BaseException) -> None:
    """Leave out frames of this package from the traceback of `error`; called where it is caught, to be raised again."""
    first = error.__traceback__
    assert first is not None
    frames = [first]
    while (below := frames[-1].tb_next) is not None:
        frames.append(below)
    if FULL or not all(_inside(frame.tb_frame.f_code.co_filename) for frame in frames):
        return
    above = 0
    catcher: FrameType | None = first.tb_frame
    while catcher is not None and _inside(catcher.f_code.co_filename):
        above, catcher = above + 1, catcher.f_back
    keep = min(max(0, MOST - above), len(frames) - 1)
    first.tb_next = frames[len(frames) - keep] if keep else None


def errors_of_use(function: Function) -> Function:
    """A public function whose errors show its caller's line and at most two frames of this package."""

    @wraps(function)
    def short(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except USE as error:
            shorten(error)
            raise

    return short  # type: ignore[return-value]


class _ShortErrorsWithin:
    """A context that does to an error of use that leaves it what `errors_of_use` does; it has no state."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: TracebackType | None) -> None:
        if isinstance(error, USE):
            shorten(error)


# For the slow part of a function whose fast part is not to pay for a wrapper.
SHORT_ERRORS = _ShortErrorsWithin()


class ShortErrors:
    """Base of public classes: short tracebacks for wrong arguments, and a `dir` of what is public.

    `_internal` names the attributes of a class that other rooms of the package use, which `dir` leaves out.
    """

    _internal: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls) and cls.__module__.startswith(f"{__package__}."):
            cls.__init__ = errors_of_use(cls.__init__)  # type: ignore[method-assign]

    def __dir__(self) -> list[str]:
        hidden = {name for cls in type(self).__mro__ for name in vars(cls).get("_internal", ())}
        private = (name for name in super().__dir__() if name.startswith("_") and not name.startswith("__"))
        return sorted({*super().__dir__()} - hidden - {*private})


def _inside(file: str) -> bool:
    return file.startswith(OURS)

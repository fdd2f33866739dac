"""Why a `forward` cannot be traced, with the line of it."""

from __future__ import annotations

import linecache
import os
import re
from types import TracebackType

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WAY_OUT = (
    "A forward may call layers, elementwise functions, softmax and gates of fastnn.functional, + - * / with numbers, "
    "columns x[:, a:b], x.sum, x.mean and x.max over the features, x @ self['weight'] and fastnn.concat; a module that "
    "also defines backward(grad_output) runs in Python instead"
)


class TraceError(TypeError):
    """A `forward` does something that cannot be compiled; the message has the line and the reason.

    Examples
    --------
    >>> from fastnn import nn
    >>> class Sorts(nn.Module):
    ...     def forward(self, x):
    ...         return sorted(x)
    >>> try:
    ...     nn.Sequential(nn.Linear(2, 2), Sorts())
    ... except nn.TraceError as error:
    ...     print(str(error).split(",")[0], *str(error).split(", ")[2:3])
    Sorts.forward cannot be traced line 3
    """


class UnknownAttributeError(TraceError, AttributeError):
    """A symbol has no such attribute."""


def explained(name: str, error: Exception) -> TraceError:
    """The error of a forward of the class `name`, with the line of the user's code where it came up."""
    file, line = _place(error.__traceback__)
    code = linecache.getline(file, line).strip()
    where = f"{os.path.basename(file)}, line {line}" + (f", {code!r}" if code else "")
    way_out = "" if re.search("takes \\d+ features but gets", str(error)) else f". {WAY_OUT}"
    return TraceError(f"{name}.forward cannot be traced, {where}: {error}{way_out}")


def _place(traceback: TracebackType | None) -> tuple[str, int]:
    """The file and the line of the innermost frame outside of this package."""
    place = "", 0
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if not os.path.abspath(file).startswith(ROOT + os.sep):
            place = file, traceback.tb_lineno
        traceback = traceback.tb_next
    return place

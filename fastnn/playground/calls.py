"""Calls that can be made and written: what a session does and the code that reproduces it come from the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fastnn.callbacks
import fastnn.data
import fastnn.nn
import fastnn.optim

ROOMS = {"nn": fastnn.nn, "optim": fastnn.optim, "data": fastnn.data, "callbacks": fastnn.callbacks}


class Name:
    """A value that has a name in the code: `net`, or `net.parameters()`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Call:
    """A call of something in `nn`, `optim`, `data` or `callbacks`, with arguments that may be calls and names.

    Examples
    --------
    >>> from fastnn.playground.calls import Call, Name
    >>> call = Call("nn.Linear", 2, Name("units"), bias=False)
    >>> str(call)
    'nn.Linear(2, units, bias=False)'
    >>> call.make({"units": 3})
    Linear(in_features=2, out_features=3, bias=False)
    """

    def __init__(self, path: str, *args: Any, **options: Any) -> None:
        self.path, self.args, self.options = path, args, options

    def __str__(self) -> str:
        given = [*map(written, self.args), *(f"{key}={written(value)}" for key, value in self.options.items())]
        return f"{self.path}({', '.join(given)})"

    def make(self, names: Mapping[str, Any]) -> Any:
        """Make the call, with these values for names."""
        room, *rest = self.path.split(".")
        function: Any = ROOMS[room]
        for part in rest:
            function = getattr(function, part)
        options = {key: made(value, names) for key, value in self.options.items()}
        return function(*(made(value, names) for value in self.args), **options)


def made(value: Any, names: Mapping[str, Any]) -> Any:
    """The value of an argument."""
    if isinstance(value, Call):
        return value.make(names)
    if isinstance(value, list):
        return [made(part, names) for part in value]
    return names[value.text] if isinstance(value, Name) else value


def written(value: Any) -> str:
    """The text of an argument."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return str(value) if isinstance(value, Call | Name) else repr(value)

"""Where a loss that is not finite comes from: the data, the parameters, or the output of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check

if TYPE_CHECKING:
    from ..compiler.program import Program
    from ..nn.sequential import Sequential
    from .data import Data

Array = check.Array


def check_data(data: Data, rows: Any = slice(None), prefix: str = "") -> None:
    """Raise ValueError if x or y is not finite in these rows; the message names the first place."""
    numbers = np.arange(len(data))[rows]
    for name, array in (("x", data.x), ("y", data.y)):
        place = _first_bad(array[rows])
        if place is not None:
            value = array[rows][place]
            place = (int(numbers[place[0]]), *(place[1:] if array.shape[1:] != (1,) else ()))
            raise ValueError(f"{prefix}{name}[{', '.join(map(str, place))}] is {value}: {name} must be finite")


def first_parameter(net: Sequential) -> str | None:
    """A sentence about the first parameter that is not finite, None if all are."""
    for p in net.parameters():
        place = _first_bad(p.data)
        if place is not None:
            gradient = "is not finite either" if _first_bad(p.grad) else "is finite"
            value = p.data[place]
            return f"parameter {p.name}[{', '.join(map(str, place))}] is {value} (its last gradient {gradient})"
    return None


def first_cause(net: Sequential, program: Program, rows: int) -> str:
    """A sentence about the first layer with a parameter or an output that is not finite, after a forward pass."""
    sentence = first_parameter(net)
    if sentence is not None:
        return sentence
    start, stop = program.span("forward")
    for operation in program.operations[start:stop]:
        for array in (operation.arrays.get("pre"), operation.arrays.get("y")):
            if not isinstance(array, np.ndarray) or array.ndim != 2:
                continue
            place = _first_bad(array[:rows])
            if place is not None:
                return f"the output of {operation.label} is {array[place]} for a row of the batch"
    return "parameters and outputs are finite, the loss of these outputs is not"


def _first_bad(array: Array) -> tuple[int, ...] | None:
    """The first place of a number that is not finite."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    return tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])

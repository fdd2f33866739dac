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
    """Raise ValueError if x or y has an infinity or NaN in these rows; the message names the first.

    Parameters
    ----------
    data : Data
    rows : slice or ndarray of int64, default all
        The rows to check.
    prefix : str, default ""
        Put before "x" and "y" in the message, such as "validation ".

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn
    >>> from fastnn.training.data import Data
    >>> from fastnn.training.nonfinite import check_data
    >>> x = np.array([[1, 2], [3, np.nan]], "float32")
    >>> data = Data.of(nn.Sequential(nn.Linear(2, 1)), nn.MSELoss(), x, np.zeros((2, 1), "float32"))
    >>> check_data(data, slice(0, 1))
    >>> check_data(data)
    Traceback (most recent call last):
    ValueError: x[1, 1] is nan: x must be finite
    """
    numbers = np.arange(len(data.x))[rows]  # a part of the data keeps the row numbers of the whole
    for name, array in (("x", data.x), ("y", data.y)):
        if isinstance(array, check.SparseRows):
            _check_sparse(array, numbers, prefix)
            continue
        some = array[rows]
        if name == "y" and data.missing:
            some = np.where(np.isnan(some), 0, some)
        place = _first_bad(some)
        if place is not None:
            value = array[rows][place]
            place = (int(numbers[place[0]]), *(place[1:] if array.shape[1:] != (1,) else ()))
            raise ValueError(f"{prefix}{name}[{', '.join(map(str, place))}] is {value}: {name} must be finite")


def _check_sparse(x: check.SparseRows, rows: Array, prefix: str) -> None:
    """Raise ValueError if these rows have an infinity or NaN."""
    if np.isfinite(x.values).all():
        return
    for row in rows.tolist():
        place = _first_bad(x[row])
        if place is not None:
            raise ValueError(f"{prefix}x[{row}, {place[0]}] is {x[row][place]}: x must be finite")


def first_parameter(net: Sequential) -> str | None:
    """A sentence about the first parameter that is not finite, and whether its gradient is; None if all are finite.

    Examples
    --------
    >>> from fastnn import nn
    >>> from fastnn.training.nonfinite import first_parameter
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> first_parameter(net) is None
    True
    >>> net.parameters().data[:] = float("nan")
    >>> first_parameter(net)
    'parameter 0.weight[0, 0] is nan (its last gradient is finite)'
    """
    for p in net.parameters():
        place = _first_bad(p.data)
        if place is not None:
            gradient = "is not finite either" if _first_bad(p.grad) else "is finite"
            value = p.data[place]
            return f"parameter {p.name}[{', '.join(map(str, place))}] is {value} (its last gradient {gradient})"
    return None


def first_cause(net: Sequential, program: Program, rows: int) -> str:
    """A sentence about the first parameter or layer output that is not finite, after a forward pass.

    Parameters
    ----------
    net : Sequential
    program : Program
        Of this network; its buffers have the outputs of the forward pass.
    rows : int
        Number of rows of that batch.

    Returns
    -------
    str
    """
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
    """The index of the first infinity or NaN; None if there is none."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    return tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])

"""The calls that an implementation is checked by, and the truth about each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import Array
from .cases.ops import OPS
from .cases.records import Call, Op, numbered, results
from .measure import wide

SIZES = (0, 1, 7, 33, 130)  # of the last axis: none, one, tails of registers
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1e-30, 1e30)
IN_PLACE = ("update", "matrix update", "parameters", "in place")  # kinds whose arguments are results
STEPS = 3  # of an update, so that its states are not 0


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes
    ----------
    op : Op
    options : dict
    dtype : str
    variant : str
        The size of the last axis, "strided" or "special".
    call : Call
    """

    op: Op
    options: dict[str, Any]
    dtype: str
    variant: str
    call: Call

    @property
    def title(self) -> str:
        """What the case is, in words."""
        given = "".join(f", {name}={value}" for name, value in self.options.items())
        return f"{self.op.name}({self.dtype}, {self.variant}{given})"


def operations(names: Iterable[str] | None, there: Callable[[str], bool]) -> list[Op]:
    """The operations of these names, by default all, for which `there` is true.

    Raises
    ------
    ValueError
        If there is no operation of a name.
    """
    known = {op.name for op in OPS}
    if names is not None:
        names = [names] if isinstance(names, str) else list(names)
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"ops: there is no operation {unknown[0]!r}, see fastnn.functional and optim.functional")
    return [op for op in OPS if (names is None or op.name in names) and there(op.name)]


def cases_of(op: Op, dtypes: Iterable[str], seed: int) -> Iterator[Case]:
    """The cases of an operation, small ones first."""
    for dtype in dtypes:
        for options in op.options:
            for size in SIZES:
                call = _made(op, size, dtype, seed, options)
                if call is not None:
                    yield Case(op, options, dtype, f"size {size}", call)
            call = _made(op, 7, dtype, seed + 1, options)
            if call is not None and op.kind not in IN_PLACE:
                yield Case(op, options, dtype, "strided", mapped(call, _strided))
            if call is not None and op.kind == "elementwise":
                yield Case(op, options, dtype, "special values", _special(call))


def _made(op: Op, size: int, dtype: str, seed: int, options: dict[str, Any]) -> Call | None:
    """The arguments of a call; None for sizes that have no meaning for the operation."""
    try:
        shape = op.shape(size)  # type: ignore[no-untyped-call]
        call: Call = op.make(shape, np.dtype(dtype), np.random.default_rng(seed), **options)
        truth_of(op, call)
    except (ValueError, IndexError, ZeroDivisionError):
        return None
    return call


def _strided(value: Any) -> Any:
    """A matrix as every other column of another one."""
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return np.repeat(value, 2, axis=-1)[..., ::2]
    return value


def _special(call: Call) -> Call:
    """The call with special values in its first array, the last of several."""
    first = call.args[-1] if len(call.args) > 1 else call.args[0]
    values = np.array(SPECIAL, first.dtype)
    return Call((*(np.resize(a, values.shape) for a in call.args[:-1]), values), call.kwargs)


def run(function: Callable[..., Any], op: Op, call: Call) -> list[Array]:
    """All results of a call: what it returns, or the arguments that it changes, after a few steps."""
    if op.kind not in IN_PLACE:
        return list(results(function, call))  # type: ignore[no-untyped-call]
    arguments = [a.copy() if isinstance(a, np.ndarray) else a for a in call.args]
    returned: Any = None
    for step in range(1, STEPS + 1 if "update" in op.kind else 2):
        more: dict[str, Any] = numbered(op.reference, step)  # type: ignore[no-untyped-call]
        returned = function(*arguments, **(call.kwargs | more))
    changed = [a for a in arguments if isinstance(a, np.ndarray)]
    return changed + ([np.asarray(returned, changed[0].dtype)] if isinstance(returned, float) else [])


@np.errstate(all="ignore")
def truth_of(op: Op, call: Call) -> list[tuple[Array, Any]]:
    """Each result of the NumPy reference in the next wider dtype, with the natural scale of its terms, or None."""
    call = mapped(call, wide)
    expected = run(op.reference, op, call)
    scales: Any = [None] * len(expected)
    if op.kind in IN_PLACE:
        scales = [_scale(value, call) for value in expected]
    elif op.scale is not None:
        scales = run(op.scale, op, call)
    return list(zip(expected, scales, strict=True))


def _scale(value: Array, call: Call) -> Any:
    """The sizes of what an update adds up: the largest of the arguments at each place."""
    alike = [np.abs(a) for a in call.args if isinstance(a, np.ndarray) and a.shape == value.shape]
    return np.maximum.reduce(alike) if alike else None


def mapped(call: Call, change: Callable[[Any], Any]) -> Call:
    """The call with every argument changed."""
    changed: Call = call.mapped(change)  # type: ignore[no-untyped-call]
    return changed

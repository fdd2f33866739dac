"""A program as data: dictionaries, lists, numbers and strings that JSON can hold (docs/programs.md).

Operands are arrays in memory; here each becomes a tensor: a place in a buffer, found by its address.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from .._core import operations as flags
from .._validation import Array
from ..reference.program import has_rows
from .interfaces import NamedParameter
from .memory import Argument
from .operations import OPERATIONS, Operation

FORMAT, VERSION = "fastnn-program", 1
FLAGS = (
    "MEAN", "LABELS", "ACCUMULATE", "BY_ROWS", "CLASS_WEIGHTS", "ROOT", "EACH_OUTPUT", "TRANSPOSED", "ELEMENTS",
    "SPARSE",
)  # fmt: skip
KNOWN = sum(getattr(flags, name) for name in FLAGS)

# Operations whose results depend on what was in the arrays that they write.
UPDATES = {"running", "update", "average", "embedding_bag_backward"}


class Tensors:
    """The tensors and buffers that operations use, in the order in which they come up."""

    def __init__(self, named: tuple[NamedParameter, ...]) -> None:
        self.tensors: list[dict[str, Any]] = []
        self.numbers: dict[tuple[Any, ...], int] = {}  # of the tensors, by their places
        self.roots: list[Array] = []  # the memory of each buffer
        self.needed: set[int] = set()  # the buffers whose contents are read before they are written
        self.names = {_place(array): (name, kind) for name, *arrays in named
                      for kind, array in zip(("parameter", "gradient"), arrays, strict=True)}  # fmt: skip

    def number(self, array: Array, rows: bool, at: int, *, writes: bool, updates: bool) -> int:
        """The number of the tensor that operation `at` reads or writes."""
        key = (*_place(array), rows)
        if key not in self.numbers:
            self.numbers[key] = len(self.tensors)
            self.tensors.append(self._tensor(array, rows, at))
        tensor = self.tensors[self.numbers[key]]
        if updates or (tensor["first"] == at and not writes):
            self.needed.add(tensor["buffer"])
        tensor["last"] = at
        return self.numbers[key]

    def _tensor(self, array: Array, rows: bool, at: int) -> dict[str, Any]:
        root = _root(array)
        buffer = next((i for i, other in enumerate(self.roots) if other is root), len(self.roots))
        if buffer == len(self.roots):
            self.roots.append(root)
        name, kind = self.names.get(_place(array), (None, None))
        return {
            "buffer": buffer,
            "offset": _address(array) - _address(root),
            "dtype": array.dtype.str if array.dtype.names is None else array.dtype.descr,
            "shape": list(array.shape),
            "strides": list(array.strides),
            "rows": rows,
            "first": at,
            "last": at,
            **({kind: name} if kind else {}),
        }

    def buffers(self) -> list[dict[str, Any]]:
        """Sizes in bytes, and contents in base64 of those that are read before they are written."""
        return [{"nbytes": root.nbytes, "data": _contents(root) if i in self.needed else None}
                for i, root in enumerate(self.roots)]  # fmt: skip


def as_dict(program: Any) -> dict[str, Any]:
    """What `Program.to_dict` returns."""
    tensors = Tensors(program.named_parameters)
    operations = [_operation(o, i, tensors) for i, o in enumerate(program.operations)]
    return {
        "format": FORMAT,
        "version": VERSION,
        "batch_size": program.batch_size,
        "dtype": program.dtype,
        "n_in": program.n_in,
        "n_out": program.n_out,
        "tick": int(program.tick[0]),
        "sections": {name: list(span) for name, span in program.sections.items()},
        "operations": operations,
        "tensors": tensors.tensors,
        "buffers": tensors.buffers(),
    }


def _operation(o: Operation, at: int, tensors: Tensors) -> dict[str, Any]:
    if o.call is not None:
        raise ValueError(
            f"to_dict: {o.label} is written in Python ({o.kind}), which data cannot hold: use layers, losses and "
            "functions of fastnn, and remove forward hooks"
        )
    return {
        "kind": o.kind,
        "label": o.label,
        "operands": _operands(o, at, tensors),
        "n_in": o.n_in,
        "n_out": o.n_out,
        "kernel": o.kernel,
        "params": [_number(value) for value in o.params],
        "options": {name: _number(value) for name, value in o.options.items()},
        "flags": _flags(o.flag),
        "seed": int(o.seed),
        "stream": int(o.stream),
        "loss": None if o.loss is None else {
            "name": o.loss.name,
            "reduction": o.loss.reduction,
            "extra_name": o.loss.extra_name if "extra" in o.arrays else None,
            "params": {name: _value(value) for name, value in o.loss.params.items()},
        },
        "optimizer": None if o.optimizer is None else type(o.optimizer).__name__,
        "head": o.head,
    }  # fmt: skip


def _flags(bits: int) -> list[str]:
    """The names of flags that are set."""
    if bits & ~KNOWN:
        raise ValueError(f"flags {bits & ~KNOWN:#x} have no name here")
    return [name.lower() for name in FLAGS if bits & getattr(flags, name)]


def _operands(o: Operation, at: int, tensors: Tensors) -> dict[str, dict[str, Any]]:
    """The operands by role; those that are read are noted before those that are written."""
    written = {name.rstrip("?") for name in OPERATIONS[o.kind].writes.split()}
    accumulated = {"grad_weight", "grad_bias"} if o.flag & flags.ACCUMULATE else set()
    operands: dict[str, dict[str, Any]] = {}
    for role, array in sorted(o.arrays.items(), key=lambda item: item[0] in written):
        if isinstance(array, Argument):
            operands[role] = {"argument": array.argument}
        elif array is not None:
            writes, updates = role in written, role in accumulated or (role in written and o.kind in UPDATES)
            number = tensors.number(array, has_rows(o, role), at, writes=writes, updates=updates)
            operands[role] = {"tensor": number}
    return operands


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if value is None or isinstance(value, (bool, str)) else _number(value)


def _number(value: Any) -> int | float | str:
    """A number; those that JSON does not have as "inf", "-inf" and "nan", which Python's float reads."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    return float(value) if math.isfinite(value) else str(float(value))


def _contents(root: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(root).tobytes()).decode("ascii")


def _root(array: Array) -> Array:
    """The array whose memory this one is part of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def _place(array: Array) -> tuple[Any, ...]:
    return _address(array), array.shape, array.strides, array.dtype.str

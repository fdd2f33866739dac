"""The parameters of a network: one flat buffer for the values, one for the gradients, and named views into both."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar
from weakref import WeakSet, WeakValueDictionary

import numpy as np

from .._frames import ShortErrors
from .._validation import Array
from ..compiler.memory import ALIGNMENT, aligned_zeros
from .fixed import Fixed

# What training is told about each parameter: whether penalties and constraints are for it; the factors of its
# penalties; the largest norm of its columns.
SETTINGS = np.dtype([("decay", "?"), ("l1", "f8"), ("l2", "f8"), ("max_norm", "f8")])


@dataclass(eq=False)
class Parameter(ShortErrors):
    """One parameter of a network, as iterating `net.parameters()` yields it.

    Attributes
    ----------
    name : str
        Such as "0.weight".
    data, grad : ndarray, both of `shape` and `dtype`
        Writable views of the values and of the gradient: `p.data[...] = 0`.
    start : int
        Index of its first value in the flat buffers of its `Parameters`.
    settings : ndarray of `SETTINGS`, shape (1,)
        Whether it decays, its penalties, and the largest norm of its columns.

    Notes
    -----
    `p.data -= 0.1 * p.grad` is in place; `p.data = values` is an error, because compiled programs use this memory.
    Parameters are equal, and have the same hash, only if they are the same object. Layers have their arrays as
    attributes, `net[0].weight`; the gradient is `net.parameters()["0.weight"].grad`. Other libraries read and write the
    values by DLPack without a copy: `torch.from_dlpack(p)`.

    Examples
    --------
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), dtype="float64")
    >>> [(p.name, p.shape, p.size) for p in net.parameters()]
    [('0.weight', (2, 3), 6), ('0.bias', (3,), 3)]
    >>> weight = net.parameters()["0.weight"]
    >>> weight.ndim, weight.dtype, weight.numel(), weight.grad.shape
    (2, dtype('float64'), 6, (2, 3))
    """

    _internal: ClassVar[tuple[str, ...]] = ("owner", "trained")

    name: str
    start: int
    data: Array
    grad: Array
    settings: Array
    trained: Array  # shape (1,), bool: whether it is updated
    _owner: Parameters | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of data and grad."""
        return self.data.shape

    @property
    def size(self) -> int:
        """Number of values."""
        return self.data.size

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self.data.dtype

    def __setattr__(self, name: str, value: Any) -> None:
        """Set attributes once; later only to the same object, so that `p.data -= 0.1 * p.grad` is allowed."""
        if name in self.__dict__ and self.__dict__[name] is value:
            return
        if name in self.__dict__ or name not in self.__dataclass_fields__:
            way_out = "set its values, p.data[...] = values"
            if name == "requires_grad":
                way_out = 'use requires_grad_(False) of its layer, or groups=[{"params": p, "frozen": True}]'
            raise AttributeError(f"Parameter.{name} cannot be set: {way_out}")
        super().__setattr__(name, value)

    @property
    def requires_grad(self) -> bool:
        """Whether it is trained; see `Module.requires_grad_`."""
        return bool(self.trained[0])

    def numel(self) -> int:
        """Number of values; PyTorch's name for it."""
        return self.data.size

    def __dlpack__(self, **options: Any) -> Any:
        """The values by DLPack, without a copy: `np.from_dlpack(p)`, `torch.from_dlpack(p)`."""
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """The CPU, as DLPack has it."""
        return self.data.__dlpack_device__()

    def owner(self) -> Parameters | None:
        """The `Parameters` that it is an element of; None for copies."""
        return self._owner

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles are made of: a parameter without its network."""
        return self.__dict__ | {"_owner": None}

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.shape}, {self.dtype})"


class Parameters(Fixed):
    """All parameters of a network.

    `data` and `grad` are flat arrays in which every parameter begins on a cache line; what lies between two parameters
    is never read. `settings` has a row for each. Iterating gives each `Parameter`, and `params["0.weight"]` one of
    them; their arrays are views.

    After a change of the layers or of the dtype of the network, `net.parameters()` is another object. Iterating the old
    one, or giving it to `nn.utils` or an optimizer, is a RuntimeError.

    Examples
    --------
    >>> from fastnn import nn
    >>> params = nn.Sequential(nn.Linear(2, 3), seed=0).parameters()
    >>> [p.name for p in params], params.numel()
    (['0.weight', '0.bias'], 9)
    >>> params["0.bias"].data[...] = 1.0
    """

    _internal: ClassVar[tuple[str, ...]] = (
        "check_moved", "leave", "moved", "part", "place", "root", "share", "stretch", "trained",
    )  # fmt: skip
    fixed: ClassVar[tuple[str, ...]] = ("dtype", "data", "grad", "settings")
    way_out = "set its values, params.data[...] = values, say"

    def __init__(self, shapes: dict[str, tuple[int, ...]], dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.moved = ""  # why the layers have their parameters elsewhere now; empty while they have them here
        self._parts: WeakSet[Parameters] = WeakSet()
        self._shapes = dict(shapes)
        # The parameters of which this is a part, and their prefix, or their names there and here.
        self._root: tuple[Parameters, str | dict[str, str]] | None = None
        unit = ALIGNMENT // self.dtype.itemsize
        starts, total = [], 0
        for shape in shapes.values():
            starts.append(total)
            total += -(-math.prod(shape) // unit) * unit
        self.data = aligned_zeros((total,), dtype)
        self.grad = aligned_zeros((total,), dtype)
        self.settings = np.zeros(len(shapes), SETTINGS)
        self.settings["decay"] = [len(shape) > 1 for shape in shapes.values()]
        self.settings["max_norm"] = np.inf
        self.trained = np.ones(len(shapes), bool)
        self._entries: dict[str, Parameter] = {}
        for i, ((name, shape), start) in enumerate(zip(shapes.items(), starts, strict=True)):
            data, grad = self._view(self.data, start, shape), self._view(self.grad, start, shape)
            trained = self.trained[i : i + 1]
            self._entries[name] = Parameter(name, start, data, grad, self.settings[i : i + 1], trained, self)
        _of_memory[id(self.data.base)] = self

    def root(self) -> Parameters:
        """The parameters of the whole network that these are a part of; itself if it is no part."""
        return self if self._root is None else self._root[0].root()

    @staticmethod
    def _view(flat: Array, offset: int, shape: tuple[int, ...]) -> Array:
        return flat[offset : offset + math.prod(shape)].reshape(shape)

    def part(self, prefix: str) -> Parameters:
        """The parameters whose names begin with `prefix`, without it: views of a stretch of the same buffers."""
        first, after = self.stretch(prefix)
        names = [entry.name.removeprefix(prefix) for entry in self._everything[first:after]]
        return self._between(first, after, names, prefix)

    def stretch(self, prefix: str) -> tuple[int, int]:
        """The numbers of the first parameter whose name begins with `prefix`, and of the one after the last."""
        return self._stretches.get(prefix, (0, 0))

    def share(self, names: dict[str, str]) -> Parameters:
        """The parameters with these names, side by side in the buffers, under new names: views, as of `part`."""
        first = list(self._entries).index(next(iter(names))) if names else 0
        after = first + len(names)
        assert list(names) == [entry.name for entry in self._everything[first:after]]
        return self._between(first, after, list(names.values()), names)

    def _between(self, first: int, after: int, names: list[str], root: str | dict[str, str]) -> Parameters:
        everything = self._everything
        start, stop = (everything[i].start if i < len(everything) else self.data.size for i in (first, after))
        part = Parameters.__new__(Parameters)
        part._root, part._shapes, part.moved, part._parts = (self, root), {}, self.moved, WeakSet()
        self._parts.add(part)
        part.dtype, part.data, part.grad = self.dtype, self.data[start:stop], self.grad[start:stop]
        part.settings, part.trained = self.settings[first:after], self.trained[first:after]
        part._entries = {}
        for name, e in zip(names, everything[first:after], strict=True):
            part._entries[name] = replace(e, name=name, start=e.start - start, _owner=part)
        return part

    def leave(self, reason: str) -> None:
        """Mark these parameters as out of date: optimizers made from them refuse to go on, for this reason."""
        self.moved = reason
        for part in list(self._parts):
            part.leave(reason)

    def check_moved(self, way_out: str = "take net.parameters() again") -> None:
        """Raise RuntimeError if the layers have their parameters elsewhere now: what is done here has no effect."""
        if self.moved:
            raise RuntimeError(f"{self.moved}: {way_out}")

    @cached_property
    def _everything(self) -> list[Parameter]:
        return list(self._entries.values())

    @cached_property
    def _stretches(self) -> dict[str, tuple[int, int]]:
        """The first parameter and the one after the last, by what their names begin with, to a dot or all of them."""
        stretches = {"": (0, len(self))}
        for i, name in enumerate(self._entries):
            for j in [j for j, letter in enumerate(name, 1) if letter == "."]:
                stretches[name[:j]] = stretches.get(name[:j], (i, i))[0], i + 1
        return stretches

    def penalty(self, l1: float = 0.0, l2: float = 0.0) -> float:
        """The value of all penalties, those of the layers and `l1` and `l2` for all parameters that decay.

        l1 sum |w| + l2 / 2 sum w^2, in double.
        """
        value = 0.0
        for entry in self:
            settings = entry.settings[0]
            if settings["decay"]:
                values = entry.data.astype("float64")
                value += (l1 + settings["l1"]) * float(np.abs(values).sum())
                value += (l2 + settings["l2"]) / 2 * float(np.square(values).sum())
        return value

    def __getstate__(self) -> Any:
        """What copies and pickles are made of: flat arrays, not the views into them."""
        return self._root or (self._shapes, self.dtype, self.data, self.grad, self.settings, self.trained, self.moved)

    def __setstate__(self, state: Any) -> None:
        if len(state) == 2:
            root, prefix = state
            part = root.part(prefix) if isinstance(prefix, str) else root.share(prefix)
            self.__dict__.update(part.__dict__)
            root._parts.add(self)
            self._entries = {name: replace(entry, _owner=self) for name, entry in self._entries.items()}
            return
        shapes, dtype, data, grad, settings, trained, moved = state
        Parameters.__init__(self, shapes, dtype)
        self.data[...], self.grad[...], self.moved = data, grad, moved
        self.settings[...], self.trained[...] = settings, trained

    def place(self, view: Array) -> slice:
        """The stretch of the flat buffer that a parameter's values are."""
        start = (view.ctypes.data - self.data.ctypes.data) // self.dtype.itemsize
        return slice(start, start + view.size)

    def numel(self) -> int:
        """Number of values, without the padding."""
        return sum(entry.data.size for entry in self._entries.values())

    def __iter__(self) -> Iterator[Parameter]:
        self.check_moved()
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> Parameter:
        if name not in self._entries:
            raise KeyError(f"no parameter {name!r}; there are {', '.join(self._entries)}")
        return self._entries[name]

    def __repr__(self) -> str:
        return f"Parameters({self.numel():,} values in {len(self)} arrays, {self.dtype})"


# All `Parameters` that have memory of their own, by the id of the array that owns it.
_of_memory: WeakValueDictionary[int, Parameters] = WeakValueDictionary()


def parameter_of(array: Array) -> Parameter | None:
    """The parameter of a network whose values an array is, as `net[0].weight`; None for other arrays."""
    params = _of_memory.get(id(array.base))
    entries = () if params is None else params._entries.values()
    return next((entry for entry in entries if entry.data is array), None)

"""A list of layers, for layers written in Python that are made of several."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self, overload

from .module import Module
from .structure import check_free

if TYPE_CHECKING:
    from ..compiler.builder import Builder


def as_layers(name: str, layers: Any) -> list[Module]:
    """The argument `name`, several layers, as a list; TypeError if it is one layer, or cannot be iterated over."""
    kind = type(layers).__name__
    if isinstance(layers, Module) and not hasattr(type(layers), "__iter__"):
        raise TypeError(f"{name} must be a list of layers, got one layer, {kind}: write [layer]")
    try:
        iterator = iter(layers)
    except TypeError:
        raise TypeError(f"{name} must be a list of layers, got {kind}") from None
    return list(iterator)


def as_index(index: Any, length: int | None = None) -> int:
    """An index of a list of layers as an int.

    Parameters
    ----------
    index : int
        Negative ones count from the end.
    length : int, optional
        The number of layers that are there; None if any index will do.

    Raises
    ------
    TypeError
        If `index` is not an integer.
    IndexError
        If there is no layer of that index.
    """
    try:
        number = operator.index(index)
    except TypeError:
        raise TypeError(f"index must be an integer, got {index!r:.60}") from None
    if length is not None and not -length <= number < length:
        raise IndexError(f"index {number} is out of range: there are {length} layers")
    return number


def as_place(index: Any, length: int) -> int | slice:
    """A slice, or an index of one of so many layers; errors as of `as_index`."""
    return index if isinstance(index, slice) else as_index(index, length)


def replaced(layers: Iterable[Module], index: Any, value: Any) -> list[Module]:
    """A list of these layers, with `value` at an index, or the layers of `value` in the place of a slice."""
    result = list(layers)
    if isinstance(index, slice):
        result[index] = as_layers("the value for a slice", value)
    else:
        result[as_index(index, len(result))] = value
    return result


class ModuleList(Module):
    """A list of layers: an attribute of a layer of your own, which calls them in its `forward`.

    They are trained, saved and converted with that layer. The list itself computes nothing: see `Sequential`. It can be
    changed as a Python list until its layer is part of a network.

    Parameters
    ----------
    modules : iterable of Module, optional

    Raises
    ------
    TypeError, ValueError
        If something is not a layer or is part of a network.

    Examples
    --------
    >>> from fastnn import nn
    >>> class Stack(nn.Module):
    ...     def __init__(self, depth):
    ...         super().__init__()
    ...         self.depth = depth
    ...         self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(depth))
    ...
    ...     def forward(self, x):
    ...         for layer in self.layers:
    ...             x = layer(x)
    ...         return x
    ...
    ...     def backward(self, grad_output):
    ...         for layer in reversed(self.layers):
    ...             grad_output = layer.backward(grad_output)
    ...         return grad_output
    >>> [name for name, view in nn.Sequential(Stack(2), seed=0).named_parameters()]
    ['0.layers.0.weight', '0.layers.0.bias', '0.layers.1.weight', '0.layers.1.bias']
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self._given = (), {}  # the iterable may be used up
        self._list: tuple[Module, ...] = ()
        self._set(as_layers("modules", modules))

    def _set(self, layers: list[Module]) -> None:
        """Have the list consist of these layers, if they are layers and it is not in a network."""
        if self._network is not None:
            raise ValueError("this ModuleList is part of a network: take its layer out of the network first")
        check_free({str(i): layer for i, layer in enumerate(layers)})
        if len({id(layer) for layer in layers}) < len(layers):
            raise ValueError("a ModuleList holds each layer once")
        if self._home is not None:  # of a network of its layer alone, which is made again
            self._home[0].leave("the layers of this layer changed")
        self._list = tuple(layers)

    def named_children(self) -> dict[str, Module]:
        return {str(i): layer for i, layer in enumerate(self._list)}

    def config(self) -> dict[str, Any]:
        return {"modules": list(self._list)}

    def plan(self, builder: Builder, label: str, position: int) -> NoReturn:
        raise TypeError(f"{label} computes nothing: use nn.Sequential, or call its layers from a layer of your own")

    def plan_branches(self, builder: Builder, label: str, branches: tuple[tuple[Any, ...], ...]) -> NoReturn:
        self.plan(builder, label, 0)

    def append(self, layer: Module) -> Self:
        """Add a layer at the end; returns the list."""
        self._set([*self._list, layer])
        return self

    def extend(self, layers: Iterable[Module]) -> Self:
        """Add layers at the end; returns the list."""
        self._set([*self._list, *as_layers("layers", layers)])
        return self

    def insert(self, index: int, layer: Module) -> None:
        """Insert a layer before the one at `index`."""
        layers = list(self._list)
        layers.insert(as_index(index), layer)
        self._set(layers)

    def pop(self, index: int = -1) -> Module:
        """Take out the layer at `index` and return it."""
        layers = list(self._list)
        layer = layers.pop(as_index(index, len(layers)))
        self._set(layers)
        return layer

    def __len__(self) -> int:
        """The number of layers."""
        return len(self._list)

    def __iter__(self) -> Iterator[Module]:
        """Iterate over the layers."""
        return iter(self._list)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> list[Module]: ...
    @overload
    def __getitem__(self, index: str) -> Any: ...
    def __getitem__(self, index: Any) -> Any:
        """The layer at an index, or a list of the layers of a slice."""
        if isinstance(index, str):
            return super().__getitem__(index)
        found = self._list[as_place(index, len(self._list))]
        return list(found) if isinstance(found, tuple) else found

    def __setitem__(self, index: Any, layer: Any) -> None:
        self._set(replaced(self._list, index, layer))

    def __delitem__(self, index: int | slice) -> None:
        layers = list(self._list)
        del layers[as_place(index, len(layers))]
        self._set(layers)

    def extra_repr(self) -> str:
        return ", ".join(map(repr, self._list))

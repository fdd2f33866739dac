"""A network as a list of layers: indices, slices, and changes of the list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NoReturn, Self, overload

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from .module import Module
from .module_list import as_index, as_layers, as_place, replaced
from .probes import Probes
from .restructure import change_layers, convert
from .structure import chain

Array = check.Array


class Gone:
    """Stands for the parameters of a slice whose network changed so that they are in one place no longer."""

    def _refuse(self) -> NoReturn:
        raise RuntimeError("the network that this is a slice of has these layers no longer: take a slice of it again")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # of copies and pickles
            raise AttributeError(name)
        self._refuse()

    def __getitem__(self, name: str) -> Any:
        self._refuse()

    def __iter__(self) -> Iterator[Any]:
        self._refuse()

    def __len__(self) -> int:
        self._refuse()


class LayersView:
    """The attribute `layers`: a tuple, since changing a list would not change the network."""

    is_argument = True  # `arguments_of` reads it from the network

    def __get__(self, net: Any, owner: type) -> Any:
        return self if net is None else net._layers


class LayerList(Probes):
    """A network whose layers are indexed, sliced, replaced, added and deleted as those of a list."""

    _internal: ClassVar[tuple[str, ...]] = ("plan_program",)
    layers = LayersView()
    _layers: tuple[Module, ...]
    _base: LayerList | None = None  # the network that this is a slice of

    def named_children(self) -> dict[str, Module]:
        return {str(i): layer for i, layer in enumerate(self._layers)}

    def config(self) -> dict[str, Any]:
        return super().config() | {"layers": list(self._layers)}

    def __len__(self) -> int:
        """The number of layers."""
        return len(self._layers)

    def __iter__(self) -> Iterator[Module]:
        """Iterate over the layers."""
        return iter(self._layers)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    @overload
    def __getitem__(self, index: str) -> Array: ...
    @errors_of_use
    def __getitem__(self, index: Any) -> Any:
        """The layer at an index, a network of the layers of a slice, or a view of the parameter or buffer of a name.

        A network of a slice shares layers and parameters with this one: training one is seen in the other.
        """
        if isinstance(index, slice):
            return self._slice(index)
        if not isinstance(index, str):
            return self._layers[as_index(index, len(self))]
        buffers = dict(self.named_buffers())
        return buffers[index] if index in buffers else self._params[index].data

    def __setitem__(self, index: Any, value: Any) -> None:
        """Replace the layer at an index, or those of a slice; or set the values of a parameter or buffer by name.

        A change of the layers makes parameters and views that were taken before out of date, as `append` does.
        """
        if isinstance(index, str):
            self[index][...] = value
            return
        self._change(replaced(self._layers, index, value))

    def __delitem__(self, index: int | slice) -> None:
        """Delete the layer at an index, or those of a slice; they are free to become part of another network."""
        layers = list(self._layers)
        del layers[as_place(index, len(layers))]
        self._change(layers)

    def append(self, layer: Module) -> Self:
        """Add a layer at the end; returns the network.

        The layers that are there keep their values, one that is new gets those that it would have had from the start.
        The parameters are in a new buffer then: what was taken before, `net.parameters()` and plain views such as
        `net[0].weight`, is out of date, and optimizers and trainers refuse to go on. Make them again. A plain array
        cannot be refused: writing to one has no effect on the network.

        Parameters
        ----------
        layer : Module

        Raises
        ------
        TypeError, ValueError
            If it is not a layer, is part of a network, or does not take the features that it would get. The network is
            then as before.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), seed=0).append(nn.ReLU()).append(nn.Linear(3, 1))
        >>> len(net), net.parameters().numel()
        (3, 13)
        """
        return self._change([*self._layers, layer])

    def extend(self, layers: Iterable[Module]) -> Self:
        """Add layers at the end, all or none of them; see `append`.

        Examples
        --------
        >>> from fastnn import nn
        >>> len(nn.Sequential(nn.Linear(2, 3)).extend([nn.ReLU(), nn.Linear(3, 1)]))
        3
        """
        return self._change([*self._layers, *as_layers("layers", layers)])

    def insert(self, index: int, layer: Module) -> Self:
        """Insert a layer before the one at `index`; see `append`.

        The initial values of a new layer are drawn from a random stream that no layer before it used.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)).insert(1, nn.ReLU())
        >>> [type(layer).__name__ for layer in net]
        ['Linear', 'ReLU', 'Linear']
        """
        layers = list(self._layers)
        layers.insert(as_index(index), layer)
        return self._change(layers)

    def pop(self, index: int = -1) -> Module:
        """Take out the layer at `index` and return it, with its values; it is free to become part of another network.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        >>> net.pop(), len(net)
        (Tanh(), 1)
        """
        layers = list(self._layers)
        layer = layers.pop(as_index(index, len(layers)))
        self._change(layers)
        return layer

    @errors_of_use
    def _change(self, layers: list[Module]) -> Self:
        if self._base is not None:
            raise ValueError("this network is a slice of another one: change the layers of that")
        change_layers(self, layers)
        if type(self).__module__.startswith("fastnn."):
            self._given = (), self._given[1]  # not the layers that were given, which may have left
        return self

    def _convert(self, dtype: str) -> None:
        if self._base is not None:
            raise ValueError("this network is a slice of another one, which has one dtype: convert that")
        if self._network is not None:
            raise ValueError("this network is part of another one, which has one dtype: convert that")
        convert(self, dtype)

    # -- slices --------------------------------------------------------------------------------------------------------

    def _slice(self, index: slice) -> Self:
        start, _, step = index.indices(len(self))
        if step != 1:
            raise ValueError(
                f"a slice of a network has layers that follow each other, got step {step}: list(net)[...] takes any"
            )
        part = type(self).__new__(type(self))
        Module.__init__(part)
        part.__dict__["_layers"] = self._layers[index]
        part._nodes = chain(part.named_children())
        part._base, part.training, part.input_scale = self._base or self, self.training, self.input_scale
        part.seed, part._drew_seed, part._tick = self.seed, False, np.zeros(1, "int64")
        part._drawn = 0
        part.feature_names = self.feature_names if start == 0 and len(part) else None
        part._begin()
        part._base._slices.add(part)
        part._follow()
        return part

    def _follow(self) -> None:
        assert self._base is not None
        self.__dict__["dtype"] = self._base.dtype
        params = self.__dict__.get("_params")
        if params is None or isinstance(params, Gone) or params.moved:  # layers that are side by side again are found
            self._params = self._shared(self._base)
        self._nodes = chain(self.named_children())
        self._forget_programs()

    def _shared(self, base: LayerList) -> Any:
        """The parameters of these layers, views into the buffer of the network that they are part of."""
        places = {id(layer): i for i, layer in enumerate(base._layers)}
        start = places.get(id(self._layers[0]), 0) if self._layers else 0
        if base._layers[start : start + len(self)] != self._layers:
            return Gone()
        stretch = [(f"{start + i}.", f"{i}.") for i in range(len(self))]
        names = {old + p.name: new + p.name for old, new in stretch for p in base._params.part(old)}
        return base._params.share(names)

    def plan_program(self, mode: str, rows: int, n_in: int, **options: Any) -> Any:
        _ = self._params.moved  # an error for a slice that is out of date
        return super().plan_program(mode, rows, n_in, **options)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self._base is not None:
            self._base._slices.add(self)

"""What a network owns: the parameters of its layers in one buffer, their initial values, their names and states."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from .init.draws import INIT_STREAM
from .init.names import initial_value
from .init.rules import Initializer
from .linear import Linear
from .module import Module
from .parameters import Parameters
from .state import LoadedKeys, load_arrays
from .structure import Node, join, leaves, until_weights

Array = check.Array

# While a file is read, the number of values in it. A network with more parameters is refused before it allocates.
most_values: ContextVar[int | None] = ContextVar("most_values", default=None)


WENT = "the network went into another one"


class Network(Module):
    """Base of the networks: layers whose parameters are stored in one buffer."""

    is_network = True
    dtype: str
    seed: int
    feature_names: tuple[str, ...] | None = None
    _tick: Array
    _nodes: tuple[Node, ...]
    _params: Parameters
    _drew_seed: bool  # whether the seed was drawn rather than chosen
    _drawn: int  # the number of random streams of initial values in use

    def _alone_with(self) -> Module | None:
        """The layer that this is the network of, if it was made for a layer that is used alone."""
        return None

    def _adopt(self) -> Parameters:
        """Give every parameter a place in one buffer, and its initial value unless the layer has values already."""
        params = self._collect(self._nodes)
        self._settle_in(params)
        self._drawn = sum(1 for _ in leaves(self._nodes))
        return params

    def _collect(
        self,
        nodes: tuple[Node, ...],
        dtype: str | None = None,
        fresh: frozenset[int] = frozenset(),
        streams: Mapping[int, int] = MappingProxyType({}),
    ) -> Parameters:
        """A new buffer with the values of all parameters; the layers keep theirs until `_settle_in`.

        Layers without values, and those whose id is in `fresh`, get initial values, drawn by the number that `streams`
        has for the id of a layer, or else by its position.
        """
        members, most = list(leaves(nodes)), most_values.get()
        size = 0 if most is None else sum(math.prod(shape) for m in members for shape in m.layer.state_shapes())
        if most is not None and size > most:
            raise ValueError(f"{size} parameters, but the file has {most} values")
        shapes = {join(m.name, key): s for m in members for key, s in m.layer.parameter_shapes().items()}
        params = Parameters(shapes, dtype or self.dtype)
        for member in members:
            layer, old = member.layer, member.layer._home
            for j, key in enumerate(layer.parameter_shapes()):
                if old is None or id(layer) in fresh:
                    first = self._first_value(member, j, nodes, streams.get(id(layer), member.position))
                else:
                    first = old[0][old[1] + key].data
                params[join(member.name, key)].data[...] = first
        return params

    def _settle_in(self, params: Parameters) -> None:
        """Have all layers store their parameters in `params`; optimizers of where they were before refuse to go on."""
        for member in leaves(self._nodes):
            home = member.layer._home
            if home is not None and not home[0].moved:
                home[0].leave(WENT)
            member.layer.place_buffers(params.dtype.name)
        _bind(self._nodes, params)

    def _untouched(self) -> bool:
        """Whether all parameters are as drawn from a seed that was not chosen, and all buffers have initial values."""
        return (
            self._drew_seed
            and all(
                np.array_equal(member.layer[key], self._first_value(member, j, self._nodes, member.position))
                for member in leaves(self._nodes)
                for j, key in enumerate(member.layer.parameter_shapes())
            )
            and all(member.layer.buffers_untouched() for member in leaves(self._nodes))
        )

    def _forget(self) -> None:
        """Have the network that contains this one draw the parameters again, as if its layers were its own."""
        self._params.leave(WENT)
        for member in leaves(self._nodes):
            member.layer._home = None

    def _first_value(self, member: Node, j: int, nodes: tuple[Node, ...], number: int) -> Array:
        """The initial value of parameter number j of a layer among `nodes`, from the random stream of this number."""
        layer = member.layer
        key = list(layer.parameter_shapes())[j]
        stream = INIT_STREAM + (number << 8) + j
        shape = layer.parameter_shapes()[key]
        init = layer._inits[key]
        if isinstance(init, Initializer):
            init = init.before(until_weights(nodes, member))
        return initial_value(init, shape, np.dtype(self.dtype), self.seed, stream)

    def _own(self) -> None:
        """Mark the layers as part of this network; networks among them continue to work, on a part of its buffer."""
        _mark(self, self)
        self._share(self, "")

    def _share(self, module: Module, prefix: str) -> None:
        """Have the networks among the layers use their part of this network's buffer, and compile again."""
        for key, layer in module.named_children().items():
            if isinstance(layer, Network):
                layer._params = self._params.part(f"{prefix}{key}.")
                layer.__dict__["dtype"] = self.dtype  # `dtype` is fixed otherwise
                layer._forget_programs()
            self._share(layer, f"{prefix}{key}.")

    # -- features ------------------------------------------------------------------------------------------------------

    @property
    def in_features(self) -> int | None:
        """The number of input features; None if the network takes any number."""
        for node in self._nodes:
            hint = node.layer.in_features_hint()  # called once: two calls at each level of nesting would be exponential
            if hint is not None:
                return hint
            if type(node.layer).out_features_for is not Module.out_features_for:
                return None
        return None

    def in_features_hint(self) -> int | None:
        return self.in_features

    def out_features_for(self, in_features: int) -> int:
        for node in self._nodes:
            in_features = node.layer.out_features_for(in_features)
        return in_features

    # -- parameters ----------------------------------------------------------------------------------------------------

    def parameters(self) -> Parameters:
        """All parameters: one flat buffer with named views.

        Returns
        -------
        parameters : Parameters
            What optimizers take. Iterating yields a `Parameter` for each array.

        Examples
        --------
        >>> from fastnn import nn
        >>> nn.Sequential(nn.Linear(2, 3), seed=0).parameters().numel()
        9
        """
        return self._params

    def named_parameters(self) -> Iterator[tuple[str, Array]]:
        """Yield the name of each parameter, as PyTorch has it, and a writable view of its values.

        Examples
        --------
        >>> from fastnn import nn
        >>> {name: view.shape for name, view in nn.Sequential(nn.Linear(2, 3), seed=0).named_parameters()}
        {'0.weight': (2, 3), '0.bias': (3,)}
        """
        return ((p.name, p.data) for p in self._params)

    def named_gradients(self) -> Iterator[tuple[str, Array]]:
        """Yield the name of each parameter, as PyTorch has it, and a writable view of its gradient.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 1), seed=0)
        >>> {name: grad.tolist() for name, grad in net.named_gradients()}
        {'0.weight': [[0.0], [0.0]], '0.bias': [0.0]}
        """
        return ((p.name, p.grad) for p in self._params)

    def named_buffers(self) -> Iterator[tuple[str, Array]]:
        """Yield the name of each buffer (running statistics), as PyTorch has it, and a writable view of it.

        Examples
        --------
        >>> from fastnn import nn
        >>> [name for name, view in nn.Sequential(nn.BatchNorm1d(2)).named_buffers()]
        ['0.running_mean', '0.running_var', '0.num_batches_tracked']
        """
        for member in leaves(self._nodes):
            yield from ((join(member.name, key), member.layer.buffer(key)) for key in member.layer.buffers())

    def _named_state(self) -> dict[str, Array]:
        return dict(self.named_parameters()) | dict(self.named_buffers())

    def state_dict(self) -> dict[str, Array]:
        """A copy of every parameter and every buffer, by name.

        Returns
        -------
        state : dict of str to ndarray

        Examples
        --------
        >>> from fastnn import nn
        >>> list(nn.Sequential(nn.Linear(2, 3), nn.PReLU(), seed=0).state_dict())
        ['0.weight', '0.bias', '1.weight']
        """
        return {name: view.copy() for name, view in self._named_state().items()}

    @errors_of_use
    def load_state_dict(self, state: dict[str, Any], strict: bool = True, *, layout: str = "fastnn") -> LoadedKeys:
        """Load a `state_dict`: all of it, or, without `strict`, the names that both have.

        Parameters
        ----------
        state : dict of str to array
        strict : bool, default True
            Whether missing and unexpected names are errors.
        layout : {"fastnn", "torch"}, default "fastnn"
            The shape of the weights of Linear layers (and of those made of them): (in, out), or PyTorch's (out, in),
            which are transposed. Square ones look alike, so PyTorch's must be asked for.

        Returns
        -------
        keys : LoadedKeys
            (missing_keys, unexpected_keys), two lists of names.

        Raises
        ------
        TypeError, ValueError
            If a name, a shape or a dtype does not fit. The message lists everything that does not, and nothing is
            changed.

        Examples
        --------
        >>> from fastnn import nn
        >>> net, copy = nn.Sequential(nn.Linear(2, 3)), nn.Sequential(nn.Linear(2, 3))
        >>> copy.load_state_dict(net.state_dict())
        LoadedKeys(missing_keys=[], unexpected_keys=[])
        """
        check.check_choice("layout", layout, ("fastnn", "torch"))
        if layout == "torch" and hasattr(state, "items"):
            turned = {f"{node.name}.weight" for node in leaves(self._nodes) if isinstance(node.layer, Linear)}
            state = {n: check.from_any(str(n), v).T if n in turned else v for n, v in state.items()}
        return load_arrays(self._named_state(), state, strict)

    def zero_grad(self) -> None:
        """Set all gradients to 0; `backward` adds to them.

        Examples
        --------
        >>> from fastnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 1), seed=0)
        >>> net.parameters().grad[...] = 1.0
        >>> net.zero_grad()
        >>> bool(net.parameters().grad.any())
        False
        """
        self._params.grad[...] = 0


def redraw(module: Module) -> None:
    """Have networks within, whose seed was not chosen, take part in the draws of the network around them."""
    for child in untouched(module.children()):
        child._forget()


def untouched(layers: Iterable[Module]) -> Iterator[Network]:
    """The networks among layers, and within those that are none, with initial values by a seed that was not chosen."""
    for layer in layers:
        if not isinstance(layer, Network):
            yield from untouched(layer.children())
        elif layer._untouched():
            yield layer


def _mark(module: Module, owner: Network) -> None:
    """Mark the layers of `module` as part of `owner`, and those of networks among them as part of those."""
    for layer in module.children():
        layer._network = layer._network or owner
        _mark(layer, layer if isinstance(layer, Network) else owner)


def _bind(nodes: tuple[Node, ...], params: Parameters) -> None:
    """Tell all layers, and those that are made of layers, where their parameters are stored."""
    for node in nodes:
        node.layer.bind(params, f"{node.name}." if node.name else "")
        for branch in node.branches:
            _bind(branch, params)

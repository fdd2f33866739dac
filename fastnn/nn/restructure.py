"""Changes of a network that is made already: other layers, another dtype. A change that fails leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._locks import MAKING
from .module import Module
from .network import Network, untouched
from .structure import chain, check_free, check_layers, leaves

if TYPE_CHECKING:
    from .parameters import Parameters
    from .structure import Node

CHANGED = "the layers of the network changed"


def root_of(net: Any) -> Network:
    """The network that has the parameters of `net` in its buffer: the outermost one that it is part of."""
    while net._network is not None:
        net = net._network
    assert isinstance(net, Network)
    return net


def stream_of(module: Module) -> tuple[int, int]:
    """The seed of the network around a layer or network, and the position in that of its first layer."""
    root, inside = root_of(module._network), {id(layer) for layer in module.modules()}
    return root.seed, next((node.position for node in leaves(root._nodes) if id(node.layer) in inside), 0)


def change_layers(net: Network, layers: Sequence[Module]) -> None:
    """Give a network these layers, of which it may have some already.

    Layers that stay keep their values; those that are new keep theirs if they have any. Layers that are left out are
    free to become part of another network.

    Raises
    ------
    TypeError, ValueError
        If something is not a layer, occurs twice or is part of another network, or the features of two neighbors do not
        match.
    """
    old, root = net.children(), root_of(net)
    before, after = {id(layer) for layer in old}, {id(layer) for layer in layers}
    new = {str(i): layer for i, layer in enumerate(layers) if id(layer) not in before}
    check_free(new)
    for name, layer in new.items():
        if any(module is net for module in layer.modules()):
            raise ValueError(f"layer {name}, {type(layer).__name__}, contains the network that it is to become part of")
    net.__dict__["_layers"] = tuple(layers)
    try:
        nodes = chain(root.named_children())
        check_layers(nodes)
        params, drawn = _collect(root, nodes, tuple(new.values()))
    except BaseException:
        net.__dict__["_layers"] = old
        raise
    _commit(root, nodes, params, CHANGED)
    root._drawn = drawn
    for layer in old:
        if id(layer) not in after:
            _set_free(layer, root.dtype)


def _collect(root: Network, nodes: tuple[Node, ...], new: tuple[Module, ...]) -> tuple[Parameters, int]:
    """The parameters of a network that has some new layers, and the number of random streams that are in use then."""
    inside = {id(module) for layer in new for module in layer.modules()}
    added = [node.layer for node in leaves(nodes) if id(node.layer) in inside]
    streams = {id(layer): root._drawn + i for i, layer in enumerate(added)}
    fresh = frozenset(id(node.layer) for network in untouched(new) for node in leaves(network._nodes))
    params = root._collect(nodes, fresh=fresh, streams=streams)
    for layer in added:
        layer.place_buffers(root.dtype)
    return params, root._drawn + len(added)


def convert(net: Network, dtype: str) -> None:
    """Convert the parameters and buffers of a network that is part of no other one."""
    if net.dtype != dtype:
        params = net._collect(net._nodes, dtype)
        net.__dict__["dtype"] = dtype  # `dtype` is fixed otherwise
        _commit(net, net._nodes, params, f"the network was converted to {dtype}")


def _commit(root: Network, nodes: tuple[Node, ...], params: Parameters, reason: str) -> None:
    """Have a network consist of these nodes, with its parameters there; programs are compiled again."""
    with MAKING:
        root._params.leave(reason)
        root._nodes, root._params = nodes, params
        root._settle_in(params)
        for network in _networks(root):
            network._nodes = chain(network.named_children())
        root._own()
        root._forget_programs()


def _networks(module: Module) -> Iterator[Network]:
    """The networks among the layers of `module`, at any depth."""
    for child in module.children():
        if isinstance(child, Network):
            yield child
        yield from _networks(child)


def _set_free(layer: Module, dtype: str) -> None:
    """Give a layer that was taken out of a network parameters of its own, with the values that it has."""
    _unmark(layer)
    if isinstance(layer, Network):
        layer._params = layer._adopt()
        layer._own()
        layer._forget_programs()
    elif layer._parameter_dtype() is not None:
        layer._alone(dtype)
    else:
        layer._home = None


def _unmark(module: Module) -> None:
    module._network = None
    if not isinstance(module, Network):
        for child in module.children():
            _unmark(child)

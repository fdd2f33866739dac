"""What reads the inputs and outputs of layers after a forward pass: hooks, and the outputs of chosen layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .._validation import Array
from ..compiler.compile import Reader
from .module import Module
from .network import Network
from .structure import Node


def readers_of(net: Network) -> Iterator[Reader]:
    """The forward hooks of a network and of its layers."""
    nodes = {id(node.layer): node for node in all_nodes(net._nodes)}
    for module in net.modules():
        ends = ends_of(module, nodes) or (("", "") if module is net else None)
        if ends is not None:
            yield from (Reader(*ends, _call(module, handle.hook)) for handle in module._hooks)


def ends_of(module: Module, nodes: dict[int, Node]) -> tuple[str, str] | None:
    """The names of the first and the last layer of a module, itself if it is no network; None for an empty network."""
    if not isinstance(module, Network):
        return (node.name, node.name) if (node := nodes.get(id(module))) is not None else None
    inside = [ends for child in module.children() if (ends := ends_of(child, nodes)) is not None]
    return (inside[0][0], inside[-1][1]) if inside else None


def all_nodes(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """All layers, those with layers of their own too, except those that a layer written in Python calls."""
    for node in nodes:
        yield node
        for branch in () if node.layer._in_python else node.branches:  # which Python calls
            yield from all_nodes(branch)


def _call(module: Module, hook: Callable[[Module, Array, Array], object]) -> Callable[[Array, Array], None]:
    def call(x: Array, y: Array) -> None:
        hook(module, _copy(x), _copy(y))

    return call


def _copy(view: Array) -> Array:
    """A read-only copy: the memory of the program is written again in the next pass, but a hook may keep its arrays."""
    array = view.copy()
    array.flags.writeable = False
    return array

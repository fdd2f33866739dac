"""The layers of a network as a tree: their names, and checks that they fit together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .module import Module


@dataclass(frozen=True)
class Node:
    """A layer in its network."""

    name: str
    layer: Module
    position: int  # index among the layers without layers of their own; selects the random stream
    branches: tuple[tuple[Node, ...], ...] = ()  # for a layer that is made of layers, those of each of its children
    title: str = ""  # in printed programs; by default the name and the class

    def leaves(self) -> Iterator[Node]:
        """The layers below that have no layers of their own, in order, or this one; this one too if it has a state."""
        if not self.branches or self.layer.state_shapes():
            yield self
        for branch in self.branches:
            yield from leaves(branch)


def leaves(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """All layers that have no layers of their own, in order."""
    for node in nodes:
        yield from node.leaves()


def tree(nodes: tuple[Node, ...], prefix: str = "", depth: int = 1) -> list[tuple[str, int]]:
    """A line for each layer, indented, with the number of its parameters; `prefix` is cut from the names."""
    lines: list[tuple[str, int]] = []
    for node in nodes:
        name = node.name.removeprefix(prefix)
        plain = f"{type(node.layer).__name__}({node.layer.extra_repr()})"
        text = plain[: plain.index("(") + 1] if node.branches else plain if node.layer._is_traced else repr(node.layer)
        count = sum(math.prod(shape) for shape in node.layer.parameter_shapes().values())
        lines.append(("  " * depth + (f"({name}): " if name else "") + text, count))
        for key, branch in zip(node.layer.named_children(), node.branches, strict=True):
            inner = tree(branch, f"{node.name}." if node.name else "", depth + 1)
            lines += inner or [("  " * (depth + 1) + f"({key}): Sequential()", 0)]
        if node.branches:
            lines.append(("  " * depth + ")", 0))
    return lines


def until_weights(nodes: tuple[Node, ...], node: Node) -> Iterator[Module]:
    """The layers after a node, in order, up to the next that has a matrix of weights."""
    for other in leaves(nodes):
        if other.position > node.position:
            if any(len(shape) > 1 for shape in other.layer.parameter_shapes().values()):
                return
            yield other.layer


def join(name: str, key: str) -> str:
    """The name of a parameter from the name of its layer and its own."""
    return f"{name}.{key}" if name and key else name or key


def chain(layers: Mapping[str, Module], prefix: str = "", start: int = 0) -> tuple[Node, ...]:
    """Nodes for layers with PyTorch's names; a network among them is replaced by its layers.

    Positions are counted from `start`.
    """
    nodes: list[Node] = []
    position = start
    for key, layer in layers.items():
        name = join(prefix, key)
        if layer.is_network:
            new = chain(layer.named_children(), name, position)
        else:
            own = 1 if layer.state_shapes() else 0
            new = (Node(name, layer, position, _branches(layer, name, position + own)),)
        nodes += new
        position += sum(1 for _ in leaves(new))
    return tuple(nodes)


def _branches(layer: Module, name: str, start: int) -> tuple[tuple[Node, ...], ...]:
    branches: list[tuple[Node, ...]] = []
    for key, branch in layer.named_children().items():
        branches.append(chain({key: branch}, name, start))
        start += sum(1 for _ in leaves(branches[-1]))
    return tuple(branches)


def check_free(layers: Mapping[str, Any], prefix: str = "", parent: Any = None) -> None:
    """Raise an error if something is not a layer, or is part of a network other than `parent`."""
    for key, layer in layers.items():
        name = join(prefix, key)
        if not isinstance(layer, Module):
            hint = f": write {layer.__name__}()" if isinstance(layer, type) else ""
            raise TypeError(f"layer {name} must be a Module, got {type(layer).__name__}{hint}")
        if "_network" not in layer.__dict__:
            raise TypeError(f"layer {name}: {type(layer).__name__}.__init__ must call super().__init__()")
        if layer._network is not None and layer._network is not parent:
            raise ValueError(
                f"layer {name}, {type(layer).__name__}, is part of another network already: take it out of that, "
                "other.pop(0), or change the layers of a copy, copy.deepcopy(other)"
            )
        check_free(layer.named_children(), name, layer if layer.is_network else parent)


def release(module: Module) -> None:
    """Free a layer, and those that it is made of, to become part of another network."""
    module._network = None
    for child in module.children():
        release(child)


def check_layers(nodes: tuple[Node, ...]) -> None:
    """Raise ValueError if a layer occurs twice, or the features of two neighbors do not match."""
    seen: dict[int, str] = {}
    for node in leaves(nodes):
        if id(node.layer) in seen:
            raise ValueError(
                f"layer {node.name} is layer {seen[id(node.layer)]} again: each layer can stand in a network once"
            )
        seen[id(node.layer)] = node.name
    check_features(nodes)


def check_features(nodes: tuple[Node, ...]) -> None:
    """Raise ValueError if the features of two neighbors do not match, here and in branches."""
    features: int | None = None
    for node in nodes:
        for branch in node.branches:
            check_features(branch)
        hint = node.layer.in_features_hint()
        if features is not None and hint is not None and hint != features:
            raise ValueError(f"layer {node.name}, {node.layer!r}, takes {hint} features but gets {features}")
        start = features if hint is None else hint
        features = None if start is None else node.layer.out_features_for(start)

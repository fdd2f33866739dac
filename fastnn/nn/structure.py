"""The layers of a network: their names, and whether they fit together."""

from __future__ import annotations

from typing import Any

from .module import Module


def join(name: str, key: str) -> str:
    """The name of a parameter from those of its layer and its own."""
    return f"{name}.{key}" if name else key


def named_layers(layers: tuple[Any, ...], prefix: str, parent: Module | None = None) -> list[tuple[str, Module]]:
    """Layers with their names, as PyTorch counts: those of a nested network get its number in front."""
    named: list[tuple[str, Module]] = []
    for i, layer in enumerate(layers):
        if not isinstance(layer, Module):
            hint = f": write {layer.__name__}()" if isinstance(layer, type) else ""
            raise TypeError(f"layer {prefix}{i} must be a Module, got {type(layer).__name__}{hint}")
        if "_network" not in layer.__dict__:
            raise TypeError(f"layer {prefix}{i}: {type(layer).__name__}.__init__ must call super().__init__()")
        if layer._network is not None and layer._network is not parent:
            raise ValueError(f"layer {prefix}{i}, {type(layer).__name__}, is part of another network already")
        if layer.is_network:
            named += named_layers(layer.children(), f"{prefix}{i}.", layer)
        else:
            named.append((f"{prefix}{i}", layer))
    return named


def check_layers(named: list[tuple[str, Module]]) -> None:
    """Raise ValueError if a layer stands there twice, or the features of two neighbours do not match."""
    seen: dict[int, str] = {}
    features: int | None = None
    for name, layer in named:
        if id(layer) in seen:
            raise ValueError(f"layer {name} is layer {seen[id(layer)]} again: each layer can stand in a network once")
        seen[id(layer)] = name
        hint = layer.in_features_hint()
        if features is not None and hint is not None and hint != features:
            raise ValueError(f"layer {name}, {layer!r}, takes {hint} features but gets {features}")
        start = features if hint is None else hint
        features = None if start is None else layer.out_features_for(start)

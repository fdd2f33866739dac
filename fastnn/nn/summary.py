"""The table of a network's layers: shapes, parameters, floating-point operations and memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from .._html import table
from .linear import Linear
from .pairs import Bilinear
from .registry import Above
from .structure import tree

if TYPE_CHECKING:
    from .network import Network
    from .structure import Node

COLUMNS = "layer", "type", "features", "parameters", "FLOP a row"


@dataclass(frozen=True)
class LayerSummary:
    """A layer in a summary; `depth` is the number of layers that it is nested in."""

    name: str
    layer: str
    depth: int
    in_features: int
    out_features: int
    parameters: int
    flops: int  # of the forward pass of one row: 2 for each weight of a product, 1 for each other output


@dataclass(frozen=True)
class Summary:
    """The result of `net.summary()`; printing it shows a table.

    Attributes
    ----------
    layers : tuple of LayerSummary
        One for each layer, in order.
    dtype : str
        Of the network.
    parameters, nbytes : int
        Number of parameters, and their size in bytes.
    flops : int
        Floating-point operations of the forward pass of one row.
    """

    layers: tuple[LayerSummary, ...]
    dtype: str

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def nbytes(self) -> int:
        """Size of the parameters in bytes."""
        return self.parameters * np.dtype(self.dtype).itemsize

    @property
    def flops(self) -> int:
        """Floating-point operations of the forward pass of one row."""
        return sum(layer.flops for layer in self.layers)

    def __repr__(self) -> str:
        return f"Summary({len(self.layers)} layers, {self.parameters:,} parameters, {self.dtype})"

    def __str__(self) -> str:
        rows = [COLUMNS, *self._cells()]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ["  ".join(f"{cell:{'<' if i < 2 else '>'}{widths[i]}}" for i, cell in enumerate(row)) for row in rows]
        return "\n".join([*(line.rstrip() for line in lines), self._total()])

    def _repr_html_(self) -> str:
        return table(self._total(), COLUMNS, self._cells(), words=2)

    def _cells(self) -> list[tuple[str, ...]]:
        """The columns of each layer's line."""
        return [
            (
                "  " * s.depth + s.name,
                s.layer,
                f"{s.in_features} -> {s.out_features}",
                f"{s.parameters:,}",
                f"{s.flops:,}",
            )
            for s in self.layers
        ]

    def _total(self) -> str:
        return f"{self.parameters:,} parameters, {self.nbytes:,} bytes as {self.dtype}; {self.flops:,} FLOP a row"


def as_html(net: Network) -> str:
    """A network as a table for a notebook: its summary, or, where any number of features can come, its layers."""
    if net.in_features is not None:
        return summarize(net, net.in_features)._repr_html_()
    cells = [(text, f"{count:,}" if count else "") for text, count in tree(net._nodes)]
    return table(f"{net.parameters().numel():,} parameters, {net.dtype}", ("layer", "parameters"), cells)


def summarize(net: Network, in_features: int) -> Summary:
    """The summary of a network for inputs with this number of features."""
    return Summary(tuple(_rows(net._nodes, in_features, 0)), net.dtype)


def _rows(
    nodes: tuple[Node, ...], features: int, depth: int, widths: Mapping[int, tuple[int, int]] = MappingProxyType({})
) -> list[LayerSummary]:
    """A row for each layer; `widths` are the features in and out, by id, of those that a traced forward calls."""
    rows: list[LayerSummary] = []
    for node in nodes:
        layer, hint = node.layer, node.layer.in_features_hint()
        features = features if hint is None else hint  # a layer written in Python gives others to its layers
        features, n_out = widths.get(id(layer)) or (features, layer.out_features_for(features))
        inside = Above.trace(layer, features).widths if layer._is_traced else widths
        own = sum(math.prod(shape) for shape in layer.parameter_shapes().values())
        products = isinstance(layer, (Linear, Bilinear))
        flops = 2 * math.prod(layer.parameter_shapes()["weight"]) if products else n_out
        rows.append(LayerSummary(node.name, type(layer).__name__, depth, features, n_out, own, flops))
        for branch in node.branches:
            rows += _rows(branch, features, depth + 1, inside)
        features = n_out
    return rows

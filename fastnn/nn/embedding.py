"""Embedding as a layer, and the input of networks for tables with numbers and categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from ..functional.embedding import MOST_CODES, check_padding
from . import init
from .branches import Concat
from .columns import Columns
from .init.names import as_initializer
from .module import Module
from .sequential import Sequential

if TYPE_CHECKING:
    from ..compiler.plan import Plan


class Embedding(Module):
    """Rows of a table by their number, for categories: k features that hold codes become k * embedding_dim features.

    All features share the table; `TabularInput` gives each column one of its own. A code is an integer in
    0 .. num_embeddings - 1, held by the floats that the network takes; another one is an error of the call.

    Parameters
    ----------
    num_embeddings : int
        In a float32 network at most 2^24, beyond which floats are no longer exact.
    embedding_dim : int
    padding_idx : int, optional
        A code whose row starts as 0 and has no gradient.
    weight_init : str, Initializer, function, number or array, optional
        The first values, by default those of `nn.init.Normal()`, as PyTorch's; see `nn.init`.
    seed : int, optional
        For a layer that is used alone; in a network the network's seed counts.
    dtype : {"float32", "float64"}, default "float32"
        For a layer that is used alone.

    Notes
    -----
    `weight` has shape (num_embeddings, embedding_dim). Codes have no gradient: that of the input is 0.
    """

    fixed = ("num_embeddings", "embedding_dim", "padding_idx")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        weight_init: Any = None,
        seed: int | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        most = max(MOST_CODES.values())
        self.num_embeddings = check.check_integer("num_embeddings", num_embeddings, at_least=1, at_most=most)
        self.embedding_dim = check.check_integer("embedding_dim", embedding_dim, at_least=1)
        self.padding_idx = padding_idx
        self._padding = check_padding(padding_idx, self.num_embeddings)
        self.seed = None if seed is None else check.check_seed(seed)
        self.dtype = check.check_dtype(dtype)
        self.weight_init, shape = weight_init, (self.num_embeddings, self.embedding_dim)
        rule = init.Normal() if weight_init is None else as_initializer("weight_init", weight_init, shape)
        self.add_parameter("weight", shape, _Padded(rule, self._padding) if callable(rule) else rule)

    @property
    def weight(self) -> check.Array:
        """A writable view, shape (num_embeddings, embedding_dim)."""
        return self["weight"]

    @weight.setter
    def weight(self, value: check.Array) -> None:
        self["weight"][...] = value

    def plan(self, plan: Plan, label: str, position: int) -> None:
        name = f"Embedding: num_embeddings of a {plan.dtype} network"
        check.check_integer(name, self.num_embeddings, at_most=MOST_CODES[plan.dtype])
        plan.parametric(self, label, "embedding", (float(len(self.weight)), float(self._padding)))

    def out_features_for(self, in_features: int) -> int:
        return in_features * self.embedding_dim

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"num_embeddings={self.num_embeddings}, embedding_dim={self.embedding_dim}{padding}"


class _Padded(init.Initializer):
    """The first values of a table by a rule, but 0 in the row number `padding`, if there is one."""

    def __init__(self, rule: Any, padding: int) -> None:
        self.rule, self.padding = rule, padding

    def __call__(self, shape: tuple[int, ...], draws: init.Draws) -> check.Array:
        values = np.array(self.rule(shape, draws))
        if self.padding >= 0:
            values[self.padding] = 0
        return values

    def before(self, layers: Iterable[Module]) -> init.Initializer:
        rule = self.rule.before(layers) if isinstance(self.rule, init.Initializer) else self.rule
        return _Padded(rule, self.padding)


class TabularInput(Concat):
    """The input of a network for a table: columns of numbers as they are, columns of categories embedded, side by side.

    Parameters
    ----------
    numeric : sequence of int
        The columns of numbers, which come first; there need not be any.
    categorical : dict of int to (num_embeddings, embedding_dim), optional
        For each column of codes, how many there are and how many features they become.

    Examples
    --------
    >>> from fastnn import nn
    >>> table = nn.TabularInput(numeric=[0, 2], categorical={1: (7, 3), 3: (2, 1)})
    >>> net = nn.Sequential(table, nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), seed=0)
    >>> [name for name, view in net.named_parameters()][:2]
    ['0.1.1.weight', '0.2.1.weight']
    """

    fixed = ("numeric", "categorical")

    def __init__(self, numeric: Sequence[int], categorical: Mapping[int, tuple[int, int]] | None = None) -> None:
        tables = dict(categorical or {})
        branches: list[Any] = [Columns(list(numeric))] if len(numeric) else []
        for column, sizes in tables.items():
            branches.append(Sequential(Columns([column]), Embedding(*sizes)))
        if not branches:
            raise ValueError("TabularInput needs at least one column, numeric or categorical")
        super().__init__(*branches)
        self.numeric, self.categorical = list(numeric), tables

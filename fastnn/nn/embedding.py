"""Embedding as a layer, and the input layer for tables with numbers and categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

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
    from ..compiler.builder import Builder


class Table(Module):
    """Base of the layers that read rows of a trainable table by integer codes."""

    fixed: ClassVar[tuple[str, ...]] = ("num_embeddings", "embedding_dim", "padding_idx")
    planned: ClassVar[tuple[str, ...]] = ("max_norm", "norm_type", "scale_grad_by_freq")
    max_norm: float | None = None  # of rows, not of columns as in other layers

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        scale_grad_by_freq: bool,
        weight_init: Any,
        seed: int | None,
        dtype: str,
    ) -> None:
        super().__init__()
        most = max(MOST_CODES.values())
        self.num_embeddings = check.check_integer("num_embeddings", num_embeddings, at_least=1, at_most=most)
        self.embedding_dim = check.check_integer("embedding_dim", embedding_dim, at_least=1)
        self.padding_idx = padding_idx
        self._padding = check_padding(padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self._options()
        self.seed = None if seed is None else check.check_seed(seed)
        self.dtype = check.check_dtype(dtype)
        self.weight_init, shape = weight_init, (self.num_embeddings, self.embedding_dim)
        rule = init.Normal() if weight_init is None else as_initializer("weight_init", weight_init, shape)
        self.add_parameter("weight", shape, _Padded(rule, self._padding) if callable(rule) else rule)

    @property
    def weight(self) -> check.Array:
        """The table, a writable view of shape (num_embeddings, embedding_dim)."""
        return self["weight"]

    @weight.setter
    def weight(self, value: check.Array) -> None:
        self["weight"][...] = value

    def _column_norm(self) -> None:
        return None

    def _check_dtype(self, dtype: str) -> None:
        name = f"{type(self).__name__}: num_embeddings of a {dtype} network"
        check.check_integer(name, self.num_embeddings, at_most=MOST_CODES[dtype])

    def _options(self) -> dict[str, Any]:
        """The options of operations on bags, checked."""
        limit = -1.0 if self.max_norm is None else check.check_number("max_norm", self.max_norm, at_least=0.0)
        norm_type = check.check_number("norm_type", self.norm_type, at_least=0.0)
        by_freq = check.check_flag("scale_grad_by_freq", self.scale_grad_by_freq)
        return {"max_norm": limit, "norm_type": norm_type, "by_freq": by_freq}

    def _plan_bags(self, builder: Builder, label: str, bag_size: int, mode: int) -> None:
        builder.parameter(
            self, label, "embedding_bag", num_embeddings=len(self["weight"]), padding=self._padding, bag_size=bag_size,
            mode=mode, **self._options(),
        )  # fmt: skip

    def extra_repr(self) -> str:
        defaults = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}
        given = [f", {name}={getattr(self, name)}" for name, d in defaults.items() if getattr(self, name) != d]
        return f"num_embeddings={self.num_embeddings}, embedding_dim={self.embedding_dim}{''.join(given)}"


class Embedding(Table):
    """Lookup table for categories: maps each integer code to a row of a trainable matrix.

    y[..., i * embedding_dim : (i + 1) * embedding_dim] = weight[x[..., i]]

    x has shape (..., k) and holds codes: integers from 0 to num_embeddings - 1, as floats of the layer's dtype. y has
    shape (..., k * embedding_dim). All k features share the table; `TabularInput` gives each column a table of its own.

    Parameters
    ----------
    num_embeddings : int, at least 1
        Number of codes. In a float32 network at most 2^24, beyond which floats do not hold all integers.
    embedding_dim : int, at least 1
    padding_idx : int, optional
        A code whose row starts as 0 and has no gradient. Negative ones count from the end.
    max_norm : float, at least 0, optional
        Rows that a batch reads count with at most this norm. In training, the backward pass writes them back so, before
        the update; PyTorch's forward pass does.
    norm_type : float, at least 0, default 2.0
        Which norm.
    scale_grad_by_freq : bool, default False
        Whether the gradient of a row is divided by how often the batch reads it.
    weight_init : str, nn.init.Initializer, function, number or array, optional
        Initial values, by default those of `nn.init.Normal()`, as PyTorch's; see `nn.init`.
    seed : int in [0, 2^64), optional
        Seed of the initial values of a layer that is used alone; in a network the network's seed counts.
    dtype : {"float32", "float64"}, default "float32"
        Of a layer that is used alone; in a network the network's dtype counts.

    Attributes
    ----------
    weight : ndarray, shape (num_embeddings, embedding_dim)
        A writable view.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range. When called, if x has another dtype, or a code is not an integer in the
        range.

    Notes
    -----
    The gradient of the input is 0, since codes have none. `functional.embedding` is the function.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.Embedding(3, 2, weight_init=[[0, 1], [2, 3], [4, 5]])
    >>> layer(np.array([[2, 0]], "float32"))
    array([[4., 5., 0., 1.]], dtype=float32)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        weight_init: Any = None,
        seed: int | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq,
            weight_init, seed, dtype,
        )  # fmt: skip

    def plan(self, builder: Builder, label: str, position: int) -> None:
        self._check_dtype(builder.dtype)
        if self.max_norm is None and not self.scale_grad_by_freq:
            num = len(self["weight"])
            builder.parameter(self, label, "embedding", num_embeddings=num, padding=self._padding)
        else:
            self._plan_bags(builder, label, 1, 3)  # each code is a bag

    def out_features_for(self, in_features: int) -> int:
        return in_features * self.embedding_dim


class _Padded(init.Initializer):
    """Initial values by a rule, but 0 in the row `padding`; a negative `padding` means no such row."""

    def __init__(self, rule: Any, padding: int) -> None:
        self.rule, self.padding = rule, padding

    def __call__(self, shape: tuple[int, ...], draws: init.Draws) -> check.Array:
        values = np.array(self.rule(shape, draws))
        if self.padding >= 0:
            values[self.padding] = 0
        return values

    def before(self, layers: Iterable[object]) -> init.Initializer:
        rule = self.rule.before(layers) if isinstance(self.rule, init.Initializer) else self.rule
        return _Padded(rule, self.padding)


class TabularInput(Concat):
    """Input layer for tables: numeric columns unchanged, concatenated with embeddings of categorical columns.

    x has shape (..., columns); y has shape (..., len(numeric) + sum of the embedding_dim).

    Parameters
    ----------
    numeric : sequence of int, each at least 0
        Indices of the numeric columns, which come first in the output. It may be empty.
    categorical : dict of int to (num_embeddings, embedding_dim), optional
        For each column of codes, the number of codes and the number of features of their embedding.

    Raises
    ------
    TypeError, ValueError
        If there are no columns, or a number is out of its range. When called, as `Embedding`, or if x lacks a column.

    Notes
    -----
    Embeddings are those of `Embedding`, with their default initial values.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> table = nn.TabularInput(numeric=[0, 2], categorical={1: (7, 3), 3: (2, 1)})
    >>> net = nn.Sequential(table, nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), seed=0)
    >>> [name for name, view in net.named_parameters()][:2]
    ['0.1.1.weight', '0.2.1.weight']
    >>> net(np.array([[0.5, 6, -1.5, 1]], "float32")).shape
    (1, 1)
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

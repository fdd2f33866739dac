"""Bags of rows of a table as a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _validation as check
from ..functional.embedding_bag import MODES
from .embedding import Table

if TYPE_CHECKING:
    from ..compiler.builder import Builder


class EmbeddingBag(Table):
    """Sum, mean or largest entries of the rows of a trainable table: one vector for each row of codes.

    y = sum, mean or largest of weight[x[..., i]] over i

    x has shape (..., k) and holds codes: integers from 0 to num_embeddings - 1, as floats of the layer's dtype. y has
    shape (..., embedding_dim). Rows of different lengths are filled up with `padding_idx`, which does not count;
    `functional.embedding_bag` also takes offsets and weights of samples.

    Parameters
    ----------
    num_embeddings : int, at least 1
        Number of codes. In a float32 network at most 2^24, beyond which floats do not hold all integers.
    embedding_dim : int, at least 1
    max_norm : float, at least 0, optional
        Rows that a batch reads count with at most this norm. In training, the backward pass writes them back so, before
        the update.
    norm_type : float, at least 0, default 2.0
        Which norm.
    scale_grad_by_freq : bool, default False
        Whether the gradient of a row is divided by how often the batch reads it; not for "max".
    mode : {"mean", "sum", "max"}, default "mean"
    padding_idx : int, optional
        A code that does not count. Its row starts as 0. Negative ones count from the end.
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
    The gradient of the input is 0, since codes have none. A row of x without a code that counts gives 0.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layer = nn.EmbeddingBag(3, 2, weight_init=[[0, 1], [2, 3], [4, 5]])
    >>> layer(np.array([[2, 0], [1, 1]], "float32"))
    array([[2., 3.],
           [2., 3.]], dtype=float32)
    """

    planned = (*Table.planned, "mode")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        padding_idx: int | None = None,
        *,
        weight_init: Any = None,
        seed: int | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq,
            weight_init, seed, dtype,
        )  # fmt: skip
        self.mode = mode
        self._mode()

    def _mode(self) -> int:
        check.check_choice("mode", self.mode, MODES)
        if self.mode == "max" and self.scale_grad_by_freq:
            raise ValueError('scale_grad_by_freq does not go with mode="max"')
        return MODES.index(self.mode)

    def plan(self, builder: Builder, label: str, position: int) -> None:
        self._check_dtype(builder.dtype)
        self._plan_bags(builder, label, builder.cols, self._mode())

    def out_features_for(self, in_features: int) -> int:
        return self.embedding_dim

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, mode={self.mode!r}"

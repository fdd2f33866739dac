"""What a network is trained on: arrays as programs read them, and the order in which an epoch takes their rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._core.random import permutation

if TYPE_CHECKING:
    from ..nn.losses import Loss
    from ..nn.sequential import Sequential

Array = check.Array


class Data:
    """Arrays as programs read them: a row for each sample."""

    def __init__(self, x: Array, y: Array, weight: Array | None, labels: bool) -> None:
        self.x, self.y, self.weight, self.labels = x, y, weight, labels
        self._staging: tuple[Array | None, ...] | None = None

    @classmethod
    def of(cls, net: Sequential, loss: Loss, x: Any, y: Any, sample_weight: Any = None) -> Data:
        """Arguments of a user, checked and repaired for this network and this loss."""
        rows, _ = net._input(x)
        n_out = net.out_features_for(rows.shape[1])
        target, labels = loss.prepare_target(y, rows.shape[0], n_out, rows.dtype)
        weight = None
        if sample_weight is not None:
            weight = check.as_weights("sample_weight", sample_weight, rows.dtype)
            check.check_shape("sample_weight", weight, (rows.shape[0],), "one a sample")
        return cls(rows, target, weight, labels)

    def not_empty(self) -> Data:
        """Itself; ValueError if it has no rows."""
        if len(self) == 0:
            raise ValueError("x must have at least one row")
        return self

    def __len__(self) -> int:
        return self.x.shape[0]

    def __getitem__(self, rows: slice) -> Data:
        return Data(self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows], self.labels)

    def split(self, share: float) -> tuple[Data, Data | None]:
        """The samples to train on, and the last ones, so large a share, to validate with; None if it is 0."""
        if not share:
            return self, None
        cut = len(self) - math.ceil(share * len(self))
        if cut < 1:
            raise ValueError(f"validation_split={share} leaves no sample of {len(self)} to train on")
        return self[:cut], self[cut:]

    def stretches(
        self, seed: int, epoch: int, shuffle: bool, done: int = 0
    ) -> Iterator[tuple[Data, Array | None, int]]:
        """What an epoch consists of, from its row number `done` on.

        Yields
        ------
        data, order, start
            The next batches are of rows order[start], order[start + 1], ... of `data`, to its end; without an order,
            of its rows as they come. Arrays in memory are one stretch.
        """
        yield self, permutation(seed, epoch, len(self)) if shuffle else None, done

    def staging(self, batch: int) -> tuple[Array | None, ...]:
        """Room for the rows of a batch, gathered."""
        if self._staging is None or len(self._staging[0]) < batch:  # type: ignore[arg-type]
            arrays = (self.x, self.y, self.weight)
            self._staging = tuple(None if a is None else np.empty((batch, *a.shape[1:]), a.dtype) for a in arrays)
        return self._staging

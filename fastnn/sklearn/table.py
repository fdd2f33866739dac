"""The rows that an estimator trains on: arrays, sparse matrices, or these a stretch of dense rows at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .._validation import Array
from ..compiler.counters import SUMS
from ..data import Mixup
from ..nn.linear import Linear
from ..training import Trainer
from ..training.data import Data, Mixed
from ..training.rates import batch_rates

STRETCH_BYTES = 1 << 23  # of sparse rows that are dense at a time, where a batch is not more


def dense(x: Any, dtype: Any) -> Array:
    """Rows as a contiguous array of this dtype."""
    rows = x.toarray() if sparse.issparse(x) else x
    return np.ascontiguousarray(rows, dtype)


def stretches(rows: int, columns: int, dtype: Any, batch: int) -> int:
    """How many of these rows are dense at a time: whole batches, one or more."""
    row_bytes = max(1, columns * np.dtype(dtype).itemsize)
    return min(rows, max(1, STRETCH_BYTES // (row_bytes * batch)) * batch)


class Table:
    """Training rows with their targets and weights, for the compiled step of a trainer.

    Parameters
    ----------
    trainer : Trainer
    x : ndarray or sparse matrix
    y : ndarray
        As the loss takes it: class indices, or a row for each sample.
    weight : ndarray or None
    batch : int
        Rows of a batch.
    alpha : float
        The L2 term of a batch is alpha / 2 sum w^2, divided by the sum of its weights.
    decays : bool
        Whether the L2 term is the weight decay of the optimizer, which then differs from batch to batch.
    constant : ndarray or None
        What is added to the loss of each row.
    factor : float
        Of the loss that is reported.
    mixup : Mixup or None
        With `seed` of its draws.
    """

    def __init__(
        self, trainer: Trainer, x: Any, y: Array, weight: Array | None, batch: int, alpha: float, decays: bool,
        constant: Array | None = None, factor: float = 1.0, mixup: Mixup | None = None, seed: int = 0,
    ) -> None:  # fmt: skip
        self.trainer, self.engine, self.y, self.weight = trainer, trainer.engine, y, weight
        self.x = x.tocsr() if sparse.issparse(x) else x
        self.rows, self.batch = x.shape[0], batch
        self.alpha, self.constant, self.factor = alpha, constant, factor
        self.mixup, self.seed, self.epoch = mixup, seed, 0
        self.dtype = trainer.net.parameters().data.dtype
        self.batches = -(-self.rows // batch)
        starts = np.arange(0, self.rows, batch)
        self.starts, self.counts = starts, np.diff(np.append(starts, self.rows)).astype("float64")
        self.losses, self.penalties = np.empty(self.batches), np.empty(self.batches)
        self.sums = np.zeros(SUMS)
        place = [trainer.optimizer.place("weight_decay")] if decays and alpha else []
        self.places = np.array(place, "int64")
        self.decay = (alpha / self.counts).reshape(-1, 1) if place else None
        # Products read sparse rows as they are; dropout of inputs and mixtures need dense ones.
        whole = not sparse.issparse(x) or (mixup is None and isinstance(trainer.net[0], Linear))
        self.data = self._data(self.x, slice(None)) if whole else None

    def _data(self, x: Any, rows: Any) -> Data:
        """Rows of x, dense unless they are all of them, with their targets."""
        weight = None if self.weight is None else self.weight[rows]
        x = x if sparse.issparse(x) and x is self.x else dense(x, self.dtype)
        return self.engine.data(x, self.y[rows], weight)

    # -- epochs --------------------------------------------------------------------------------------------------------

    def epoch_loss(self, order: Array | None) -> float:
        """Train on all rows once, in this order, and return the mean loss with its penalties."""
        sums = self._weight_sums(order)
        decay = None
        if self.decay is not None:
            decay = self.decay if sums is None else (self.alpha / sums).reshape(-1, 1)
        rates, schedule = self._rates(decay)
        step = 0 if schedule is None else self.trainer.scheduler.last_epoch  # type: ignore[union-attr]
        self._run(order, rates)
        if schedule is not None:
            self.trainer.scheduler.take_row(schedule[self.batches], step + self.batches)  # type: ignore[union-attr]
        self.epoch += 1
        of_batch = self.losses * self.factor + self.penalties
        constant = 0.0
        if self.constant is not None:
            constant = float(self.constant.mean())
            if sums is not None:
                picked = slice(None) if order is None else order
                of_batch += np.add.reduceat((self.constant * self.weight)[picked], self.starts) / sums
                constant = 0.0
        return float(np.dot(of_batch, self.counts)) / self.rows + constant

    def epoch_losses(self, orders: list[Array]) -> list[float]:
        """The same for several epochs of one batch each, in one call."""
        n, order = len(orders), np.concatenate(orders)
        losses, penalties = np.empty(n), np.empty(n)
        sums = 1.0 if self.weight is None else float(self.weight.sum())
        decay = None
        if self.decay is not None:
            decay = np.full((n, 1), self.decay[0, 0] if self.weight is None else self.alpha / sums)
        rates = None if decay is None else (self.places, decay)
        self._call(self.data, order, 0, n * self.rows, rates, losses, penalties)
        self.epoch += n
        constant = 0.0
        if self.constant is not None:
            constant = float(self.constant.mean() if self.weight is None else self.constant @ self.weight / sums)
        return (losses * self.factor + penalties + constant).tolist()

    def _weight_sums(self, order: Array | None) -> Array | None:
        """The sum of the weights of each batch; ZeroDivisionError if one is 0, as of `numpy.average`."""
        if self.weight is None:
            return None
        sums: Array = np.add.reduceat(self.weight if order is None else self.weight[order], self.starts)
        if not sums.all():
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        return sums.astype("float64")

    def _rates(self, decay: Array | None) -> tuple[Any, Array | None]:
        """The hyperparameters of each batch, (places, table), and the rows of the scheduler."""
        scheduler = self.trainer.scheduler
        table = batch_rates(scheduler, self.batches)
        if table is None:
            return (None if decay is None else (self.places, decay)), None
        places, rows = scheduler.places, np.ascontiguousarray(table[:-1])  # type: ignore[union-attr]
        if decay is not None:
            places, rows = np.concatenate([places, self.places]), np.ascontiguousarray(np.hstack([rows, decay]))
        return (places, rows), table

    def _run(self, order: Array | None, rates: Any) -> None:
        if self.data is not None:
            data, mixed = self.data, order
            if self.mixup is not None:
                mixed = np.arange(self.rows) if order is None else order
                data = self._mixed(data, mixed)
            self._call(data, mixed, 0, self.rows, rates, self.losses, self.penalties)
            return
        size = stretches(self.rows, self.x.shape[1], self.dtype, self.batch)
        for start in range(0, self.rows, size):
            stop = min(self.rows, start + size)
            picked = slice(start, stop) if order is None else order[start:stop]
            data, first, last = self._data(self.x[picked], picked), start // self.batch, -(-stop // self.batch)
            mixed = None
            if self.mixup is not None:
                mixed = np.arange(stop - start)
                data = self._mixed(data, mixed, start)
            part = None if rates is None else (rates[0], np.ascontiguousarray(rates[1][first:last]))
            self._call(data, mixed, 0, stop - start, part, self.losses[first:last], self.penalties[first:last])

    def _mixed(self, data: Data, order: Array, first: int = 0) -> Data:
        engine = self.engine
        assert self.mixup is not None
        n_out = engine.net.out_features_for(data.x.shape[1])
        Mixed.check(data, engine.loss, n_out)
        partner, shares = self.mixup.draw(self.seed, self.epoch, first, len(order), self.batch)
        return Mixed(data, order[partner], shares, n_out)

    def _call(
        self, data: Any, order: Array | None, start: int, stop: int, rates: Any, losses: Array, penalties: Array
    ) -> None:
        self.engine.refresh()
        self.engine.run(
            "step", data, order, start, stop, self.batch, self.sums, False, rates, losses, penalties=penalties
        )

"""Members of an ensemble: the rows that each is validated on, and its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import nn, optim
from ..._validation import Array
from ...callbacks import EarlyStopping
from ...training import History, Trainer
from .network import Recipe, build, coslog, make_optimizer


@dataclass
class Plan:
    """How members are trained.

    Attributes
    ----------
    rate, decay : float
        Learning rate and weight decay, of a layer with one input.
    epochs, batch, patience : int
    monitor : str
        The record of the validation rows that decides which epoch is kept.
    loss : function
        Returns a new loss.
    """

    rate: float
    decay: float
    epochs: int
    batch: int
    patience: int
    monitor: str
    loss: Any


def deal(labels: Array | None, rows: int, folds: int, rng: Any) -> Array:
    """A fold for each row, from 0 on; of `labels`, each has as many rows in each fold as possible.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn.tabular.fitting import deal
    >>> folds = deal(np.array([0, 0, 1, 1]), 4, 2, np.random.RandomState(0))
    >>> sorted(folds[:2].tolist()), sorted(folds[2:].tolist())
    ([0, 1], [0, 1])
    """
    order = rng.permutation(rows)
    if labels is not None:
        order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(rows, "int64")
    fold[order] = np.arange(rows) % folds
    return fold


class Member:
    """A network with its seed and the fold that it is validated on.

    Parameters
    ----------
    recipe : Recipe
    seed : int
    """

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self.net: nn.Sequential = build(recipe, seed)
        self.seed = seed
        self.history = History()

    def train(self, plan: Plan, x: Array, y: Array, weight: Array | None, held: Array) -> None:
        """Train on the rows that are not held out; the epoch that does best on those is kept.

        Parameters
        ----------
        x, y, weight
            All rows, as the network and its loss take them.
        held : ndarray of bool, shape (rows,)
        """
        rows = np.flatnonzero(~held)
        optimizer = make_optimizer(self.net, plan.rate, plan.decay)
        updates = plan.epochs * -(-len(rows) // plan.batch)
        scheduler = optim.lr_scheduler.LambdaLR(optimizer, coslog(updates), by="batch")
        trainer = Trainer(self.net, plan.loss(), optimizer, scheduler)
        validation: Any = None
        callbacks: list[EarlyStopping] = []
        if held.any():
            validation = (x[held], y[held]) if weight is None else (x[held], y[held], weight[held])
            callbacks = [EarlyStopping(plan.monitor, patience=plan.patience)]
        self.history = trainer.fit(
            x[rows], y[rows], epochs=plan.epochs, batch_size=plan.batch, seed=self.seed, validation_data=validation,
            sample_weight=None if weight is None else weight[rows], callbacks=callbacks, progress=False,
        )  # fmt: skip

    def outputs(self, x: Array) -> Array:
        """The outputs of the network for rows of the matrix."""
        return self.net.predict(x)


def held_out(members: list[Member], folds: Array, x: Array, outputs: int) -> tuple[Array, Array]:
    """What each row's member says of it, which has not been trained on it.

    Returns
    -------
    rows : ndarray of int
        Those that a member was validated on.
    values : ndarray of float64, shape (len(rows), outputs)
    """
    values = np.full((len(x), outputs), np.nan)
    for i, member in enumerate(members):
        held = folds == i
        if held.any():
            values[held] = member.outputs(x[held])
    rows = np.flatnonzero(folds < len(members))
    return rows, values[rows]

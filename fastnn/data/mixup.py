"""Mixup: training on mixtures of pairs of samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import _validation as check
from .._core.random import uniform
from .._frames import ShortErrors

MIXUP_STREAM = 1 << 61  # random streams of partners and shares: this + 2 epoch, + 1


class Mixup(ShortErrors):
    """Mixes each sample of a batch with another one of the same batch, inputs and targets alike, while training.

        x' = share * x[i] + (1 - share) * x[j],    y' = share * y[i] + (1 - share) * y[j]

    with one share a batch, drawn from Beta(alpha, alpha), and j a random permutation of the batch: the rule of Zhang,
    Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization" (ICLR 2018). Class indices become
    probabilities, sample weights are mixed too. Losses that take class indices only (`NLLLoss`) cannot be trained so.

    Parameters
    ----------
    alpha : float, default 0.2
        Above 0. The smaller, the closer shares are to 0 and 1; 1 draws them uniformly.

    Notes
    -----
    Partners and shares are decided by the seed of `fit`, the epoch and the place in it: they are the same for any
    number of threads, and for a run that was interrupted and resumed. They are drawn once an epoch; the mixing itself
    is part of the compiled loop. Accuracy while training is that of the larger part of each mixture.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim
    >>> X, y = fastnn.data.make_moons(200, noise=0.1, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05))
    >>> history = trainer.fit(X, y, epochs=30, seed=0, transform=fastnn.data.Mixup(0.2), validation_data=(X, y))
    >>> history["val_accuracy"][-1] > 0.9
    True
    """

    def __init__(self, alpha: float = 0.2) -> None:
        self.alpha = check.check_number("alpha", alpha, above=0.0)

    def draw(
        self, seed: int, epoch: int, first: int, rows: int, batch_size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Partners and shares for rows `first`, `first` + 1, ... of an epoch, in batches.

        Returns
        -------
        partner : ndarray of int64, shape (rows,)
            For each row its partner, counted from `first` too: a permutation within each batch.
        share : ndarray of float64, shape (batches,)
        """
        keys = uniform(seed, MIXUP_STREAM + 2 * epoch, first, rows)
        partner = np.lexsort((keys, np.arange(rows) // batch_size))
        batches = -(-rows // batch_size)
        u, v = uniform(seed, MIXUP_STREAM + 2 * epoch + 1, 2 * (first // batch_size), 2 * batches).reshape(-1, 2).T
        return partner.astype("int64"), symmetric_beta(self.alpha, u, v)

    def __repr__(self) -> str:
        return f"Mixup(alpha={self.alpha:g})"


def symmetric_beta(alpha: float, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers of the distribution Beta(alpha, alpha) from two uniform ones each, rounded to 24 bits.

    t = sqrt(2 alpha (u^(-1 / alpha) - 1)) cos(2 pi v) has Student's distribution with 2 alpha degrees of freedom
    (Bailey, "Polar generation of random variates with the t-distribution", 1994), and (1 + t / sqrt(2 alpha + t^2)) / 2
    the wanted one. Rounding makes shares exact in float32, and does away with the last bits, in which the logarithm of
    NumPy may differ from machine to machine.
    """
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.sqrt(np.expm1(-np.log(1 - u) / alpha)) * np.cos(2 * np.pi * v)  # t / sqrt(2 alpha)
        signed = np.sign(ratio) / np.sqrt(1 + 1 / ratio**2)
    return np.round((1 + signed) / 2 * 2.0**24) * 2.0**-24

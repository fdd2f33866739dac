"""Mixup: training on mixtures of pairs of samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .. import _validation as check
from .._core.random import uniform
from .._frames import ShortErrors

MIXUP_STREAM = 1 << 61  # random streams: this + 2 epoch for partners, this + 2 epoch + 1 for shares


class Mixup(ShortErrors):
    """Mixup: mixes each sample of a batch with another one of the same batch, inputs and targets, while training.

        x' = share * x[i] + (1 - share) * x[j],    y' = share * y[i] + (1 - share) * y[j]

    with one share for each batch, drawn from Beta(alpha, alpha), and j a random permutation of the batch. Class indices
    become probabilities (one-hot rows, mixed); sample weights are mixed too.

    Parameters
    ----------
    alpha : float, default 0.2
        Above 0. The smaller it is, the closer shares are to 0 and 1; 1 draws them uniformly, infinity gives 0.5.

    Raises
    ------
    ValueError, TypeError
        If `alpha` is not such a number. `Trainer.fit` raises TypeError for a loss that takes class indices only
        (`NLLLoss`) or only -1 and 1, for networks with several heads, and for inputs of uint8 or float16; and
        ValueError for targets that are ignored in batches of an iterable or in shards.

    Notes
    -----
    Partners and shares depend only on the seed of `fit`, the epoch and the place in it: they are the same for any
    number of threads, and for a run that was interrupted and resumed. They are drawn once an epoch; the mixing itself
    is part of the compiled loop. Samples of arrays whose class index is the loss's `ignore_index` are left out, as if
    they were not there. A NaN in a sample is in both of its mixtures. The training accuracy is that for the
    class with the largest mixed probability.

    Source: Zhang, Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

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

        Parameters
        ----------
        seed : int
            From 0 to 2**64 - 1.
        epoch, first : int
            Number of the epoch, and of the first row in it, a multiple of `batch_size`; both from 0.
        rows : int
            Number of rows; the last batch may be smaller.
        batch_size : int

        Returns
        -------
        partner : ndarray of int64, shape (rows,)
            The partner of each row, counted from `first` too: a permutation within each batch.
        share : ndarray of float64, shape (batches,)
            Between 0 and 1, a multiple of 2^-24.

        Examples
        --------
        >>> from fastnn.data import Mixup
        >>> partner, share = Mixup(1.0).draw(seed=0, epoch=0, first=0, rows=5, batch_size=3)
        >>> sorted(partner[:3].tolist()), sorted(partner[3:].tolist()), share.shape
        ([0, 1, 2], [3, 4], (2,))
        """
        keys = uniform(seed, MIXUP_STREAM + 2 * epoch, first, rows)
        partner = np.lexsort((keys, np.arange(rows) // batch_size))
        batches = -(-rows // batch_size)
        u, v = uniform(seed, MIXUP_STREAM + 2 * epoch + 1, 2 * (first // batch_size), 2 * batches).reshape(-1, 2).T
        return partner.astype("int64"), symmetric_beta(self.alpha, u, v)

    def __repr__(self) -> str:
        return f"Mixup(alpha={self.alpha:g})"


def symmetric_beta(alpha: float, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Random numbers from the distribution Beta(alpha, alpha), each made of two uniform ones, rounded to 24 bits.

        t = sqrt(2 alpha (u^(-1 / alpha) - 1)) cos(2 pi v)          # Student's t, 2 alpha degrees of freedom
        beta = (1 + t / sqrt(2 alpha + t^2)) / 2

    Parameters
    ----------
    alpha : float
        Above 0.
    u, v : ndarray of float64, shape (n,)
        Uniform in [0, 1).

    Returns
    -------
    ndarray of float64, shape (n,)

    Notes
    -----
    Rounding makes shares exact in float32, and removes the last bits, in which NumPy's logarithm may differ from
    machine to machine. 1 - u is used for u, which may be 0. Source of t: Bailey, "Polar generation of random variates
    with the t-distribution", 1994.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.data.mixup import symmetric_beta
    >>> symmetric_beta(1.0, np.array([0.75, 0.75]), np.array([0.0, 0.5])).round(4).tolist()
    [0.933, 0.067]
    """
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.sqrt(np.expm1(-np.log(1 - u) / alpha)) * np.cos(2 * np.pi * v)  # t / sqrt(2 alpha)
        signed = np.sign(ratio) / np.sqrt(1 + 1 / ratio**2)
    return np.round((1 + signed) / 2 * 2.0**24) * 2.0**-24

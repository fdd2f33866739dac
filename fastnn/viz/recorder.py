"""A callback that keeps what a network was on the way, for animations and paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from ..training.callback import Callback

if TYPE_CHECKING:
    from ..training.run import Run

Array = check.Array


class Recorder(Callback):
    """Keeps a copy of the parameters after every k batches of `Trainer.fit`, of the beginning and of the end.

    Parameters
    ----------
    every : int, default 1
        Batches between two snapshots, k. They are counted from the beginning of each epoch; where an epoch has fewer,
        a snapshot is taken at the end of the epoch in which k have passed.
    most : int, default 1000
        Snapshots to keep, 2 or more. When there are more, every second one is dropped and k is doubled, so that the
        memory is bounded whatever the length of the run.

    Attributes
    ----------
    parameters : ndarray of the network's dtype, shape (snapshots, size)
        Each row is laid out as `net.parameters().data`, which has gaps of zeros between parameters.
    steps : list of int
        How many batches had been trained at each snapshot.
    losses : list of float
        Of the batch before each, or, of a snapshot at the end of an epoch, the mean of the epoch; NaN for the first.
    trainer : Trainer or None
        That of the last run.

    Notes
    -----
    The compiled loop stops after every k batches for one copy of the parameters: about 25 us a stop of a small network,
    whose step takes 3 us. So k = 100 costs a tenth, and k = 1 ten times the training. Between two stops nothing is
    different, and the weights after training have the same bits. A second `fit` goes on recording. Running statistics
    of batch normalization are recorded too.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim, viz
    >>> X, y = fastnn.data.make_moons(64, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    >>> recorder = viz.Recorder(every=2)
    >>> history = trainer.fit(X, y, epochs=3, batch_size=16, callbacks=[recorder])
    >>> recorder.steps, bool((recorder.parameters[-1] == net.parameters().data).all())
    ([0, 2, 4, 6, 8, 10, 12], True)
    """

    in_checkpoints = False

    def __init__(self, every: int = 1, most: int = 1000) -> None:
        self.every = check.check_integer("every", every, at_least=1)
        self.most = check.check_integer("most", most, at_least=2)
        self.steps: list[int] = []
        self.losses: list[float] = []
        self._kept: list[Array] = []
        self._buffers: list[list[Array]] = []
        self._first = 0  # the network's count of batches at the beginning
        self.trainer: Any = None

    @property
    def parameters(self) -> Array:
        """All snapshots, a row for each."""
        return np.array(self._kept)

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return True

    def on_train_begin(self, run: Run) -> None:
        if self._kept and run.net.parameters().data.size != self._kept[0].size:
            raise ValueError("this Recorder has snapshots of another network: make a new one")
        self.trainer = run.trainer
        if not self._kept:
            self._first = int(run.net._tick[0])
            self._keep(0, float("nan"))

    def on_batch_end(self, run: Run) -> None:
        self._keep_if_due(run, self.every or 1)

    def on_epoch_end(self, run: Run) -> None:
        self._keep_if_due(run, self.every or 1)

    def on_train_end(self, run: Run) -> None:
        self._keep_if_due(run, 1)

    def _keep_if_due(self, run: Run, after: int) -> None:
        """Keep a snapshot if so many batches were trained since the last one."""
        step = int(run.net._tick[0]) - self._first
        if step - self.steps[-1] >= after:
            self._keep(step, run.loss if run.batch else run.logs.get("loss", float("nan")))

    def _keep(self, step: int, loss: float) -> None:
        self.steps.append(step)
        self.losses.append(loss)
        self._kept.append(self.trainer.net.parameters().data.copy())
        self._buffers.append([view.copy() for _, view in self.trainer.net.named_buffers()])
        if len(self.steps) > self.most:
            for kept in (self.steps, self.losses, self._kept, self._buffers):
                del kept[1::2]
            self.every = 2 * (self.every or 1)

    def show(self, net: Any, i: int) -> None:
        """Give a network, a copy of the one that was trained, the values of snapshot number i."""
        net.parameters().data[...] = self._kept[i]
        for (_, view), kept in zip(net.named_buffers(), self._buffers[i], strict=True):
            view[...] = kept

    def __repr__(self) -> str:
        return f"Recorder({len(self)} snapshots, every {self.every} batches)"

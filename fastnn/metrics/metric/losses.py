"""A loss as a metric."""

from __future__ import annotations

import math

from ...compiler.counters import Counter
from ...nn.loss import Loss
from ...nn.python_loss import PythonLoss
from .._inputs import Array
from .base import Metric


class LossMetric(Metric):
    """The value of another loss as a metric: what `metrics=[nn.L1Loss()]` becomes.

    Parameters
    ----------
    loss : Loss
        Any but `HeadsLoss` and functions written in Python, with targets like those of the trainer's loss.
    name : str, optional
        Name of the record; by default that of the function in `fastnn.functional`, such as "l1_loss".

    Raises
    ------
    TypeError
        If `loss` is no such loss.
    ValueError
        If its reduction is "none", or, when it is first counted, it does not take the targets of the trainer's loss.

    Notes
    -----
    The compiled loop adds it up over batches, by its own weights: of an epoch it is the mean over all elements or
    samples, for reduction "sum" the sum.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=[nn.L1Loss(), nn.RMSELoss()])
    >>> trainer.evaluate(np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32"))
    {'loss': 4.0, 'l1_loss': 2.0, 'rmse_loss': 2.0}
    """

    def __init__(self, loss: Loss, name: str | None = None) -> None:
        if not isinstance(loss, Loss) or loss.heads or isinstance(loss, PythonLoss):
            raise TypeError(f"a metric can be a loss of fastnn.nn for one output array, got {loss!r:.60}")
        if loss.reduction == "none":
            raise ValueError('a loss as a metric has reduction "mean" or "sum", got "none"')
        self.loss, self.name = loss, loss.name if name is None else name
        self.counter = Counter("count_loss", loss=loss)

    def of_counts(self, counts: Array, several: bool) -> float:
        total, weight = counts.tolist()
        if self.loss.reduction != "sum":
            total = total / weight if weight else math.nan
        return math.sqrt(total) if self.loss.root else total

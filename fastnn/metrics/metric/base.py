"""The base class of metrics, and the metric made of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import _validation as check
from ..._frames import ShortErrors
from ...compiler.counters import Counter
from .._inputs import Array

if TYPE_CHECKING:
    from ...nn.loss import Loss


class Metric(ShortErrors):
    """Base of the metrics of `Trainer(..., metrics=[...])`.

    A subclass of your own sets `name` and overrides `of_predictions`.

    Attributes
    ----------
    name : str
        Name of the record: "f1" while training, "val_f1" for validation data.
    counter : Counter or None, default None
        The counts that the compiled loop adds up over batches, for `of_counts`. None for a metric that needs all
        predictions at once, by `of_predictions`: it is computed for validation data and by `Trainer.evaluate`, not
        while training.

    Notes
    -----
    Values are weighted by the sample weights and exact over batches of different sizes, not means of batch values.
    While training, each batch counts as it was predicted before its update, like the training loss.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> class Bias(metrics.Metric):
    ...     name = "bias"
    ...     def of_predictions(self, y_true, y_pred, weight, logits):
    ...         return float(np.average(y_pred - y_true, weights=weight, axis=0).mean())
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=["mae", Bias()])
    >>> trainer.evaluate(np.array([[1], [2]], "float32"), np.array([[1], [4]], "float32"))
    {'loss': 2.0, 'mae': 1.0, 'bias': -1.0}
    """

    name: str
    counter: Counter | None = None

    def of_counts(self, counts: Array, several: bool) -> float:
        """The value from the counts of `counter`.

        Parameters
        ----------
        counts : ndarray of float64, shape (counter.size(n_out),)
        several : bool
            Whether each output is a label of its own (multilabel targets).

        Returns
        -------
        float
            NaN if nothing was counted.
        """
        raise NotImplementedError

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        """The value from the predictions for all samples.

        Parameters
        ----------
        y_true : ndarray
            The targets of the loss: class indices, shape (n,), or shape (n, outputs).
        y_pred : ndarray of the network's dtype, shape (n, outputs)
            The outputs of the network in inference mode.
        weight : ndarray of shape (n,), or None
            Sample weights.
        logits : bool
            Whether a softmax of the outputs gives the class probabilities.

        Returns
        -------
        float
        """
        raise NotImplementedError

    def of_outputs(self, y_true: Array, y_pred: Array, weight: Array | None, loss: Loss) -> float:
        """`of_predictions` for metrics that need to know more of the loss, for example to make probabilities of logits.

        Parameters
        ----------
        y_true, y_pred, weight
            As for `of_predictions`.
        loss : Loss
            The loss of the trainer.
        """
        return self.of_predictions(y_true, y_pred, weight, loss.logits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class Function(Metric):
    """A function (y_true, y_pred) -> number as a metric, for validation data and `Trainer.evaluate`.

    Parameters
    ----------
    function : callable
        Called as `function(y_true, y_pred)`, with `sample_weight=` if there are weights. Its `__name__` is the name of
        the record. y_true and y_pred are those of `Metric.of_predictions`. NaN is recorded as it is.

    Raises
    ------
    TypeError
        At evaluation, if the result is not a real number.

    Examples
    --------
    >>> from fastnn.metrics.metric import Function
    >>> def largest_error(y_true, y_pred):
    ...     return float(abs(y_true - y_pred).max())
    >>> Function(largest_error)
    Function(name='largest_error')
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        value = self.function(y_true, y_pred) if weight is None else self.function(y_true, y_pred, sample_weight=weight)
        return check.check_number(self.name, value) if value == value else np.nan

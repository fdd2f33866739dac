"""Metrics of all predictions at once, for validation data and `Trainer.evaluate`, not while training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import _validation as check
from ...compiler.counters import refuse_numbers
from .. import quantiles
from .._inputs import Array
from ..agreement import hamming_loss
from ..probabilities import cross_entropies
from ..ranking import binary_precision, columns_precision
from ..regression import explained_variance
from .base import Metric
from .outputs import has_logits, is_exclusive, known, positives, predictions, probabilities, targets

if TYPE_CHECKING:
    from ...nn.loss import Loss


class HammingLoss(Metric):
    """Hamming loss: the fraction of labels that are predicted incorrectly; 1 - accuracy, as the trainer records it.

    Notes
    -----
    Source: `sklearn.metrics.hamming_loss`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 2, weight_init=np.eye(2), bias_init=-0.5))
    >>> trainer = fastnn.Trainer(net, nn.BCEWithLogitsLoss(), optim.SGD(net.parameters()), metrics=["hamming_loss"])
    >>> trainer.evaluate(np.eye(2, dtype="float32"), np.array([[1, 0], [1, 1]], "float32"))["hamming_loss"]
    0.25
    """

    name = "hamming_loss"

    def of_outputs(self, y_true: Array, y_pred: Array, weight: Array | None, loss: Loss) -> float:
        y_true, y_pred, weights = known(y_true, y_pred, weight, has_logits(loss))
        refuse_numbers(self.name, loss, y_true, y_pred.shape[1])
        if not len(weights):
            return np.nan
        return hamming_loss(*predictions(y_true, y_pred, loss), sample_weight=weights)


class AveragePrecision(Metric):
    """Average precision, the area under the curve of precision over recall.

    Of two classes it is that of class 1; of more, or of several labels, the mean of each against the rest ("macro").
    Targets are class indices, one-hot rows or probabilities (the largest is the class), or labels of 0 and 1.

    Notes
    -----
    0 for a class without samples, NaN if an output is infinite or NaN. Source:
    `sklearn.metrics.average_precision_score`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> chosen = ["average_precision", "log_loss", "brier"]
    >>> trainer = fastnn.Trainer(net, nn.BCEWithLogitsLoss(), optim.SGD(net.parameters()), metrics=chosen)
    >>> x, y = np.array([[1], [2], [3], [4]], "float32"), np.array([[0], [1], [0], [1]], "float32")
    >>> {name: round(value, 4) for name, value in trainer.evaluate(x, y).items() if name in chosen}
    {'average_precision': 0.8333, 'log_loss': 1.1267, 'brier': 0.3641}
    """

    name = "average_precision"

    def of_outputs(self, y_true: Array, y_pred: Array, weight: Array | None, loss: Loss) -> float:
        logits = has_logits(loss)
        y_true, y_pred, weights = known(y_true, y_pred, weight, logits)
        refuse_numbers(self.name, loss, y_true, y_pred.shape[1])
        if not np.isfinite(y_pred).all() or not len(weights):
            return np.nan
        # softmax makes the logits of different samples comparable; a sigmoid would not change their order
        score = probabilities(self.name, y_pred, loss) if logits else y_pred.astype("float64")
        positive = positives(y_true, y_pred, logits)
        if score.shape[1] == 1 or (score.shape[1] == 2 and is_exclusive(y_true, y_pred, logits)):
            return binary_precision(positive[:, -1], score[:, -1], weights)
        return float(columns_precision(positive, score, weights, "macro"))


class ProbabilityMetric(Metric):
    """Base of metrics of probabilities: the weighted mean over samples of a number for each.

    Outputs for a loss of logits or log-probabilities have their softmax or sigmoid; those for another loss must be
    probabilities. With several labels a sample it is the mean over labels.
    """

    def of_outputs(self, y_true: Array, y_pred: Array, weight: Array | None, loss: Loss) -> float:
        logits, eps = has_logits(loss), float(np.finfo(y_pred.dtype).eps)
        y_true, y_pred, weights = known(y_true, y_pred, weight, logits)
        refuse_numbers(self.name, loss, y_true, y_pred.shape[1])
        if not np.isfinite(y_pred).all() or not len(weights):
            return np.nan
        proba, target = probabilities(self.name, y_pred, loss), targets(y_true, y_pred, logits)
        if is_exclusive(y_true, y_pred, logits):
            values = self.of_samples(target, proba, eps)
        else:  # each column is the probability of one label
            pairs = ((np.stack([1 - t, t], 1), np.stack([1 - p, p], 1)) for t, p in zip(target.T, proba.T, strict=True))
            values = np.mean([self.of_samples(t, p, eps) for t, p in pairs], axis=0)
        return float(weights @ values / weights.sum())

    def of_samples(self, target: Array, proba: Array, eps: float) -> Array:
        """The value of each sample, shape (n,), from targets and probabilities of shape (n, classes)."""
        raise NotImplementedError


class LogLoss(ProbabilityMetric):
    """Log loss or cross-entropy: the mean negative logarithm of the probability of the true class.

    Probabilities are the softmax or sigmoid of logits, the exponential of log-probabilities, or the outputs. With
    several labels a sample it is the mean over labels.

    Raises
    ------
    ValueError
        At evaluation, if outputs are not logits and not between 0 and 1.

    Notes
    -----
    Probabilities are limited to [eps, 1 - eps], with the machine epsilon of the network's dtype. Unlike the loss of the
    trainer it has no weights of classes and no smoothing. NaN if an output is infinite or NaN. Source:
    `sklearn.metrics.log_loss`. `AveragePrecision` has an example.
    """

    name = "log_loss"

    def of_samples(self, target: Array, proba: Array, eps: float) -> Array:
        return cross_entropies(target, proba, eps)


class Brier(ProbabilityMetric):
    """Brier score: the mean squared distance of the probabilities from the true class, halved for two classes.

    Probabilities and labels are those of `LogLoss`.

    Raises
    ------
    ValueError
        At evaluation, if outputs are not logits and not between 0 and 1.

    Notes
    -----
    NaN if an output is infinite or NaN. Source: `sklearn.metrics.brier_score_loss`. `AveragePrecision` has an example.
    """

    name = "brier"

    def of_samples(self, target: Array, proba: Array, eps: float) -> Array:
        squares: Array = ((target - proba) ** 2).sum(1)
        return squares / 2 if proba.shape[1] == 2 else squares


class NumberMetric(Metric):
    """Base of metrics of regression that need all predictions; the value is the mean over outputs.

    NaN if a target or an output is infinite or NaN. Targets that are class indices are a ValueError.
    """

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        if is_exclusive(y_true, y_pred, logits) and y_true.ndim == 1 and y_true.dtype.kind in "iu":
            raise ValueError(f"metrics: {self.name} needs targets like the outputs, got class indices")
        true = y_true.reshape(len(y_pred), -1)
        if not (np.isfinite(true).all() and np.isfinite(y_pred).all()):
            return np.nan
        return self.of_numbers(true, y_pred, weight)

    def of_numbers(self, y_true: Array, y_pred: Array, weight: Array | None) -> float:
        """The value from targets and outputs, both of shape (n, outputs) and finite."""
        raise NotImplementedError


class ExplainedVariance(NumberMetric):
    """Explained variance, 1 - var(y_true - y_pred) / var(y_true).

    Notes
    -----
    Source: `sklearn.metrics.explained_variance_score`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=1.0))
    >>> chosen = ["explained_variance", "max_error", "median_absolute_error", metrics.PinballLoss(0.25)]
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()), metrics=chosen)
    >>> x = np.array([[1], [2], [3]], "float32")
    >>> list(trainer.evaluate(x, x).values())[1:]
    [1.0, 1.0, 1.0, 0.75]
    """

    name = "explained_variance"

    def of_numbers(self, y_true: Array, y_pred: Array, weight: Array | None) -> float:
        return float(explained_variance(y_true, y_pred, sample_weight=weight))


class MaxError(NumberMetric):
    """Largest absolute error; of several outputs the mean of the largest of each.

    Notes
    -----
    Samples of weight 0 are left out. Source: `sklearn.metrics.max_error`. `ExplainedVariance` has an example.
    """

    name = "max_error"

    def of_numbers(self, y_true: Array, y_pred: Array, weight: Array | None) -> float:
        return float(quantiles.max_error(y_true, y_pred, sample_weight=weight))


class MedianAbsoluteError(NumberMetric):
    """Median absolute error, averaged over outputs.

    Notes
    -----
    Source: `sklearn.metrics.median_absolute_error`. `ExplainedVariance` has an example.
    """

    name = "median_absolute_error"

    def of_numbers(self, y_true: Array, y_pred: Array, weight: Array | None) -> float:
        return float(quantiles.median_absolute_error(y_true, y_pred, sample_weight=weight))


class PinballLoss(NumberMetric):
    """Mean pinball or quantile loss, averaged over outputs.

    Parameters
    ----------
    alpha : float, default 0.5
        The quantile, between 0 and 1; another one is part of the name ("pinball_loss_0.9").

    Raises
    ------
    ValueError, TypeError
        If `alpha` is out of range or not a number.

    Notes
    -----
    Source: `sklearn.metrics.mean_pinball_loss`. `ExplainedVariance` has an example.
    """

    kind = "pinball_loss"

    def __init__(self, alpha: float = 0.5) -> None:
        self.alpha = check.check_number("alpha", alpha, at_least=0.0, at_most=1.0)
        self.name = self.kind if self.alpha == 0.5 else f"{self.kind}_{self.alpha:g}"

    def of_numbers(self, y_true: Array, y_pred: Array, weight: Array | None) -> float:
        return float(quantiles.pinball_loss(y_true, y_pred, alpha=self.alpha, sample_weight=weight))


class D2Pinball(PinballLoss):
    """D^2 of the pinball loss: the fraction of the loss of the quantile of the targets that the predictions save.

    Parameters
    ----------
    alpha : float, default 0.5
        The quantile, between 0 and 1; another one is part of the name ("d2_pinball_0.9").

    Notes
    -----
    Source: `sklearn.metrics.d2_pinball_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.D2Pinball(0.9), metrics.D2AbsoluteError()
    (D2Pinball(name='d2_pinball_0.9'), D2AbsoluteError(name='d2_absolute_error'))
    """

    kind = "d2_pinball"

    def of_numbers(self, y_true: Array, y_pred: Array, weight: Array | None) -> float:
        return float(quantiles.d2_pinball(y_true, y_pred, alpha=self.alpha, sample_weight=weight))


class D2AbsoluteError(NumberMetric):
    """D^2 of the absolute error: the fraction of the error of the median of the targets that the predictions save.

    Notes
    -----
    Source: `sklearn.metrics.d2_absolute_error_score`. `D2Pinball` has an example.
    """

    name = "d2_absolute_error"

    def of_numbers(self, y_true: Array, y_pred: Array, weight: Array | None) -> float:
        return float(quantiles.d2_absolute_error(y_true, y_pred, sample_weight=weight))

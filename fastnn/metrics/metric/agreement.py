"""Metrics of agreement, from the counts of classes: Matthews correlation, Cohen's kappa, balanced accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import _validation as check
from ...compiler.counters import CLASSES, Counter, refuse_numbers
from .._inputs import Array
from ..agreement import correlation, kappa, mean_recall, weighted_kappa
from .base import Metric
from .outputs import class_indices, has_logits, known

if TYPE_CHECKING:
    from ...nn.loss import Loss


class ClassMetric(Metric):
    """Base of metrics of one label a sample; several (multilabel targets) are a ValueError."""

    counter: Counter | None = CLASSES

    def of_counts(self, counts: Array, several: bool) -> float:
        if several:
            raise ValueError(f"{self.name} is for one label a sample, and the targets have several")
        return self.of_classes(counts.reshape(3, -1)) if counts.any() else np.nan

    def of_classes(self, counts: Array) -> float:
        """The value from weights of true positives, predicted positives and positives, shape (3, classes)."""
        raise NotImplementedError


class MCC(ClassMetric):
    """Matthews correlation coefficient, "mcc".

        mcc = (tp tn - fp fn) / sqrt((tp + fp) (tp + fn) (tn + fp) (tn + fn))    for two classes

    Notes
    -----
    `fastnn.metrics.matthews_corrcoef` has the formula for more classes. 0 where all targets or all predictions are one
    class, NaN if nothing was counted. Source: `sklearn.metrics.matthews_corrcoef`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 2, weight_init=np.eye(2), bias_init=0.0))
    >>> chosen = ["mcc", "kappa", "balanced_accuracy"]
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), metrics=chosen)
    >>> scores = trainer.evaluate(np.eye(2, dtype="float32")[[0, 1, 1, 1]], np.array([0, 0, 1, 1]))
    >>> {name: round(scores[name], 4) for name in chosen}
    {'mcc': 0.5774, 'kappa': 0.5, 'balanced_accuracy': 0.75}
    """

    name = "mcc"

    def of_classes(self, counts: Array) -> float:
        return correlation(counts, 0.0)


class Kappa(ClassMetric):
    """Cohen's kappa: the agreement of predictions and targets beyond that expected by chance.

        weights the name is "linear_kappa" or "quadratic_kappa", and it is computed for validation data and by
        `Trainer.evaluate`, not while training.

    Raises
    ------
    ValueError
        If `weights` is not one of its options.

    Notes
    -----
    NaN where targets and predictions are all one class. Source: `sklearn.metrics.cohen_kappa_score`. `MCC` has an
    example.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.Kappa(), metrics.Kappa("quadratic")
    (Kappa(name='kappa'), Kappa(name='quadratic_kappa'))
    """

    def __init__(self, weights: str | None = None) -> None:
        check.check_choice("weights", weights, (None, "linear", "quadratic"))
        self.weights = weights
        self.name = "kappa" if weights is None else f"{weights}_kappa"
        self.counter = CLASSES if weights is None else None

    def of_classes(self, counts: Array) -> float:
        return kappa(counts, np.nan)

    def of_outputs(self, y_true: Array, y_pred: Array, weight: Array | None, loss: Loss) -> float:
        y_true, y_pred, weights = known(y_true, y_pred, weight, has_logits(loss))
        refuse_numbers(self.name, loss, y_true, y_pred.shape[1])
        true, pred = class_indices(self.name, y_true, y_pred, loss)
        return weighted_kappa(true, pred, weights, self.weights or "linear", np.nan)


class BalancedAccuracy(ClassMetric):
    """Balanced accuracy: the mean over classes of the recall of each.

    Parameters
    ----------
    adjusted : bool, default False
        Scale it so that chance is 0; the name is then "adjusted_balanced_accuracy".

    Raises
    ------
    TypeError
        If `adjusted` is not a bool.

    Notes
    -----
    Classes without samples are left out. NaN if nothing was counted. Source: `sklearn.metrics.balanced_accuracy_score`.
    `MCC` has an example.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.BalancedAccuracy(adjusted=True).name
    'adjusted_balanced_accuracy'
    """

    def __init__(self, adjusted: bool = False) -> None:
        self.adjusted = check.check_bool("adjusted", adjusted)
        self.name = "adjusted_balanced_accuracy" if adjusted else "balanced_accuracy"

    def of_classes(self, counts: Array) -> float:
        return mean_recall(counts, self.adjusted)

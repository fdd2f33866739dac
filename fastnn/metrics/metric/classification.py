"""Metrics of classification: accuracy, top-k accuracy, precision, recall, F1, Jaccard, specificity, ROC AUC."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ... import _validation as check
from ...compiler.counters import ACCURACY, CLASSES, refuse_numbers, top_k
from ...functional.softmax import softmax
from .._inputs import Array
from ..ranking import binary_auc, columns_auc
from ..rates import AVERAGES, Counts, check_average
from .base import Metric
from .outputs import is_exclusive, positives

if TYPE_CHECKING:
    from ...nn.loss import Loss

COUNTED = tuple(average for average in AVERAGES if average != "samples")  # a sum over classes cannot be one of samples


class Accuracy(Metric):
    """Accuracy: the fraction of correct predictions. The trainer records it for every classification loss.

    With class indices or one-hot rows the largest output is the prediction. With several labels a sample (multilabel
    targets), each label counts as a prediction, above the threshold of the loss (0.5, or 0 for logits).

    Notes
    -----
    `fastnn.metrics.accuracy` counts a sample with several labels only if all are right. A NaN counts as the largest of
    the outputs of a row, and as not above the threshold. NaN if all weights are 0. Source:
    `sklearn.metrics.accuracy_score`; for several labels `keras.metrics.BinaryAccuracy`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 2, weight_init=np.eye(2), bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), metrics=["accuracy"])
    >>> trainer.evaluate(np.eye(2, dtype="float32")[[0, 1, 1, 0]], np.array([0, 1, 1, 1]))["accuracy"]
    0.75
    """

    name = "accuracy"
    counter = ACCURACY


class TopKAccuracy(Metric):
    """Top-k accuracy: the fraction of samples whose class is among the k largest outputs; "top_5_accuracy" for k = 5.

    Parameters
    ----------
    k : int, default 5
        1 or more.

    Raises
    ------
    ValueError, TypeError
        If `k` is less than 1 or not an integer.

    Notes
    -----
    Of equal outputs, that of the later class counts as the larger one; NaN counts as infinity. The value is NaN if all
    weights are 0. The default is that of `keras.metrics.TopKCategoricalAccuracy`; `fastnn.metrics.top_k_accuracy` has
    that of scikit-learn, 2.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(3, 3, weight_init=np.eye(3), bias_init=0.0))
    >>> top = metrics.TopKAccuracy(2)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()), metrics=[top])
    >>> x = np.array([[3, 2, 1], [3, 2, 1], [3, 2, 1], [1, 2, 3]], "float32")
    >>> trainer.evaluate(x, np.array([0, 1, 2, 1]))[top.name]
    0.75
    """

    def __init__(self, k: int = 5) -> None:
        self.name = f"top_{check.check_integer('k', k, at_least=1)}_accuracy"
        self.counter = top_k(k)

    def of_counts(self, counts: Array, several: bool) -> float:
        return _ratio(counts[0], counts[1])


class Rate(Metric):
    """Base of `Precision`, `Recall`, `F1`, `Jaccard` and `Specificity`, which have its parameters."""

    kind: ClassVar[str]
    counter = CLASSES

    def __init__(self, average: str | None = None, zero_division: float = 0.0) -> None:
        self.zero_division = check_average(average, zero_division, COUNTED)
        self.average = average
        self.name = self.kind if average is None else f"{self.kind}_{average}"

    def of_counts(self, counts: Array, several: bool) -> float:
        counted, average = Counts.of_classes(counts.reshape(3, -1)), self.average
        if average in (None, "binary") and len(counted.positives) == 2 and not several:
            rates: Array = counted.rate(self.kind, None, self.zero_division)
            return float(rates[1])
        if average == "binary":
            raise ValueError(f"{self.name}: average='binary' is for two classes, there are {len(counted.positives)}")
        if not several:
            counted = Counts(*(c[(counted.positives != 0) | (counted.predicted != 0)] for c in counted))
        return (
            float(counted.rate(self.kind, average or "macro", self.zero_division)) if len(counted.positives) else np.nan
        )


class Precision(Rate):
    """Precision: true positives divided by predicted positives, tp / (tp + fp).

    Parameters
    ----------
    average : {None, "binary", "micro", "macro", "weighted"}, default None
        As for `fastnn.metrics.precision`; if given, it is part of the name ("precision_macro"). None means "binary",
        for class 1, if there are two classes, and otherwise "macro": over the classes that occur in targets or
        predictions, or over all labels.
    zero_division : float, default 0.0
        The value of 0 / 0, between 0 and 1 or NaN. With NaN such classes are left out of averages.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range; at evaluation, if `average="binary"` is given for more than two classes.

    Notes
    -----
    The prediction is the largest output, or for one output or several labels each output above the threshold of the
    loss (0.5, or 0 for logits). The value is NaN if there are no samples. Source: `sklearn.metrics.precision_score`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import metrics, nn, optim
    >>> net = nn.Sequential(nn.Linear(2, 2, weight_init=np.eye(2), bias_init=0.0))
    >>> rate, optimizer = metrics.Precision(), optim.SGD(net.parameters())
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optimizer, metrics=[rate])
    >>> trainer.evaluate(np.eye(2, dtype="float32")[[1, 1, 0, 0]], np.array([1, 0, 1, 1]))["precision"]
    0.5
    """

    kind = "precision"


class Recall(Rate):
    """Recall: true positives divided by positives, tp / (tp + fn).

    Parameters
    ----------
    average, zero_division
        As for `Precision`, with the same defaults.

    Notes
    -----
    Source: `sklearn.metrics.recall_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.Recall(), metrics.Recall("macro", zero_division=1.0)
    (Recall(name='recall'), Recall(name='recall_macro'))
    """

    kind = "recall"


class F1(Rate):
    """F1 score, the harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn).

    Parameters
    ----------
    average, zero_division
        As for `Precision`, with the same defaults.

    Notes
    -----
    Source: `sklearn.metrics.f1_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.F1("macro").name
    'f1_macro'
    """

    kind = "f1"


class Jaccard(Rate):
    """Jaccard index or intersection over union: tp / (tp + fp + fn).

    Parameters
    ----------
    average, zero_division
        As for `Precision`, with the same defaults.

    Notes
    -----
    Source: `sklearn.metrics.jaccard_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.Jaccard("weighted").name
    'jaccard_weighted'
    """

    kind = "jaccard"


class Specificity(Rate):
    """Specificity: true negatives divided by negatives, tn / (tn + fp).

    Parameters
    ----------
    average, zero_division
        As for `Precision`, with the same defaults.

    Raises
    ------
    ValueError
        At evaluation, for several labels a sample (multilabel targets): their negatives are not counted.

    Notes
    -----
    Source: `imblearn.metrics.specificity_score`.

    Examples
    --------
    >>> from fastnn import metrics
    >>> metrics.Specificity(), metrics.Specificity("macro")
    (Specificity(name='specificity'), Specificity(name='specificity_macro'))
    """

    kind = "specificity"

    def of_counts(self, counts: Array, several: bool) -> float:
        if several:
            raise ValueError(f"{self.name} is for one label a sample, and the targets have several: give a function of "
                             f"y_true and y_pred that calls fastnn.metrics.specificity")  # fmt: skip
        return super().of_counts(counts, several)


class ROCAUC(Metric):
    """Area under the ROC curve, for validation data and `Trainer.evaluate`, not while training.

    For more than two classes, or several labels, it is the mean of the areas of each against the rest ("macro").
    Targets are class indices, one-hot rows or probabilities (the largest is the class), or labels of 0 and 1.

    Notes
    -----
    NaN if an output is infinite or NaN, or if a class has no samples or all of them. Source:
    `sklearn.metrics.roc_auc_score` with `multi_class="ovr"`.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0, bias_init=0.0))
    >>> trainer = fastnn.Trainer(net, nn.BCEWithLogitsLoss(), optim.SGD(net.parameters()), metrics=["roc_auc"])
    >>> x, y = np.array([[1], [4], [3], [8]], "float32"), np.array([[0], [0], [1], [1]], "float32")
    >>> trainer.evaluate(x, y)["roc_auc"]
    0.75
    """

    name = "roc_auc"

    def of_outputs(self, y_true: Array, y_pred: Array, weight: Array | None, loss: Loss) -> float:
        refuse_numbers(self.name, loss, y_true, y_pred.shape[1])
        return super().of_outputs(y_true, y_pred, weight, loss)

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        if not np.isfinite(y_pred).all():
            return np.nan
        score = np.asarray(softmax(y_pred) if logits else y_pred, "float64")
        positive = positives(y_true, y_pred, logits)
        weights = np.ones(len(score)) if weight is None else np.asarray(weight, "float64")
        if score.shape[1] == 2 and is_exclusive(y_true, y_pred, logits):
            return binary_auc(positive[:, 1], score[:, 1], weights)
        return float(columns_auc(positive, score, weights, "macro"))


def _ratio(part: float, whole: float) -> float:
    """part / whole; NaN if whole is 0."""
    return float(part / whole) if whole else np.nan

"""Metrics as objects for the trainer: what its compiled loop counts for them, and what they make of it.

The functions of the same names have definitions and errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from .. import _validation as check
from .._frames import ShortErrors
from ..compiler.meters import ACCURACY, CLASSES, ERRORS, Meter, top_k
from ..functional.softmax import softmax
from ._inputs import Array
from .classification import Counts, check_average
from .ranking import binary_auc, columns_auc
from .regression import determination


class Metric(ShortErrors):
    """Base of the metrics of `Trainer(..., metrics=[...])`.

    Attributes
    ----------
    name : str
        Of the records: "f1" while training, "val_f1" for the validation data.
    meter : Meter or None
        What is counted for it, batch by batch. None if it needs all predictions at once: such a metric is computed for
        the validation data, and by `evaluate`, but not while training.
    """

    name: str
    meter: Meter | None = None

    def of_counts(self, counts: Array, several: bool) -> float:
        """The value from what the meter counted; `several` if each output is a label of its own."""
        raise NotImplementedError

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        """The value from all outputs; `logits` if a softmax makes probabilities of them."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class Accuracy(Metric):
    """Share of right predictions; with several labels a sample, of right labels."""

    name = "accuracy"
    meter = ACCURACY


class TopKAccuracy(Metric):
    """Share of samples whose class is among the k largest outputs; its name is "top_5_accuracy" for k = 5."""

    def __init__(self, k: int = 5) -> None:
        self.name = f"top_{check.check_integer('k', k, at_least=1)}_accuracy"
        self.meter = top_k(k)

    def of_counts(self, counts: Array, several: bool) -> float:
        return _ratio(counts[0], counts[1])


class Rate(Metric):
    """Base of precision, recall and F1.

    Parameters
    ----------
    average : {None, "binary", "micro", "macro", "weighted"}, default None
        As for the functions, and part of the name then ("f1_macro"); by default "binary" where there are two classes,
        and otherwise "macro", over the classes that occur.
    zero_division : float, default 0
        What stands for 0 / 0.
    """

    kind: ClassVar[str]
    meter = CLASSES

    def __init__(self, average: str | None = None, zero_division: float = 0.0) -> None:
        self.zero_division = check_average(average, zero_division)
        self.average = average
        self.name = self.kind if average is None else f"{self.kind}_{average}"

    def of_counts(self, counts: Array, several: bool) -> float:
        counted, average = Counts(*counts.reshape(3, -1)), self.average
        if average in (None, "binary") and len(counted.true) == 2 and not several:
            rates: Array = counted.rate(self.kind, None, self.zero_division)
            return float(rates[1])
        if average == "binary":
            raise ValueError(f"{self.name}: average='binary' is for two classes, there are {len(counted.true)}")
        if not several:
            counted = Counts(*(c[(counted.true != 0) | (counted.called != 0)] for c in counted))
        return float(counted.rate(self.kind, average or "macro", self.zero_division)) if len(counted.true) else np.nan


class Precision(Rate):
    """Share of what was called a class that is it."""

    kind = "precision"


class Recall(Rate):
    """Share of a class that was called it."""

    kind = "recall"


class F1(Rate):
    """The harmonic mean of precision and recall."""

    kind = "f1"


class Errors(Metric):
    """Base of the metrics of regression; over several outputs they are averaged.

    Sums are kept as they are, batch by batch: of errors beyond 1e154, or all below 1e-162, squares are out of range.
    """

    meter = ERRORS

    def of_counts(self, counts: Array, several: bool) -> float:
        (weight, samples), (absolute, squared, _, spread) = counts[:2], counts[2:].reshape(4, -1)
        if not weight:
            return np.nan
        return float(np.mean(self.of_sums(absolute / weight, squared / weight, spread / weight, samples)))

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        """The value for each output, from its mean errors and its mean squared distance from the mean."""
        raise NotImplementedError


class MAE(Errors):
    """Mean absolute error."""

    name = "mae"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return absolute


class MSE(Errors):
    """Mean squared error."""

    name = "mse"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return squared


class RMSE(Errors):
    """Root of the mean squared error, of each output."""

    name = "rmse"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return np.sqrt(squared)


class R2(Errors):
    """Coefficient of determination."""

    name = "r2"

    def of_sums(self, absolute: Array, squared: Array, spread: Array, samples: float) -> Array:
        return determination(squared, spread, samples)


class ROCAUC(Metric):
    """Area under the ROC curve, for validation data; of several classes or labels the mean, each against the rest.

    nan where a class does not occur, or an output is not finite.
    """

    name = "roc_auc"

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        if not np.isfinite(y_pred).all():
            return np.nan
        score = np.asarray(softmax(y_pred) if logits else y_pred, "float64")
        if y_true.ndim == 1 and score.shape[1] > 1:
            positive = y_true[:, None] == np.arange(score.shape[1])
        elif logits:  # one-hot rows or probabilities
            positive = y_true.argmax(1)[:, None] == np.arange(score.shape[1])
        else:
            positive = y_true.reshape(len(score), -1) > 0.5
        weights = np.ones(len(score)) if weight is None else np.asarray(weight, "float64")
        if score.shape[1] == 2 and (logits or y_true.ndim == 1):
            return binary_auc(positive[:, 1], score[:, 1], weights)
        return float(columns_auc(positive, score, weights, "macro"))


class Function(Metric):
    """A function (y_true, y_pred) -> number, for validation data; with weights `sample_weight=` is given too."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def of_predictions(self, y_true: Array, y_pred: Array, weight: Array | None, logits: bool) -> float:
        value = self.function(y_true, y_pred) if weight is None else self.function(y_true, y_pred, sample_weight=weight)
        return check.check_number(self.name, value) if value == value else np.nan


METRICS: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "f1": F1,
    "mae": MAE,
    "mse": MSE,
    "precision": Precision,
    "r2": R2,
    "recall": Recall,
    "rmse": RMSE,
    "roc_auc": ROCAUC,
    "top_k_accuracy": TopKAccuracy,
}


def as_metrics(metrics: Any) -> list[Metric]:
    """Metrics by name, as objects, and functions, all as objects; no two of one name."""
    if isinstance(metrics, str) or not isinstance(metrics, Iterable):
        raise TypeError(f"metrics must be a list of metrics, got {metrics!r:.60}")
    result: dict[str, Metric] = {}
    for i, item in enumerate(metrics):
        metric = _as_metric(i, item)
        if metric.name in result or metric.name in ("loss", "seconds"):
            raise ValueError(f"metrics[{i}]: there is a record named {metric.name!r} already")
        result[metric.name] = metric
    return list(result.values())


def _as_metric(i: int, item: Any) -> Metric:
    if isinstance(item, str):
        if item not in METRICS:
            raise ValueError(f"metrics[{i}] must be one of {', '.join(map(repr, METRICS))}, got {item!r}")
        return METRICS[item]()
    if isinstance(item, Metric):
        return item
    if isinstance(item, type) and issubclass(item, Metric):
        raise TypeError(f"metrics[{i}] must be an object, not the class: write {item.__name__}()")
    if callable(item):
        return Function(item)
    raise TypeError(f"metrics[{i}] must be a name, a metric of fastnn.metrics or a function, got {type(item).__name__}")


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan

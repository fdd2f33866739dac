"""Metrics by name, and the conversion of the argument `metrics` of the trainer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ... import _validation as check
from ...nn.loss import Loss
from .agreement import MCC, BalancedAccuracy, Kappa
from .base import Function, Metric
from .classification import F1, ROCAUC, Accuracy, Jaccard, Precision, Recall, Specificity, TopKAccuracy
from .losses import LossMetric
from .regression import MAE, MSE, R2, RMSE
from .whole import (
    AveragePrecision,
    Brier,
    D2AbsoluteError,
    D2Pinball,
    ExplainedVariance,
    HammingLoss,
    LogLoss,
    MaxError,
    MedianAbsoluteError,
    PinballLoss,
)

METRICS: dict[str, type[Metric]] = {
    "accuracy": Accuracy,
    "f1": F1,
    "mae": MAE,
    "mse": MSE,
    "precision": Precision,
    "r2": R2,
    "recall": Recall,
    "rmse": RMSE,
    "top_k_accuracy": TopKAccuracy,
    "balanced_accuracy": BalancedAccuracy,
    "jaccard": Jaccard,
    "kappa": Kappa,
    "mcc": MCC,
    "specificity": Specificity,
    # for validation data and `Trainer.evaluate` only
    "roc_auc": ROCAUC,
    "average_precision": AveragePrecision,
    "brier": Brier,
    "d2_absolute_error": D2AbsoluteError,
    "d2_pinball": D2Pinball,
    "explained_variance": ExplainedVariance,
    "hamming_loss": HammingLoss,
    "log_loss": LogLoss,
    "max_error": MaxError,
    "median_absolute_error": MedianAbsoluteError,
    "pinball_loss": PinballLoss,
}

# Other names: those of the functions of `fastnn.metrics`, and those that metrics with arguments have in records.
ALIASES: dict[str, Callable[[], Metric]] = {
    "cohen_kappa": Kappa,
    "matthews_corrcoef": MCC,
    "linear_kappa": lambda: Kappa("linear"),
    "quadratic_kappa": lambda: Kappa("quadratic"),
    "adjusted_balanced_accuracy": lambda: BalancedAccuracy(adjusted=True),
}
TOP_K = re.compile(r"top_([1-9][0-9]{0,8})_accuracy")
SHORT = {"acc": "accuracy", "auc": "roc_auc", "ap": "average_precision", "iou": "jaccard", "f1_score": "f1"}


def as_metrics(metrics: Any) -> list[Metric]:
    """Metrics as objects, from names, objects and functions.

    Parameters
    ----------
    metrics : iterable of str, Metric, Loss or callable
        A name is one of `METRICS` or `ALIASES`, or "top_3_accuracy" for any k; the values are recorded by the name
        that is given.

    Returns
    -------
    list of Metric

    Raises
    ------
    ValueError
        If a name is none of those, or two metrics have one name, or one is named "loss" or "seconds".
    TypeError
        If it is not a list, or an item is none of the three, or a class instead of an object.

    Examples
    --------
    >>> from fastnn.metrics.metric import as_metrics
    >>> as_metrics(["mae", "r2"])
    [MAE(name='mae'), R2(name='r2')]
    >>> as_metrics(["cohen_kappa", "top_3_accuracy"])
    [Kappa(name='cohen_kappa'), TopKAccuracy(name='top_3_accuracy')]
    """
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
        return _named(i, item)
    if isinstance(item, Metric):
        return item
    if isinstance(item, type) and issubclass(item, Metric):
        raise TypeError(f"metrics[{i}] must be an object, not the class: write {item.__name__}()")
    if isinstance(item, Loss):
        return LossMetric(item)
    if callable(item):
        return Function(item)
    raise TypeError(
        f"metrics[{i}] must be a name, a metric of fastnn.metrics, a loss or a function, got {type(item).__name__}"
    )


def _named(i: int, name: str) -> Metric:
    """The metric of a name; ValueError if there is none."""
    if name in METRICS:
        return METRICS[name]()
    if found := TOP_K.fullmatch(name):
        return TopKAccuracy(int(found[1]))
    if name in ALIASES:
        metric = ALIASES[name]()
        metric.name = name
        return metric
    hint = f": did you mean {SHORT[name]}?" if name in SHORT else check.did_you_mean(name, [*METRICS, *ALIASES])
    raise ValueError(f"metrics[{i}] must be one of {', '.join(map(repr, METRICS))}, got {name!r}{hint}")

"""Metrics by name, and the conversion of the argument `metrics` of the trainer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .agreement import MCC, BalancedAccuracy, Kappa
from .base import Function, Metric
from .classification import F1, ROCAUC, Accuracy, Jaccard, Precision, Recall, Specificity, TopKAccuracy
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


def as_metrics(metrics: Any) -> list[Metric]:
    """Metrics as objects, from names, objects and functions.

    Parameters
    ----------
    metrics : iterable of str, Metric or callable

    Returns
    -------
    list of Metric

    Raises
    ------
    ValueError
        If a name is not one of `METRICS`, or two metrics have one name, or one is named "loss" or "seconds".
    TypeError
        If it is not a list, or an item is none of the three, or a class instead of an object.

    Examples
    --------
    >>> from fastnn.metrics.metric import as_metrics
    >>> as_metrics(["mae", "r2"])
    [MAE(name='mae'), R2(name='r2')]
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

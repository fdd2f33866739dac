"""Metrics as objects for the trainer: the counts that its compiled loop sums, and the value computed from them.

Formulas and edge cases are those of the functions of the same names.
"""

from .agreement import MCC, BalancedAccuracy, Kappa
from .base import Function, Metric
from .classification import F1, ROCAUC, Accuracy, Jaccard, Precision, Recall, Specificity, TopKAccuracy
from .losses import LossMetric
from .names import METRICS, as_metrics
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

__all__ = [
    "F1",
    "MAE",
    "MCC",
    "METRICS",
    "MSE",
    "R2",
    "RMSE",
    "ROCAUC",
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "Brier",
    "D2AbsoluteError",
    "D2Pinball",
    "ExplainedVariance",
    "Function",
    "HammingLoss",
    "Jaccard",
    "Kappa",
    "LogLoss",
    "LossMetric",
    "MaxError",
    "MedianAbsoluteError",
    "Metric",
    "PinballLoss",
    "Precision",
    "Recall",
    "Specificity",
    "TopKAccuracy",
    "as_metrics",
]

"""Metrics as objects for the trainer: the counts that its compiled loop sums, and the value computed from them.

Formulas and edge cases are those of the functions of the same names.
"""

from .base import Function, Metric
from .classification import F1, ROCAUC, Accuracy, Precision, Recall, TopKAccuracy
from .names import METRICS, as_metrics
from .regression import MAE, MSE, R2, RMSE

__all__ = [
    "F1",
    "MAE",
    "METRICS",
    "MSE",
    "R2",
    "RMSE",
    "ROCAUC",
    "Accuracy",
    "Function",
    "Metric",
    "Precision",
    "Recall",
    "TopKAccuracy",
    "as_metrics",
]

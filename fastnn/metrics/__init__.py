"""Metrics: functions of arrays with the numbers of scikit-learn, and objects for `Trainer(metrics=[...])`."""

from .classification import accuracy, confusion_matrix, top_k_accuracy
from .metric import F1, MAE, MSE, R2, RMSE, ROCAUC, Accuracy, Metric, Precision, Recall, TopKAccuracy
from .precision_recall import f1, precision, recall
from .ranking import roc_auc
from .regression import mae, mse, r2, rmse

__all__ = [
    "F1",
    "MAE",
    "MSE",
    "R2",
    "RMSE",
    "ROCAUC",
    "Accuracy",
    "Metric",
    "Precision",
    "Recall",
    "TopKAccuracy",
    "accuracy",
    "confusion_matrix",
    "f1",
    "mae",
    "mse",
    "precision",
    "r2",
    "recall",
    "rmse",
    "roc_auc",
    "top_k_accuracy",
]


def __dir__() -> list[str]:
    return sorted(__all__)

"""Metrics: functions of arrays with the numbers of scikit-learn, and objects for `Trainer(metrics=[...])`."""

from .agreement import balanced_accuracy, cohen_kappa, hamming_loss, matthews_corrcoef
from .classification import accuracy, confusion_matrix, top_k_accuracy
from .metric import F1, MAE, MSE, R2, RMSE, ROCAUC, Accuracy, Metric, Precision, Recall, TopKAccuracy
from .precision_recall import f1, jaccard, precision, recall, specificity
from .probabilities import brier, log_loss
from .quantiles import d2_absolute_error, d2_pinball, max_error, median_absolute_error, pinball_loss
from .ranking import average_precision, roc_auc
from .regression import explained_variance, mae, mse, r2, rmse

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
    "average_precision",
    "balanced_accuracy",
    "brier",
    "cohen_kappa",
    "confusion_matrix",
    "d2_absolute_error",
    "d2_pinball",
    "explained_variance",
    "f1",
    "hamming_loss",
    "jaccard",
    "log_loss",
    "mae",
    "matthews_corrcoef",
    "max_error",
    "median_absolute_error",
    "mse",
    "pinball_loss",
    "precision",
    "r2",
    "recall",
    "rmse",
    "roc_auc",
    "specificity",
    "top_k_accuracy",
]


def __dir__() -> list[str]:
    return sorted(__all__)

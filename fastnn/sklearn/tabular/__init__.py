"""Estimators for tables: numbers, categories, text and times in, a good model out."""

from .classifier import TabularClassifier
from .regressor import TabularRegressor

__all__ = ["TabularClassifier", "TabularRegressor"]


def __dir__() -> list[str]:
    return sorted(__all__)

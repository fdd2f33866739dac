"""The arguments of estimators, which scikit-learn keeps as attributes of their names."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator


class Keeping(BaseEstimator):
    """Base of the estimators, whose constructors only keep their arguments."""

    def _keep(self, values: dict[str, Any]) -> None:
        """Set each argument as an attribute, from the local variables of `__init__`."""
        for name, value in values.items():
            if name != "self":
                setattr(self, name, value)

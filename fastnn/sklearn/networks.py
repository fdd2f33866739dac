"""Networks that were trained already, as estimators."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from .._validation import Array


class Predicts(Protocol):
    """An ensemble of networks."""

    def predict(self, x: Any, how: str = "mean") -> Array:
        """The mean of the outputs."""

    def predict_proba(self, x: Any) -> Array:
        """The mean of the probabilities."""


class _Trained(BaseEstimator):
    """Base of both: an estimator whose `fit` does nothing, as `sklearn.frozen.FrozenEstimator`'s."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Return the estimator as it is."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class NetworkRegressor(RegressorMixin, _Trained):
    """A regressor that predicts by networks.

    Parameters
    ----------
    ensemble : fastnn.Ensemble

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=2.0, bias_init=0.0))
    >>> fastnn.Ensemble([net]).to_sklearn().predict(np.array([[1.5]], "float32"))
    array([3.], dtype=float32)
    """

    def __init__(self, ensemble: Predicts) -> None:
        self.ensemble = ensemble

    def predict(self, X: Any) -> Array:
        """The mean output, of shape (rows,), or (rows, outputs) of several."""
        y = self.ensemble.predict(X)
        return y[:, 0] if y.shape[1] == 1 else y


class NetworkClassifier(ClassifierMixin, _Trained):
    """A classifier that predicts by networks.

    Parameters
    ----------
    ensemble : fastnn.Ensemble
    classes : array of shape (outputs,), or of two classes for one output

    Raises
    ------
    ValueError
        When it predicts, if there are not as many classes as outputs.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(1, 1, weight_init=2.0, bias_init=0.0))
    >>> model = fastnn.Ensemble([net]).to_sklearn(["low", "high"])
    >>> model.predict(np.array([[1.5], [-1.0]], "float32")).tolist()
    ['high', 'low']
    """

    def __init__(self, ensemble: Predicts, classes: Any) -> None:
        self.ensemble, self.classes = ensemble, classes

    @property
    def classes_(self) -> Array:
        """The classes."""
        return np.asarray(self.classes)

    def predict_proba(self, X: Any) -> Array:
        """The mean probabilities, of shape (rows, classes)."""
        p = self.ensemble.predict_proba(X)
        if p.shape[1] != len(self.classes_):
            raise ValueError(f"classes must be one for each of {p.shape[1]} columns, got {len(self.classes_)}")
        return p

    def predict(self, X: Any) -> Array:
        """The most probable classes."""
        labels: Array = self.classes_[self.predict_proba(X).argmax(1)]
        return labels

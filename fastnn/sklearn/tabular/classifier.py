"""The classifier of tables."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from ... import functional as F
from ... import nn
from ..._validation import Array
from ..calibration import fit_temperature
from ..constraints import SHARE
from ..export.exported import ExportedOnnx
from ..persistence import Saved
from .base import CONSTRAINTS, BaseTabular
from .documentation import documented
from .reading import missing, plain


@documented
class TabularClassifier(ClassifierMixin, Saved, ExportedOnnx, BaseTabular):
    """Classifier of tables: numbers, categories, text and times, any of them missing, without preprocessing.

    An ensemble of networks, each trained by the recipe of RealMLP and validated on rows of its own. Probabilities are
    calibrated by those rows.

    Parameters
    ----------
    {parameters}
    label_smoothing : float in [0, 1), default=0.1
        Share of each target that is spread evenly over the classes.
    class_weight : dict, "balanced" or None, default=None
        Weights of classes as in scikit-learn, by which sample weights are multiplied.
    {more}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    temperature_ : float
        What outputs are divided by before the softmax: it minimizes the log loss of the rows that a network was not
        trained on (Guo et al., 2017).
    {attributes}

    {raises}

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn import TabularClassifier
    >>> size, colour = np.arange(60.0), np.array(["red", "green", "blue"] * 20)
    >>> X = np.array([size, colour], dtype=object).T
    >>> y = np.where((size > 30) & (colour != "red"), "yes", "no")
    >>> model = TabularClassifier(n_estimators=2, max_epochs=60, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {
        "label_smoothing": [SHARE],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    activation_rates = "selu", 0.04

    def __init__(
        self,
        *,
        categorical_features: Any = None,
        class_weight: Any = None,
        n_estimators: Any = "auto",
        hidden_layer_sizes: Any = (128, 128, 128),
        activation: str = "auto",
        numeric_embedding: str | None = None,
        embedding_features: int = 16,
        max_onehot: int = 9,
        embedding_dim: int = 8,
        dropout: float = 0.15,
        learning_rate_init: Any = "auto",
        weight_decay: float = 0.02,
        label_smoothing: float = 0.1,
        batch_size: Any = "auto",
        max_epochs: Any = "auto",
        patience: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self._keep(locals())

    # -- fit -----------------------------------------------------------------------------------------------------------

    def _checked_target(self, y: Any) -> Array:
        labels = column_or_1d(y, warn=True)
        for row, label in enumerate(labels if labels.dtype.kind == "O" else ()):
            if missing(label):
                raise ValueError(f"Input y contains NaN: row {row} has no class. Leave such rows out")
        check_classification_targets(labels)
        return labels

    def _set_target(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        self.classes_, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(self.classes_) > 1 and counts.min() < 2:
            label = self.classes_[counts.argmin()]
            row = int(np.flatnonzero(y == label)[0])
            raise ValueError(
                f"class {plain(label)!r} has one row, row {row}: a class needs two, one to train and one to "
                "validate with. Leave the row out or join the class to another"
            )
        return codes.astype("int64"), codes

    def _weights(self, sample_weight: Array | None, y: Array) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if sample_weight is None else sample_weight * by_class

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _loss(self) -> nn.Loss:
        return nn.CrossEntropyLoss(label_smoothing=float(self.label_smoothing))

    def _calibrate(self, rows: Array, outputs: Array, target: Array, y: Array, weight: Array | None) -> None:
        of_rows = None if weight is None else weight[rows]
        self.temperature_ = 1.0
        if len(self.classes_) > 1 and (of_rows is None or of_rows.sum() > 0):
            self.temperature_ = fit_temperature(outputs, target[rows], of_rows)

    # -- predictions ---------------------------------------------------------------------------------------------------

    def _combined(self, matrix: Array) -> Array:
        total = np.zeros((len(matrix), len(self.classes_)))
        for member in self.members_:
            total += F.softmax(member.outputs(matrix).astype("float64") / self.temperature_, axis=-1)
        return total / len(self.members_)

    def _score_of(self, y: Array, combined: Array, weight: Array | None) -> float:
        return float(accuracy_score(y, self.classes_.take(combined.argmax(axis=1)), sample_weight=weight))

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class: the mean of the networks' calibrated softmax.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        likely : ndarray of float64, shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        return self._combined(self._matrix(X))

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of `predict_proba`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        log_likely : ndarray of float64, shape (n_samples, n_classes)
        """
        return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> Array:
        """The class with the largest probability.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        likely = self.predict_proba(X)
        return self.classes_.take(likely.argmax(axis=1))

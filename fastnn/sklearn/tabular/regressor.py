"""The regressor of tables."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_array, column_or_1d

from ... import nn
from ..._validation import Array
from ..export.exported import ExportedOnnx
from ..persistence import Saved
from .base import CONSTRAINTS, BaseTabular
from .documentation import documented
from .intervals import conformal_width


@documented
class TabularRegressor(RegressorMixin, Saved, ExportedOnnx, BaseTabular):
    """Regressor of tables: numbers, categories, text and times, any of them missing, without preprocessing.

    An ensemble of networks, each trained by the recipe of RealMLP on the scaled target and validated on rows of its
    own. `predict_interval` has intervals by the errors on those rows.

    Parameters
    ----------
    {parameters}
    clip : bool, default=True
        Whether predictions are kept within the range of the targets of `fit`.
    {more}

    Attributes
    ----------
    n_outputs_ : int
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        Of the scaling of the target.
    target_range_ : ndarray of shape (2, n_outputs)
        Smallest and largest target.
    held_out_errors_ : ndarray of shape (rows, n_outputs)
        Absolute errors of rows that a network was not trained on, by that network.
    {attributes}

    {raises}

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn import TabularRegressor
    >>> size, colour = np.arange(60.0), np.array(["red", "green", "blue"] * 20)
    >>> X, y = np.array([size, colour], dtype=object).T, size + 20 * (colour == "red")
    >>> model = TabularRegressor(n_estimators=2, max_epochs=60, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    >>> model.predict_interval(X, coverage=0.9).shape
    (60, 2)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {"clip": ["boolean"]}
    activation_rates = "mish", 0.07
    file_attributes = ("target_mean_", "target_scale_", "target_range_", "held_out_errors_", "_flat")

    def __init__(
        self,
        *,
        categorical_features: Any = None,
        clip: bool = True,
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
        batch_size: Any = "auto",
        max_epochs: Any = "auto",
        patience: Any = "auto",
        random_state: Any = None,
    ) -> None:
        self._keep(locals())

    # -- fit -----------------------------------------------------------------------------------------------------------

    def _checked_target(self, y: Any) -> Array:
        numbers = np.asarray(y)
        if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
            row = int(np.flatnonzero(~np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1))[0])
            raise ValueError(f"Input y contains NaN or infinity: row {row} is {numbers[row]}. Leave such rows out")
        if numbers.ndim == 2 and numbers.shape[1] == 1:
            numbers = column_or_1d(y, warn=True)
        return check_array(numbers, dtype="float64", ensure_2d=False, input_name="y")

    def _set_target(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        columns = y.reshape(len(y), -1)
        self.n_outputs_, self._flat = columns.shape[1], y.ndim == 1
        mean = np.average(columns, axis=0, weights=weight)
        spread = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weight))
        self.target_mean_, self.target_scale_ = mean, np.where(spread > 0, spread, 1.0)
        self.target_range_ = np.stack([columns.min(axis=0), columns.max(axis=0)])
        return ((columns - mean) / self.target_scale_).astype("float32"), None

    def _n_outputs(self) -> int:
        return int(self.n_outputs_)

    def _loss(self) -> nn.Loss:
        return nn.MSELoss()

    def _calibrate(self, rows: Array, outputs: Array, target: Array, y: Array, weight: Array | None) -> None:
        self.held_out_errors_ = np.abs(y.reshape(len(y), -1)[rows] - self._numbers(outputs))

    # -- predictions ---------------------------------------------------------------------------------------------------

    def _numbers(self, outputs: Array) -> Array:
        """Outputs in the unit of the target, within its range."""
        numbers = outputs.astype("float64") * self.target_scale_ + self.target_mean_
        return np.clip(numbers, *self.target_range_) if self.clip else numbers

    def _combined(self, matrix: Array) -> Array:
        total = np.zeros((len(matrix), self.n_outputs_))
        for member in self.members_:
            total += self._numbers(member.outputs(matrix))
        return total / len(self.members_)

    def _score_of(self, y: Array, combined: Array, weight: Array | None) -> float:
        return float(r2_score(y.reshape(len(y), -1), combined, sample_weight=weight))

    def predict(self, X: Any) -> Array:
        """The expected number: the mean of the networks' predictions.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of float64, shape (n_samples,) or (n_samples, n_outputs)
        """
        numbers = self._combined(self._matrix(X))
        return numbers[:, 0] if self._flat else numbers

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Intervals that hold about this share of new targets: the prediction -+ a quantile of held-out errors.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
        coverage : float in (0, 1), default=0.9

        Returns
        -------
        interval : ndarray of float64, shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Lower and upper ends; infinite where there are too few rows for this coverage.

        Notes
        -----
        Split conformal prediction. The errors are those of single networks, whose mean, the prediction, is closer as a
        rule: that widens the intervals. The best epoch was chosen by the same rows: that narrows them a little. All
        intervals have one width. Rows count alike, whatever their sample weights.
        """
        numbers, width = self._combined(self._matrix(X)), conformal_width(self.held_out_errors_, coverage)
        interval = np.stack([numbers - width, numbers + width], axis=-1)
        return interval[:, 0] if self._flat else interval

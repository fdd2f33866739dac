"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import xlogy
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._validation import Array
from ..nn.loss import Loss
from ..nn.module import Module
from .base import BaseMLP
from .constraints import ACTIVATIONS, CONSTRAINTS
from .documentation import documented
from .ensemble import Ensemble
from .export.exported import Exported
from .losses import HalfSquaredError, Poisson, regressor_loss
from .persistence import Saved
from .prediction import probabilities


@documented
class MLPRegressor(RegressorMixin, Saved, Exported, Ensemble, BaseMLP):
    """Multi-layer perceptron regressor: scikit-learn's, trained and run by fastnn.

    The parameters as far as `max_fun` are those of `sklearn.neural_network.MLPRegressor`, with the same meaning and
    the same results to rounding; the others are further ones, whose defaults change nothing.

    Parameters
    ----------
    loss : str, nn.Loss or function, default="squared_error"
        "squared_error" (half of it), "poisson" (half the deviance, with exp as output activation), or else
        "absolute_error", "huber", "quantile" for the quantiles of `quantiles`, or a loss of `fastnn.nn`.
    {same}
    output_activation : str, layer, callable or None, default=None
        A last layer of the network, such as "softplus" for positive numbers; named as for `activation`.
    quantiles : sequence of float, default=(0.1, 0.5, 0.9)
        With loss="quantile": those that `predict_quantiles` returns; `predict` returns the one nearest to 0.5.
    {more}

    Attributes
    ----------
    {attributes}
    estimators_ : list of MLPRegressor
        With `n_estimators` above 1.

    {raises}

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn import MLPRegressor
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 3.0, 5.0, 7.0])
    >>> model = MLPRegressor(solver="lbfgs", activation="identity", alpha=0.0, tol=1e-8, random_state=0).fit(X, y)
    >>> model.predict(np.array([[4.0]])).round(2).tolist()
    [9.0]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {
        "loss": [
            StrOptions({"squared_error", "poisson", "absolute_error", "huber", "quantile"}), Loss, callable,
        ],
        "output_activation": [StrOptions(set(ACTIVATIONS)), Module, callable, None],
        "quantiles": ["array-like"],
    }  # fmt: skip

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        output_activation: Any = None,
        quantiles: Any = (0.1, 0.5, 0.9),
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        norm: str | None = None,
        residual: bool = False,
        optimizer: Any = None,
        scheduler: Any = None,
        l1: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        validation_data: Any = None,
        scoring: Any = None,
        restore_best: bool = True,
        mixup: float = 0.0,
        averaging: Any = None,
        keep_optimizer: bool = False,
        n_estimators: int = 1,
        progress: bool = False,
    ) -> None:
        self._keep(locals())

    # -- targets -------------------------------------------------------------------------------------------------------

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        return self._checked(X, y, reset, y_numeric=True)

    def _as_validation(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        X, y = self._validate_input(X, y, incremental=False, reset=False)
        return X, y, self._targets(y.reshape(len(y), -1))

    def _as_given(self, y: Array) -> Array:
        return y.ravel() if y.shape[1] == 1 else y

    def _n_network_outputs(self) -> int:
        return int(self.n_outputs_) * (len(self.quantiles) if self.loss == "quantile" else 1)

    def _targets(self, y: Array) -> Array:
        target = np.tile(y, (1, len(self.quantiles))) if self.loss == "quantile" else y
        return np.ascontiguousarray(target, self._dtype())

    def _stratify(self, y: Array) -> Array | None:
        return None

    def _make_loss(self) -> Loss:
        return regressor_loss(self.loss, [float(q) for q in self.quantiles], int(self.n_outputs_))

    def _output_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _loss_terms(self, y: Array) -> tuple[Array | None, float]:
        loss = self._make_loss() if isinstance(self.loss, str) else None
        if isinstance(loss, Poisson):
            return (xlogy(y, y) - y).sum(axis=1), 1.0
        return None, 1.0 / self.n_outputs_ if isinstance(loss, HalfSquaredError) else 1.0

    def _score(self, X: Any, y: Array, sample_weight: Array | None = None) -> float:
        predicted = self._numbers(self._outputs(X, check_input=False))
        if not np.isfinite(predicted).all():
            return float("nan")
        return float(r2_score(y, predicted, sample_weight=sample_weight))

    # -- predictions ---------------------------------------------------------------------------------------------------

    def _numbers(self, outputs: Array) -> Array:
        """Predictions from outputs of the network."""
        if self.loss == "quantile":
            outputs = outputs[:, self._middle()]
        numbers = probabilities(outputs, self.out_activation_)
        return numbers.ravel() if numbers.shape[1] == 1 else numbers

    def _middle(self) -> slice:
        """The outputs of the quantile nearest to 0.5."""
        middle = int(np.abs(np.asarray(self.quantiles, "float64") - 0.5).argmin())
        return slice(middle * int(self.n_outputs_), (middle + 1) * int(self.n_outputs_))

    def predict(self, X: Any) -> Array:
        """Predict numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        outputs = self._quick_outputs(X)
        if outputs is None and self._members() is not None:
            return self._mean("predict", X)
        if outputs is None:
            outputs = self._checked_outputs(X)
        return self._numbers(outputs)

    @available_if(lambda self: self._check_quantiles())
    def predict_quantiles(self, X: Any) -> Array:
        """Predict the quantiles of `quantiles`; only with loss="quantile".

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples, n_quantiles) or (n_samples, n_quantiles, n_outputs)
            Of each row in ascending order of the quantiles, so that none cross; columns in the order of `quantiles`.
        """
        check_is_fitted(self)
        if self._members() is not None:
            return self._mean("predict_quantiles", X)
        outputs = self._outputs(X).reshape(-1, len(self.quantiles), int(self.n_outputs_))
        places = np.argsort(np.argsort(np.asarray(self.quantiles, "float64")))
        numbers = np.sort(outputs, axis=1)[:, places]
        return numbers[:, :, 0] if self.n_outputs_ == 1 else numbers

    def _check_quantiles(self) -> bool:
        if self.loss != "quantile":
            raise AttributeError(f"predict_quantiles needs loss='quantile', got loss={self.loss!r}")
        return True

    @available_if(lambda self: self._check_solver)  # as in scikit-learn, also of solver="lbfgs"
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Update the model with a single epoch over the given data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        self : object
        """
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)

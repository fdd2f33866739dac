"""The regressor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import xlogy
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ..nn.loss import Loss
from ..nn.module import Module
from .base import BaseMLP
from .constraints import ACTIVATIONS, CONSTRAINTS
from .ensemble import Ensemble
from .losses import HalfSquaredError, Poisson, regressor_loss
from .persistence import Saved
from .prediction import probabilities

Array = np.ndarray[Any, Any]


class MLPRegressor(RegressorMixin, Saved, Ensemble, BaseMLP):
    """Multi-layer perceptron regressor: scikit-learn's, trained and run by fastnn.

    The parameters as far as `max_fun` are those of `sklearn.neural_network.MLPRegressor`, with the same meaning and
    the same results to rounding; the others are further ones, whose defaults change nothing.

    Parameters
    ----------
    loss : str, nn.Loss or function, default="squared_error"
        "squared_error" (half of it), "poisson" (half the deviance, with exp as output activation), or else
        "absolute_error", "huber", "quantile" for the quantiles of `quantiles`, or a loss of `fastnn.nn`.
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer.
    activation : str, layer, callable, or sequence of them, default="relu"
        Of the hidden layers, or one for each: "identity", "logistic", "tanh", "relu", or any activation layer of
        `fastnn.nn` by its name in lower case ("gelu", "silu", "mish", ...), as a layer, or as its class.
    solver : {"lbfgs", "sgd", "adam"}, default="adam"
        "lbfgs" minimizes the loss of all rows by SciPy's L-BFGS-B; the others train by batches.
    alpha : float, default=0.0001
        Strength of the L2 term alpha / 2 sum w^2, which is divided by the number of rows (the sum of their weights).
    batch_size : int or "auto", default="auto"
        Rows of a batch; "auto" is min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        Of solver="sgd": "invscaling" divides `learning_rate_init` by t^power_t after each epoch, "adaptive" divides the
        rate by 5 each time there is no progress.
    learning_rate_init : float, default=0.001
    power_t : float, default=0.5
    max_iter : int, default=200
        Largest number of epochs, or of iterations of "lbfgs".
    shuffle : bool, default=True
        Whether each epoch has an order of its own.
    random_state : int, RandomState instance or None, default=None
        Of the initial weights, the split and the orders: the same draws as in scikit-learn.
    tol : float, default=1e-4
        What the loss or the score must improve by within `n_iter_no_change` epochs.
    verbose : bool, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether `fit` continues from the weights of the fit before.
    momentum : float, default=0.9
    nesterovs_momentum : bool, default=True
    early_stopping : bool, default=False
        Whether to stop by the score of rows that are kept for validation.
    validation_fraction : float, default=0.1
        Share of these rows.
    beta_1, beta_2 : float, default=0.9, 0.999
    epsilon : float, default=1e-8
        Of solver="adam", added to the root of the mean square.
    n_iter_no_change : int, default=10
        Epochs without progress after which training stops; numpy.inf for never.
    max_fun : int, default=15000
        Largest number of evaluations by "lbfgs".
    output_activation : str, layer, callable or None, default=None
        A last layer of the network, such as "softplus" for positive numbers; named as for `activation`.
    quantiles : sequence of float, default=(0.1, 0.5, 0.9)
        With loss="quantile": those that `predict_quantiles` returns; `predict` returns the one nearest to 0.5.
    dropout : float or sequence of float, default=0.0
        Share of the units of the hidden layers, or of each, that are dropped while training.
    input_dropout : float, default=0.0
        Share of the features that are dropped while training.
    norm : {"batch", "layer", "rms"} or None, default=None
        Normalization after each hidden linear layer.
    residual : bool, default=False
        Whether hidden layers with as many units as the layer before add their input to their output.
    optimizer : str, class, callable or None, default=None
        In place of the solver's: the name or the class of an optimizer of `fastnn.optim`, given `learning_rate_init`,
        or a function of the parameters that returns one. `alpha` is then a penalty of alpha / batch_size.
    scheduler : {"cosine", "linear", "one_cycle"}, callable or None, default=None
        Of the learning rate, over `max_iter` epochs; or a function of the optimizer that returns a scheduler.
    l1 : float, default=0.0
        Strength of the L1 term l1 sum |w|, divided by `batch_size`.
    max_norm : float or None, default=None
        Largest 2-norm of the incoming weights of a hidden unit.
    clip_norm, clip_value : float or None, default=None
        Largest 2-norm of all gradients together, and largest magnitude of each.
    validation_data : (X, y), (X, y, sample_weight), splitter or None, default=None
        Rows to validate with, or an object whose `split(X, y)` yields indices to train on and to validate with, in
        place of `validation_fraction`. Without `early_stopping` their scores are recorded only.
    scoring : str, callable or None, default=None
        The validation score: a scorer of scikit-learn, or "loss"; by default that of `score`.
    restore_best : bool, default=True
        Whether early stopping ends with the weights of the best score.
    mixup : float, default=0.0
        Above 0, batches are mixtures of pairs of rows, with shares from Beta(mixup, mixup); see `fastnn.data.Mixup`.
    averaging : {"ema", "swa"}, float or None, default=None
        Average of the weights over updates, which the model ends with and is validated with. "ema" has decay 0.99, a
        number is another decay; "swa" is the mean.
    keep_optimizer : bool, default=False
        Whether a warm start keeps the optimizer with its state too.
    n_estimators : int, default=1
        Above 1, an ensemble of so many networks, trained from different draws; predictions are means.
    progress : bool, default=False
        Whether to show a bar.

    Attributes
    ----------
    loss_ : float
        Of the last epoch.
    best_loss_ : float or None
        The least loss; None with early stopping.
    loss_curve_ : list of float
        The loss of each epoch, its L2 term included.
    validation_scores_ : list of float or None
        The score of each epoch, where there are rows to validate with.
    best_validation_score_ : float or None
    validation_loss_curve_ : list of float
        With `validation_data` or `scoring`, the validation loss of each epoch.
    t_ : int
        Rows trained on.
    coefs_, intercepts_ : list of ndarray
        The weights, of shape (inputs, outputs), and biases of each layer; they can be set, whole or in place.
    n_features_in_, n_iter_, n_layers_, n_outputs_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        If X has names of columns.
    out_activation_ : str
    network_ : fastnn.nn.Sequential
        The network; its outputs are those before `out_activation_`.
    trainer_ : fastnn.Trainer
        What trained it, except by "lbfgs".
    history_ : fastnn.History
        Records of the epochs.
    estimators_ : list of MLPRegressor
        With `n_estimators` above 1.

    Raises
    ------
    ValueError, TypeError
        By `fit`, as in scikit-learn, if a parameter is out of its range or the data do not fit it.

    Warns
    -----
    ConvergenceWarning
        If training ended with `max_iter` epochs.

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
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.output_activation = output_activation
        self.quantiles = quantiles
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.norm = norm
        self.residual = residual
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.l1 = l1
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.validation_data = validation_data
        self.scoring = scoring
        self.restore_best = restore_best
        self.mixup = mixup
        self.averaging = averaging
        self.keep_optimizer = keep_optimizer
        self.n_estimators = n_estimators
        self.progress = progress

    # -- targets -------------------------------------------------------------------------------------------------------

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _as_validation(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        X, y = self._validate_input(X, y, incremental=False, reset=False)
        return X, y, self._targets(y.reshape(len(y), -1))

    def _as_given(self, y: Array) -> Array:
        return y.ravel() if y.shape[1] == 1 else y

    def _n_network_outputs(self) -> int:
        return int(self.n_outputs_) * (len(self.quantiles) if self.loss == "quantile" else 1)

    def _targets(self, y: Array) -> Array:
        target = np.tile(y, (1, len(self.quantiles))) if self.loss == "quantile" else y
        dtype = self.network_.parameters().data.dtype if "network_" in self.__dict__ else np.float64
        return np.ascontiguousarray(target, dtype)

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
            middle = int(np.abs(np.asarray(self.quantiles, "float64") - 0.5).argmin())
            outputs = outputs[:, middle * self.n_outputs_ : (middle + 1) * self.n_outputs_]
        numbers = probabilities(outputs, self.out_activation_)
        return numbers.ravel() if numbers.shape[1] == 1 else numbers

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
            check_is_fitted(self)
            outputs = self._outputs(X)
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

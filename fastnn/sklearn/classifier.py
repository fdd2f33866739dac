"""The classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted, validate_data

from ..functional.sigmoids import sigmoid
from ..nn.loss import Loss
from .base import BaseMLP
from .calibration import fit_temperature
from .constraints import CONSTRAINTS, SHARE
from .ensemble import Ensemble
from .labels import binarized
from .losses import classifier_loss
from .persistence import Saved
from .prediction import probabilities
from .validation import Validation

Array = np.ndarray[Any, Any]


class MLPClassifier(ClassifierMixin, Saved, Ensemble, BaseMLP):
    """Multi-layer perceptron classifier: scikit-learn's, trained and run by fastnn.

    The parameters as far as `max_fun` are those of `sklearn.neural_network.MLPClassifier`, with the same meaning and
    the same results to rounding; the others are further ones, whose defaults change nothing.

    Parameters
    ----------
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
    loss : "log_loss", "focal", nn.Loss or function, default="log_loss"
        "focal" is the focal loss of logits; a loss of `fastnn.nn` takes logits, with one column for two classes.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of classes as in scikit-learn, by which sample weights are multiplied.
    label_smoothing : float, default=0.0
        Share of each target that is spread evenly over the classes.
    calibrate : bool, default=False
        Whether `predict_proba` divides the outputs by a temperature that minimizes the log loss of the validation rows
        (Guo et al., 2017).
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
    classes_ : ndarray or list of ndarray of shape (n_classes,)
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
    temperature_ : float
        With `calibrate`.
    estimators_ : list of MLPClassifier
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
    >>> from fastnn.sklearn import MLPClassifier
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["low", "low", "high", "high"])
    >>> model = MLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
    >>> model.predict(np.array([[0.5], [2.5]])).tolist()
    ['low', 'high']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS | {
        "loss": [StrOptions({"log_loss", "focal"}), Loss, callable],
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "label_smoothing": [SHARE],
        "calibrate": ["boolean"],
    }

    def __init__(
        self,
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
        loss: Any = "log_loss",
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        calibrate: bool = False,
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
        self.loss = loss
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.calibrate = calibrate
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

    # -- labels --------------------------------------------------------------------------------------------------------

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        # Classes are those of the first fit; a warm start must have the same, partial_fit none besides.
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._label_binarizer, indicators = binarized(y)
            self.classes_ = self._label_binarizer.classes_
            if indicators is not None:
                return X, indicators
        else:
            classes = unique_labels(y)
            if self.warm_start:
                if set(classes) != set(self.classes_):
                    raise ValueError(
                        "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                        f"Previously got {self.classes_}, `y` has {classes}"
                    )
            elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
                raise ValueError(
                    f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
                )
        return X, self._label_binarizer.transform(y).astype(bool)

    def _as_validation(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=False
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        indicators = self._label_binarizer.transform(y).astype(bool)
        return X, y, self._targets(indicators)

    def _as_given(self, y: Array) -> Array:
        return self._label_binarizer.inverse_transform(y) if self._validates() else y

    def _multiclass(self) -> bool:
        return bool(self._label_binarizer.y_type_ == "multiclass")

    def _targets(self, y: Array) -> Array:
        if self._multiclass():
            return y.argmax(axis=1)
        dtype = self.network_.parameters().data.dtype if "network_" in self.__dict__ else np.float64
        numbers = y.astype(dtype)
        if self.label_smoothing:
            numbers += self.label_smoothing * (0.5 - numbers)
        return numbers

    def _stratify(self, y: Array) -> Array | None:
        return y if self.n_outputs_ == 1 else None

    def _weights(self, sample_weight: Array | None, y: Array, given: Any) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, given)
        return by_class if sample_weight is None else sample_weight * by_class

    def _make_loss(self) -> Loss:
        return classifier_loss(self.loss, self._multiclass(), float(self.label_smoothing))

    def _output_activation(self) -> str:
        return "softmax" if self._multiclass() else "logistic"

    def _loss_terms(self, y: Array) -> tuple[Array | None, float]:
        return None, 1.0

    def _score(self, X: Any, y: Array, sample_weight: Array | None = None) -> float:
        outputs = self._outputs(X, check_input=False)
        if not np.isfinite(outputs).all():
            return float("nan")
        return float(accuracy_score(y, self._labels(outputs), sample_weight=sample_weight))

    def _finish(self, validation: Validation | None) -> None:
        self.__dict__.pop("temperature_", None)
        if self.calibrate:
            if validation is None:
                raise ValueError("calibrate needs rows to validate with: early_stopping=True or validation_data")
            self.temperature_ = fit_temperature(
                self._outputs(validation.x, check_input=False), validation.target, validation.weight
            )

    # -- predictions ---------------------------------------------------------------------------------------------------

    def _labels(self, outputs: Array) -> Array:
        """The classes of outputs of the network."""
        if self.n_outputs_ > 1 and self._multiclass():
            return self.classes_.take(outputs.argmax(axis=1))
        if self.n_outputs_ == 1 and len(self.classes_) == 2:
            return self.classes_.take(outputs.ravel() > 0)
        likely = probabilities(outputs, self.out_activation_)
        return self._label_binarizer.inverse_transform(likely.ravel() if self.n_outputs_ == 1 else likely)

    def _likely_labels(self, likely: Array) -> Array:
        """The classes of probabilities as `predict_proba` returns them."""
        if self._multiclass():
            return self.classes_.take(likely.argmax(axis=1))
        return self._label_binarizer.inverse_transform(likely[:, 1] if self.n_outputs_ == 1 else likely)

    def predict(self, X: Any) -> Array:
        """Predict classes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        outputs = self._quick_outputs(X)
        if outputs is None and self._members() is not None:
            return self._likely_labels(self._mean("predict_proba", X))
        if outputs is None:
            check_is_fitted(self)
            outputs = self._outputs(X)
        return self._labels(outputs)

    def decision_function(self, X: Any) -> Array:
        """The outputs of the network before softmax or the logistic function.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,) for two classes, or (n_samples, n_classes)
        """
        if self._members() is not None:
            return self._mean("decision_function", X)
        outputs = self._quick_outputs(X)
        if outputs is None:
            check_is_fitted(self)
            outputs = self._outputs(X)
        return outputs.ravel() if self.n_outputs_ == 1 else outputs

    def predict_proba(self, X: Any) -> Array:
        """Probability estimates.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y_prob : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        if self._members() is not None:
            return self._mean("predict_proba", X)
        outputs = self._quick_outputs(X)
        if outputs is None:
            check_is_fitted(self)
            outputs = self._outputs(X)
        if "temperature_" in self.__dict__:
            outputs = outputs / outputs.dtype.type(self.temperature_)
        if self.n_outputs_ > 1:
            return probabilities(outputs, self.out_activation_)
        positive = sigmoid(outputs)
        return np.concatenate([1 - positive, positive], axis=1)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probability estimates.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        log_y_prob : ndarray of shape (n_samples, n_classes)
            Equal to log(predict_proba(X)).
        """
        likely = self.predict_proba(X)
        return np.log(likely, out=likely)

    @available_if(lambda self: self._check_solver())
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Update the model with a single epoch over the given data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
        classes : array of shape (n_classes,), default=None
            All classes; needed in the first call.

        Returns
        -------
        self : object
        """
        if _check_partial_fit_first_call(self, classes):
            self._label_binarizer = LabelBinarizer()
            self._label_binarizer.fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

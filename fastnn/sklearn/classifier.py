"""The classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from .._validation import Array
from ..functional.sigmoids import sigmoid
from ..nn.loss import Loss
from .base import BaseMLP
from .calibration import fit_temperature
from .constraints import CONSTRAINTS, SHARE
from .documentation import documented
from .ensemble import Ensemble
from .export.exported import Exported
from .labels import binarized
from .losses import classifier_loss
from .persistence import Saved
from .prediction import probabilities
from .validation import Validation


@documented
class MLPClassifier(ClassifierMixin, Saved, Exported, Ensemble, BaseMLP):
    """Multi-layer perceptron classifier: scikit-learn's, trained and run by fastnn.

    The parameters as far as `max_fun` are those of `sklearn.neural_network.MLPClassifier`, with the same meaning and
    the same results to rounding; the others are further ones, whose defaults change nothing.

    Parameters
    ----------
    {same}
    loss : "log_loss", "focal", nn.Loss or function, default="log_loss"
        "focal" is the focal loss of logits; a loss of `fastnn.nn` takes logits, with one column for two classes.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of classes as in scikit-learn, by which sample weights are multiplied.
    label_smoothing : float, default=0.0
        Share of each target that is spread evenly over the classes.
    calibrate : bool, default=False
        Whether `predict_proba` divides the outputs by a temperature that minimizes the log loss of the validation rows
        (Guo et al., 2017).
    {more}

    Attributes
    ----------
    classes_ : ndarray or list of ndarray of shape (n_classes,)
    {attributes}
    temperature_ : float
        With `calibrate`.
    estimators_ : list of MLPClassifier
        With `n_estimators` above 1.

    {raises}

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
        self._keep(locals())

    # -- labels --------------------------------------------------------------------------------------------------------

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        X, y = self._checked(X, y, reset)
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
        X, y = self._checked(X, y, reset=False)
        indicators = self._label_binarizer.transform(y).astype(bool)
        return X, y, self._targets(indicators)

    def _as_given(self, y: Array) -> Array:
        return self._label_binarizer.inverse_transform(y) if self._validates() else y

    def _multiclass(self) -> bool:
        return bool(self._label_binarizer.y_type_ == "multiclass")

    def _targets(self, y: Array) -> Array:
        if self._multiclass():
            return y.argmax(axis=1)
        numbers = y.astype(self._dtype())
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
            outputs = self._checked_outputs(X)
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
            outputs = self._checked_outputs(X)
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
            outputs = self._checked_outputs(X)
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

"""What both estimators do: checks, initial weights, the choice of the solver, and the state between two fits."""

from __future__ import annotations

from abc import abstractmethod
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .. import nn
from .._validation import Array
from ..training import History, Trainer
from .arguments import Keeping
from .building import build, hidden_sizes
from .constraints import CONSTRAINTS, STOCHASTIC
from .prediction import Predictor, probabilities
from .quasi_newton import Objective, fit_lbfgs
from .solver import Solver
from .stochastic import Stochastic
from .validation import Validation, split_off

PLAIN = (bool, int, float, str, type(None))  # types of values that `repr` tells apart
VALID: set[str] = set()  # classes with parameters that were found valid
MOST_VALID = 1000
NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


class BaseMLP(Keeping):
    """Base of the estimators; `MLPClassifier` and `MLPRegressor` describe parameters and attributes."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    def _validate_params(self) -> None:
        """Check the parameters as scikit-learn does; plain ones that passed before are not looked at again."""
        values = vars(self)
        given = [values.get(name) for name in self._parameter_constraints]
        key = None
        if all(type(v) in PLAIN or (type(v) is tuple and all(type(item) in PLAIN for item in v)) for v in given):
            key = f"{type(self).__name__}{given}"
            if key in VALID:
                return
        super()._validate_params()
        if key is not None:
            if len(VALID) >= MOST_VALID:
                VALID.clear()
            VALID.add(key)

    # -- what the two define -------------------------------------------------------------------------------------------

    @abstractmethod
    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        """The checked data; targets as numbers, or a column of booleans for each class."""

    @abstractmethod
    def _targets(self, y: Array) -> Array:
        """Targets of shape (rows, outputs) as the loss takes them."""

    @abstractmethod
    def _make_loss(self) -> nn.Loss:
        """The loss that is trained with."""

    @abstractmethod
    def _output_activation(self) -> str:
        """The name for `out_activation_`."""

    @abstractmethod
    def _loss_terms(self, y: Array) -> tuple[Array | None, float]:
        """What is added to the loss of each row, and the factor of the loss, to report scikit-learn's."""

    @abstractmethod
    def _score(self, X: Any, y: Array, sample_weight: Array | None = None) -> float:
        """The validation score of rows that are checked."""

    @abstractmethod
    def _stratify(self, y: Array) -> Array | None:
        """What the split of validation rows is stratified by."""

    def _n_network_outputs(self) -> int:
        """Outputs of the network."""
        return int(self.n_outputs_)

    def _weights(self, sample_weight: Array | None, y: Array, given: Any) -> Array | None:
        """The weights of the samples, those of classes included."""
        return sample_weight

    def _checked(self, X: Any, y: Any, reset: bool, **more: Any) -> tuple[Any, Array]:
        """Rows and their labels or numbers, checked as scikit-learn does it; a single column y has one axis."""
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=reset,
            **more,
        )  # fmt: skip
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _dtype(self) -> Any:
        """The dtype of the targets: that of the network, if there is one."""
        return self.network_.parameters().data.dtype if "network_" in self.__dict__ else np.float64

    # -- fit -----------------------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit the model to data matrix X and target(s) y.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_samples, n_features)
            The input data.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The target values: class labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights, 0 or more.

        Returns
        -------
        self : object
            The fitted model.
        """
        return self._fit(X, y, sample_weight=sample_weight, incremental=False)

    def _fit(self, X: Any, y: Any, sample_weight: Any = None, incremental: bool = False) -> Any:
        sizes = hidden_sizes(self.hidden_layer_sizes)
        first_pass = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        given = y
        X, y = self._validate_input(X, y, incremental, reset=first_pass)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        sample_weight = self._weights(sample_weight, y, given)
        if y.ndim == 1:
            y = y.reshape((-1, 1))
        self.n_outputs_ = y.shape[1]
        self._random_state = check_random_state(self.random_state)
        units = [X.shape[1], *sizes, self._n_network_outputs()]
        if first_pass:
            self._initialize(units, X.dtype)
        self._check_together()
        net = self._bind()
        if self.solver in STOCHASTIC:
            self._fit_stochastic(net, X, y, sample_weight, incremental)
        else:
            constant, factor = self._loss_terms(y)
            loss, alpha = self._make_loss(), float(self.alpha)
            fit_lbfgs(self, Objective(net, loss, X, self._targets(y), sample_weight, alpha, constant, factor))
        if not np.isfinite(net.parameters().data).all():
            raise ValueError(NOT_FINITE)
        return self

    def _check_together(self) -> None:
        """Raise ValueError for keywords that the solver "lbfgs" cannot have."""
        if self.solver in STOCHASTIC:
            return
        without = {
            "dropout": bool(np.any(self.dropout)), "input_dropout": bool(self.input_dropout), "mixup": bool(self.mixup),
            "norm": self.norm == "batch", "averaging": self.averaging is not None, "l1": bool(self.l1),
            "max_norm": self.max_norm is not None, "optimizer": self.optimizer is not None,
            "scheduler": self.scheduler is not None, "clip_norm": self.clip_norm is not None,
            "clip_value": self.clip_value is not None, "validation_data": self.validation_data is not None,
        }  # fmt: skip
        for name, given in without.items():
            if given:
                raise ValueError(f"{name} needs batches: solver must be 'adam' or 'sgd', got {self.solver!r}")

    def _initialize(self, units: list[int], dtype: Any) -> None:
        """Set the attributes of a model that is not trained yet, and draw its weights as scikit-learn does."""
        self.n_iter_ = self.t_ = 0
        self.n_layers_ = len(units)
        self.out_activation_ = self._output_activation()
        coefs: list[Array] = []
        intercepts: list[Array] = []
        for fan_in, fan_out in pairwise(units):
            bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / (fan_in + fan_out))
            coefs.append(self._random_state.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype, copy=False))
            intercepts.append(self._random_state.uniform(-bound, bound, fan_out).astype(dtype, copy=False))
        precise = np.float64 if self.solver == "lbfgs" else dtype  # SciPy's minimizer works in float64
        self.coefs_ = [c.astype(precise, copy=False) for c in coefs]
        self.intercepts_ = [b.astype(precise, copy=False) for b in intercepts]
        for name in ("_predictor", "network_", "_optimizer", "_best"):
            self.__dict__.pop(name, None)
        self.history_ = History()
        self.validation_loss_curve_: list[float] = []
        if self.solver in STOCHASTIC:
            self.loss_curve_: list[float] = []
            self._no_improvement_count = 0
            self.best_loss_ = None if self.early_stopping else np.inf
            self.best_validation_score_ = -np.inf if self.early_stopping else None
            self.validation_scores_: list[float] | None = [] if self._validates() else None

    def _validates(self) -> bool:
        return bool(self.early_stopping) or self.validation_data is not None

    def _bind(self) -> nn.Sequential:
        """The network with the values of `coefs_` and `intercepts_`, which become views of its parameters."""
        predictor = self._current()
        self.coefs_, self.intercepts_ = list(predictor.coefs), list(predictor.intercepts)
        return predictor.net

    def _current(self) -> Predictor:
        """The network with the present values of `coefs_` and `intercepts_`; another one if their shapes changed."""
        predictor = self.__dict__.get("_predictor")
        coefs, intercepts = self.coefs_, self.intercepts_
        if predictor is None or not predictor.fits(coefs, intercepts):
            units = [np.shape(coefs[0])[0], *(np.shape(c)[1] for c in coefs)]
            net = build(self, units, np.asarray(coefs[0]).dtype, self._network_seed())
            predictor = Predictor(net)
            self._predictor, self.network_ = predictor, net
            self.__dict__.pop("_optimizer", None)
        predictor.sync(coefs, intercepts)
        return predictor

    def _network_seed(self) -> int:
        """The seed of dropout and mixup; drawn only where there is one, so that other draws are scikit-learn's."""
        if not (np.any(self.dropout) or self.input_dropout or self.mixup) or not hasattr(self, "_random_state"):
            return 0
        return int(self._random_state.randint(np.iinfo(np.int32).max))

    def _fit_stochastic(self, net: nn.Sequential, X: Any, y: Array, weight: Array | None, incremental: bool) -> None:
        solver = self.__dict__.get("_optimizer")
        if not (incremental or self.keep_optimizer) or solver is None:
            solver = self._optimizer = Solver(self, net, self._make_loss())
        self.trainer_: Trainer = solver.trainer
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        for name, value in self._missing().items():
            self.__dict__.setdefault(name, value)
        labels, target = self._as_given(y), self._targets(y)
        rows, validation = split_off(self, X, labels, target, weight, self._stratify(y))
        if rows is not None:
            X, target = X[rows], target[rows]
            weight = None if weight is None else weight[rows]
        self._validation = validation
        if validation is not None and "_best" not in self.__dict__:
            self._best = net.state_dict()
        try:
            Stochastic(self, solver, X, target, weight, validation, incremental).run()
            if solver.trainer.average is not None:
                solver.trainer.average.copy_to()
            if self.early_stopping and self.restore_best:
                net.load_state_dict(self._best)
            self._finish(validation)
        finally:
            del self._validation

    def _missing(self) -> dict[str, Any]:
        """Attributes of training that a model with `coefs_` set by hand may lack."""
        return {
            "history_": History(), "validation_loss_curve_": [], "loss_curve_": [], "_no_improvement_count": 0, "t_": 0,
            "best_loss_": np.inf, "validation_scores_": None, "best_validation_score_": None,
        }  # fmt: skip

    def _finish(self, validation: Validation | None) -> None:
        """What comes after training, with the validation rows at hand."""

    def _as_given(self, y: Array) -> Array:
        """Labels as `score` takes them, from the targets that `_validate_input` gives."""
        return y

    @abstractmethod
    def _as_validation(self, X: Any, y: Any) -> tuple[Any, Array, Array]:
        """Checked rows of `validation_data`, their labels, and the targets for the loss."""

    def _keeps_validation_loss(self) -> bool:
        return self.validation_data is not None or self.scoring is not None

    def _mean_loss(self, validation: Validation) -> float:
        """The mean loss of the validation rows, without penalties."""
        outputs = self._outputs(validation.x, check_input=False)
        loss = self.trainer_.loss
        target, _ = loss.prepare_target(validation.target, len(outputs), outputs.shape[1], outputs.dtype)
        weight = None if validation.weight is None else validation.weight.astype(outputs.dtype)
        constant, factor = self._loss_terms(validation.target)
        added = 0.0 if constant is None else float(np.average(constant, weights=weight))
        return float(loss(outputs, target, weight)[0]) * factor + added

    def _watched(self) -> bool:
        """Whether something is called after each epoch."""
        return False

    def _epoch_ends(self, record: dict[str, float]) -> None:
        """Called after each epoch with its records."""

    # -- outputs -------------------------------------------------------------------------------------------------------

    def _quick_outputs(self, X: Any) -> Array | None:
        """The network's outputs for a plain array; None for what needs scikit-learn's checks."""
        state = self.__dict__
        predictor = state.get("_predictor")
        if predictor is None or "feature_names_in_" in state or state.get("n_features_in_") != predictor.columns:
            return None
        return predictor.quick(X, state["coefs_"], state["intercepts_"])

    def _checked_outputs(self, X: Any) -> Array:
        """The network's outputs of a fitted model for anything that scikit-learn takes."""
        check_is_fitted(self)
        return self._outputs(X)

    def _outputs(self, X: Any, check_input: bool = True) -> Array:
        """The network's outputs, of the common dtype of X and the coefficients."""
        if check_input:
            X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        predictor = self._current()
        outputs = predictor.outputs(X)
        return outputs.astype(np.result_type(X.dtype, predictor.dtype), copy=False) if X.dtype.kind == "f" else outputs

    def _loss_grad_lbfgs(
        self, packed: Array, X: Any, y: Array, sample_weight: Array | None, *buffers: Any
    ) -> tuple[float, Array]:
        """The loss of packed coefficients and intercepts, and its gradient, under scikit-learn's name.

        `buffers` are what its own implementation writes to; they are not needed.
        """
        constant, factor = self._loss_terms(y)
        loss, target = self._make_loss(), self._targets(y)
        return Objective(self._bind(), loss, X, target, sample_weight, float(self.alpha), constant, factor)(packed)

    def _forward_pass_fast(self, X: Any, check_input: bool = True) -> Array:
        """The outputs after `out_activation_`, under the name that scikit-learn has for it."""
        return probabilities(self._outputs(X, check_input), self.out_activation_)

    # -- state ---------------------------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """What pickles are made of: the network has the coefficients, which are views of its parameters."""
        if "_predictor" in self.__dict__:
            self._current()
        state = dict(super().__getstate__())
        if state.pop("_predictor", None) is not None:
            state["coefs_"] = state["intercepts_"] = None
        state.pop("_best", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if state.get("coefs_", ()) is None:
            predictor = self._predictor = Predictor(self.network_)
            self.coefs_, self.intercepts_ = list(predictor.coefs), list(predictor.intercepts)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _check_solver(self) -> bool:
        if self.solver not in STOCHASTIC:
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )
        return True

"""What the tabular estimators share: checks, fit, and the outputs of the members."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import partial
from typing import Any, ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ... import nn
from ..._validation import Array
from ...training import History
from ..arguments import Keeping
from ..constraints import ACTIVATIONS, COUNT, NOT_NEGATIVE, POSITIVE, SHARE
from ..ensemble import _side_by_side
from .encoding import Encoder
from .fitting import Member, Plan, deal, held_out
from .importance import permutation_importances
from .network import Recipe
from .reading import Named, is_frame

MOST = np.iinfo(np.int32).max
VISITS = 150_000  # rows that a member is trained on, counted as often as it is
EPOCHS = 8, 128  # at least, at most
MEMBERS = ((30_000, 4), (math.inf, 2))  # up to so many rows, so many members
FOLDS = 8  # at least, of which each member is validated on one

CONSTRAINTS: dict[str, list[Any]] = {
    "categorical_features": ["array-like", None],
    "n_estimators": [StrOptions({"auto"}), COUNT],
    "hidden_layer_sizes": ["array-like", COUNT],
    "activation": [StrOptions(set(ACTIVATIONS) | {"auto"})],
    "numeric_embedding": [StrOptions({"piecewise", "periodic"}), None],
    "embedding_features": [COUNT],
    "max_onehot": [COUNT],
    "embedding_dim": [COUNT],
    "dropout": [SHARE],
    "learning_rate_init": [StrOptions({"auto"}), POSITIVE],
    "weight_decay": [NOT_NEGATIVE],
    "batch_size": [StrOptions({"auto"}), COUNT],
    "max_epochs": [StrOptions({"auto"}), COUNT],
    "patience": [StrOptions({"auto"}), COUNT],
    "random_state": ["random_state"],
}


class BaseTabular(Keeping):
    """Base of `TabularClassifier` and `TabularRegressor`, which describe parameters and attributes."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS
    activation_rates: ClassVar[tuple[str, float]]  # by default

    # -- what the two define -------------------------------------------------------------------------------------------

    @abstractmethod
    def _set_target(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        """The target as the loss takes it, and labels that the folds are balanced by; sets what predictions need."""

    @abstractmethod
    def _loss(self) -> nn.Loss:
        """A new loss."""

    @abstractmethod
    def _calibrate(self, rows: Array, outputs: Array, target: Array, y: Array, weight: Array | None) -> None:
        """Set what is learned of the outputs for rows that a member was not trained on."""

    @abstractmethod
    def _combined(self, matrix: Array) -> Array:
        """The predictions of all members together, for rows of the matrix, as scores are computed of them."""

    @abstractmethod
    def _score_of(self, y: Array, combined: Array, weight: Array | None) -> float:
        """The score of such predictions."""

    def _weights(self, sample_weight: Array | None, y: Array) -> Array | None:
        return sample_weight

    # -- fit -----------------------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit the model to a table.

        Parameters
        ----------
        X : DataFrame of pandas or polars, or array-like of shape (n_samples, n_features)
            Numbers, booleans, categories, text and times, any of which may be missing.
        y : array-like of shape (n_samples,), or (n_samples, n_outputs) of numbers
        sample_weight : array-like of shape (n_samples,), default=None
            0 or more.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a column or a target cannot be used; the message names it, and the first row.
        """
        random = check_random_state(self.random_state)
        X, y = self._checked(X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, y, dtype="float64", ensure_non_negative=True)
        encoder = Encoder(
            self.categorical_features, self.max_onehot, self.numeric_embedding, self.embedding_features,
            check_random_state(random.randint(MOST)),
        )  # fmt: skip
        matrix = encoder.fit(X)
        weight = self._weights(sample_weight, y)
        target, labels = self._set_target(y, weight)
        members, folds = self._train(encoder, matrix, target, labels, weight, random)
        self.encoder_, self.members_ = encoder, members
        self.n_estimators_, self.history_ = len(members), members[0].history
        self.histories_: list[History] = [member.history for member in members]
        self.n_iter_ = max(member.history.epochs for member in members)
        rows, outputs = held_out(members, folds, matrix, self._n_outputs())
        self._calibrate(rows, outputs, target, y, weight)
        return self

    def _checked(self, X: Any, y: Any) -> tuple[Any, Array]:
        """The table, and y as an array without missing or infinite numbers; sets `n_features_in_` and the names."""
        if y is None:
            validate_data(self, X, y)  # raises scikit-learn's error
        X, y = self._checked_table(X, reset=True), self._checked_target(y)
        rows = len(X)
        if rows != len(y):
            raise ValueError(f"Found input variables with inconsistent numbers of samples: {[rows, len(y)]}")
        if rows < 2:
            raise ValueError(f"Found array with {rows} sample(s) while a minimum of 2 is required (n_samples = {rows})")
        return X, y

    @abstractmethod
    def _checked_target(self, y: Any) -> Array:
        """y as an array."""

    def _checked_table(self, X: Any, reset: bool) -> Any:
        """X with its names, or with as many columns as there were; an array of numbers as scikit-learn checks it."""
        named = hasattr(self, "feature_names_in_") and not reset
        if is_frame(X):
            if reset or not named:
                validate_data(self, X, skip_check_array=True, reset=reset)
            return X if reset or named else X.to_numpy()  # names are looked at, in any order, when columns are read
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUT" and X.size:
            validate_data(self, X, skip_check_array=True, reset=reset)
        else:
            X = validate_data(self, X, dtype=None, ensure_all_finite=False, reset=reset)
        return Named(X, list(self.feature_names_in_)) if named else X

    def _train(
        self, encoder: Encoder, matrix: Array, target: Array, labels: Array | None, weight: Array | None, random: Any
    ) -> tuple[list[Member], Array]:
        rows = len(matrix)
        count = self._n_members(rows)
        smallest = rows if labels is None else int(np.bincount(labels).min())
        folds = max(2, min(max(count, FOLDS), smallest, rows))
        count = min(count, folds)
        fold = deal(labels, rows, folds, random)
        recipe = Recipe(
            max(1, encoder.n_numbers), encoder.tables(), self._n_outputs(),
            [int(n) for n in np.atleast_1d(self.hidden_layer_sizes)],
            self.activation_rates[0] if self.activation == "auto" else self.activation,
            float(self.dropout), int(self.embedding_dim),
        )  # fmt: skip
        plan = self._plan(rows)
        members = [Member(recipe, int(seed)) for seed in random.randint(MOST, size=count)]
        _side_by_side(
            [partial(member.train, plan, matrix, target, weight, fold == i) for i, member in enumerate(members)]
        )
        self.recipe_ = recipe
        return members, fold

    def _n_members(self, rows: int) -> int:
        if self.n_estimators == "auto":
            return next(count for most, count in MEMBERS if rows <= most)
        return int(self.n_estimators)

    def _plan(self, rows: int) -> Plan:
        batch = int(min(rows, 256)) if self.batch_size == "auto" else int(self.batch_size)
        epochs = int(np.clip(VISITS // rows, *EPOCHS)) if self.max_epochs == "auto" else int(self.max_epochs)
        rate = self.activation_rates[1] if self.learning_rate_init == "auto" else float(self.learning_rate_init)
        patience = epochs if self.patience == "auto" else int(self.patience)
        return Plan(rate, float(self.weight_decay), epochs, batch, patience, "val_loss", self._loss)

    @abstractmethod
    def _n_outputs(self) -> int:
        """Outputs of the networks."""

    # -- outputs -------------------------------------------------------------------------------------------------------

    def _matrix(self, X: Any) -> Array:
        """The matrix of a table with the columns that the model was fitted with."""
        check_is_fitted(self)
        return self.encoder_.transform(self._checked_table(X, reset=False))

    def feature_importances(
        self, X: Any, y: Any, n_repeats: int = 5, sample_weight: Any = None, random_state: Any = None
    ) -> dict[str, Array]:
        """Permutation importance of each column: how much the score falls when its rows are permuted.

        Parameters
        ----------
        X, y, sample_weight
            Rows to score on, better not those of `fit`.
        n_repeats : int, default=5
        random_state : int, RandomState or None, default=None
            Of the permutations; None takes `random_state` of the model.

        Returns
        -------
        importances : dict
            "names", and "mean", "std" of shape (n_features,) and "each" of shape (n_features, n_repeats); also the
            attribute `permutation_importance_`.
        """
        matrix, y = self._matrix(X), self._checked_target(y)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, y)
        groups = self.encoder_.groups()
        random = check_random_state(self.random_state if random_state is None else random_state)
        each = permutation_importances(
            self._combined, lambda combined: self._score_of(y, combined, weight), matrix,
            [places for places, _ in groups], int(n_repeats), random,
        )  # fmt: skip
        names = np.array([name for _, name in groups])
        self.permutation_importance_ = {
            "names": names,
            "mean": each.mean(axis=1),
            "std": each.std(axis=1),
            "each": each,
        }
        return self.permutation_importance_

    # -- files ---------------------------------------------------------------------------------------------------------

    file_attributes: ClassVar[tuple[str, ...]] = ()  # what a file holds besides

    def _file_state(self) -> dict[str, Any]:
        """What a file holds besides the parameters, the classes and the numbers that all estimators have."""
        networks = [[member.seed, dict(member.net.state_dict())] for member in self.members_]
        rest = {name: getattr(self, name) for name in self.file_attributes}
        return {"encoder": self.encoder_.state(), "recipe": self.recipe_.state(), "networks": networks, "rest": rest}

    def _set_file_state(self, state: dict[str, Any]) -> None:
        """Take what `_file_state` returned; ValueError, TypeError or LookupError if it is nothing like it."""
        self.encoder_, self.recipe_ = Encoder.of_state(state["encoder"]), Recipe(**state["recipe"])
        self.members_ = []
        for seed, arrays in state["networks"]:
            if self.recipe_.size() != sum(array.size for array in arrays.values()):  # before anything is made so large
                raise ValueError("the networks are not of the recipe's size")
            member = Member(self.recipe_, seed)
            member.net.load_state_dict(arrays)
            self.members_.append(member)
        self.n_estimators_, self.history_, self.histories_ = len(self.members_), History(), []
        for name in self.file_attributes:
            setattr(self, name, state["rest"][name])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags

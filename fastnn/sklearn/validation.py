"""The rows that an estimator is scored on after each epoch."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _check_sample_weight

from .._validation import Array

# scikit-learn's words.
TOO_SMALL = "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."


class Validation:
    """Rows to score on.

    Attributes
    ----------
    x : ndarray or sparse matrix
    y : ndarray
        Labels or numbers as `fit` is given them.
    target : ndarray
        The same as the loss takes it.
    weight : ndarray or None
    stops : bool
        Whether training stops by the score.
    """

    def __init__(self, x: Any, y: Array, target: Array, weight: Array | None, stops: bool) -> None:
        self.x, self.y, self.target, self.weight, self.stops = x, y, target, weight, stops
        self.scorer: Any = None

    def score(self, estimator: Any) -> float:
        """The score of the estimator as it is now, and a record of its loss where one is kept."""
        average = estimator.trainer_.average
        with nullcontext() if average is None else average.applied():
            if estimator._keeps_validation_loss():
                estimator.validation_loss_curve_.append(estimator._mean_loss(self))
            if self.scorer == "loss":
                return -estimator.validation_loss_curve_[-1]
            if self.scorer is None:
                return estimator._score(self.x, self.y, sample_weight=self.weight)
            more = {} if self.weight is None else {"sample_weight": self.weight}
            return float(self.scorer(estimator, self.x, self.y, **more))


def split_off(estimator: Any, x: Any, y: Array, target: Array, weight: Array | None, stratify: Array | None) -> Any:
    """The rows to train on, and a `Validation` of the others or of `validation_data`; None if there is none.

    Returns
    -------
    rows : ndarray of int, or None for all
    validation : Validation or None

    Raises
    ------
    ValueError
        If fewer than two rows are left to validate with.
    """
    given, stops, rows = estimator.validation_data, estimator.early_stopping, x.shape[0]
    if given is None and not stops:
        return None, None
    train = None
    if isinstance(given, (tuple, list)):
        validation = _of_arrays(estimator, given, stops)
    else:
        if given is None:
            train, held = train_test_split(
                np.arange(rows), random_state=estimator._random_state, test_size=estimator.validation_fraction,
                stratify=stratify,
            )  # fmt: skip
        else:
            train, held = next(iter(given.split(x, y)))
        of_held = None if weight is None else weight[held]
        validation = Validation(_safe_indexing(x, held), y[held], target[held], of_held, stops)
    if validation.x.shape[0] < 2:
        raise ValueError(TOO_SMALL)
    if estimator.scoring == "loss":
        validation.scorer = "loss"
    elif estimator.scoring is not None:
        validation.scorer = check_scoring(estimator, scoring=estimator.scoring)
    return train, validation


def _of_arrays(estimator: Any, given: Any, stops: bool) -> Validation:
    """`validation_data` as (x, y) or (x, y, sample_weight)."""
    if len(given) not in (2, 3):
        raise ValueError(f"validation_data must be (X, y) or (X, y, sample_weight), got {len(given)} items")
    x, y, target = estimator._as_validation(given[0], given[1])
    weight = _check_sample_weight(given[2], x) if len(given) == 3 and given[2] is not None else None
    return Validation(x, y, target, weight, stops)

"""Several networks in the place of one: `n_estimators`."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from .._settings import get_num_threads
from .._validation import Array

MEANS = ("loss_",)
SAME = ("n_outputs_", "n_layers_", "out_activation_", "t_")


class Ensemble:
    """Mixin of the estimators: with `n_estimators` above 1, `fit` trains members, and predictions are their means."""

    def _fit(self, X: Any, y: Any, sample_weight: Any = None, incremental: bool = False) -> Any:
        if self.n_estimators == 1:  # type: ignore[attr-defined]
            self.__dict__.pop("estimators_", None)
            return super()._fit(X, y, sample_weight=sample_weight, incremental=incremental)  # type: ignore[misc]
        return self._fit_members(X, y, sample_weight, incremental)

    def _members(self) -> list[Any] | None:
        """The members of a fitted ensemble; None for a single network."""
        return self.__dict__.get("estimators_")

    def _mean(self, method: str, X: Any) -> Array:
        """The mean over members of what a method returns."""
        members = self.__dict__["estimators_"]
        total = getattr(members[0], method)(X)
        for member in members[1:]:
            total = total + getattr(member, method)(X)
        mean: Array = total / total.dtype.type(len(members))
        return mean

    def _fit_members(self: Any, X: Any, y: Any, sample_weight: Any, incremental: bool) -> Any:
        old = self.__dict__.get("estimators_", [])
        first_pass = not old or (not self.warm_start and not incremental)
        binarizer = getattr(self, "_label_binarizer", None)
        self._validate_input(X, y, incremental, reset=first_pass)
        members = old if not first_pass and len(old) == self.n_estimators else self._new_members()
        if incremental and binarizer is not None:
            for member in members:  # classes are those that the first call of partial_fit was given
                if not hasattr(member, "classes_"):
                    member.classes_, member._label_binarizer = self.classes_, self._label_binarizer
        for name in ("coefs_", "intercepts_", "network_", "_predictor"):  # of a single network before
            self.__dict__.pop(name, None)
        train = [lambda m=member: m._fit(X, y, sample_weight=sample_weight, incremental=incremental)
                 for member in members]  # fmt: skip
        _side_by_side(train)
        self.estimators_ = members
        for name in SAME:
            if hasattr(members[0], name):
                setattr(self, name, getattr(members[0], name))
        self.n_iter_ = max(member.n_iter_ for member in members)
        self.loss_ = float(np.mean([member.loss_ for member in members]))
        return self

    def _new_members(self: Any) -> list[Any]:
        """Members that are not trained yet, each with a seed of its own."""
        seeds = check_random_state(self.random_state).randint(np.iinfo(np.int32).max, size=self.n_estimators)
        return [clone(self).set_params(n_estimators=1, random_state=int(seed)) for seed in seeds]


def _side_by_side(jobs: list[Any]) -> None:
    """Call functions in as many threads as the compiled core uses; their warnings are raised here, each once."""
    threads = min(len(jobs), get_num_threads())
    if threads < 2 or threading.current_thread() is not threading.main_thread():
        for job in jobs:
            job()
        return
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught, ThreadPoolExecutor(threads) as pool:
            warnings.simplefilter("always")
            for future in [pool.submit(job) for job in jobs]:
                future.result()
    finally:
        for category, text in dict.fromkeys((w.category, str(w.message)) for w in caught):
            warnings.warn(text, category, stacklevel=2)

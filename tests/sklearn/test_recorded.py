"""The same results as scikit-learn's from the same draws: recorded loss curves, scores and coefficients, to 1e-10."""

import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")

from fastnn.sklearn import MLPClassifier, MLPRegressor
from support.sklearn_runs import RUNS, data_of

RECORDED = np.load(Path(__file__).parent.parent / "recorded" / "sklearn_trajectories.npz")


def fitted(name, **changes):
    kind, params, weighted = RUNS[name]
    x, y, weight = data_of(kind, weighted)
    model = (MLPRegressor if kind in ("numbers", "counts") else MLPClassifier)(**(params | changes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y, sample_weight=weight)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_follows_scikit_learn(name, backend):
    model = fitted(name)
    near = {"rtol": 1e-4, "atol": 1e-6} if name.startswith("lbfgs") else {"rtol": 1e-10, "atol": 1e-12}
    losses = getattr(model, "loss_curve_", [model.loss_])
    np.testing.assert_allclose(losses, RECORDED[f"{name}.loss"], **near)
    for i, (coef, intercept) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        np.testing.assert_allclose(coef, RECORDED[f"{name}.coef.{i}"], **near)
        np.testing.assert_allclose(intercept, RECORDED[f"{name}.intercept.{i}"], **near)
    if f"{name}.scores" in RECORDED:
        np.testing.assert_allclose(model.validation_scores_, RECORDED[f"{name}.scores"], **near)


def test_runs_are_long_enough_to_tell():
    assert all(RECORDED[f"{name}.loss"].size > 10 for name in RUNS if not name.startswith("lbfgs"))


@pytest.mark.parametrize("name", ["adam", "sgd adaptive", "lbfgs"])
def test_epochs_of_several_batches_and_of_several_calls_are_the_same(name):
    """Many small epochs go to the compiled loop at once, unless something wants to see each of them."""
    quiet, shown = fitted(name, batch_size="auto"), fitted(name, batch_size="auto", verbose=name != "lbfgs")
    np.testing.assert_array_equal(quiet.coefs_[0], shown.coefs_[0])
    assert quiet.n_iter_ == shown.n_iter_ and quiet.loss_ == shown.loss_

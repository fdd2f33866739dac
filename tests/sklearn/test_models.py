"""Fitted models as objects: coefficients that are set, copies, pickles, files, sparse rows, dtypes, searches."""

import copy
import io
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")

import joblib
import sklearn
from scipy import sparse
from sklearn import neural_network as theirs
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import sklearn as ours

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(150, 6)) * (RNG.uniform(size=(150, 6)) < 0.5)
SCORE = X[:, 0] - X[:, 1] + X[:, 2] ** 2
Y3, Y2 = np.digitize(SCORE, [-0.2, 0.9]), np.where(SCORE > 0.3, "yes", "no")
YM, YR = np.column_stack([SCORE > 0.3, X[:, 3] > 0]).astype(int), np.column_stack([SCORE, X[:, 4]])
QUICK = {"hidden_layer_sizes": (9,), "random_state": 0, "max_iter": 12, "learning_rate_init": 0.01, "batch_size": 32}
CASES = {
    "three": ("MLPClassifier", Y3, {}),
    "two": ("MLPClassifier", Y2, {}),
    "labels": ("MLPClassifier", YM, {}),
    "objects": ("MLPClassifier", Y2.astype(object), {}),
    "numbers": ("MLPRegressor", YR, {}),
    "counts": ("MLPRegressor", np.round(np.abs(SCORE) * 3), {"loss": "poisson"}),
    "batch norm": ("MLPClassifier", Y3, {"norm": "batch", "dropout": 0.1}),
    "ensemble": ("MLPClassifier", Y2, {"n_estimators": 2}),
    "quantiles": ("MLPRegressor", YR, {"loss": "quantile"}),
    "lbfgs": ("MLPClassifier", Y3, {"solver": "lbfgs"}),
    "stopped": ("MLPClassifier", Y3, {"early_stopping": True, "n_iter_no_change": np.inf}),
}
PLAIN = [case for case, (_, _, more) in CASES.items() if not set(more) & {"norm", "n_estimators"} | {"quantile"} & set(
    map(str, more.values()))]  # fmt: skip


def make(case, room=ours, **params):
    kind, _, more = CASES[case]
    return getattr(room, kind)(**(QUICK | more | params))


def fit(case, x=X, **params):
    return make(case, **params).fit(x, CASES[case][1])


def results(model, x=X):
    named = ("predict", "predict_proba", "decision_function", "predict_quantiles")
    return [getattr(model, name)(x) for name in named if hasattr(model, name)]


def assert_same(one, other):
    for a, b in zip(results(one), results(other), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


# -- copies and files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_copies_pickles_and_files_predict_the_same_bits(case, tmp_path):
    model = fit(case)
    joblib.dump(model, tmp_path / "model.joblib")
    model.save(tmp_path / "model.safetensors")
    file = io.BytesIO()
    model.save(file)
    for other in (
        copy.deepcopy(model), pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib"),
        ours.load(tmp_path / "model.safetensors"), ours.load(file.getvalue()),
    ):  # fmt: skip
        assert type(other) is type(model)
        assert_same(model, other)
        assert repr(other) == repr(model) and str(other.get_params()) == str(model.get_params())
        assert other.n_iter_ == model.n_iter_ and other.loss_ == model.loss_
        assert getattr(other, "loss_curve_", None) == getattr(model, "loss_curve_", None)
        assert getattr(other, "best_validation_score_", 0) == getattr(model, "best_validation_score_", 0)
        other.fit(X, CASES[case][1])
        assert_same(model, other)


@pytest.mark.parametrize("case", ["three", "numbers", "batch norm"])
def test_a_pickle_continues_as_the_model_does(case):
    model = fit(case)
    other = pickle.loads(pickle.dumps(model))
    for one in (model, other):
        for _ in range(3):
            one.partial_fit(X, CASES[case][1])
    assert_same(model, other)


def test_a_copy_is_independent():
    model = fit("three")
    before, other = results(model), copy.deepcopy(model)
    other.coefs_[0][...] = 0
    other.partial_fit(X, Y3)
    for a, b in zip(before, results(model), strict=True):
        np.testing.assert_array_equal(a, b)


def test_files_that_are_none_are_explained(tmp_path):
    file = io.BytesIO()
    net = fastnn.nn.Sequential(fastnn.nn.Linear(2, 1), seed=0)
    net.save(file)
    with pytest.raises(fastnn.FileFormatError, match=r"is a 'model', not a 'estimator': read it by fastnn\.load"):
        ours.load(file.getvalue())
    saved = io.BytesIO()
    fit("three").save(saved)
    with pytest.raises(fastnn.FileFormatError, match=r"read it by fastnn\.sklearn\.load"):
        fastnn.load(saved.getvalue())
    with pytest.raises(fastnn.FileFormatError):
        ours.load(saved.getvalue()[:-5])
    with pytest.raises(sklearn.exceptions.NotFittedError):
        ours.MLPClassifier().save(tmp_path / "none")
    with pytest.warns(UserWarning, match="a file cannot hold optimizer="):
        fit("three", optimizer=fastnn.optim.AdamW).save(io.BytesIO())


def test_columns_of_a_frame_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    model, file = fit("two", frame), io.BytesIO()
    model.save(file)
    again = ours.load(file.getvalue())
    assert again.feature_names_in_.tolist() == list("abcdef")
    np.testing.assert_array_equal(again.predict(frame), model.predict(frame))
    for one in (model, again):
        with pytest.raises(ValueError, match="feature names should match"):
            one.predict(frame.rename(columns={"a": "z"}))
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            one.predict(X)


# -- coefficients ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["three", "two", "numbers", "counts"])
def test_coefficients_that_are_set_count(case):
    """In place, one array, or the whole lists: as in scikit-learn, also for training that continues."""
    pair = [make(case, room, batch_size=150).fit(X, CASES[case][1]) for room in (ours, theirs)]
    new = [RNG.normal(size=c.shape) for c in pair[0].coefs_]
    for step in range(4):
        for model in pair:
            if step == 0:
                model.coefs_[0][2] *= 2.0
            elif step == 1:
                model.coefs_[1] = new[1].copy()
            elif step == 2:
                model.coefs_, model.intercepts_ = [c.copy() for c in new], [b + 1.0 for b in model.intercepts_]
            else:
                model.partial_fit(X, CASES[case][1])
        for x in (X, X[:1]):
            for a, b in zip(results(pair[0], x), results(pair[1], x), strict=False):
                if a.dtype.kind == "f" and a.shape == b.shape:
                    np.testing.assert_allclose(a, b, rtol=1e-9)
    np.testing.assert_allclose(pair[0].coefs_[0], pair[1].coefs_[0], rtol=1e-9)


def test_coefficients_of_other_shapes_make_another_network():
    model = fit("three")
    model.coefs_ = [np.ones((6, 2)), np.ones((2, 3))]
    model.intercepts_ = [np.zeros(2), np.zeros(3)]
    assert model.predict_proba(X).shape == (150, 3) and len(model.network_[0].bias) == 2


# -- rows --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "csr_array", "csc_array"])
@pytest.mark.parametrize("case", ["three", "numbers", "lbfgs", "stopped"])
def test_sparse_rows_are_the_same_as_dense_ones(kind, case, monkeypatch):
    """Also where few rows are dense at a time."""
    monkeypatch.setattr("fastnn.sklearn.table.STRETCH_BYTES", 4000)
    rows = getattr(sparse, kind)(X)
    dense, model = fit(case), fit(case, rows)
    for a, b in zip(results(dense), results(model, rows), strict=True):
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=1e-6 if case == "lbfgs" else 1e-10)
    if case in ("three", "numbers"):
        assert model.partial_fit(rows, CASES[case][1]).t_ == 13 * 150


def test_sparse_rows_are_never_dense_as_a_whole():
    """A table that is dense 400 MB: training and predicting take a tenth of that."""
    import tracemalloc

    rows = sparse.random(5000, 10_000, density=1e-3, format="csr", random_state=0)
    y = np.asarray(rows.sum(axis=1)).ravel() > 5
    tracemalloc.start()
    model = ours.MLPClassifier(hidden_layer_sizes=(4,), max_iter=1, random_state=0).fit(rows, y)
    model.predict(rows.tocsc())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


@pytest.mark.parametrize("case", PLAIN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_are_those_of_scikit_learn(case, dtype):
    """Of coefficients, and of outputs for rows of either dtype."""
    pair = [make(case, room).fit(X.astype(dtype), CASES[case][1]) for room in (ours, theirs)]
    assert [c.dtype for c in pair[0].coefs_] == [c.dtype for c in pair[1].coefs_]
    for given in ("float32", "float64"):
        for name in ("predict", "predict_proba"):
            if hasattr(pair[0], name):
                a, b = (getattr(model, name)(X.astype(given)) for model in pair)
                assert a.dtype == b.dtype and a.shape == b.shape


@pytest.mark.parametrize("case", PLAIN)
def test_the_short_way_of_prediction_agrees_with_the_checked_one(case):
    model = fit(case)
    for rows in (X, X[:1], X[:0:-1], np.asfortranarray(X)):
        for a, b in zip(results(model, rows), results(model, rows.tolist()), strict=True):
            if rows is X or a.dtype.kind != "f":
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(a, b, rtol=1e-12)
    for bad, text in ((X[:, :5], "X has 5 features"), (np.full((1, 6), np.nan), "contains NaN"), (X[0], "1D array")):
        with pytest.raises(ValueError, match=text):
            model.predict(bad)


@pytest.mark.slow
def test_predicting_one_row_is_ten_times_as_fast():
    pair = [make("three", room).fit(X, Y3) for room in (ours, theirs)]
    times = []
    for model in pair:
        best = np.inf
        for _ in range(300):
            start = time.perf_counter()
            model.predict(X[:1])
            best = min(best, time.perf_counter() - start)
        times.append(best)
    assert times[1] > 10 * times[0]  # 20 and more on a quiet machine: benchmarks/compare_sklearn.py


# -- scikit-learn's tools ----------------------------------------------------------------------------------------------


def test_parameters_and_defaults_begin_with_those_of_scikit_learn():
    for kind in ("MLPClassifier", "MLPRegressor"):
        mine, other = getattr(ours, kind)().get_params(), getattr(theirs, kind)().get_params()
        assert {name: mine[name] for name in other} == other
        case = "three" if kind == "MLPClassifier" else "numbers"
        fitted = {name for name in vars(make(case, theirs).fit(X, CASES[case][1])) if name[-1] == "_"}
        model = fit(case)
        assert fitted <= set(vars(model))


@pytest.mark.parametrize(
    ("y", "labels"),
    [
        (np.array([3, 1, 3, 1]), [1, 3]),
        (np.array([True, False, True, True]), [False, True]),
        (np.array(["b", "a", "c"] * 3), ["a", "b", "c"]),
        (np.array(["b", "a", "b"], dtype=object), ["a", "b"]),
        (np.array([2.0, 1.0, 5.0, 1.0]), [1.0, 2.0, 5.0]),
        (np.array([0, 1, 2, 3]), [0, 1, 2, 3]),
        (np.array([7, 7]), [7]),
        (np.array([[1, 0], [1, 1]]), [0, 1]),
    ],
    ids=str,
)
def test_labels_are_as_scikit_learn_has_them(y, labels):
    from fastnn.sklearn.labels import binarized

    binarizer, indicators = binarized(y)
    theirs_ = sklearn.preprocessing.LabelBinarizer().fit(y)
    assert binarizer.classes_.tolist() == labels == theirs_.classes_.tolist()
    assert binarizer.classes_.dtype == theirs_.classes_.dtype and binarizer.y_type_ == theirs_.y_type_
    transformed = theirs_.transform(y).astype(bool)
    np.testing.assert_array_equal(transformed if indicators is None else indicators, transformed)
    np.testing.assert_array_equal(binarizer.inverse_transform(transformed), theirs_.inverse_transform(transformed))
    assert (indicators is None) == (y.dtype.kind in "Of" or y.ndim == 2 or len(labels) in (1, 4))


def test_parameters_are_checked_again_where_they_changed():
    model = make("three")
    for _ in range(2):
        model.fit(X, Y3)
    for bad in ({"alpha": -1.0}, {"max_iter": 12.0}, {"shuffle": "yes"}, {"hidden_layer_sizes": None}):
        with pytest.raises(ValueError, match=f"The '{next(iter(bad))}' parameter of MLPClassifier must be"):
            clone(model).set_params(**bad).fit(X, Y3)


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
@pytest.mark.slow
def test_a_search_finds_the_same_in_parallel(backend):
    pipeline = make_pipeline(StandardScaler(), make("two"))
    grid = {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__hidden_layer_sizes": [(4,), (8,)]}
    alone = GridSearchCV(pipeline, grid, cv=3).fit(X, Y2)
    with joblib.parallel_backend(backend, n_jobs=2):
        search = GridSearchCV(clone(pipeline), grid, cv=3).fit(X, Y2)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_metadata_routing_passes_weights():
    with sklearn.config_context(enable_metadata_routing=True):
        model = make("two").set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        weight = RNG.uniform(0.1, 1.0, 150)
        scores = cross_val_score(model, X, Y2, params={"sample_weight": weight})
        assert len(scores) == 5
        assert hasattr(make("two"), "set_partial_fit_request")


def test_ctrl_c_ends_training_with_a_warning(monkeypatch):
    from fastnn.sklearn.table import Table

    whole, calls = Table.epoch_loss, []

    def interrupted(self, order):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return whole(self, order)

    monkeypatch.setattr(Table, "epoch_loss", interrupted)
    with pytest.warns(UserWarning, match=r"Training interrupted by user\."):
        model = fit("three")
    assert model.n_iter_ == 3 == len(model.loss_curve_) and model.predict(X).shape == (150,)


def test_it_is_imported_only_where_it_is_used():
    code = "import fastnn, sys; assert not any(name.split('.')[0] == 'sklearn' for name in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = """
import sys
sys.modules["sklearn"] = None
try:
    import fastnn.sklearn
except ImportError as error:
    assert 'pip install "fastnn-core[sklearn]"' in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_shows_as_html():
    assert "MLPClassifier" in fit("three")._repr_html_()

"""TabularClassifier and TabularRegressor: frames in, files out, errors that name column and row."""

import copy
import io
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")
pytest.importorskip("pandas")

import pandas
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastnn
from fastnn.sklearn import TabularClassifier, TabularRegressor, load

QUICK = {"n_estimators": 2, "max_epochs": 15, "hidden_layer_sizes": (32,), "batch_size": 64, "random_state": 0}
ROWS = 240
RNG = np.random.default_rng(0)
DATA = {
    "number": RNG.normal(size=ROWS),
    "letter": RNG.choice(["x", "y", "z", None], ROWS),
    "day": np.datetime64("2020-01-01") + np.arange(ROWS).astype("timedelta64[D]"),
    "place": RNG.choice([f"place {i}" for i in range(30)], ROWS),
    "flag": RNG.random(ROWS) < 0.5,
    "same": np.ones(ROWS),
}
DATA["number"][5:9] = np.nan
FRAME = pandas.DataFrame(DATA)
SIGNAL = (FRAME.letter == "x") | (FRAME.number > 0)
Y, NUMBERS = np.where(SIGNAL, "yes", "no"), 3.0 * SIGNAL + FRAME.flag + 10.0


@pytest.fixture(scope="module")
def classifier():
    return TabularClassifier(**QUICK).fit(FRAME, Y)


@pytest.fixture(scope="module")
def regressor():
    return TabularRegressor(**QUICK).fit(FRAME, NUMBERS)


def both(classifier, regressor):
    return [classifier.predict_proba, regressor.predict, regressor.predict_interval]


def test_a_table_of_all_kinds_is_learned(classifier, regressor):
    assert classifier.score(FRAME, Y) > 0.9 and regressor.score(FRAME, NUMBERS) > 0.8
    assert classifier.encoder_.dropped() == ["same"]
    assert [c.kind for c in classifier.encoder_.columns] == ["number", "onehot", "time", "codes", "number", "constant"]
    assert classifier.feature_names_in_.tolist() == list(DATA) and classifier.n_features_in_ == 6
    assert len(classifier.history_["val_loss"]) == 15 and classifier.n_iter_ == 15


def test_columns_go_by_name_and_kind(classifier, regressor):
    for predict in both(classifier, regressor):
        want = predict(FRAME)
        np.testing.assert_array_equal(predict(FRAME[FRAME.columns[::-1]].assign(more=1)), want)
        np.testing.assert_array_equal(predict(FRAME.astype({"letter": "category", "flag": "boolean"})), want)
        np.testing.assert_array_equal(predict(FRAME.astype({"number": "float32"}).assign(number=FRAME.number)), want)
        with pytest.warns(UserWarning, match="does not have valid feature names"):
            np.testing.assert_array_equal(predict(FRAME.to_numpy()), want)
        assert np.isfinite(predict(FRAME.assign(letter="new", place="new", number=np.nan))).all()


def test_polars_frames_give_the_same_bits(classifier):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({k: v.tolist() if v.dtype == object else v for k, v in DATA.items()})
    np.testing.assert_array_equal(classifier.predict_proba(frame), classifier.predict_proba(FRAME))
    again = TabularClassifier(**QUICK).fit(frame, Y)
    np.testing.assert_array_equal(again.predict_proba(frame), classifier.predict_proba(FRAME))


@pytest.mark.parametrize("threads", [1, 2])
def test_fits_are_the_same_to_the_bit(classifier, threads):
    with fastnn.set_num_threads(threads):
        again = clone(classifier).fit(FRAME, Y)
    np.testing.assert_array_equal(again.predict_proba(FRAME), classifier.predict_proba(FRAME))


def test_copies_and_files_predict_the_same_bits(classifier, regressor):
    for model in (classifier, regressor):
        file = io.BytesIO()
        model.save(file)
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), load(file.getvalue())):
            for name in ("predict", "predict_proba", "predict_interval"):
                if hasattr(model, name):
                    np.testing.assert_array_equal(getattr(other, name)(FRAME), getattr(model, name)(FRAME))
            assert repr(other) == repr(model) and other.n_iter_ == model.n_iter_
            assert other.feature_names_in_.tolist() == list(DATA)
    with pytest.raises(fastnn.FileFormatError):
        load(file.getvalue()[:-9])


BAD = {
    "infinite": (FRAME.assign(number=np.r_[np.zeros(7), -np.inf, np.ones(ROWS - 8)]), "column 'number', row 7 is -inf"),
    "text": (FRAME.assign(number=FRAME.number.fillna(0).round(2).astype(str)), "'number' is numbers as text: row 0 is"),
    "mixed": (FRAME.assign(number=["1"] * 9 + ["?"] + ["2"] * (ROWS - 10)), "all of it are numbers: row 9 is '[?]'"),
    "lists": (FRAME.assign(letter=[[1]] * ROWS), "column 'letter', row 0 is a list"),
    "double": (FRAME.set_axis(["a", "a", *FRAME.columns[2:]], axis=1), "unique column names, got:\n- 'a' 2 times"),
    "complex": (FRAME.assign(flag=1j), "column 'flag' has dtype complex128"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_tables_that_cannot_be_used_are_explained(case):
    frame, message = BAD[case]
    with pytest.raises((ValueError, TypeError), match=message):
        TabularClassifier(**QUICK).fit(frame, Y)


def test_predictions_explain_other_columns(classifier):
    for frame, message in (
        (FRAME.drop(columns="day"), "X lacks column 'day'"),
        (FRAME.assign(number="u"), "had numbers when the model was fitted, and has categories now: row 0 is 'u'"),
        (FRAME.assign(letter=3), "'letter' had categories .* and has numbers now: row 0 is '3'|row 0 is 3"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            classifier.predict(frame)


def test_targets_that_cannot_be_used_are_explained():
    with pytest.raises(ValueError, match="class 'rare' has one row, row 3"):
        TabularClassifier(**QUICK).fit(FRAME, np.r_[Y[:3], ["rare"], Y[4:]])
    with pytest.raises(ValueError, match="row 1 has no class"):
        TabularClassifier(**QUICK).fit(FRAME, np.array(["a", None, *Y[2:]], object))
    with pytest.raises(ValueError, match="row 2 is nan"):
        TabularRegressor(**QUICK).fit(FRAME, NUMBERS.where(NUMBERS.index != 2))
    with pytest.raises(ValueError, match="categorical_features: X has no column 'colour'"):
        TabularClassifier(categorical_features=["colour"]).fit(FRAME, Y)


def test_empty_and_constant_columns():
    with pytest.warns(UserWarning, match=r"columns \['number'\] have no value in any row"):
        model = TabularClassifier(**QUICK).fit(FRAME.assign(number=np.nan), Y)
    assert model.encoder_.dropped() == ["number", "same"]
    model = TabularRegressor(**QUICK | {"max_epochs": 200}).fit(np.ones((40, 1)), np.arange(40.0))  # nothing to go by
    np.testing.assert_allclose(model.predict([[1.0]]), 19.5, atol=1.5)


def test_numbers_can_be_categories():
    codes = np.random.default_rng(4).integers(0, 4, 400)
    y = np.where(np.isin(codes, [0, 2]), "even", "odd")
    model = TabularClassifier(categorical_features=[0], **QUICK).fit(codes[:, None], y)
    assert model.encoder_.columns[0].kind == "onehot"
    assert model.score(codes[:, None].astype("float32"), y) == 1.0


def test_probabilities_are_calibrated_and_weights_count():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 2))
    y = (x[:, 0] + rng.normal(size=600) > 1.0).astype(int)
    plain = TabularClassifier(**QUICK).fit(x[:400], y[:400])
    base = log_loss(y[400:], np.full(200, y[:400].mean()))
    assert log_loss(y[400:], plain.predict_proba(x[400:])) < 0.85 * base
    assert plain.temperature_ != 1.0
    balanced = TabularClassifier(class_weight="balanced", **QUICK).fit(x[:400], y[:400])
    by_hand = TabularClassifier(**QUICK).fit(
        x[:400], y[:400], sample_weight=np.where(y[:400], 1 / y[:400].mean(), 1 / (1 - y[:400].mean())) / 2
    )
    np.testing.assert_allclose(balanced.predict_proba(x), by_hand.predict_proba(x), rtol=1e-4)
    assert balanced.predict(x).mean() > plain.predict(x).mean() + 0.1


def test_intervals_cover_and_predictions_stay_in_range():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1500, 3))
    y = 100 + 5 * x[:, 0] + rng.normal(size=1500)
    model = TabularRegressor(**QUICK | {"max_epochs": 40}).fit(x[:500], y[:500])
    widths = []
    for coverage in (0.5, 0.9):
        low, high = model.predict_interval(x[500:], coverage).T
        assert abs(np.mean((low <= y[500:]) & (y[500:] <= high)) - coverage) < 0.07
        widths.append(high[0] - low[0])
    assert widths[0] < widths[1] < 8
    far = model.predict(np.full((1, 3), 1e6))
    assert y[:500].min() <= far <= y[:500].max()
    two = TabularRegressor(**QUICK).fit(x[:300], np.stack([y, -y], 1)[:300])
    assert two.predict(x[:4]).shape == (4, 2) and two.predict_interval(x[:4]).shape == (4, 2, 2)


def test_importances_name_the_columns_that_count(classifier):
    found = classifier.feature_importances(FRAME, Y, n_repeats=3)
    mean = dict(zip(found["names"], found["mean"], strict=True))
    assert mean["number"] > mean["letter"] > 0.05 > max(mean["day"], mean["flag"]) and mean["same"] == 0
    assert classifier.permutation_importance_ is found and found["each"].shape == (6, 3)


@pytest.mark.parametrize("embedding", ["piecewise", "periodic"])
def test_embeddings_of_numbers_learn_waves(embedding):
    x = np.random.default_rng(3).uniform(-1, 1, size=(600, 1))
    y = np.sin(6 * x[:, 0])
    model = TabularRegressor(numeric_embedding=embedding, **QUICK | {"max_epochs": 60}).fit(x, y)
    file = io.BytesIO()
    model.save(file)
    assert model.score(x, y) > 0.9
    np.testing.assert_array_equal(load(file.getvalue()).predict(x), model.predict(x))


CHECKED = {"n_estimators": 2, "max_epochs": 12, "hidden_layer_sizes": (32,), "batch_size": 32}
WEIGHTS = {
    "check_sample_weight_equivalence_on_dense_data": "folds, scaling and dropout go by rows, not by their weights: a "
    "row that is there twice is in two folds"
}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [TabularClassifier(learning_rate_init=0.1, **CHECKED), TabularRegressor(**CHECKED)],
    expected_failed_checks=lambda estimator: WEIGHTS,
    xfail_strict=True,
)
def test_check_estimator(estimator, check):
    check(estimator)

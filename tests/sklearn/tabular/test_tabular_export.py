"""Tabular estimators as ONNX models: an input for each column, and the same predictions by ONNX Runtime."""

import io

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")
pytest.importorskip("onnx.helper", exc_type=ImportError)
pytest.importorskip("pandas")

import onnx
import pandas
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from fastnn.sklearn import TabularClassifier, TabularRegressor, export_onnx, load
from support.estimators import assert_same_predictions, evaluate, run

QUICK = {"n_estimators": 2, "max_epochs": 4, "hidden_layer_sizes": (16,), "batch_size": 64, "random_state": 0}
TOLERANCES = {"rtol": 2e-5, "atol": 2e-6}  # networks are of float32
ROWS = 200
RNG = np.random.default_rng(0)
FRAME = pandas.DataFrame({
    "number": RNG.normal(size=ROWS), "large": 1e7 + RNG.integers(0, 9, ROWS), "count": RNG.integers(0, 5, ROWS),
    "flag": RNG.random(ROWS) < 0.5, "letter": RNG.choice(["x", "y", "ü", None], ROWS),
    "two": pandas.Categorical(RNG.choice(["p", "q"], ROWS)),
    "place": RNG.choice([f"place {i}" for i in range(30)], ROWS),
    "code": RNG.choice([1.0, 2.0, 3.1, np.nan], ROWS), "many": RNG.integers(0, 20, ROWS), "same": np.ones(ROWS),
})  # fmt: skip
FRAME.loc[5:9, "number"] = np.nan
CATEGORIES = ["code", "many"]
SIGNAL = (FRAME.letter == "x") | (FRAME.number > 0)
LABELS, NUMBERS = np.where(SIGNAL, "yes", "no"), 3.0 * SIGNAL + FRAME.flag + 10.0
# Of rows that `fit` has not seen: each kind of column with what it does not know.
UNSEEN = FRAME.iloc[:20].assign(
    letter=["z", "1", None, "x"] * 5, place="nowhere", code=[9.0, 2.5, np.nan, 1.0, 1e9] * 4, many=np.nan,
    number=[np.nan, 1e9, -1e9, 0.0] * 5, large=np.nan, count=0.5,
)  # fmt: skip


def feeds(model, frame, dtype="float64"):
    """Columns of a frame as the inputs of a model."""
    inputs = {}
    for value in model.graph.input:
        column, text = frame[value.name], value.type.tensor_type.elem_type == onnx.TensorProto.STRING
        rows = column.astype(object).where(column.notna(), "") if text else column.astype(dtype)
        inputs[value.name] = rows.to_numpy()[:, None]
    return inputs


def compared(estimator, frame, model=None):
    model = export_onnx(estimator) if model is None else model
    assert_same_predictions(estimator, model, frame, TOLERANCES, **feeds(model, frame))
    return model


@pytest.fixture(scope="module")
def classifier():
    return TabularClassifier(**QUICK, categorical_features=CATEGORIES).fit(FRAME, LABELS)


@pytest.mark.parametrize("embedding", [None, "piecewise", "periodic"])
@pytest.mark.parametrize("target", ["labels", "three classes", "numbers", "two numbers", "not clipped"])
def test_each_kind_of_column(target, embedding):
    options = QUICK | {"numeric_embedding": embedding, "categorical_features": CATEGORIES}
    if target in ("labels", "three classes"):
        y = LABELS if target == "labels" else np.digitize(NUMBERS, [11, 13]) * 10
        estimator = TabularClassifier(**options).fit(FRAME, y)
    else:
        y = np.column_stack([NUMBERS, FRAME["count"]]) if target == "two numbers" else NUMBERS
        estimator = TabularRegressor(**options, clip=target != "not clipped").fit(FRAME, y)
    model = compared(estimator, FRAME)
    assert_same_predictions(estimator, model, UNSEEN, TOLERANCES, **feeds(model, UNSEEN))


def test_the_inputs_are_the_columns_that_are_used(classifier):
    model = classifier.export_onnx()
    kinds = {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
    texts = dict.fromkeys(["letter", "two", "place"], onnx.TensorProto.STRING)
    assert kinds == {name: texts.get(name, onnx.TensorProto.DOUBLE) for name in FRAME.columns if name != "same"}
    shapes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in model.graph.input
    ]
    assert shapes == [["batch", 1]] * 9
    assert [value.name for value in model.graph.output] == ["label", "probabilities"]
    assert {entry.domain for entry in model.opset_import} == {"", "ai.onnx.ml"}


def test_unseen_and_missing_values_have_their_own_predictions(classifier):
    model = classifier.export_onnx()
    frame = FRAME.iloc[[0] * 4].assign(letter=["x", "never seen", None, "y"])
    likely = run(model, **feeds(model, frame))["probabilities"]
    assert len(np.unique(likely[:, 0])) == 4
    np.testing.assert_allclose(likely, classifier.predict_proba(frame), **TOLERANCES)


def test_the_reference_evaluator(classifier):
    model = classifier.export_onnx()
    found = evaluate(model, **feeds(model, UNSEEN))
    np.testing.assert_array_equal(found["label"], classifier.predict(UNSEEN))
    np.testing.assert_allclose(found["probabilities"], classifier.predict_proba(UNSEEN), **TOLERANCES)


def test_the_empty_text_as_a_category():
    frame = pandas.DataFrame({"letter": ["", "a", None, "b"] * 20})
    estimator = TabularClassifier(**QUICK).fit(frame, np.arange(80) % 2)
    model, known = estimator.export_onnx(), frame[frame.letter.notna()].reset_index(drop=True)
    compared(estimator, known, model)


def test_tables_of_categories_alone():
    frame = FRAME[["letter", "place"]]
    for columns in (["letter"], ["place"], ["letter", "place"]):
        compared(TabularRegressor(**QUICK).fit(frame[columns], NUMBERS), frame[columns])


def test_arrays():
    numbers = FRAME[["number", "same", "count", "code"]].to_numpy("float64")
    estimator = TabularClassifier(**QUICK, categorical_features=[3]).fit(numbers, LABELS)
    assert_same_predictions(estimator, estimator.export_onnx(), numbers, TOLERANCES)  # one input X
    objects = FRAME[["number", "place"]].to_numpy(object)
    estimator = TabularClassifier(**QUICK).fit(objects, LABELS)
    columns = {"column_0": objects[:, :1].astype("float64"), "column_1": objects[:, 1:]}
    assert_same_predictions(estimator, estimator.export_onnx(), objects, TOLERANCES, **columns)


def test_polars():
    polars = pytest.importorskip("polars")
    frame = FRAME[["number", "count", "place"]]
    estimator = TabularRegressor(**QUICK).fit(polars.DataFrame(frame.to_dict("list")), NUMBERS)
    compared(estimator, frame)


def test_behind_other_steps():
    numbers = FRAME[["number", "count", "large"]].to_numpy("float64")
    pipeline = make_pipeline(SimpleImputer(add_indicator=True), TabularClassifier(**QUICK)).fit(numbers, LABELS)
    assert_same_predictions(pipeline, export_onnx(pipeline), numbers, TOLERANCES)
    texts = make_pipeline("passthrough", TabularClassifier(**QUICK)).fit(FRAME[["place"]].to_numpy(object), LABELS)
    with pytest.raises(TypeError, match=r"columns \[0\] hold text, which other steps do not pass on"):
        export_onnx(texts)


def test_numbers_of_float32(classifier):
    model = classifier.export_onnx(dtype="float32")
    assert {value.type.tensor_type.elem_type for value in model.graph.input} == {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.STRING,
    }
    rounded = FRAME.astype({"number": "float32"})  # and 3.1, a category, to 3.0999999
    found = run(model, **feeds(model, rounded, "float32"))
    np.testing.assert_allclose(found["probabilities"], classifier.predict_proba(rounded), **TOLERANCES)


@pytest.mark.parametrize("opset", range(13, onnx.defs.onnx_opset_version() + 1))
def test_every_opset(classifier, opset):
    onnx.checker.check_model(classifier.export_onnx(opset=opset), full_check=True)


def test_a_model_from_a_file(classifier):
    file = io.BytesIO()
    classifier.save(file)
    assert load(file.getvalue()).export_onnx().SerializeToString() == classifier.export_onnx().SerializeToString()


def test_columns_with_the_names_of_outputs():
    frame = FRAME[["number", "place"]].set_axis(["label", "probabilities"], axis=1)
    model = TabularClassifier(**QUICK).fit(frame, LABELS).export_onnx()
    found = run(model, **feeds(model, frame))
    assert list(found) == ["label_2", "probabilities_2"] and found["label_2"].shape == (ROWS,)


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(NotFittedError):
        TabularClassifier().export_onnx()
    days = FRAME[["number"]].assign(day=pandas.Timestamp("2020-01-01") + pandas.to_timedelta(np.arange(ROWS), "D"))
    days["hour"] = days["day"]
    with pytest.raises(TypeError, match=r"columns \['day', 'hour'\] hold times, which are no values of ONNX"):
        TabularRegressor(**QUICK).fit(days, NUMBERS).export_onnx()
    with pytest.raises(TypeError, match=r"all columns are left out, since they have one value each: \['same'\]"):
        TabularRegressor(**QUICK).fit(FRAME[["same"]], NUMBERS).export_onnx()

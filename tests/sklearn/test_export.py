"""Estimators as ONNX models and C files: the same labels, probabilities and numbers, by ONNX Runtime and by gcc."""

import io
import shutil

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed", minversion="1.9")
pytest.importorskip("onnx.helper", exc_type=ImportError)

import onnx
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

import fastnn.onnx
from fastnn import nn
from fastnn.sklearn import MLPClassifier, MLPRegressor, export_onnx
from support.estimators import assert_same_predictions, by_c, evaluate, fitted, run

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(80, 5))
SIGNAL = ROWS[:, 0] + 0.5 * RNG.normal(size=80)
# Sums in another order, which saturated outputs multiply.
TOLERANCES = {"float32": {"rtol": 1e-5, "atol": 2e-6}, "float64": {"rtol": 1e-9, "atol": 1e-13}}
CLASSES = {
    "two strings": np.where(SIGNAL > 0, "yes", "no"),
    "two objects": np.where(SIGNAL > 0, "yes", "no").astype(object),
    "two booleans": SIGNAL > 0,
    "three integers": np.digitize(SIGNAL, [-0.5, 0.5]) * 4 - 1,
    "three numbers": np.digitize(SIGNAL, [-0.5, 0.5]).astype("float64"),
    "four strings": np.array(["a", "bb", "c", "ä"])[np.digitize(SIGNAL, [-0.5, 0.0, 0.5])],
    "labels": (ROWS[:, :3] + RNG.normal(size=(80, 3)) > 0).astype(int),
    "one class": np.full(80, 7),
}
NUMBERS = {"numbers": np.abs(SIGNAL), "two numbers": np.abs(ROWS[:, :2])}
SETTINGS = {
    "plain": {},
    "lbfgs": {"solver": "lbfgs"},
    "sgd": {"solver": "sgd", "activation": "tanh"},
    "layers": {"activation": ["silu", "mish"], "hidden_layer_sizes": (5, 5), "norm": "batch", "residual": True},
    "noise": {"dropout": 0.3, "input_dropout": 0.1, "norm": "layer", "activation": nn.LeakyReLU(0.2)},
    "ensemble": {"n_estimators": 3, "norm": "rms"},
    "averaging": {"averaging": "ema", "optimizer": "adamw", "scheduler": "cosine"},
}
CALIBRATED = {
    "calibrated": {"calibrate": True, "early_stopping": True, "validation_fraction": 0.3},
    "calibrated ensemble": {"calibrate": True, "early_stopping": True, "n_estimators": 2, "validation_fraction": 0.3},
}
LOSSES = {
    "poisson": {"loss": "poisson"},
    "quantile": {"loss": "quantile", "quantiles": (0.9, 0.4, 0.1)},
    "quantile ensemble": {"loss": "quantile", "n_estimators": 2},
    "positive": {"output_activation": "softplus", "loss": "huber"},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("setting", [*SETTINGS, *CALIBRATED])
@pytest.mark.parametrize("classes", CLASSES)
def test_a_classifier(classes, setting, dtype):
    if classes == "one class" and setting in CALIBRATED:
        pytest.skip("nothing to calibrate")
    x = ROWS.astype(dtype)
    estimator = fitted(MLPClassifier((16,)).set_params(**(SETTINGS | CALIBRATED)[setting]), x, CLASSES[classes])
    precise = "float64" if setting == "lbfgs" else dtype
    assert_same_predictions(estimator, estimator.export_onnx(), x.astype(precise), TOLERANCES[precise])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("setting", [*SETTINGS, *LOSSES])
@pytest.mark.parametrize("numbers", NUMBERS)
def test_a_regressor(numbers, setting, dtype):
    x = ROWS.astype(dtype)
    estimator = fitted(MLPRegressor(hidden_layer_sizes=(16,)).set_params(**(SETTINGS | LOSSES)[setting]), x,
                       NUMBERS[numbers])  # fmt: skip
    precise = "float64" if setting == "lbfgs" else dtype
    assert_same_predictions(estimator, estimator.export_onnx(), x.astype(precise), TOLERANCES[precise])


@pytest.mark.parametrize("opset", range(13, onnx.defs.onnx_opset_version() + 1))
def test_every_opset(opset):
    for y in ("four strings", "two booleans", "labels"):
        estimator = fitted(MLPClassifier((4,), norm="layer", n_estimators=2), ROWS, CLASSES[y])
        model = estimator.export_onnx(opset=opset)
        onnx.checker.check_model(model, full_check=True)
        assert {entry.domain: entry.version for entry in model.opset_import} == {"": opset}


@pytest.mark.parametrize("classes", CLASSES)
def test_the_reference_evaluator(classes):
    estimator = fitted(MLPClassifier((8,), n_estimators=2), ROWS, CLASSES[classes])
    found = evaluate(estimator.export_onnx(), X=ROWS)
    np.testing.assert_array_equal(found["label"], estimator.predict(ROWS))
    np.testing.assert_allclose(found["probabilities"], estimator.predict_proba(ROWS), **TOLERANCES["float64"])


def test_a_network_of_another_dtype():
    estimator = fitted(MLPClassifier((8,), activation="gelu"), ROWS, CLASSES["four strings"])  # no float64 Erf there
    model = estimator.export_onnx(dtype="float32")
    found, likely = run(model, X=ROWS.astype("float32")), estimator.predict_proba(ROWS)
    assert found["probabilities"].dtype == "float32" and estimator.network_.dtype == "float64"
    np.testing.assert_allclose(found["probabilities"], likely, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"dtype must be .*float16"):
        estimator.export_onnx(dtype="float16")


def test_what_a_model_says_of_itself(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, columns=list("abcde"))
    estimator, file = fitted(MLPClassifier((4,)), frame, CLASSES["two strings"]), io.BytesIO()
    model = estimator.export_onnx(tmp_path / "m.onnx", name="mine", metadata={"author": "me"}, opset=18)
    export_onnx(estimator, file, name="mine", metadata={"author": "me"}, opset=18)
    assert (tmp_path / "m.onnx").read_bytes() == file.getvalue() == model.SerializeToString()
    assert model.graph.name == "mine" and estimator.export_onnx().graph.name == "MLPClassifier"
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "author": "me",
        "fastnn.feature_names": '["a", "b", "c", "d", "e"]',
    }
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, values in estimator.network_.named_parameters():
        np.testing.assert_array_equal(arrays[name], values)


def test_coefficients_that_were_set_are_exported():
    estimator = fitted(MLPRegressor(hidden_layer_sizes=()), ROWS, NUMBERS["numbers"])
    estimator.coefs_[0], estimator.intercepts_[0] = np.arange(5.0)[:, None], np.ones(1)
    np.testing.assert_allclose(run(estimator.export_onnx(), X=ROWS)["variable"], ROWS @ np.arange(5.0) + 1)


def test_a_model_is_loaded_as_the_network_of_its_probabilities():
    estimator = fitted(MLPClassifier((8,)), ROWS, CLASSES["four strings"])
    twin = fastnn.onnx.load(estimator.export_onnx().SerializeToString())
    np.testing.assert_allclose(twin.predict(ROWS), estimator.predict_proba(ROWS), rtol=1e-12)


class Own(nn.Module):
    def forward(self, x):
        return 2 * x

    def backward(self, grad_output):
        return 2 * grad_output


def test_what_cannot_be_exported_is_refused():
    with pytest.raises(NotFittedError):
        MLPClassifier().export_onnx()
    with pytest.raises(TypeError, match=r"got LogisticRegression: skl2onnx converts those of scikit-learn"):
        export_onnx(LogisticRegression().fit(ROWS, CLASSES["two strings"]))
    with pytest.raises(TypeError, match=r"no ONNX converter for 1: Own: leave these layers out"):
        fitted(MLPClassifier((4,), activation=Own), ROWS, CLASSES["two strings"]).export_onnx()
    estimator = fitted(MLPClassifier((4,)), ROWS, CLASSES["two strings"])
    estimator.classes_ = np.array([b"no", b"yes"])
    with pytest.raises(TypeError, match=r"classes must be whole numbers or strings .*, got \[b'no'"):
        estimator.export_onnx()
    estimator = fitted(MLPClassifier((4,)), ROWS, CLASSES["two strings"])
    with pytest.raises(ValueError, match="opset must be"):
        estimator.export_onnx(opset=12)
    with pytest.raises(TypeError, match="metadata must be a dict of text to text"):
        estimator.export_onnx(metadata={"size": 3})


IN_C = {"plain": {}, "ensemble": {"n_estimators": 2}, "noise": SETTINGS["noise"], "layers": SETTINGS["layers"]}


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("setting", [*IN_C, *CALIBRATED])
@pytest.mark.parametrize("classes", ["two strings", "four strings", "labels"])
def test_a_classifier_in_c(classes, setting, dtype, tmp_path):
    x = ROWS.astype(dtype)
    estimator = fitted(MLPClassifier((8,)).set_params(**(IN_C | CALIBRATED)[setting]), x, CLASSES[classes])
    likely = estimator.predict_proba(x)
    report = estimator.export_c(tmp_path / "mine.c", name="mine")
    members = getattr(estimator, "estimators_", [estimator])
    assert report.constant_bytes >= sum(one.network_.parameters().numel() for one in members) * likely.itemsize
    found = by_c(tmp_path / "mine.c", dtype, x, likely.shape[1])
    np.testing.assert_allclose(found, likely, **TOLERANCES[dtype])
    if classes == "four strings":
        np.testing.assert_array_equal(estimator.classes_[found.argmax(axis=1)], estimator.predict(x))


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("setting", [*IN_C, *LOSSES])
@pytest.mark.parametrize("numbers", NUMBERS)
def test_a_regressor_in_c(numbers, setting, dtype, tmp_path):
    x = ROWS.astype(dtype)
    estimator = fitted(MLPRegressor(hidden_layer_sizes=(8,)).set_params(**(IN_C | LOSSES)[setting]), x,
                       NUMBERS[numbers])  # fmt: skip
    expected = estimator.predict(x).reshape(len(x), -1)
    estimator.export_c(tmp_path / "mine.c", name="mine")
    found = by_c(tmp_path / "mine.c", dtype, x, expected.shape[1])
    np.testing.assert_allclose(found, expected, **TOLERANCES[dtype])


def test_c_of_8_bits_and_of_another_dtype(tmp_path):
    estimator = fitted(MLPClassifier((8,)), ROWS, CLASSES["four strings"])
    small = estimator.export_c(tmp_path / "small.c", dtype="float32", weights="int8", samples=ROWS)
    whole = estimator.export_c(tmp_path / "whole.c")
    assert small.constant_bytes < whole.constant_bytes / 3 and 0 < small.mean_error < 0.02
    assert estimator.network_.dtype == "float64" and "double" in (tmp_path / "whole.c").read_text()
    with pytest.raises(NotFittedError):
        MLPRegressor().export_c(tmp_path / "none.c")

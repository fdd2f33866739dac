"""Estimators and their ONNX models and C files, compared."""

import ctypes
import subprocess
import warnings

import numpy as np
import pytest

STRICT = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2", "-shared", "-fPIC"]


def fitted(estimator, x, y):
    """A fitted estimator or pipeline, of few epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few epochs
        last = estimator[-1] if hasattr(estimator, "steps") else estimator
        last.set_params(max_iter=15, random_state=0)
        return estimator.fit(x, y)


def run(model, **inputs):
    """The outputs by name, by ONNX Runtime."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert {value.name for value in session.get_inputs()} == inputs.keys()
    return dict(zip([value.name for value in session.get_outputs()], session.run(None, inputs), strict=True))


def evaluate(model, **inputs):
    """The outputs by name, by the reference evaluator of onnx."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(model)
    return dict(zip(evaluator.output_names, evaluator.run(None, inputs), strict=True))


def assert_same_predictions(estimator, model, x, tolerances, **inputs):
    """Labels and probabilities, or numbers, of 1, 7 and 64 rows; the model's input is x unless others are given."""
    for rows in (1, 7, 64):
        some = x[:rows]
        found = run(model, **{name: values[:rows] for name, values in (inputs or {"X": x}).items()})
        expected = estimator.predict(some)
        if "variable" in found:
            assert found["variable"].shape == expected.shape
            np.testing.assert_allclose(found["variable"], expected, **tolerances)
            continue
        np.testing.assert_array_equal(found["label"], expected)
        assert found["label"].dtype == ("O" if expected.dtype.kind in "OU" else "int64")
        likely = estimator.predict_proba(some)
        assert found["probabilities"].shape == likely.shape
        np.testing.assert_allclose(found["probabilities"], likely, **tolerances)


def by_c(path, dtype, x, columns):
    """What the batch function of a C file writes for rows x."""
    library = str(path.with_suffix(".so"))
    subprocess.run(["gcc", *STRICT, str(path), "-o", library, "-lm"], check=True)
    function, y = ctypes.CDLL(library).mine_predict_batch, np.full((len(x), columns), np.nan, dtype)
    pointer = np.ctypeslib.ndpointer(dtype, flags="C")
    function.argtypes, function.restype = [pointer, pointer, ctypes.c_size_t], None
    function(np.ascontiguousarray(x, dtype), y, len(x))
    return y

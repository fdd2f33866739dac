"""All contenders compute the same."""

import time

import numpy as np
import pytest

import fastnn
from bench.test_cases import small_cases
from fastnn.bench import cases, data
from fastnn.bench.contenders import NAMES
from fastnn.bench.contenders.common import quickest
from fastnn.bench.worker import load


def flat(result):
    """All numbers of a result, whatever library it is of."""
    if isinstance(result, tuple | list):
        return np.concatenate([flat(part) for part in result])
    return np.asarray(result.detach() if hasattr(result, "detach") else result).ravel()


@pytest.fixture(scope="module", params=[name for name in NAMES if name != "reference"])
def contender(request):
    """The module of a contender; in this process, so with as many threads as there are."""
    library = {"native": "fastnn", "torch_default": "torch"}.get(request.param, request.param)
    pytest.importorskip(library)
    if library == "onnxruntime":
        pytest.importorskip("onnx")
    return load(request.param)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_contenders_compute_the_same(contender, dtype):
    reference, compared = load("reference"), 0
    for case in small_cases(dtype):
        prepare = getattr(contender, case.kind, None)
        run = prepare and prepare(case)
        is_sklearn = contender.__name__.endswith("sklearn")
        if run is None or (is_sklearn and case.kind == "predict"):  # which gives probabilities
            continue
        got, expected = flat(run(1)), flat(getattr(reference, case.kind)(case)(1))
        expected = expected / 2 if is_sklearn and case.network.loss == "MSELoss" else expected
        np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-5, err_msg=f"{case.kind} {case}")
        compared += 1
    assert compared > 0


def test_results_of_repetitions_are_those_of_the_last():
    case = cases.activation("relu", 7)
    for name in ("native", "reference", "numpy"):
        assert np.array_equal(load(name).function(case)(3), fastnn.functional.relu(data.arguments(case)[0]))


def test_quickest_chooses_the_quickest():
    called = []
    run = quickest(lambda: time.sleep(0.003) or called.append("slow"), lambda: called.append("quick"))
    called.clear()
    run(2)
    assert called == ["quick", "quick"]

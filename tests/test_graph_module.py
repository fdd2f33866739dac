"""Modules whose forward is a list of steps."""

import io

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn


def make(dtype="float64", **keywords):
    layers = {"body.0": nn.Linear(4, 4), "body.1": nn.Tanh()}
    steps = [
        ["layer", "body.0", "%0"],
        ["layer", "body.1", "%1"],
        ["multiply", "%2", "@scale"],
        ["subtract", 1.0, "%3"],
        ["concat", "%4", "%0"],
        ["chunk", "%5", 2, 1],
        ["linear_t", "%6", "@body.0.weight", "@scale"],
        ["columns", "%7", 0, 3],
        ["power", "%8", 2],
        ["take", "%9", [2, 0]],
        ["leaky_relu", "%10", 0.25],
        ["dropout", "%11", 0.5],
        ["add", "%12", [0.5, 1.5]],
        ["identity", "%13"],
    ]
    return nn.GraphModule(layers, steps, {"scale": (4,)}, seed=0, dtype=dtype, **keywords)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.usefixtures("backend")
def test_steps_are_computed_in_order(dtype):
    module = make(dtype).eval()
    module["scale"] = [1.0, -1.0, 0.5, 2.0]
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(dtype)
    state = module.state_dict()
    joined = np.hstack([1 - np.tanh(x @ state["body.0.weight"] + state["body.0.bias"]) * state["scale"], x])
    y = (joined[:, 4:] @ state["body.0.weight"].T + state["scale"])[:, :3] ** 2
    expected = F.leaky_relu(np.ascontiguousarray(y[:, [2, 0]]), 0.25) + np.array([0.5, 1.5], dtype)
    np.testing.assert_allclose(module.predict(x), expected, rtol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.usefixtures("backend")
def test_gradients():
    assert fastnn.gradcheck(make().eval(), np.random.default_rng(0).normal(size=(3, 4)))


def test_a_file_holds_it_and_training_goes_on():
    module = make("float32")
    x, y = np.ones((3, 4), "float32"), np.zeros((3, 2), "float32")
    fastnn.Trainer(module, nn.MSELoss(), fastnn.optim.SGD(module.parameters(), lr=0.01)).step(x, y)
    file = io.BytesIO()
    module.save(file)
    twin = fastnn.load(file.getvalue())
    np.testing.assert_array_equal(twin.predict(x), module.predict(x))
    assert twin.steps == module.steps and list(twin.state_dict()) == ["scale", "body.0.weight", "body.0.bias"]


REFUSED = {
    "no steps": ([], "at least one step"),
    "an unknown operation": ([["sort", "%0"]], "step 0, .*the operation is unknown"),
    "a later value": ([["relu", "%1"]], "there is no '%1' before it"),
    "an unknown parameter": ([["add", "%0", "@b"]], "there is no '@b'"),
    "an unknown layer": ([["layer", "fc", "%0"]], "there is no such layer"),
    "an object": ([["add", "%0", {}]], "an operand must be"),
    "NaN": ([["add", "%0", float("nan")]], "an operand must be"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_steps_that_cannot_be_computed_are_refused(case):
    steps, message = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=message):
        nn.GraphModule({}, steps)


def test_layers_are_layers():
    with pytest.raises(TypeError, match=r"layers\['a'\] must be a Module, got int"):
        nn.GraphModule({"a": 1}, [["relu", "%0"]])

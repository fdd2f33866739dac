"""Modules whose forward is traced, as ONNX models."""

import numpy as np
import pytest

import fastnn.onnx
from fastnn import functional as F
from fastnn import nn
from fastnn._core import dispatch
from fastnn.compiler.joints import JOINTS
from fastnn.onnx import traced_nodes
from fastnn.onnx.activation_nodes import ACTIVATIONS
from support.onnx_models import TOLERANCES, evaluate
from support.traced import CASES
from support.traced_modules import Traced


def module_of(name, dtype):
    """A module with random parameters, in a network, and rows for it."""
    case, rng = CASES[name], np.random.default_rng(4)
    module = Traced(case)
    net = nn.Sequential(module, dtype=dtype, seed=0)
    data = net.parameters().data
    data[...] = 0.5 * rng.normal(size=data.shape)
    return net, rng.normal(size=(7, case.features)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_modules_compute_the_same(name, dtype):
    net, x = module_of(name, dtype)
    for opset in (13, 17, 23):
        model = fastnn.onnx.export(net, opset=opset, input_shape=x.shape[1:])
        for rows in (x, x[:1]):
            np.testing.assert_allclose(evaluate(model, rows), net.predict(rows), **TOLERANCES[dtype])


@pytest.mark.parametrize("name", CASES)
def test_onnx_runtime_computes_the_same(name):
    onnxruntime = pytest.importorskip("onnxruntime")
    net, x = module_of(name, "float32")
    model = fastnn.onnx.export(net, input_shape=x.shape[1:])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"input": x})[0], net.predict(x), **TOLERANCES["float32"])


def test_every_kind_of_value_has_a_converter():
    assert traced_nodes.JOINTS.keys() == JOINTS.keys()


@pytest.mark.parametrize("name", ["shared bottleneck", "autoencoder", "lstm like"])
def test_a_parameter_that_is_used_often_is_stored_once(name):
    net, x = module_of(name, "float32")
    model = fastnn.onnx.export(net, input_shape=x.shape[1:])
    stored = {tensor.name for tensor in model.graph.initializer}
    used = {key for key, _ in net.named_parameters()}
    assert {tensor for tensor in stored if not tensor.startswith("constant")} == used - {"0.enc.bias"} | (stored & used)


def test_a_module_alone_and_one_within_another():
    class Inner(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return x * F.tanh(self.fc(x))

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.norm, self.drop = Inner(), nn.LayerNorm(4), nn.Dropout()

        def forward(self, x):
            return self.drop(self.norm(x)) + self.inner(x)

    net, x = Outer().eval(), np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    model = fastnn.onnx.export(net, input_shape=(4,))
    np.testing.assert_allclose(evaluate(model, x), net(x), rtol=1e-5, atol=1e-6)
    assert {"inner.fc.weight", "norm.weight"} <= {tensor.name for tensor in model.graph.initializer}


def test_a_layer_within_a_module_that_has_no_converter_is_named():
    class Own(nn.Module):
        def forward(self, x):
            return x

        def backward(self, grad_output):
            return grad_output

    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.own = Own()

        def forward(self, x):
            return self.own(x) + x

    with pytest.raises(TypeError, match=r"no ONNX converter for 0\.own: Own"):
        fastnn.onnx.export(nn.Sequential(Around()), input_shape=(2,))


@pytest.mark.parametrize("name", sorted(CASES.keys()))
def test_models_of_modules_come_back_as_networks(name):
    """As layers and formulas; parameters that are rows come back as the constants that they are in the graph."""
    net, x = module_of(name, "float64")
    model = fastnn.onnx.export(net, input_shape=x.shape[1:])
    twin = fastnn.onnx.load(model.SerializeToString())
    np.testing.assert_allclose(twin.predict(x), net.predict(x), rtol=1e-9, atol=1e-12)


def test_every_elementary_function_with_a_gradient_has_nodes():
    kernels = {kernel for kernel, (_, kind) in dispatch.PLACES.items() if kind == "map1"}
    assert {kernel for kernel in kernels if f"{kernel}_backward" in dispatch.PLACES} <= ACTIVATIONS.keys()


@pytest.mark.parametrize("eps", [None, 0.25])
def test_logit(eps):
    class Odds(nn.Module):
        def forward(self, x):
            return F.logit(x, eps) if eps is not None else F.logit(x)

    x = np.random.default_rng(0).uniform(0.05, 0.95, (5, 3))
    net = nn.Sequential(Odds(), dtype="float64")
    model = fastnn.onnx.export(net, input_shape=(3,))
    np.testing.assert_allclose(evaluate(model, x), net.predict(x), rtol=1e-9, atol=1e-12)

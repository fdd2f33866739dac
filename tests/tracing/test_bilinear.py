"""Bilinear layers within modules: compiled as products of columns and one product with the weight."""

import io

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn

X = np.random.default_rng(0).normal(size=(7, 4))


class Interaction(nn.Module):
    """A layer, and the bilinear map of its output and the input."""

    def __init__(self, bias=True):
        super().__init__()
        self.encode = nn.Linear(4, 5)
        self.pair = nn.Bilinear(5, 4, 3, bias=bias)

    def forward(self, x):
        return self.pair(F.tanh(self.encode(x)), x)


class Squared(nn.Module):
    """One bilinear layer that is called twice."""

    def __init__(self):
        super().__init__()
        self.pair = nn.Bilinear(4, 4, 4)

    def forward(self, x):
        return self.pair(x, self.pair(x, x))


def network(module, dtype="float64"):
    return nn.Sequential(module, seed=3, dtype=dtype)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
def test_values_are_those_of_the_function(bias, dtype):
    net, x = network(Interaction(bias), dtype), X.astype(dtype)
    module = net[0]
    hidden = F.tanh(F.linear(x, module.encode.weight, module.encode.bias))
    expected = F.bilinear(hidden, x, module.pair.weight, module.pair.bias)
    np.testing.assert_allclose(net.predict(x), expected, rtol=2e-5 if dtype == "float32" else 1e-13, atol=1e-6)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("module", [Interaction, Squared])
def test_gradients_are_central_differences(module):
    assert fastnn.gradcheck(network(module()), X)


def test_bits_are_those_of_any_threads_and_rows():
    net = network(Interaction(), "float32")
    x = np.random.default_rng(1).normal(size=(301, 4)).astype("float32")
    whole = net.predict(x)
    with fastnn.set_num_threads(2):
        assert net.predict(x).tobytes() == whole.tobytes()
    assert np.concatenate([net.predict(x[:5]), net.predict(x[5:])]).tobytes() == whole.tobytes()


def test_summary_and_file():
    net = network(Interaction())
    row = next(row for row in net.summary().layers if row.layer == "Bilinear")
    assert (row.in_features, row.out_features, row.parameters, row.flops) == (9, 3, 63, 2 * 60)
    file = io.BytesIO()
    net.save(file)
    assert [name for name, _ in net.named_parameters()][2:] == ["0.pair.weight", "0.pair.bias"]


def test_onnx():
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    from fastnn.onnx import export

    net = network(Interaction(), "float32")
    x = X.astype("float32")
    session = runtime.InferenceSession(export(net).SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"input": x})[0], net.predict(x), rtol=1e-5, atol=1e-6)
    with pytest.raises(TypeError, match="Bilinear takes two inputs"):
        export(nn.Bilinear(2, 3, 1), input_shape=(2,))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda self, x: self.pair(x, x), "bilinear with a weight of shape \\(3, 5, 4\\) gets 5 features"),
        (lambda self, x: F.bilinear(x, x, np.zeros((2, 4, 4))), "weight must be a parameter of 3 axes"),
        (lambda self, x: nn.CosineSimilarity()(x, x), "CosineSimilarity has no compiled form"),
    ],
)
def test_what_cannot_be_compiled(forward, message, monkeypatch):
    monkeypatch.setattr(Interaction, "forward", forward)
    with pytest.raises((TypeError, ValueError), match=message):
        network(Interaction()).predict(X)


def test_a_list_of_layers_gives_it_one_input():
    with pytest.raises(ValueError, match="takes two inputs, and a network gives its layers one"):
        nn.Sequential(nn.Bilinear(2, 3, 4)).predict(np.ones((1, 2), "float32"))

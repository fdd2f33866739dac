"""A layer without a network: it passes on to a network of its own."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.files import FileFormatError
from fastnn.testing.measure import assert_same_bits


@pytest.mark.parametrize("layer", [nn.Linear(3, 2, seed=0, dtype="float64"), nn.Residual(nn.Linear(3, 3))])
def test_methods_of_networks(layer, backend, tmp_path):
    x = np.linspace(-1, 1, 6, dtype=layer.parameters().dtype).reshape(2, 3)
    assert_same_bits(layer.predict(x), layer.eval()(x))
    state = layer.state_dict()
    assert list(state) == [name for name, _ in layer.named_parameters()] == [p.name for p in layer.parameters()]
    layer.save(tmp_path / "layer.safetensors")
    twin = fastnn.load(tmp_path / "layer.safetensors")
    assert type(twin) is type(layer)
    assert_same_bits(twin.predict(x), layer.predict(x))
    layer.load_state_dict({name: 0 * value for name, value in state.items()})
    assert not layer.state_dict()["weight" if "weight" in state else "body.weight"].any()
    assert layer.summary().parameters == sum(value.size for value in state.values())
    layer.load_state_dict(state)
    layer.train().backward(layer(x) * 0 + 1)
    assert any(layer.parameters().grad)
    layer.zero_grad()
    assert not layer.parameters().grad.any()


def test_a_layer_can_be_trained_alone(backend):
    layer = nn.Linear(2, 1, seed=0)
    trainer = fastnn.Trainer(layer, nn.MSELoss(), optim.SGD(layer.parameters(), lr=0.1))
    x = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    for _ in range(300):
        trainer.step(x, np.array([[1.0], [2.0]], "float32"))
    np.testing.assert_allclose(layer.predict(x), [[1.0], [2.0]], atol=1e-3)


def test_what_a_file_of_a_module_must_say(tmp_path):
    from fastnn.nn.architecture import Architecture

    spec = Architecture({}).encode(nn.ReLU(), "net")
    for dtype, seed in (("float16", 0), ("float32", -1), ("float32", True), (7, 0)):
        with pytest.raises(FileFormatError, match="a module needs a dtype and a seed"):
            Architecture({}).network(spec, dtype, seed)
    with pytest.raises(FileFormatError, match="not a Sequential"):
        Architecture({}).network(spec)

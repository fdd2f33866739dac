"""Networks in another dtype; changes of layers have test_layer_list.py."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw


def test_a_network_is_converted_in_place(backend, rng):
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.Tanh(), nn.Linear(4, 2)), seed=0)
    x, y = draw(rng, (6, 3), "float32"), np.zeros((6, 2))
    net(x)
    layers, values, optimizer = net.layers, net.state_dict(), optim.SGD(net.parameters())
    trainer, out = fastnn.Trainer(net, nn.MSELoss(), optimizer), net.predict(x)
    assert net.double() is net
    assert (net.dtype, net[2].dtype, net.layers) == ("float64", "float64", layers)
    for name, value in net.state_dict().items():
        assert value.dtype == ("int64" if name.endswith("tracked") else "float64")
        np.testing.assert_array_equal(value, values[name])
    np.testing.assert_allclose(net.predict(x.astype("float64")), out, rtol=1e-5, atol=1e-6)
    assert_same_bits(net.predict(x), net.predict(x.astype("float64")))
    for call in (optimizer.step, lambda: trainer.step(x.astype("float64"), y)):
        with pytest.raises(RuntimeError, match="the network was converted to float64: make an optimizer"):
            call()
    fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters())).step(x.astype("float64"), y)
    net.load_state_dict({name: v.astype(net.state_dict()[name].dtype) for name, v in values.items()})
    assert_same_bits(net.float().predict(x), out)
    params = net.parameters()
    assert net.float().parameters() is params


def test_only_a_whole_network_is_converted():
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Tanh()))
    for part in (net[0], net[1], net[:1]):
        with pytest.raises(ValueError, match="which has one dtype: convert"):
            part.double()
    assert net.dtype == "float32"


def test_layers_alone_are_converted(backend, rng):
    x = draw(rng, (5, 3))
    for layer in (nn.Linear(3, 3), nn.Residual(nn.Linear(3, 3), nn.Tanh()), nn.ReLU(), nn.BatchNorm1d(3)):
        y = layer.eval()(x.astype("float32"))
        assert layer.double() is layer
        np.testing.assert_allclose(layer(x), y, rtol=1e-4, atol=1e-5)
        assert layer(x).dtype == "float64"
    fresh = nn.Linear(3, 3, seed=1).double()
    assert_same_bits(fresh(x), F.linear(x, fresh.weight, fresh.bias))


def test_a_free_layer_around_a_network_that_changes(backend, rng):
    """Whichever of them was used last, both see the same parameters."""
    inner, x = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), seed=0), draw(rng, (5, 3), "float32")
    block = nn.Residual(inner)
    y = inner.predict(x)
    assert_same_bits(block(x), y + x)
    inner[0].weight[...] *= 0.5
    assert_same_bits(block(x), inner.predict(x) + x)
    assert (inner.predict(x) != y).any()
    inner.append(nn.Linear(3, 3))
    assert_same_bits(block(x), inner.predict(x) + x)
    inner["2.weight"][...] *= 2
    assert_same_bits(block(x), inner.predict(x) + x)

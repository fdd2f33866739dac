"""The diagnosis of a network: dead and saturated units, norms of gradients and updates, advice."""

import itertools

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits


@pytest.fixture
def data(rng):
    return rng.normal(size=(100, 4)).astype("float32"), rng.integers(0, 3, 100)


def trainer_of(*layers, lr=1e-3, **keywords):
    net = nn.Sequential(*layers, seed=0)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=lr, **keywords))


def test_a_healthy_network(data, backend):
    trainer = trainer_of(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    health = trainer.health(*data)
    assert health.advice == ()
    assert [h.name for h in health.layers] == ["0 Linear + 1 Tanh", "2 Linear"]
    assert "nothing looks wrong" in str(health)
    assert health.loss == pytest.approx(trainer.evaluate(*data)["loss"], rel=1e-6)


def test_dead_and_saturated_units_are_counted(data, backend):
    trainer = trainer_of(nn.Linear(4, 10), nn.ReLU(), nn.Residual(nn.Linear(10, 10), nn.Sigmoid()), nn.Linear(10, 3))
    trainer.net["0.bias"][:6] = -1000
    trainer.net["2.body.0.weight"][...] = 0
    trainer.net["2.body.0.bias"][:] = 50
    first, inner, outer, last = trainer.health(*data).layers
    assert first.dead == pytest.approx(0.6)
    assert inner.saturated == 1
    assert np.isnan([outer.dead, outer.grad_norm, last.dead]).all()
    advice = " ".join(trainer.health(*data).advice)
    assert "60% of its units are dead" in advice
    assert "100% of its outputs are saturated" in advice or "units are dead" in advice


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
def test_a_healthy_network_with_relu_is_not_called_saturated(activation, data, backend):
    """Half of the outputs are 0, or a few more."""
    trainer = trainer_of(nn.Linear(4, 64, bias_init=-0.2), activation(), nn.Linear(64, 3))
    health = trainer.health(*data)
    assert (data[0] @ trainer.net["0.weight"] + trainer.net["0.bias"] < 0).mean() > 0.5
    assert np.isnan(health.layers[0].saturated)
    assert health.advice == ()


def test_norms_are_those_of_gradients_and_updates(data):
    trainer = trainer_of(nn.Linear(4, 5), nn.SiLU(), nn.Linear(5, 3))
    health = trainer.health(*data)
    before = trainer.net.state_dict()
    trainer.step(*data)
    gradients, after = dict(trainer.net.named_gradients()), trainer.net.state_dict()
    for layer, keys in zip(health.layers, (("0.weight", "0.bias"), ("2.weight", "2.bias")), strict=True):
        norm = np.sqrt(sum((gradients[key].astype(float) ** 2).sum() for key in keys))
        assert layer.grad_norm == pytest.approx(norm, rel=1e-6)
        update = np.sqrt(sum(((after[key] - before[key]).astype(float) ** 2).sum() for key in keys))
        weight = np.sqrt(sum((before[key].astype(float) ** 2).sum() for key in keys))
        assert layer.update_ratio == pytest.approx(update / weight, rel=1e-6)


def test_nothing_changes(data, backend):
    trainer = trainer_of(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 3))
    trainer.fit(*data, epochs=2)
    states = [trainer.net.parameters().data, trainer.net.parameters().grad, *trainer.optimizer.states.values()]
    before, step = [array.copy() for array in states], trainer.optimizer.step_count[0]
    trainer.health(*data)
    for array, old in zip(states, before, strict=True):
        assert_same_bits(array, old)
    assert trainer.optimizer.step_count[0] == step


def test_rates_and_losses_that_are_wrong(data):
    trainer = trainer_of(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3), lr=10.0)
    assert any("lower the learning rate" in line for line in trainer.health(*data).advice)
    trainer.optimizer.lr = 1e-9
    assert any("may be too low" in line for line in trainer.health(*data).advice)
    trainer.net["0.weight"][0, 0] = np.nan
    advice = trainer.health(*data).advice
    assert "the loss is nan" in advice[0]
    assert "0 Linear + 1 Tanh: its outputs are not finite" in advice[1]


def test_gradients_that_vanish():
    x, y = np.ones((10, 4), "float32"), np.zeros(10, int)
    trainer = trainer_of(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))
    trainer.net["2.weight"][...] *= 1e-7
    assert any(line.startswith("0 Linear") and "hardly learns" in line for line in trainer.health(x, y).advice)


def test_the_textbook_case_is_named(backend):
    """Five sigmoid layers from std 1: many outputs are flat, and the updates of the first layers are tiny."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((400, 10)).astype("float32"), rng.integers(0, 2, 400)
    sizes, layers = [10, *[100] * 5], []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out, weight_init=nn.init.Normal(std=1.0)), nn.Sigmoid()]
    net = nn.Sequential(*layers, nn.Linear(100, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
    flat = [line for line in trainer.health(x, y).advice if "of its outputs are saturated" in line]
    names = ["0 Linear + 1 Sigmoid", "2 Linear + 3 Sigmoid", "4 Linear + 5 Sigmoid", "6 Linear + 7 Sigmoid"]
    assert [line.partition(":")[0] for line in flat][-4:] == [*names[1:], "8 Linear + 9 Sigmoid"]
    for layer in list(net)[2:10:2]:
        layer.weight[...] *= 0.05
    advice = trainer.health(x, y).advice
    slow = [line for line in advice if "its gradient vanishes" in line]
    assert [line.partition(":")[0] for line in slow] == names[: len(slow)] and len(slow) >= 2
    assert all("those of 10 Linear by" in line for line in slow)

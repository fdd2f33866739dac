"""Layers as trees: walks, and parameters that are not trained."""

import copy

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw


def make(dtype="float64"):
    layers = [nn.Linear(4, 6), nn.Tanh(), nn.BatchNorm1d(6), nn.Residual(nn.Linear(6, 6), nn.PReLU()), nn.Linear(6, 3)]
    return nn.Sequential(*layers, seed=0, dtype=dtype)


def test_walks():
    net = make()
    names = ["", "0", "1", "2", "3", "3.body", "3.body.0", "3.body.1", "4"]
    assert [name for name, _ in net.named_modules()] == names
    assert list(net.modules()) == [module for _, module in net.named_modules()]
    assert [name for name, _ in net[3].named_modules("block")] == [
        "block",
        "block.body",
        "block.body.0",
        "block.body.1",
    ]
    seen = []
    assert net.apply(lambda layer: seen.append(type(layer).__name__)) is net
    assert seen == [
        "Linear",
        "Tanh",
        "BatchNorm1d",
        "Linear",
        "PReLU",
        "Sequential",
        "Residual",
        "Linear",
        "Sequential",
    ]


def frozen_step(net, frozen, x, y):
    """The names of the parameters that two steps change, when those whose names begin so are not trained."""
    before = net.state_dict()
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.AdamW(net.parameters(), lr=0.1, weight_decay=0.5))
    trainer.l1 = trainer.l2 = 0.1
    for name, module in net.named_modules():
        if name in frozen:
            module.requires_grad_(False)
    trainer.step(x, y)
    trainer.fit(x, y, epochs=1, batch_size=4)
    return {name for name, view in net.named_parameters() if (view != before[name]).any()}


@pytest.mark.parametrize("frozen", [["0"], ["3"], ["0", "2", "4"], ["2", "3.body.1"], [""]])
def test_what_is_not_trained_stays(frozen, backend, rng):
    net, x, y = make(), draw(rng, (8, 4)), np.arange(8) % 3
    every = {name for name, _ in net.named_parameters()}
    free = {n for n in every if not any(n.startswith(f"{f}.") or not f for f in frozen)}
    assert frozen_step(net, frozen, x, y) == free
    assert {p.name for p in net.parameters() if p.requires_grad} == free
    net.zero_grad()
    net.backward(net(x))
    assert {p.name for p in net.parameters() if p.grad.any()} <= free
    for module in net.modules():
        module.requires_grad_()
    net.backward(net(x))
    assert {p.name for p in net.parameters() if p.grad.any()} >= free
    assert net.requires_grad


TRAINED = [nn.Linear(6, 6), nn.LayerNorm(6), nn.RMSNorm(6), nn.BatchNorm1d(6), nn.PReLU(6), nn.Temperature()]


@pytest.mark.parametrize("layer", TRAINED, ids=lambda layer: type(layer).__name__)
def test_gradients_pass_through_what_is_not_trained(layer, backend, rng):
    x = draw(rng, (5, 4))
    net = nn.Sequential(nn.Linear(4, 6), copy.deepcopy(layer), nn.Sigmoid(), seed=0, dtype="float64")
    grads = []
    for requires_grad in (True, False):
        net[1].requires_grad = requires_grad
        assert net[1].requires_grad == requires_grad
        net.zero_grad()
        y = net(x)
        grads.append((net.backward(np.cos(y)), net[0].gradient("weight").copy()))
    for plain, frozen in zip(*grads, strict=True):
        assert_same_bits(frozen, plain)


def test_the_backward_pass_ends_at_the_first_layer_that_is_trained(rng):
    net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
    for layer in net[:4]:
        layer.requires_grad_(False)
    program = trainer.engine.get("step", trainer.engine.data(draw(rng, (8, 4), "float32"), np.arange(8) % 3), 8)
    backward = program.operations[slice(*program.sections["backward"])]
    assert [operation.label for operation in backward] == ["4 Linear"]
    assert backward[0].arrays.get("grad_input") is None


def test_layers_in_python_are_not_trained_either(backend, rng):
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_parameter("factor", (1,), init=2.0)

        def forward(self, x):
            self.x = x.copy()
            return self["factor"] * x

        def backward(self, grad_output):
            self.gradient("factor")[...] += (grad_output * self.x).sum()
            return self["factor"] * grad_output

    net, x = nn.Sequential(nn.Linear(4, 3), Scale(), seed=0), draw(rng, (6, 4), "float32")
    net[1].requires_grad_(False)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=0.1))
    before = net.state_dict()
    trainer.step(x, np.zeros((6, 3), "float32"))
    net.backward(net(x))
    assert (net["1.factor"] == 2).all()
    assert not net[1].gradient("factor").any()
    assert (net["0.weight"] != before["0.weight"]).any()


def test_optimizers_that_search_refuse_parameters_that_are_not_trained():
    net = make()
    net[0].requires_grad_(False)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.LBFGS(net.parameters()))
    with pytest.raises(ValueError, match="LBFGS can neither freeze parameters"):
        trainer.step(np.zeros((4, 4)), np.arange(4) % 3)


def test_requires_grad_is_true_or_false():
    with pytest.raises(TypeError, match="requires_grad must be"):
        nn.Linear(1, 1).requires_grad_("no")


def test_what_is_not_trained_remains_so_when_the_network_changes(rng):
    net = make()
    net[0].requires_grad_(False)
    net.append(nn.Linear(3, 3)).float()
    assert {p.name for p in net.parameters() if not p.requires_grad} == {"0.weight", "0.bias"}
    assert {p.name for p in net[:2].parameters() if p.requires_grad} == set()

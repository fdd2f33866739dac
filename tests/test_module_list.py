"""Layers written in Python that are made of layers: attributes, and lists of layers."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient
from support.layers import assert_network_gradients, draw


class Block(nn.Module):
    """x + fc2(tanh(fc1(x))) * factor"""

    def __init__(self, fc1, fc2):
        super().__init__()
        self.fc1, self.act, self.fc2 = fc1, nn.Tanh(), fc2
        self.add_parameter("factor", (1,), init=1.5)

    def forward(self, x):
        self.h = self.fc2(self.act(self.fc1(x)))
        return x + self.h * self["factor"]

    def backward(self, grad_output):
        self.gradient("factor")[...] += (grad_output * self.h).sum()
        g = self.fc2.backward(grad_output * self["factor"])
        return grad_output + self.fc1.backward(self.act.backward(g))


class Stack(nn.Module):
    def __init__(self, width, depth, p=0.0):
        super().__init__()
        self.width, self.depth, self.p = width, depth, p
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(width, width), nn.Dropout(p)) for _ in range(depth))
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x)

    def backward(self, grad_output):
        grad_output = self.head.backward(grad_output)
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        return grad_output

    def in_features_hint(self):
        return self.width

    def out_features_for(self, in_features):
        return 2


LAYERS = {"Block": Block, "Stack": Stack}


def make(p=0.0, dtype="float64"):
    block = Block(nn.Linear(4, 6), nn.Linear(6, 4))
    return nn.Sequential(nn.Linear(3, 4), block, nn.ReLU(), Stack(4, 2, p), seed=3, dtype=dtype)


def test_layers_in_attributes_are_found():
    net = make()
    names = [name for name, _ in net.named_parameters()]
    assert names[2:7] == ["1.factor", "1.fc1.weight", "1.fc1.bias", "1.fc2.weight", "1.fc2.bias"]
    assert names[7:] == [f"3.{layer}.{n}" for layer in ("layers.0.0", "layers.1.0", "head") for n in ("weight", "bias")]
    assert [name for name, _ in net[1].named_modules()] == ["", "fc1", "act", "fc2"]
    assert np.shares_memory(net[1].fc1.weight, net.parameters().data)
    assert len({view.tobytes() for name, view in net.named_parameters() if "layers" in name and "weight" in name}) == 2
    assert_same_bits(make()["3.layers.1.0.weight"], net["3.layers.1.0.weight"])
    assert "fc1" in repr(net)
    assert net.summary().parameters == net.parameters().numel()


def test_their_gradients_are_those_of_central_differences(backend, rng):
    assert_network_gradients(make(), draw(rng, (5, 3)), rng)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_they_are_trained(accumulate, backend, rng):
    """As by a loop of one's own, whose gradients are those of central differences."""
    net, x, y = make(), draw(rng, (8, 3)), draw(rng, (8, 2))
    before, twin, loss = net.state_dict(), copy.deepcopy(net), nn.MSELoss()
    trainer = fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1))
    trainer.fit(x, y, epochs=3, batch_size=8 // accumulate, accumulate=accumulate, shuffle=False)
    optimizer = optim.SGD(twin.parameters(), lr=0.1)
    for _ in range(3):
        twin.zero_grad()
        twin.backward(loss(twin(x), y)[1])
        optimizer.step()
    for name, view in net.named_parameters():
        assert (view != before[name]).any()
        np.testing.assert_allclose(view, twin[name], rtol=1e-9, atol=1e-11)
    trainer.evaluate(x, y)
    assert_same_bits(net.predict(x), net.eval()(x))


def test_dropout_within_draws_by_the_seed_and_only_while_training(backend, rng):
    net, x = make(p=0.5), draw(rng, (8, 3))
    other = make(p=0.5)
    first = [net(x), net(x)]
    assert (first[0] != first[1]).any()
    assert_same_bits(other(x), first[0])
    assert_same_bits(net.predict(x), make(p=0.0).predict(x))
    trainer = fastnn.Trainer(net.eval(), nn.MSELoss(), optim.SGD(net.parameters(), lr=0.0))
    assert trainer.step(x, x[:, :2]) != trainer.evaluate(x, x[:, :2])["loss"]
    assert not net[3].layers[0].training


def test_gradients_of_the_input_in_inference(backend, rng):
    net, x, upstream = make(p=0.5), draw(rng, (5, 3)), rng.normal(size=(5, 2))
    gradient = net.input_gradient(x, upstream)
    assert_gradient(gradient, lambda x: (net.predict(x) * upstream).sum(), x)
    assert not net.parameters().grad.any()
    assert_same_bits(net.predict(x), make(p=0.0).predict(x))


def test_some_of_them_are_not_trained(backend, rng):
    net, x = make(), draw(rng, (8, 3))
    net[1].fc1.requires_grad_(False)
    net[3].requires_grad_(False)
    before = net.state_dict()
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.AdamW(net.parameters(), lr=0.1, weight_decay=0.1))
    trainer.step(x, x[:, :2])
    net.backward(net(x))
    changed = {name for name, view in net.named_parameters() if (view != before[name]).any()}
    assert changed == {"0.weight", "0.bias", "1.factor", "1.fc2.weight", "1.fc2.bias"}
    assert {p.name for p in net.parameters() if p.grad.any()} == changed


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"])
def test_copies(clone, rng):
    net, x = make(), draw(rng, (5, 3))
    net(x)
    twin = clone(net)
    assert_same_bits(twin.predict(x), net.predict(x))
    twin[1].fc1.weight[...] = 0
    assert (twin["1.fc1.weight"] == 0).all()
    assert (net["1.fc1.weight"] != 0).any()


def test_files_and_changes(tmp_path, backend, rng):
    net, x = make(), draw(rng, (5, 3))
    net.save(tmp_path / "net.safetensors")
    copied = fastnn.load(tmp_path / "net.safetensors", LAYERS)
    assert_same_bits(copied.predict(x), net.predict(x))
    other = make().load_state_dict(net.state_dict())
    assert other == ([], [])
    net.insert(0, nn.Linear(3, 3))
    assert np.shares_memory(net[2].fc1.weight, net.parameters().data)
    stack, y = net.pop(), net.predict(x)
    assert_same_bits(nn.Sequential(stack, dtype="float64").predict(y), stack.eval()(y))
    assert net.float().predict(x.astype("float32")).dtype == "float32"
    assert net[2].fc1.weight.dtype == "float32"


def test_alone(backend, rng):
    block, x = Block(nn.Linear(4, 6), nn.Linear(6, 4)), draw(rng, (5, 4), "float32")
    y = block(x)
    assert block.backward(y).shape == (5, 4)
    assert block.fc1.gradient("weight").any()
    block.fc2 = nn.Linear(6, 4, weight_init=0.0, bias_init=0.0)
    assert_same_bits(block(x), x)
    net = nn.Sequential(block)
    assert_same_bits(net.predict(x), x)
    with pytest.raises(AttributeError, match=r"Block\.fc2 is a layer, and part of a network"):
        block.fc2 = nn.Linear(6, 4)
    with pytest.raises(AttributeError, match=r"Block\.fc2 is a layer, and part of a network"):
        del block.fc2


def test_lists_of_layers():
    layers = nn.ModuleList([nn.ReLU()]).append(nn.Tanh()).extend([nn.Sigmoid()])
    layers.insert(0, nn.Linear(2, 2))
    layers[1] = nn.ELU()
    del layers[2]
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ELU", "Sigmoid"]
    assert (len(layers), layers[:2], layers[-1]) == (3, [layers[0], layers[1]], layers.pop())
    with pytest.raises(TypeError, match="layer 2 must be a Module, got int"):
        layers.append(3)
    with pytest.raises(ValueError, match="holds each layer once"):
        layers.append(layers[0])
    with pytest.raises(TypeError, match=r"0 ModuleList computes nothing: use nn\.Sequential"):
        nn.Sequential(nn.ModuleList([nn.ReLU()])).predict(np.ones((1, 2), "float32"))
    stack = Stack(4, 2)
    net = nn.Sequential(stack)
    with pytest.raises(ValueError, match="part of a network: take its layer out"):
        stack.layers.append(nn.ReLU())
    del net[0]
    stack.layers.pop()
    assert len(nn.Sequential(stack).parameters()) == 4


def test_hooks_of_layers_that_python_calls(backend, rng):
    net, x, seen = make(), draw(rng, (5, 3)), []
    with net[1].fc1.register_forward_hook(lambda layer, x, y: seen.append((layer, y.shape))):
        net.predict(x)
    assert seen == [(net[1].fc1, (5, 6))]
    assert list(net.activations(x)) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda _: nn.ModuleList(nn.Linear(2, 2)), TypeError, r"modules must be a list.*Linear: write \[layer\]"),
        (lambda _: nn.ModuleList(3), TypeError, "modules must be a list of layers, got int"),
        (lambda layers: layers.extend(nn.Tanh()), TypeError, "layers must be a list of layers, got one layer, Tanh"),
        (lambda layers: layers[1], IndexError, "index 1 is out of range: there are 1 layers"),
        (lambda layers: layers[1.0], TypeError, "index must be an integer, got 1.0"),
        (lambda layers: layers.pop(3), IndexError, "index 3 is out of range"),
        (lambda layers: layers.insert("0", nn.Tanh()), TypeError, "index must be an integer, got '0'"),
        (lambda layers: layers.__setitem__(slice(0, 1), nn.Tanh()), TypeError, r"Tanh: write \[layer\]"),
    ],
)
def test_arguments_are_named_in_errors(change, error, message):
    layers = nn.ModuleList([nn.ReLU()])
    with pytest.raises(error, match=message):
        change(layers)
    assert len(layers) == 1

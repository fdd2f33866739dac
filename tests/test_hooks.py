"""Forward hooks: when they are called, with what, and what errors in them do."""

import copy

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw


def make():
    inner, last = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5)), nn.Concat(nn.Linear(8, 2), nn.Tanh())
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), inner, last, seed=0)


class Seen(list):
    def __call__(self, layer, x, y):
        self.append((layer, x.copy(), y.copy()))


def test_hooks_get_what_layers_read_and_write(backend, rng):
    """Also where the next layer is fused with them, and of networks in networks."""
    net, x = make(), draw(rng, (5, 4), "float32")
    plain = net.predict(x)
    seen = Seen()
    handles = [module.register_forward_hook(seen) for module in net.modules()]
    y = net.eval()(x)
    assert_same_bits(y, plain)
    outputs = {id(layer): (given, out) for layer, given, out in seen}
    assert len(seen) == len(handles) == len(outputs)
    for handle in handles:
        handle.remove()
        handle.remove()
    for module in net.modules():
        given, out = outputs[id(module)]
        assert_same_bits(module(given), out)
    assert_same_bits(outputs[id(net)][1], plain)
    net.predict(x)
    assert len(seen) == len(handles)


def test_hooks_are_called_while_training(backend, rng):
    net, x, y = make(), draw(rng, (10, 4), "float32"), np.zeros((10, 10), "float32")
    twin, seen = copy.deepcopy(net), Seen()
    net[0].register_forward_hook(seen)
    net[2][1].register_forward_hook(seen)
    net(x)
    assert [(layer, given.shape) for layer, given, _ in seen] == [(net[0], (10, 4)), (net[2][1], (10, 8))]
    assert (seen[1][2] == 0).any()
    twin(x)
    trainers = [fastnn.Trainer(each, nn.MSELoss(), optim.SGD(each.parameters(), lr=0.1)) for each in (net, twin)]
    seen.clear()
    for trainer in trainers:
        trainer.fit(x, y, epochs=1, batch_size=4)
        trainer.step(x, y)
        trainer.evaluate(x, y)
    assert [len(given) for _, given, _ in seen[::2]] == [4, 4, 2, 10, 10]
    for name, view in net.named_parameters():
        assert_same_bits(view, twin[name])


def test_hooks_of_layers_alone_and_of_empty_networks(backend, rng):
    x, seen = draw(rng, (5, 4)), Seen()
    layer, empty = nn.Tanh(), nn.Sequential(dtype="float64")
    for module in (layer, empty):
        module.register_forward_hook(seen)
    assert_same_bits(layer(x), seen[0][2])
    assert_same_bits(empty(x), seen[1][1])
    nn.Sequential(nn.Linear(4, 4), empty, layer, dtype="float64").predict(x)
    assert [type(module).__name__ for module, _, _ in seen] == ["Tanh", "Sequential", "Tanh"]


def test_arrays_of_hooks_are_read_only(backend):
    net = make()

    def write(layer, x, y):
        y[...] = 0

    with net[1].register_forward_hook(write), pytest.raises(ValueError, match="read-only"):
        net.predict(np.ones((2, 4), "float32"))
    net.predict(np.ones((2, 4), "float32"))


def test_an_error_in_a_hook_stops_the_pass_before_anything_changes(backend):
    net, x, y = make(), np.ones((2, 4), "float32"), np.zeros((2, 10), "float32")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    before = net.state_dict()

    def stop(layer, x, y):
        raise LookupError("enough")

    net[0].register_forward_hook(stop)
    for call in (lambda: net(x), lambda: net.predict(x), lambda: trainer.step(x, y)):
        with pytest.raises(LookupError, match="enough"):
            call()
    for name, view in net.named_parameters():
        assert_same_bits(view, before[name])


def test_copies_have_no_hooks_and_hooks_are_functions():
    net = make()
    net[0].register_forward_hook(Seen())
    assert not copy.deepcopy(net)[0]._hooks
    with pytest.raises(TypeError, match="hook must be a function of"):
        net.register_forward_hook(3)


def test_what_a_hook_keeps_stays_as_it_was(backend, rng):
    """PyTorch's idiom, without copies."""
    net, batches, kept, copies = make().eval(), [draw(rng, (5, 4), "float32") for _ in range(3)], [], Seen()
    for layer in (net[0], net[2][0], net):
        layer.register_forward_hook(lambda layer, x, y: kept.append((layer, x, y)))
        layer.register_forward_hook(copies)
    for x in batches:
        net(x)
    batches[0][...] = 0
    assert len(kept) == len(copies) == 9
    for (layer, *arrays), (other, *expected) in zip(kept, copies, strict=True):
        assert layer is other
        for array, values in zip(arrays, expected, strict=True):
            assert_same_bits(array, values)
            assert not array.flags.writeable

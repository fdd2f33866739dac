"""Networks as lists: indices, slices, and changes of their layers."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.testing.measure import assert_same_bits
from support.layers import draw


def make(dtype="float32"):
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3), seed=1, dtype=dtype)


def through(net, x):
    for layer in net:
        x = layer(x)
    return x


def test_layers_are_a_tuple_that_cannot_mislead():
    net = make()
    assert isinstance(net.layers, tuple)
    with pytest.raises(TypeError, match="does not support item assignment"):
        net.layers[1] = nn.ReLU()
    with pytest.raises(AttributeError, match="make a new network"):
        net.layers = [nn.ReLU()]


def test_append_makes_the_network_that_the_constructor_would_have_made(backend, rng):
    net, whole = nn.Sequential(seed=1), make()
    for layer in (nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)):
        assert net.append(layer) is net
    x = draw(rng, (5, 4), "float32")
    assert_same_bits(net.predict(x), whole.predict(x))


CHANGES = {
    "replace": (lambda net: net.__setitem__(1, nn.Sigmoid()), [0, None, 2, 3, 4]),
    "replace the last": (lambda net: net.__setitem__(-1, nn.Linear(8, 5)), [0, 1, 2, 3, None]),
    "replace some": (lambda net: net.__setitem__(slice(2, None), [nn.Linear(8, 2)]), [0, 1, None]),
    "append": (lambda net: net.append(nn.Softmax()), [0, 1, 2, 3, 4, None]),
    "extend": (lambda net: net.extend([nn.ReLU(), nn.Linear(3, 2)]), [0, 1, 2, 3, 4, None, None]),
    "insert": (lambda net: net.insert(2, nn.Linear(8, 8)), [0, 1, None, 2, 3, 4]),
    "delete": (lambda net: net.__delitem__(1), [0, 2, 3, 4]),
    "delete some": (lambda net: net.__delitem__(slice(2, 4)), [0, 1, 4]),
    "pop": (lambda net: net.pop(), [0, 1, 2, 3]),
    "swap": (lambda net: net.__setitem__(slice(1, 4), [net[3], net[2], net[1]]), [0, 3, 2, 1, 4]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("nested", [False, True])
def test_layers_that_stay_keep_their_values(change, nested, backend, rng):
    net, x = make(), draw(rng, (5, 4), "float32")
    whole = nn.Sequential(nn.Linear(4, 4), nn.Concat(nn.Sequential(net, nn.Tanh())), seed=3) if nested else net
    layers, values = list(net), net.state_dict()
    optimizer = optim.SGD(whole.parameters())
    function, expected = CHANGES[change]
    function(net)
    assert [layers.index(layer) if layer in layers else None for layer in net] == expected
    for i, old in enumerate(expected):
        for name in ("weight", "bias"):
            if old is not None and f"{old}.{name}" in values:
                assert_same_bits(net[f"{i}.{name}"], values[f"{old}.{name}"])
                assert np.shares_memory(net[f"{i}.{name}"], whole.parameters().data)
    np.testing.assert_allclose(net.eval()(x), through(net, x), rtol=1e-5, atol=1e-6)
    with pytest.raises(RuntimeError, match="layers of the network changed: make an optimizer"):
        optimizer.step()
    whole.train()
    y = whole(x)
    whole.backward(y)
    optim.SGD(whole.parameters(), lr=0.1).step()
    assert (whole.predict(x) != y).any()


FAILURES = {
    "no layer": (lambda net: net.append(3), TypeError, "layer 5 must be a Module, got int"),
    "features": (lambda net: net.append(nn.Linear(4, 4)), ValueError, "takes 4 features but gets 3"),
    "in the middle": (lambda net: net.insert(1, nn.Linear(8, 7)), ValueError, "takes 8 features but gets 7"),
    "of another": (lambda net: net.append(make()[1]), ValueError, "part of another network already"),
    "itself": (lambda net: net.append(net), ValueError, "contains the network that it is to become part of"),
    "around itself": (lambda net: net.append(nn.Concat(net)), ValueError, "contains the network"),
    "twice": (lambda net: net.append(net[1]), ValueError, "layer 5 is layer 1 again"),
    "values": (lambda net: net.append(nn.Linear(3, 3, weight_init=lambda *_: np.ones(7))), ValueError, "shape"),
    "one of several": (lambda net: net.extend([nn.ReLU(), nn.Linear(9, 9)]), ValueError, "takes 9 features"),
    "index": (lambda net: net.__setitem__(9, nn.ReLU()), IndexError, "out of range"),
    "slice": (lambda net: net[:2].append(nn.ReLU()), ValueError, "is a slice of another one"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_change_that_fails_changes_nothing(failure, rng):
    net, x = make(), draw(rng, (5, 4), "float32")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
    layers, y, params = net.layers, net.predict(x), net.parameters()
    function, error, match = FAILURES[failure]
    with pytest.raises(error, match=match):
        function(net)
    assert net.layers == layers
    assert net.parameters() is params
    assert_same_bits(net.predict(x), y)
    trainer.step(x, np.zeros((5, 3), "float32"))


def test_a_trainer_made_before_says_that_the_network_changed(rng):
    net, x, y = make(), draw(rng, (6, 4), "float32"), np.zeros((6, 3), "float32")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    trainer.step(x, y)
    net[1] = nn.ReLU()
    for call in (lambda: trainer.step(x, y), lambda: trainer.fit(x, y), lambda: trainer.evaluate(x, y)):
        with pytest.raises(RuntimeError, match="the layers of the network changed: make an optimizer and a trainer"):
            call()
    with pytest.raises(RuntimeError, match="backward needs a call"):
        net.backward(y)
    again = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    assert again.step(x, y) > again.step(x, y)


def test_a_new_layer_draws_numbers_that_no_other_drew():
    net = nn.Sequential(nn.Linear(4, 4), seed=0)
    net.insert(0, nn.Linear(4, 4))
    net.insert(0, nn.Linear(4, 4))
    net[0] = nn.Linear(4, 4)
    assert len({view.tobytes() for name, view in net.named_parameters() if "weight" in name}) == 3
    twin = nn.Sequential(nn.Linear(4, 4), seed=0)
    twin.insert(0, nn.Linear(4, 4)).insert(0, nn.Linear(4, 4))
    assert_same_bits(twin["1.weight"], net["1.weight"])
    inner = nn.Sequential(nn.Linear(4, 4))  # its seed was not chosen, so that of the network counts
    assert_same_bits(
        nn.Sequential(seed=0).append(inner)["0.0.weight"], nn.Sequential(nn.Linear(4, 4), seed=0)["0.weight"]
    )


def test_a_layer_that_was_taken_out_is_free_and_keeps_its_values(backend, rng):
    net, x = make("float64"), draw(rng, (5, 4))
    net.append(nn.Sequential(nn.Linear(3, 3), nn.Residual(nn.Linear(3, 3))))
    inner, first = net.pop(), net[0]
    y, values = inner.predict(x[:, :3]), inner.state_dict()
    net[0] = nn.Linear(4, 8)
    weight = first.weight
    h = first(x)
    assert np.shares_memory(first.weight, weight)
    net[0].weight[...] = 0
    assert_same_bits(first(x), h)
    assert_same_bits(inner.predict(x[:, :3]), y)
    optim.SGD(inner.parameters(), lr=0.1).step()
    again = nn.Sequential(first, nn.Linear(8, 3), inner, dtype="float64")
    assert_same_bits(again["2.1.body.weight"], values["1.body.weight"])
    assert_same_bits(again[0](x), h)
    activation = net.pop(1)
    assert activation(x.astype("float32")).dtype == "float32"


def test_buffers_come_along(backend, rng):
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), seed=0)
    net(draw(rng, (9, 4), "float32"))
    mean = net["1.running_mean"].copy()
    net.insert(0, nn.Linear(4, 4))
    assert_same_bits(net["2.running_mean"], mean)
    norm = net.pop()
    assert_same_bits(norm.running_mean, mean)
    assert_same_bits(nn.Sequential(norm)["0.running_mean"], mean)


def test_a_slice_shares_its_parameters_with_the_network(backend, rng):
    net, x = make(), draw(rng, (7, 4), "float32")
    body = net[:2]
    assert isinstance(body, nn.Sequential)
    assert (len(body), list(body)) == (2, list(net)[:2])
    assert [name for name, _ in net[2:].named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert_same_bits(net[2:].predict(body.predict(x)), net.predict(x))
    before = net.predict(x)
    trainer = fastnn.Trainer(body, nn.MSELoss(), optim.Adam(body.parameters(), lr=0.1))
    trainer.fit(x, np.zeros((7, 8), "float32"), epochs=2)
    assert (net.predict(x) != before).any()
    assert_same_bits(net[2:].predict(body.predict(x)), net.predict(x))
    head = net["4.weight"].copy()
    whole = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    h = body.predict(x)
    whole.step(x, np.zeros((7, 3), "float32"))
    assert (body.predict(x) != h).any()
    assert (net["4.weight"] != head).any()
    assert_same_bits(body.state_dict()["0.weight"], net["0.weight"])


def test_a_slice_trains_no_layers_outside_of_it(rng):
    net, x = make(), draw(rng, (7, 8), "float32")
    before, part = net.state_dict(), net[1:4]
    optimizer = optim.AdamW(part.parameters(), lr=0.1, weight_decay=0.5)
    part.backward(part(x))
    optimizer.step()
    changed = {name for name, view in net.named_parameters() if (view != before[name]).any()}
    assert changed == {"2.weight", "2.bias"}
    assert net[1:1].predict(x) is not x
    assert net[3:4].parameters().numel() == 0


def test_a_slice_follows_its_network(rng):
    net, x = make(), draw(rng, (7, 4), "float32")
    body = net[:2]
    old = optim.SGD(body.parameters())
    body.predict(x)
    net[1].training, net[0].weight[...] = True, 0.5
    net.insert(0, nn.Linear(4, 4))
    assert_same_bits(body.predict(x), net[1:3].predict(x))
    with pytest.raises(RuntimeError, match="layers of the network changed"):
        old.step()
    optim.SGD(body.parameters()).step()
    net.double()
    assert body.predict(x.astype("float64")).dtype == "float64"
    del net[2]
    for use in (
        lambda: body.predict(x.astype("float64")),
        body.state_dict,
        lambda: body["0.weight"],
        lambda: repr(body),
    ):
        with pytest.raises(RuntimeError, match="take a slice of it again"):
            use()
    net = nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(0.1), seed=0)
    body = net[:]
    y = body.predict(x)
    net[1].negative_slope = 0.9
    assert (body.predict(x) != y).any()


AFTER_A_SLICE_WENT = {
    "append": lambda net: net.append(nn.ReLU()),
    "pop": lambda net: net.pop(),
    "penalty": lambda net: setattr(net[0], "l2", 0.5),
    "requires_grad_": lambda net: net[0].requires_grad_(False),
    "hook": lambda net: net[0].register_forward_hook(lambda *_: None),
    "double": lambda net: net.double(),
}


@pytest.mark.parametrize("change", AFTER_A_SLICE_WENT)
def test_a_slice_that_is_out_of_date_does_not_stop_changes_of_its_network(change, backend, rng):
    net, twin = make(), make()
    body = net[:2]
    for each in (net, twin):
        each.pop(1)
        AFTER_A_SLICE_WENT[change](each)
    x = draw(rng, (5, 4), net.dtype)
    assert_same_bits(net.predict(x), twin.predict(x))
    optim.SGD(net.parameters(), lr=0.1).step()
    for use in (lambda: body.predict(x), lambda: len(body.parameters()), body.state_dict):
        with pytest.raises(RuntimeError, match="take a slice of it again"):
            use()


def test_a_slice_whose_layers_are_side_by_side_again_is_valid_again(rng):
    net, x = make(), draw(rng, (5, 4), "float32")
    body, layer = net[:2], net[1]
    net.pop(1)
    net.insert(1, layer)
    assert_same_bits(body.predict(x), net[:2].predict(x))


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "pickle"])
def test_copies_of_slices_and_of_changed_networks(clone, rng):
    net, x = make(), draw(rng, (5, 4), "float32")
    net.append(nn.Tanh())
    body = net[:2]
    twin, part = clone(net), clone(body)
    assert_same_bits(twin.predict(x), net.predict(x))
    assert_same_bits(part.predict(x), body.predict(x))
    part[0].weight[...] = 0
    assert (net["0.weight"] != 0).any()
    assert_same_bits(part.predict(x), part._base[:2].predict(x))
    twin.append(nn.Linear(3, 2))
    assert twin.predict(x).shape == (5, 2)
    part._base.append(nn.ReLU())
    assert_same_bits(part.predict(x), part._base[:2].predict(x))


def test_a_slice_is_saved_and_loaded_as_a_network(tmp_path, rng):
    net, x = make(), draw(rng, (5, 4), "float32")
    net[:2].save(tmp_path / "body.safetensors")
    assert_same_bits(fastnn.load(tmp_path / "body.safetensors").predict(x), net[:2].predict(x))
    net.append(nn.Tanh()).save(tmp_path / "net.safetensors")
    assert_same_bits(fastnn.load(tmp_path / "net.safetensors").predict(x), net.predict(x))
    assert_same_bits(net[:3].fold().predict(x), net[:3].predict(x))


def test_slices_that_are_not_side_by_side_are_refused():
    with pytest.raises(ValueError, match=r"got step 2: list\(net\)"):
        make()[::2]


def test_values_are_set_by_name():
    net = make()
    net["0.bias"] = 3
    assert (net[0].bias == 3).all()


ARGUMENTS = {
    "extend by a layer": (
        lambda net: net.extend(nn.Tanh()),
        TypeError,
        r"layers must be a list.*Tanh: write \[layer\]",
    ),
    "extend by 3": (lambda net: net.extend(3), TypeError, "layers must be a list of layers, got int"),
    "slice": (lambda net: net.__setitem__(slice(0, 1), nn.Linear(4, 8)), TypeError, r"Linear: write \[layer\]"),
    "set": (lambda net: net.__setitem__(7, nn.Tanh()), IndexError, "index 7 is out of range: there are 5 layers"),
    "set 1.0": (lambda net: net.__setitem__(1.0, nn.Tanh()), TypeError, "index must be an integer, got 1.0"),
    "get": (lambda net: net[-6], IndexError, "index -6 is out of range: there are 5 layers"),
    "get 1.0": (lambda net: net[1.0], TypeError, "index must be an integer, got 1.0"),
    "pop": (lambda net: net.pop(9), IndexError, "index 9 is out of range: there are 5 layers"),
    "delete": (lambda net: net.__delitem__("a"), TypeError, "index must be an integer, got 'a'"),
    "insert": (lambda net: net.insert("0", nn.Tanh()), TypeError, "index must be an integer, got '0'"),
    "apply": (lambda net: net.apply(3), TypeError, "fn must be a function of a layer, got int"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_are_named_in_errors(case):
    change, error, message = ARGUMENTS[case]
    net = make()
    before = net.layers
    with pytest.raises(error, match=message):
        change(net)
    assert net.layers == before

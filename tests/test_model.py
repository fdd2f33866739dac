"""Whole models as files: every network comes back with its bits; what cannot be saved or read says so."""

import functools
import os

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.files import format as files
from fastnn.testing.measure import assert_same_bits


class Scale(nn.Module):
    """A layer of somebody's own, with arguments of every kind that a file holds."""

    def __init__(self, factor, *extra, name="scale", pair=(1, 2.5), table=None, where=slice(1, None), **more):
        super().__init__()
        self.factor, self.pair, self.table, self.more = factor, pair, table, more
        self.add_parameter("factor", (1,), init=float(factor))
        self.add_buffer("seen", (1,)) if hasattr(self, "add_buffer") else None

    def forward(self, x):
        return self["factor"] * x

    def backward(self, grad_output):
        return self["factor"] * grad_output


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        (lambda: Scale(1, table=object()), TypeError, r"net: .*Scale\(table=\): a file cannot hold object"),
        (lambda: Scale(1, pair=lambda x: x), TypeError, r"a file cannot hold function"),
        (lambda: type("Tanh", (nn.Tanh,), {})(), ValueError, "must not be named Tanh, as one of fastnn is"),
        (lambda: Forgetful(2), TypeError, r"Forgetful must keep its argument 'size' as an attribute, or define config"),
    ],
)
def test_what_a_file_cannot_hold(layer, error, message, path):
    path.write_bytes(b"old")
    with pytest.raises(error, match=message):
        nn.Sequential(layer(), seed=0).save(path)
    assert (path.read_bytes(), os.listdir(path.parent)) == (b"old", [path.name])


class Forgetful(nn.Module):
    """Was made behind the back of the constructor's record."""

    def __new__(cls, *args):
        return object.__new__(cls)

    def __init__(self, size):
        super().__init__()


def test_loading_draws_no_initial_values(path, monkeypatch):
    """An orthogonal matrix takes long to draw; the rules are those of the layers again afterwards."""
    slow = nn.init.Orthogonal(gain=2)
    net = nn.Sequential(nn.Linear(3, 4, weight_init=slow), nn.Sequential(nn.Linear(4, 2, bias_init="ones")), seed=0)
    net.save(path)
    monkeypatch.setattr(nn.init.Orthogonal, "__call__", functools.partial(pytest.fail, "drawn"))
    twin = fastnn.load(path)
    assert repr(twin[0]._inits) == repr(net[0]._inits)
    assert (repr(twin[0].weight_init), twin[1][0].bias_init) == (repr(slow), "ones")


def test_a_rule_of_ones_own_for_initial_values_is_left_out(path):
    net = nn.Sequential(nn.Linear(2, 2, weight_init=lambda shape, uniform: np.ones(shape)), seed=0)
    net.save(path)
    twin = fastnn.load(path)
    assert twin[0].weight_init is None and twin["0.weight"].tolist() == [[1, 1], [1, 1]]


def test_a_loaded_network_trains_on_with_the_masks_it_would_have_had(path, rng, dtype):
    x, y = rng.random((20, 3)).astype(dtype), rng.integers(0, 2, 20)
    net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2), seed=1, dtype=dtype)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), fastnn.optim.SGD(net.parameters(), lr=0.1))
    trainer.fit(x, y, epochs=3, batch_size=8)
    net.save(path)
    twin = fastnn.load(path)
    for network in (net, twin):
        optimizer = fastnn.optim.SGD(network.parameters(), lr=0.1)
        fastnn.Trainer(network, nn.CrossEntropyLoss(), optimizer).fit(x, y, epochs=2, seed=5)
    assert_same_bits(twin.parameters().data, net.parameters().data)


def test_the_same_network_makes_the_same_file(tmp_path):
    for name in "ab":
        nn.Sequential(nn.Linear(2, 3), nn.Tanh(), seed=0).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    nn.Sequential(seed=0).save(tmp_path / "a")
    assert len(fastnn.load(tmp_path / "a")) == 0


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({}, "architecture: not a layer: None"),
        ({"architecture": {"layer": "Tanh", "arguments": {}}}, "a Tanh, not a Sequential"),
        ({"architecture": {"layer": "Sequential", "arguments": {}}}, r"unexpected \['0.weight'\]"),
        ({"architecture": {"layer": "Sequential", "arguments": {"seed": -1}}}, "seed must be at least 0"),
        ({"architecture": {"layer": "Sequential", "arguments": {"dtype": "int8"}}}, "dtype must be one of"),
    ],
)
def test_a_forged_description_is_refused(description, message, path):
    files.write(path, "model", {"0.weight": np.zeros((3, 3), "float32")}, description)
    with pytest.raises(fastnn.FileFormatError, match=message):
        fastnn.load(path)
    files.write(path, "model", {}, {"architecture": {"layer": "Sequential", "arguments": {}}, "tick": -1})
    with pytest.raises(fastnn.FileFormatError, match="tick must be a count"):
        fastnn.load(path)


def test_values_of_another_dtype_or_shape_are_refused(path):
    net = nn.Sequential(nn.Linear(3, 3, bias=False), seed=0)
    net.save(path)
    _, content = files.read(path, "model")
    for weight, message in ((np.zeros((3, 3)), "0.weight is float64"), (np.zeros((9, 1), "f"), "0.weight has shape")):
        files.write(path, "model", {"0.weight": weight}, {key: content[key] for key in ("architecture", "tick")})
        with pytest.raises(fastnn.FileFormatError, match=message):
            fastnn.load(path)


def test_a_state_that_fits_in_part_is_taken_over_in_part():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1), seed=0)
    state = {"0.bias": np.ones(3, "float32"), "7.bias": np.ones(1, "float32")}
    keys = net.load_state_dict(state, strict=False)
    assert keys == (["0.weight", "1.weight", "1.bias"], ["7.bias"])
    assert keys.missing_keys[0] == "0.weight" and net["0.bias"].tolist() == [1, 1, 1]
    assert net.load_state_dict(net.state_dict()) == ([], [])
    before = net.parameters().data.copy()
    with pytest.raises(ValueError, match=r"missing \['1.bias'\]; unexpected \['x'\]; 0.bias has shape \(2,\)"):
        net.load_state_dict(
            {"0.weight": net["0.weight"] + 1, "0.bias": np.ones(2), "1.weight": net["1.weight"], "x": 1}
        )
    assert_same_bits(net.parameters().data, before)


# Nothing is written that cannot be read back


def test_initial_values_are_in_the_tensors_and_nowhere_else(path):
    """An array of them, number by number in the header, made files that were too long to be read."""
    table = np.random.default_rng(0).random((300, 200))
    layers = [
        lambda: nn.Linear(300, 200, weight_init=table, bias_init=np.arange(200.0)),
        lambda: nn.Linear(300, 200, weight_init=table.tolist()),
        lambda: nn.Embedding(300, 200, weight_init=table.astype("float32")),
        lambda: nn.Embedding(300, 200, 3, weight_init=table),
    ]
    for make in layers:
        net = nn.Sequential(nn.Sequential(make()), seed=0)
        net.save(path)
        assert os.path.getsize(path) < net.parameters().numel() * 4 + 2000
        assert_same_bits(fastnn.load(path).parameters().data, net.parameters().data)
        trainer = fastnn.Trainer(net, nn.MSELoss(), fastnn.optim.SGD(net.parameters(), lr=0.1))
        trainer.save_checkpoint(path)
        trainer.load_checkpoint(path)
        assert os.path.getsize(path) < net.parameters().numel() * 4 + 4000


def test_a_large_layer_with_an_array_comes_back(path):
    net = nn.Sequential(nn.Linear(950, 950, weight_init=np.ones((950, 950))), seed=0)
    net.save(path)
    assert_same_bits(fastnn.load(path).parameters().data, net.parameters().data)


def nested():
    inner = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    return nn.Sequential(nn.Linear(2, 3), nn.Residual(inner), nn.BatchNorm1d(3), Scale(2), nn.Linear(3, 1), seed=0)


@pytest.mark.parametrize("frozen", [[], ["0"], ["1"], ["1.body.0"], ["0", "2", "3"], [""]], ids=str)
def test_frozen_layers_stay_frozen(frozen, path, backend):
    net = nested()
    for name, module in net.named_modules():
        if name in frozen:
            module.requires_grad_(False)
    net.save(path)
    copy = fastnn.load(path, layers={"Scale": Scale})
    assert [p.requires_grad for p in copy.parameters()] == [p.requires_grad for p in net.parameters()]
    assert [m.requires_grad for m in copy.modules()] == [m.requires_grad for m in net.modules()]
    assert ("frozen" in files.read(path, "model")[1]) == bool(frozen)  # older files have no such field


FROZEN = {
    "no list": ("0.weight", "must be a list of names"),
    "no names": ([0], "must be a list of names"),
    "unknown": (["7.weight"], r"no parameter '7\.weight'"),
    "part of a layer": (["0.weight"], "all parameters of a layer or none"),
}


@pytest.mark.parametrize("name", FROZEN)
def test_forged_names_of_frozen_parameters_are_refused(name, path):
    frozen, message = FROZEN[name]
    nn.Sequential(nn.Linear(2, 3), seed=0).save(path)
    tensors, description = files.read(path, "model")
    files.write(path, "model", tensors, description | {"frozen": frozen})
    with pytest.raises(files.FileFormatError, match=message):
        fastnn.load(path)

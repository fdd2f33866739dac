"""Running statistics of BatchNorm1d, and buffers of layers in general: when they change, and where they are kept."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from support.normalized import assert_equal, data, make_network, running, small_network

RUNNING = ("running_mean", "running_var", "num_batches_tracked")


def test_a_failed_step_leaves_running_statistics_alone(backend):
    net = make_network(seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    x, y = data()
    trainer.step(x, y)
    before, state = running(net), net.parameters().data.copy()
    for bad_x, bad_y in ((x, np.where(y == y[4], 7, y)), (np.where(x == x[3, 1], np.nan, x), y)):
        with pytest.raises((ValueError, RuntimeError)):
            trainer.fit(bad_x, bad_y, batch_size=10)
        assert_equal([*running(net), net.parameters().data], [*before, state])


def test_a_python_layer_that_fails_leaves_running_statistics_alone(backend):
    class Fails(nn.Module):
        def forward(self, x):
            raise RuntimeError("no")

    net = nn.Sequential(nn.BatchNorm1d(4), Fails(), seed=0, dtype="float64")
    before = running(net)
    with pytest.raises(RuntimeError, match="no"):
        net(data()[0])
    assert_equal(running(net), before)


def test_health_and_evaluation_leave_running_statistics_alone(backend):
    net = make_network(seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    x, y = data()
    trainer.step(x, y)
    before = running(net)
    trainer.health(x, y)
    trainer.evaluate(x, y)
    net.predict(x)
    net.eval()(x)
    assert_equal(running(net), before)


@pytest.mark.parametrize("make", [lambda p: optim.SGD(p, lr=0.1), lambda p: optim.LBFGS(p)])
def test_running_statistics_follow_once_a_step(make, backend):
    net = small_network()
    trainer = fastnn.Trainer(net, nn.MSELoss(), make(net.parameters()))
    for _ in range(3):
        trainer.step(data()[0], np.zeros((10, 3)))
    assert net["1.num_batches_tracked"] == 3
    assert not np.allclose(net["1.running_mean"], 0)


@pytest.mark.parametrize("rows", [1, 21])
def test_a_lone_row_is_refused_at_the_start(rows, backend):
    net = small_network()
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    x, y = data(rows)[0], np.zeros((rows, 3))
    before = [net.parameters().data.copy(), *running(net), net._tick.copy()]
    with pytest.raises(ValueError, match=r"1 BatchNorm1d: .*1 row"):
        trainer.fit(x, y, batch_size=20)
    for call in (lambda: trainer.step(x[:1], y[:1]), lambda: net(x[:1])):
        for _ in range(2):
            with pytest.raises(ValueError, match="1 BatchNorm1d: expected more than 1 row"):
                call()
    assert_equal([net.parameters().data, *running(net), net._tick], before)
    if rows > 1:  # another batch size, or inference, is fine
        trainer.fit(x, y, batch_size=7)
        assert trainer.step(x, y) > 0
        with pytest.raises(ValueError, match="expected more than 1 row"):  # also by the compiled short cut
            trainer.step(x[:1], y[:1])
    assert net.predict(x[:1]).shape == net.eval()(x[:1]).shape == (1, 3)
    assert trainer.evaluate(x, y, batch_size=rows - 1 or 1)["loss"] > 0


def test_no_rows_change_nothing(backend):
    net = small_network()
    before = running(net)
    assert net(np.zeros((0, 4))).shape == (0, 3)
    assert net.backward(np.zeros((0, 3))).shape == (0, 4)
    assert_equal(running(net), before)


def test_frozen_statistics_stay(backend):
    net = small_network()
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    x = data()[0]
    trainer.step(x, np.zeros((10, 3)))
    net.layers[1].frozen = True
    before = running(net)
    np.testing.assert_allclose(net(x), net.predict(x), rtol=1e-12)
    assert trainer.step(x[:1], np.zeros((1, 3))) >= 0  # a single row will do
    assert_equal(running(net), before)
    net.layers[1].frozen = False
    trainer.step(x, np.zeros((10, 3)))
    assert net["1.num_batches_tracked"] == 2


def test_without_running_statistics_inference_takes_the_batch(backend):
    net = small_network(track_running_stats=False)
    assert not dict(net.named_buffers())
    x = data(1300)[0]  # more rows than inference takes at once
    for part in (x, x[:600], x[:3], x):
        np.testing.assert_allclose(net.predict(part), net(part), rtol=1e-12)
    with pytest.raises(ValueError, match="1 BatchNorm1d: expected more than 1 row"):
        net.predict(x[:1])


def test_attributes_count_at_once(backend):
    net, x = small_network(), data()[0]
    net(x)
    for name, value in (("eps", 10.0), ("momentum", 1.0)):
        before = net(x)
        setattr(net.layers[1], name, value)
        assert np.allclose(net(x), before) == (name == "momentum")
    np.testing.assert_allclose(net["1.running_mean"], (x @ net["0.weight"]).mean(0), rtol=1e-12)
    net.layers[1].momentum = 2.0
    with pytest.raises(ValueError, match=r"momentum must be at least 0 and at most 1, got 2\.0"):
        net(x)


# States


def trained_network():
    net = small_network()
    for seed in range(3):
        net(data(seed=seed)[0])
    return net


def test_states_hold_buffers():
    net, other = trained_network(), small_network()
    state = net.state_dict()
    assert list(state) == ["0.weight", "1.weight", "1.bias", *(f"1.{name}" for name in RUNNING)]
    assert state["1.num_batches_tracked"].shape == ()
    assert state["1.num_batches_tracked"].dtype == "int64"
    program = other.program("predict", 4, 4)
    other.load_state_dict(state)
    assert other.program("predict", 4, 4) is program  # which reads the buffers where they are
    assert_equal(running(other), running(net))
    np.testing.assert_array_equal(other.predict(data()[0]), net.predict(data()[0]))
    before = running(other)
    for name, wrong in (("1.running_mean", np.zeros(2)), ("1.running_var", np.zeros(3, "f")),
                        ("1.num_batches_tracked", np.zeros(()))):  # fmt: skip
        with pytest.raises((ValueError, TypeError), match=name):
            other.load_state_dict(net.state_dict() | {name: wrong})
    with pytest.raises(ValueError, match=r"missing .*1\.running_mean"):
        other.load_state_dict({key: value for key, value in state.items() if key != "1.running_mean"})
    assert_equal(running(other), before)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_have_buffers_of_their_own(clone):
    net = trained_network()
    other, before = clone(net), running(net)
    assert_equal(running(other), before)
    other(data(seed=9)[0])
    assert_equal(running(net), before)
    assert other["1.num_batches_tracked"] == 4


def test_files_hold_buffers(tmp_path):
    net = trained_network()
    net.layers[1].momentum, net.layers[1].frozen = None, True
    net.save(tmp_path / "net.safetensors")
    other = fastnn.load(tmp_path / "net.safetensors")
    assert_equal(running(other), running(net))
    assert repr(other) == repr(net)
    np.testing.assert_array_equal(other.predict(data()[0]), net.predict(data()[0]))


def test_a_resumed_run_has_the_same_statistics(tmp_path):
    """Checkpoints hold buffers: four epochs, and two that another trainer goes on from, end with the same bits."""

    def make():
        net = small_network()
        return fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))

    x, y, whole, first, second = data()[0], np.zeros((10, 3)), make(), make(), make()
    whole.fit(x, y, batch_size=5, epochs=4)
    first.fit(x, y, batch_size=5, epochs=2)
    first.save_checkpoint(tmp_path / "checkpoint")
    second.load_checkpoint(tmp_path / "checkpoint")
    assert_equal(running(second.net), running(first.net))
    second.fit(x, y, batch_size=5, epochs=2)
    assert_equal([*running(second.net), second.net.parameters().data],
                 [*running(whole.net), whole.net.parameters().data])  # fmt: skip


def test_a_trained_network_within_another_keeps_its_statistics():
    inner = trained_network()
    before = running(inner)
    outer = nn.Sequential(inner, nn.Linear(3, 2), dtype="float64")
    assert [name for name, _ in outer.named_buffers()] == [f"0.1.{name}" for name in RUNNING]
    assert_equal(running(outer), before)
    outer(data()[0])
    assert_equal(running(inner), running(outer))
    assert inner["1.num_batches_tracked"] == 4
    single = nn.Sequential(nn.BatchNorm1d(2), dtype="float32")
    wide = nn.Sequential(nn.Linear(4, 2), single, dtype="float64")  # which only its place decides
    assert wide["1.0.running_mean"].dtype == "float64"
    assert wide["1.0.num_batches_tracked"].dtype == "int64"


def test_a_layer_of_ones_own_can_have_buffers():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.add_buffer("calls", (), 0, "int64")
            self.add_buffer("largest", (2,), -1.0)

        def forward(self, x):
            self.buffer("calls")[...] += 1
            np.maximum(self.buffer("largest"), x.max(axis=0), out=self.buffer("largest"))
            return x

        def backward(self, grad_output):
            return grad_output

    net = nn.Sequential(Counts(), seed=0, dtype="float64")
    net(np.array([[3.0, -5.0]]))
    assert net["0.calls"] == 1
    np.testing.assert_array_equal(net["0.largest"], [3, -1])
    with pytest.raises(KeyError, match="Counts has no buffer 'smallest'"):
        net.layers[0].buffer("smallest")


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_batches_of_one_row_are_refused_before_anything_happens(backend, tmp_path):
    """At batch_size 1 no batch has a variance; nor has the last one of a shard with a row too many."""
    x = np.random.default_rng(0).standard_normal((10, 3)).astype("f")
    y = np.zeros(10, "f")
    with fastnn.use_backend(backend):
        net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1), seed=0)
        trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
        before = {name: value.copy() for name, value in net.state_dict().items()}
        for accumulate in (1, 2):
            with pytest.raises(ValueError, match="batches of 1 row have no variance to normalize by"):
                trainer.fit(x, y, batch_size=1, accumulate=accumulate, progress=False)
        shards = fastnn.data.Shards.write(tmp_path, x, y, rows=5)
        with pytest.raises(ValueError, match="the last of the batches of 4 from 5 rows has 1 row"):
            trainer.fit(shards, batch_size=4, progress=False)
        with pytest.raises(ValueError, match="expected more than 1 row"):
            trainer.step(x[:1], y[:1])
        with pytest.raises(ValueError, match="expected more than 1 row"):
            net(x[:1])
        for name, value in net.state_dict().items():
            assert np.array_equal(value, before[name]), name
        assert trainer.optimizer.step_count[0] == 0
        assert np.isfinite(trainer.evaluate(x, y, batch_size=1)["loss"])

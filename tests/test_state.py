"""States of runs and of networks: what they hold, and that one which does not fit changes nothing."""

import numpy as np
import pytest

from fastnn import Callback, nn
from fastnn.testing.measure import assert_same_bits
from support.layers import draw
from support.runs import BATCH, At, bits, make
from test_network import NESTED_NAMES, make_nested


class Saver(Callback):
    """Keeps the state of everything after some batch of some epoch."""

    def __init__(self, epoch, batch):
        self.at = (epoch, batch)

    def state_dict(self):
        return {"seen": 1}

    def load_state_dict(self, state):
        self.loaded = state["seen"]

    def save(self, run):
        if (run.epoch, run.batch) == self.at:
            trainer = run.trainer
            self.saved = (
                run.state_dict(),
                trainer.net.state_dict(),
                trainer.optimizer.state_dict(),
                trainer.net._tick.copy(),
            )

    on_batch_end = on_epoch_end = save


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("at", [(0, 1), (0, 7), (1, 0), (1, 5), (2, 6)])
def test_a_run_goes_on_from_its_state_with_the_same_bits(at, dtype):
    settings = {"epochs": 3, "batch_size": BATCH, "seed": 5, "validation_split": 0.1}
    saver = Saver(*at)
    trainer, x, y = make(dtype)
    history = trainer.fit(x, y, callbacks=[saver], **settings)
    state, weights, optimizer, tick = saver.saved

    class Resumed(Saver):
        def on_train_begin(self, run):
            run.load_state_dict(state)

    Resumed.__name__ = "Saver"
    other, *_ = make(dtype, seed=99)
    other.net.seed = trainer.net.seed
    other.net.load_state_dict(weights)
    other.optimizer.load_state_dict(optimizer)
    other.net._tick[...] = tick
    resumed = Resumed(*at)
    again = other.fit(x, y, callbacks=[resumed], **settings)
    assert bits(other) == bits(trainer)
    for name in ("loss", "accuracy", "val_loss"):
        assert again[name] == history[name]
    assert resumed.loaded == 1


@pytest.mark.usefixtures("backend")
def test_a_state_of_another_run_is_refused():
    trainer, x, y = make()
    saver = Saver(0, 1)
    trainer.fit(x, y, batch_size=BATCH, callbacks=[saver])

    def load(run):
        run.load_state_dict(saver.saved[0])

    for arguments, message in (
        ({"batch_size": 4}, "batch_size must be 5 as in the run to go on with, got 4"),
        ({"batch_size": BATCH, "seed": 3}, "seed must be 0 as in the run to go on with, got 3"),
        (
            {"batch_size": BATCH, "seed": 0},
            r"callbacks must be \['0.Saver'\] as in the run to go on with, got \['0.At'",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            trainer.fit(x, y, callbacks=[At("on_train_begin", load)], **arguments)
        assert trainer.history.epochs == 0


def test_state_dict_round_trip(rng):
    net, other = make_nested(), make_nested()
    x = draw(rng, (4, 3), "float32")
    other.parameters().data[...] = 0
    state = net.state_dict()
    assert list(state) == NESTED_NAMES
    before = net.predict(x)
    other.load_state_dict(state)
    assert_same_bits(other.predict(x), before)
    net.parameters().data[...] = 0
    assert_same_bits(state["2.bias"], other["2.bias"])
    assert state["2.bias"].any()


BAD_STATES = [
    (lambda state: state.pop("2.bias"), ValueError, r"network: missing \['2.bias'\]$"),
    (lambda state: state.update({"9.bias": np.ones(2)}), ValueError, r"network: unexpected \['9.bias'\]$"),
    (
        lambda state: state.update({"2.bias": np.ones(3, "float32")}),
        ValueError,
        r"2.bias has shape \(3,\), in this network \(2,\)",
    ),
    (lambda state: state.update({"2.bias": np.ones(2)}), TypeError, "2.bias is float64 but in this network float32"),
    (lambda state: state.update({"2.bias": "zeros"}), TypeError, "2.bias must be"),
]


@pytest.mark.parametrize(("spoil", "error", "message"), BAD_STATES)
def test_a_state_that_does_not_fit_changes_nothing(spoil, error, message):
    net = make_nested()
    before, state = net.parameters().data.copy(), {name: array + 1 for name, array in net.state_dict().items()}
    spoil(state)
    with pytest.raises(error, match=message):
        net.load_state_dict(state)
    assert_same_bits(net.parameters().data, before)


def test_weights_of_pytorch_are_transposed_on_request():
    """Also square ones, which look alike; tables of an Embedding and weights of norms are not."""
    rng = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 2), seed=0)
    theirs = {
        "0.weight": rng.standard_normal((3, 3)).astype("f"),
        "0.bias": rng.standard_normal(3).astype("f"),
        "1.weight": rng.standard_normal(3).astype("f"),
        "1.bias": rng.standard_normal(3).astype("f"),
        "2.weight": rng.standard_normal((2, 3)).astype("f"),
        "2.bias": rng.standard_normal(2).astype("f"),
    }
    before = net.state_dict()
    with pytest.raises(ValueError, match=r'2.weight has shape \(2, 3\).*its transpose: PyTorch.*layout="torch"'):
        net.load_state_dict(theirs)
    with pytest.raises(ValueError, match="layout must be one of 'fastnn', 'torch', got 'keras'"):
        net.load_state_dict(theirs, layout="keras")
    assert all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())
    net.load_state_dict(theirs, layout="torch")
    x = rng.standard_normal((4, 3)).astype("f")
    h = x @ theirs["0.weight"].T + theirs["0.bias"]
    h = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 1e-5) * theirs["1.weight"] + theirs["1.bias"]
    np.testing.assert_allclose(net.predict(x), h @ theirs["2.weight"].T + theirs["2.bias"], rtol=1e-4, atol=1e-5)
    table = nn.Sequential(nn.Embedding(3, 3), seed=0)
    table.load_state_dict({"0.weight": theirs["0.weight"]}, layout="torch")
    assert np.array_equal(table["0.weight"], theirs["0.weight"])

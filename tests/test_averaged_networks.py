"""Running statistics for averaged weights, and validation with those weights."""

import numpy as np
import pytest

import fastnn
from fastnn import callbacks, nn, optim
from fastnn.testing.measure import assert_same_bits
from support.runs import At

ROWS = 48


def samples(dtype="float32"):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, 3)).astype(dtype)
    return x, (x[:, 0] > 0).astype("int64")


def make(dtype="float32", **average):
    layers = nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.25), nn.Linear(5, 2)
    net = nn.Sequential(*layers, seed=0, dtype=dtype)
    kept = optim.ExponentialMovingAverage(net.parameters(), 0.75, **average)
    return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05), average=kept)


# -- running statistics ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["array", "batches", "pairs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_statistics_are_averages_over_batches(given, dtype, backend):
    """The formula of torch.optim.swa_utils.update_bn, in float64 here."""
    (x, y), trainer = samples(dtype), make(dtype)
    trainer.fit(x, y, epochs=2, batch_size=16)
    trainer.average.copy_to()
    net, before = trainer.net, trainer.net.state_dict()
    pieces = [(x[i : i + 10], y[i : i + 10]) for i in range(0, ROWS, 10)]
    data = {"array": x, "batches": [a for a, _ in pieces], "pairs": iter(pieces)}[given]
    optim.update_bn(data, net, batch_size=10)
    hidden = [(a @ net[0].weight.astype("float64") + net[0].bias) for a, _ in pieces]
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(net[1].running_mean, np.mean([h.mean(0) for h in hidden], 0), tolerance, tolerance)
    np.testing.assert_allclose(net[1].running_var, np.mean([h.var(0, ddof=1) for h in hidden], 0), tolerance)
    assert net[1].num_batches_tracked == 5 and net[1].momentum == 0.1
    after = net.state_dict()
    assert {name for name in after if np.any(after[name] != before[name])} <= {
        "1.running_mean", "1.running_var", "1.num_batches_tracked"
    }  # fmt: skip


def test_training_continues_as_if_nothing_had_happened():
    (x, y), one, two = samples(), make(), make()
    for trainer in (one, two):
        trainer.fit(x, y, epochs=2, batch_size=16)
    state = one.net.state_dict()
    optim.update_bn(x, one.net)
    one.net.load_state_dict(state)
    for trainer in (one, two):
        trainer.fit(x, y, epochs=2, batch_size=16)
    assert_same_bits(one.net.parameters().data, two.net.parameters().data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((3, 2), "float32"), "x has 2 features, this layer takes 3"),
        ([], "data must have at least one batch"),
        ([samples()[0], np.ones((1, 3), "float32")], "expected more than 1 row"),
    ],
)
def test_an_error_leaves_the_statistics_as_they_were(data, message):
    (x, y), trainer = samples(), make()
    trainer.fit(x, y)
    before = trainer.net.state_dict()
    with pytest.raises(ValueError, match=message):
        optim.update_bn(data, trainer.net)
    for name, value in trainer.net.state_dict().items():
        assert_same_bits(value, before[name])
    assert trainer.net[1].momentum == 0.1
    with pytest.raises(TypeError, match=r"net must be a Sequential, got ndarray: update_bn\(data, net\)"):
        optim.update_bn(trainer.net, x)


def test_frozen_layers_keep_their_statistics():
    (x, _), net = samples(), nn.Sequential(nn.BatchNorm1d(3, frozen=True))
    optim.update_bn(x, net)
    assert net[0].running_mean.tolist() == [0, 0, 0] and net[0].num_batches_tracked == 0
    optim.update_bn("no matter", nn.Sequential(nn.Linear(3, 1)))


# -- validation --------------------------------------------------------------------------------------------------------


def test_validation_with_the_averaged_weights(backend):
    (x, y), trainer, seen = samples(), make(), []

    def look(run):
        own = run.net.parameters().data.copy()
        with trainer.average.applied():
            seen.append(trainer.evaluate(x, y)["loss"])
        assert_same_bits(run.net.parameters().data, own)

    keywords = {"epochs": 4, "batch_size": 16, "seed": 1, "validation_data": (x, y)}
    history = trainer.fit(x, y, **keywords, validate_average=True, callbacks=[At("on_epoch_end", look)])
    assert history["val_loss"] == seen
    twin = make()
    usual = twin.fit(x, y, **keywords)
    assert usual["loss"] == history["loss"] and usual["val_loss"] != history["val_loss"]
    assert_same_bits(trainer.net.parameters().data, twin.net.parameters().data)


def test_the_best_weights_are_averaged_ones(tmp_path):
    (x, y), trainer = samples(), make()
    trainer.net[3].p = 0.0
    path = str(tmp_path / "net")
    stopping = callbacks.EarlyStopping("val_loss", patience=3)
    saving = callbacks.ModelCheckpoint(path, save_best_only=True, net_only=True)
    keywords = {"validation_data": (x, np.roll(y, 1)), "validate_average": True, "callbacks": [stopping, saving]}
    history = trainer.fit(x, y, epochs=40, batch_size=16, seed=1, **keywords)
    assert history.stopped
    assert trainer.evaluate(x, np.roll(y, 1))["loss"] == min(history["val_loss"]) == stopping.best
    assert_same_bits(fastnn.load(path).predict(x), trainer.net.predict(x))


def test_before_the_average_begins_the_weights_are_validated():
    (x, y), trainer = samples(), make(start=10**6)
    history = trainer.fit(x, y, validation_data=(x, y), validate_average=True)
    assert history["val_loss"][-1] == trainer.evaluate(x, y)["loss"]


@pytest.mark.parametrize("moment", ["apply", "restore"])
def test_ctrl_c_leaves_the_networks_own_weights(moment, monkeypatch):
    (x, y), trainer, calls = samples(), make(), []
    real = getattr(optim.WeightAverage, moment)

    def interrupt(self):
        calls.append(moment)
        if moment == "apply":
            real(self)
        if len(calls) == 1:
            raise KeyboardInterrupt
        real(self)

    monkeypatch.setattr(optim.WeightAverage, moment, interrupt)
    keywords = {"batch_size": 16, "seed": 1, "validation_data": (x, y)}
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(x, y, **keywords, validate_average=True)
    twin = make()
    twin.fit(x, y, **keywords)
    assert not trainer.average.is_applied
    assert_same_bits(trainer.net.parameters().data, twin.net.parameters().data)
    assert_same_bits(trainer.average.data, twin.average.data)


def test_what_it_needs():
    (x, y), trainer = samples(), make()
    with pytest.raises(ValueError, match="validate_average needs validation data, and an average"):
        trainer.fit(x, y, validate_average=True)
    with pytest.raises(TypeError, match="validate_average must be True or False"):
        trainer.fit(x, y, validation_data=(x, y), validate_average=1)
    trainer.average = None
    with pytest.raises(ValueError, match=r"Trainer\(\.\.\., average=optim.SWA\(net.parameters\(\)\)\)"):
        trainer.fit(x, y, validation_data=(x, y), validate_average=True)

"""Searches: which settings are tried, how long each is trained, and that stages change no bit."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 5)).astype("float32")
Y = (X @ RNG.normal(size=(5, 1))).astype("float32")
FIT = {"batch_size": 16, "validation_split": 0.25, "progress": False}


def make(lr, width=4, seed=0):
    net = nn.Sequential(nn.Linear(5, width), nn.Tanh(), nn.Linear(width, 1), seed=seed)
    return fastnn.Trainer(net, nn.MSELoss(), optim.Adam(net.parameters(), lr=lr))


def alone(epochs, **setting):
    trainer = make(**setting)
    trainer.fit(X, Y, epochs=epochs, **FIT)
    return trainer


def assert_same_weights(a, b):
    np.testing.assert_array_equal(a.net.parameters().data, b.net.parameters().data)


def test_all_combinations_of_a_grid_are_trained_to_the_end():
    result = fastnn.sweep(make, {"lr": [0.1, 1e-5], "width": [3, 8]}, X, Y, epochs=4, **FIT)
    table = result.table()
    assert table["lr"] == [0.1, 0.1, 1e-5, 1e-5] and table["width"] == [3, 8, 3, 8] and table["epochs"] == [4] * 4
    assert result.values == table["val_loss"]
    best = int(np.argmin(table["val_loss"]))
    assert result.best_index == best and result.best_settings == {"lr": 0.1, "width": table["width"][best]}
    for setting, trainer in zip(result.settings, result.trainers, strict=True):
        assert_same_weights(trainer, alone(4, **setting))


def test_halving_goes_on_with_the_best_third():
    rates = [10.0**-k for k in range(9)]
    result = fastnn.sweep(make, {"lr": rates}, X, Y, strategy="halving", epochs=18, **FIT)
    assert sorted(result.table()["epochs"]) == [2] * 6 + [6] * 2 + [18]
    # By hand: nine for 2 epochs, the best three to 6, the best of these to 18.
    early = [alone(2, lr=rate).history["val_loss"][-1] for rate in rates]
    three = np.argsort(early)[:3]
    later = {int(i): alone(6, lr=rates[i]).history["val_loss"][-1] for i in three}
    winner = min(later, key=later.get)
    assert result.best_index == winner and result.histories[winner].epochs == 18
    assert_same_weights(result.best_trainer, alone(18, lr=rates[winner]))
    for i in three:
        if i != winner:
            assert result.values[i] == later[int(i)]


def test_a_network_with_nan_is_the_worst():
    grid = [{"lr": 1e30}, {"lr": 0.01}, {"lr": 1e-9}]
    with pytest.warns(RuntimeWarning, match="is not finite"):
        result = fastnn.sweep(make, grid, X, Y, strategy="halving", epochs=6, **FIT)
    assert result.best_settings == {"lr": 0.01} and result.histories[0].epochs < 6


def test_hyperband_has_brackets_from_few_epochs_to_all():
    result = fastnn.sweep(
        make, lambda rng: {"lr": float(10 ** rng.uniform(-4, 0))}, X, Y, strategy="hyperband", n=17, epochs=9, **FIT
    )
    # s = 2, 1, 0: 9, 5 and 3 networks begin with 1, 3 and 9 epochs.
    epochs = result.table()["epochs"]
    assert sorted(epochs[:9]) == [1] * 6 + [3] * 2 + [9]
    assert sorted(epochs[9:14]) == [3] * 4 + [9] and epochs[14:] == [9] * 3
    again = fastnn.sweep(
        make, lambda rng: {"lr": float(10 ** rng.uniform(-4, 0))}, X, Y, strategy="hyperband", n=17, epochs=9, **FIT
    )
    assert again.values == result.values and again.settings == result.settings
    assert_same_weights(result.best_trainer, alone(9, **result.best_settings))


def test_a_population_copies_the_best_and_alters_its_rate():
    grid = [{"lr": lr, "seed": i} for i, lr in enumerate([1e-7, 1e-7, 0.02, 0.03, 0.01])]
    result = fastnn.sweep(make, grid, X, Y, strategy="population", epochs=10, **FIT)
    assert result.table()["epochs"] == [10] * 5
    rates = [setting["lr"] for setting in result.settings]
    assert min(rates) > 1e-6 and any(rate not in (0.02, 0.03, 0.01) for rate in rates)
    for setting, trainer in zip(result.settings, result.trainers, strict=True):
        assert trainer.optimizer.lr == setting["lr"]
    again = fastnn.sweep(make, grid, X, Y, strategy="population", epochs=10, **FIT)
    assert again.values == result.values
    with pytest.raises(ValueError, match="perturb: Adam has no number 'rate'"):
        fastnn.sweep(make, grid, X, Y, strategy="population", perturb=["rate"], **FIT)


@pytest.mark.parametrize("strategy", ["halving", "hyperband", "population"])
def test_a_sweep_that_was_killed_goes_on_with_the_same_bits(strategy, tmp_path):
    more = {"strategy": strategy, "epochs": 9, **FIT}
    grid = {"lr": [0.1, 0.01, 1e-3, 1e-4, 1e-5]}
    whole = fastnn.sweep(make, grid, X, Y, **more)

    calls = []

    def dies(index):
        calls.append(index)
        if len(calls) > 5:
            raise KeyboardInterrupt
        return []

    with pytest.raises(KeyboardInterrupt):
        fastnn.sweep(make, grid, X, Y, checkpoint=tmp_path / "sweep", callbacks=dies, **more)
    again = fastnn.sweep(make, grid, X, Y, checkpoint=tmp_path / "sweep", resume=True, **more)
    assert again.values == whole.values and again.settings == whole.settings
    for a, b in zip(again.trainers, whole.trainers, strict=True):
        assert_same_weights(a, b)


class Study:
    """What is used of an Optuna study."""

    def __init__(self):
        self.told, self.rates = {}, iter([0.1, 1e-5, 0.01, 1e-3, 1e-4])

    def ask(self):
        trial = Trial(next(self.rates))
        return trial

    def tell(self, trial, value):
        self.told[trial.params["lr"]] = value


class Trial:
    def __init__(self, rate):
        self.params = {"lr": rate}


def test_a_study_is_asked_and_told():
    study = Study()
    result = fastnn.sweep(lambda trial: make(**trial.params), study, X, Y, n=5, epochs=3, **FIT)
    assert len(study.told) == 5 and list(study.told.values()) == result.values
    assert result.settings[1] == {"lr": 1e-5} and study.told[1e-5] == alone(3, lr=1e-5).history["val_loss"][-1]


def test_a_study_of_optuna_finds_the_better_rate():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    result = fastnn.sweep(
        lambda trial: make(trial.suggest_float("lr", 1e-6, 0.1, log=True)), study, X, Y, n=6, epochs=3, **FIT
    )
    assert study.best_value == min(result.values) and study.best_params == result.best_settings


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"space": {}}, ValueError, None),
        ({"space": {"lr": 0.1}}, TypeError, r"space\['lr'\] must be a list of values, got 0.1"),
        ({"space": []}, ValueError, "space must have one setting or more"),
        ({"space": 3}, TypeError, "space must be a grid, a list of settings or a function, got int"),
        ({"space": lambda rng: {}}, ValueError, "n must be given for a function"),
        ({"strategy": "best"}, ValueError, "strategy must be one of"),
        ({"factor": 1}, ValueError, "factor must be at least 2"),
        ({"monitor": "val_auc", "mode": "max"}, ValueError, "there is no 'val_auc'"),
        ({"monitor": "odd"}, ValueError, "mode"),
    ],
)
def test_wrong_arguments_are_refused(given, error, message):
    given = {"space": {"lr": [0.1]}, **FIT} | given
    if given["space"] == {}:
        assert len(fastnn.sweep(lambda: make(0.1), {}, X, Y, **FIT).trainers) == 1  # the one combination of nothing
        return
    with pytest.raises(error, match=message):
        fastnn.sweep(make, given.pop("space"), X, Y, **given)

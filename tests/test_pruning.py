"""Runs that an Optuna study ends early."""

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim
from fastnn.callbacks import OptunaPruning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def fit(lr, trial, **more):
    net = nn.Sequential(nn.Linear(3, 1), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=lr))
    more = {"epochs": 6, "validation_split": 0.25, "progress": False} | more
    return trainer.fit(X, Y, callbacks=[OptunaPruning(trial)], **more)


class Trial:
    def __init__(self, prune_at=None):
        self.reports, self.prune_at = {}, prune_at

    def report(self, value, step):
        self.reports[step] = value

    def should_prune(self):
        return len(self.reports) == self.prune_at


def test_each_validated_epoch_is_reported():
    trial = Trial()
    history = fit(0.1, trial)
    assert trial.reports == dict(enumerate(history["val_loss"], 1))
    trial = Trial()
    history = fit(0.1, trial, validation_freq=3)
    assert trial.reports == {3: history["val_loss"][2], 6: history["val_loss"][5]}


def test_a_study_prunes_the_worse_trial():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=1))
    rates = iter([0.1, 1e-6])

    def objective(trial):
        return fit(next(rates), trial)["val_loss"][-1]

    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert len(study.trials[1].intermediate_values) < 6
    with pytest.raises(optuna.TrialPruned, match=r"val_loss is .* after epoch 2"):
        fit(0.1, Trial(prune_at=2))


def test_what_is_no_trial_is_refused():
    with pytest.raises(TypeError, match=r"trial must be an optuna.Trial, int has no report\(\)"):
        OptunaPruning(3)
    with pytest.raises(ValueError, match="there is no 'val_loss'"):
        fit(0.1, Trial(), validation_split=0.0)

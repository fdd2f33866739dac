"""Curves of runs are their records."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

import fastnn
from fastnn import History, nn, optim, viz

from .cases import finder, model, moons, schedules, trained


def test_history_by_record():
    figure, data = viz.history(model(), return_data=True)
    history = model().history
    for name in ("loss", "val_loss", "accuracy", "val_accuracy"):
        epochs, values = data["", name]
        assert values.tolist() == history[name] and epochs.tolist() == list(range(1, 13))
    lines = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[1].get_lines()}
    assert lines == {"training": history["accuracy"], "validation": history["val_accuracy"]}


def test_histories_are_compared():
    a, b = History([{"loss": 2.0}, {"loss": 1.0}], initial_epoch=3), History([{"loss": 5.0, "val_loss": 4.0}])
    ax, data = viz.history({"a": a, "b": b}, ["loss"], return_data=True)
    assert data["a", "loss"][0].tolist() == [4, 5]
    assert [line.get_label() for line in ax.get_lines()] == ["a", "b", "b, validation"]


def test_history_of_an_estimator():
    class Fitted:
        loss_curve_ = (3.0, 2.0)

    _, data = viz.history(Fitted(), return_data=True)
    assert data["", "loss"][1].tolist() == [3, 2]


def test_health_over_epochs():
    recorder = trained()[2]
    figure, data = viz.health(recorder, return_data=True)
    assert data["epochs"].tolist() == list(range(13)) and data["layers"][0] == "0 Linear + 1 Tanh"
    last = model().health(*moons())
    for k, layer in enumerate(last.layers):
        for measure in ("dead", "saturated", "grad_norm", "update_ratio"):
            np.testing.assert_equal(data[measure][-1, k], getattr(layer, measure))
    assert figure.axes[2].get_yscale() == "log"


def test_recording_health_changes_no_bit():
    X, y = moons()
    nets = [nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2), seed=0) for _ in range(2)]
    for net, callbacks in zip(nets, ([], [viz.HealthRecorder(X[:50], y[:50], epochs=2)]), strict=True):
        trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
        trainer.fit(X, y, epochs=5, seed=0, callbacks=callbacks)
    assert (nets[0].parameters().data == nets[1].parameters().data).all()
    assert list(callbacks[0].records) == [0, 2, 4]


def test_lr_finder_is_drawn_with_its_suggestion():
    ax, data = viz.lr_finder(finder(), return_data=True)
    assert data["lrs"].tolist() == finder().lrs.tolist() and ax.get_xscale() == "log"
    assert ax.get_lines()[2].get_xdata()[0] == finder().suggestion()
    ax = viz.lr_finder(model(), *moons(), steps=20)
    assert len(ax.get_lines()[0].get_xdata()) > 10


def test_schedules_by_their_formulas():
    found = schedules()
    ax, data = viz.schedule(found, 60, return_data=True)
    t = np.arange(61)
    np.testing.assert_allclose(data["step"], 0.1 * 0.1 ** (t // 30))
    np.testing.assert_allclose(data["cosine"], 0.05 * (1 + np.cos(np.pi * t / 100)))
    assert all(one.last_epoch == 0 for one in found.values())
    assert [line.get_label() for line in ax.get_lines()] == ["step", "cosine"]


def test_plateau_takes_the_metric():
    optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    _, data = viz.schedule(plateau, 4, values=[3, 3, 3, 3], return_data=True)
    assert data["ReduceLROnPlateau"].tolist() == [1, 1, 1, 0.5, 0.5]
    with pytest.raises(ValueError, match="needs values, the metric at each of 4 steps"):
        viz.schedule(plateau, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: viz.history(3), TypeError, "runs must be a History, a Trainer or a dict of them, got int"),
        (lambda: viz.history(History()), ValueError, "no epoch is recorded: train first"),
        (lambda: viz.history(model(), ["f1"]), ValueError, "no record 'f1'; there are loss, accuracy"),
        (lambda: viz.health(3), TypeError, "records must be a Health, a HealthRecorder or a dict"),
        (lambda: viz.health(viz.HealthRecorder(1, 2)), ValueError, "there are no records yet"),
        (lambda: viz.lr_finder(model()), ValueError, "a trainer needs X and y"),
        (lambda: viz.lr_finder(3), TypeError, "result must be an LRFinder or a Trainer, got int"),
        (lambda: viz.schedule(3), TypeError, "must be a scheduler of fastnn.optim.lr_scheduler, got int"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()

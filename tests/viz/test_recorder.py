"""Snapshots are the parameters at their steps, and recording changes nothing."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

import fastnn
from fastnn import nn, optim, viz

X, y = fastnn.data.make_moons(70, noise=0.1, seed=0)


def fit(recorder=None, epochs=4, batch_size=16, norm=False, trainer=None, **options):
    layers = [nn.Linear(2, 4), *([nn.BatchNorm1d(4)] if norm else []), nn.Tanh(), nn.Linear(4, 2)]
    net = nn.Sequential(*layers, seed=0)
    trainer = trainer or fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05))
    trainer.fit(X, y, epochs=epochs, batch_size=batch_size, seed=0, callbacks=[recorder] if recorder else [], **options)
    return trainer


def test_every_step_is_that_of_a_loop_of_steps():
    recorder = viz.Recorder()
    fit(recorder, epochs=2)
    assert recorder.steps == list(range(11))  # 70 rows are 5 batches
    for epochs in (1, 2):
        assert (recorder.parameters[5 * epochs] == fit(epochs=epochs).net.parameters().data).all()


@pytest.mark.parametrize("every", [1, 3, 7, 100])
def test_recording_changes_no_bit(every):
    recorder = viz.Recorder(every)
    recorded, plain = fit(recorder), fit()
    assert (recorded.net.parameters().data == plain.net.parameters().data).all()
    assert recorded.history["loss"] == plain.history["loss"]
    assert (recorder.parameters[-1] == plain.net.parameters().data).all() and recorder.steps[-1] == 20


def test_steps_of_long_and_short_distances():
    for every, steps in (
        (2, [0, 2, 4, 7, 9, 12, 14, 17, 19, 20]),
        (5, [0, 5, 10, 15, 20]),
        (8, [0, 10, 20]),
        (99, [0, 20]),
    ):
        recorder = viz.Recorder(every)
        fit(recorder)
        assert recorder.steps == steps


def test_memory_is_bounded():
    recorder = viz.Recorder(1, most=6)
    fit(recorder)
    assert len(recorder) <= 6 and recorder.every == 4 and recorder.steps[0] == 0 and recorder.steps[-1] == 20
    assert len(recorder.parameters) == len(recorder.losses) == len(recorder)


def test_losses_are_those_of_the_batches():
    recorder = viz.Recorder()
    trainer = fit(recorder, epochs=1)
    assert np.isnan(recorder.losses[0])
    sizes = np.array([16, 16, 16, 16, 6])
    assert np.dot(recorder.losses[1:], sizes) / 70 == pytest.approx(trainer.history["loss"][0], rel=1e-5)


def test_losses_at_the_ends_of_epochs_are_their_means():
    recorder = viz.Recorder(8)
    trainer = fit(recorder)
    assert recorder.steps == [0, 10, 20]
    assert recorder.losses[1:] == [trainer.history["loss"][1], trainer.history["loss"][3]]


def test_a_second_fit_goes_on():
    recorder = viz.Recorder(5)
    trainer = fit(recorder, epochs=1)
    fit(recorder, epochs=2, trainer=trainer)
    assert recorder.steps == [0, 5, 10, 15]


def test_statistics_are_shown_too():
    recorder = viz.Recorder(5)
    trainer = fit(recorder, norm=True)
    twin = fit(norm=True, epochs=1).net
    recorder.show(trainer.net, 1)
    np.testing.assert_array_equal(trainer.net.predict(X), twin.predict(X))


def test_another_network_is_refused():
    recorder = viz.Recorder()
    fit(recorder)
    with pytest.raises(ValueError, match="snapshots of another network: make a new one"):
        fit(recorder, norm=True)


def test_resuming_needs_no_recorder(tmp_path):
    fit(viz.Recorder(), epochs=2, checkpoint=tmp_path / "run")
    assert fit(epochs=3, checkpoint=tmp_path / "run", resume=True).history.epochs == 3


@pytest.mark.parametrize("arguments", [(0,), (1, 1)])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="must be at least"):
        viz.Recorder(*arguments)

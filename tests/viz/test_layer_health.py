"""The health of layers as `trainer.health` has it."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

import fastnn
from fastnn import nn, optim, viz

from .cases import model, moons, trained


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


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: viz.health(3), TypeError, "records must be a Health, a HealthRecorder or a dict"),
        (lambda: viz.health(viz.HealthRecorder(1, 2)), ValueError, "there are no records yet"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()

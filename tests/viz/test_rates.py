"""Range tests and schedules beside their formulas."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import nn, optim, viz

from .cases import finder, model, moons, schedules


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
        (lambda: viz.lr_finder(model()), ValueError, "a trainer needs X and y"),
        (lambda: viz.lr_finder(3), TypeError, "result must be an LRFinder or a Trainer, got int"),
        (lambda: viz.schedule(3), TypeError, "must be a scheduler of fastnn.optim.lr_scheduler, got int"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()

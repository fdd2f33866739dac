"""Losses beside their formulas, and the constants that they ask for."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import viz
from fastnn.viz.loss_curves import POINTS


def test_formulas():
    figure, data = viz.losses(delta=0.5, classes=4, return_data=True)
    e, p, z = data["error"], data["p"], data["logit"]
    np.testing.assert_allclose(data["MAE"], abs(e))
    np.testing.assert_allclose(data["MSE"], e**2)
    np.testing.assert_allclose(data["Huber"], np.where(abs(e) < 0.5, e**2 / 2, 0.5 * (abs(e) - 0.25)), atol=1e-15)
    np.testing.assert_allclose(data["BCE of 1"], -np.log(p))
    np.testing.assert_allclose(data["BCE of 0"], -np.log1p(-p))
    np.testing.assert_allclose(data["CE"], np.log(1 + 3 * np.exp(-z)), rtol=1e-12)
    curves = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(curves["MSE"], data["MSE"])


def test_an_outlier_moves_the_mean_and_not_the_median():
    for outlier in (2.0, 8.0, 50.0):
        _, data = viz.losses(outlier=outlier, return_data=True)
        targets = np.array([*POINTS, outlier])
        assert data["best"]["MSE"] == pytest.approx(targets.mean())
        assert data["best"]["MAE"] == pytest.approx(np.median(targets))
        # Of Huber with delta 1 the clipped errors add up to 0.
        step = np.diff(data["constant"]).max()
        assert abs(np.clip(data["best"]["Huber"] - targets, -1, 1).sum()) < 9 * step
    assert data["best"]["MSE"] > 5 and data["best"]["Huber"] < 0.3


def test_wrong_arguments():
    with pytest.raises(ValueError, match="delta must be greater than 0"):
        viz.losses(delta=0)
    with pytest.raises(ValueError, match="classes must be at least 2"):
        viz.losses(classes=1)

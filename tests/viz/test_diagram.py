"""Diagrams have the units and the weights of the network."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import nn, viz

from .cases import model


def test_units_and_layers():
    net = nn.Sequential(
        nn.Linear(20, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1), nn.Residual(nn.Linear(8, 8), nn.Tanh()),
        nn.Linear(8, 3), nn.Softmax(), seed=0,
    )  # fmt: skip
    ax, data = viz.network(net, most=6, return_data=True)
    assert data["widths"] == [20, 8, 8, 3]
    assert data["labels"] == ["Linear\nBatchNorm1d\nReLU\nDropout", "Residual", "Linear\nSoftmax"]
    drawn = [len(units.get_offsets()) for units in ax.collections if len(units.get_offsets()) > 1]
    assert drawn == [6, 6, 6, 3]
    assert ax.get_title() == f"{net.parameters().numel():,} parameters"


def test_lines_are_the_weights():
    net = nn.Sequential(nn.Linear(2, 2, weight_init=[[1.0, -2.0], [0.5, 0.0]]), seed=0)
    ax = viz.network(net)
    lines = next(one for one in ax.collections if hasattr(one, "get_segments"))
    np.testing.assert_allclose(lines.get_linewidths(), 0.25 + 2.2 * np.array([0.5, 1, 0.25, 0]))
    assert tuple(lines.get_colors()[0][:3]) != tuple(lines.get_colors()[1][:3])


def test_weights_are_the_matrices():
    figure, data = viz.weights(model(), return_data=True)
    for ax, (name, matrix) in zip(figure.axes, data.items(), strict=False):
        np.testing.assert_array_equal(matrix, dict(model().net.named_parameters())[name])
        np.testing.assert_array_equal(ax.images[0].get_array(), matrix)
        assert ax.images[0].norm.vmax == -ax.images[0].norm.vmin


def test_pictures_of_units():
    net = nn.Sequential(nn.Linear(6, 4), seed=0)
    figure, data = viz.weights(net, shape=(2, 3), most=3, return_data=True)
    np.testing.assert_array_equal(data["units"][1], net["0.weight"][:, 1].reshape(2, 3))
    assert [ax.get_title() for ax in figure.axes[:3]] == ["unit 1", "unit 2", "unit 3"]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="has no matrices"):
        viz.weights(nn.Sequential(nn.PReLU()))
    with pytest.raises(ValueError, match=r"shape must be \(rows, columns\) of 2 features, got \(2, 2\)"):
        viz.weights(model(), shape=(2, 2))
    with pytest.raises(ValueError, match="takes any number of features"):
        viz.network(nn.Sequential(nn.Tanh()))
    with pytest.raises(TypeError, match="expected a network or a trainer, got int"):
        viz.network(3)

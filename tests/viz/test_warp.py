"""Grids after layers and after affine maps, beside the maps written out."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import nn, viz

from .cases import model, moons


def test_grid_and_samples_after_each_layer():
    X, y = moons()
    figure, data = viz.warp_grid(model(), X, y, lines=5, return_data=True)
    net, grid = model().net, data["grid"]
    assert grid.shape == (10, 81, 2)
    assert (np.ptp(grid[:5, :, 1], axis=1) == 0).all() and (np.ptp(grid[5:, :, 0], axis=1) == 0).all()
    expected = {"0": lambda x: x @ net["0.weight"] + net["0.bias"]}
    expected["1"] = lambda x: np.tanh(expected["0"](x))
    expected["2"] = lambda x: expected["1"](x) @ net["2.weight"] + net["2.bias"]
    expected["3"] = lambda x: np.maximum(expected["2"](x), 0)
    expected["4"] = lambda x: expected["3"](x) @ net["4.weight"] + net["4.bias"]
    for name, f in expected.items():
        np.testing.assert_allclose(data[name][0], f(grid), rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(data[name][1], f(X), rtol=1e-3, atol=1e-5)
    lines = np.array(figure.axes[5].collections[0].get_segments())
    np.testing.assert_allclose(lines, data["4"][0][:5])


def test_four_units_are_seen_from_their_principal_directions():
    figure, data = viz.warp_grid(model(), *moons(), return_data=True)
    h = data["1"][1]
    axes = np.linalg.svd(h - h.mean(0))[2][:2]
    seen = np.concatenate(
        [points.get_offsets() for points in figure.axes[2].collections if len(points.get_offsets()) > 1]
    )
    expected = (h - h.mean(0)) @ axes.T
    np.testing.assert_allclose(np.sort(np.abs(seen[:, 0])), np.sort(np.abs(expected[:, 0])), rtol=1e-6)
    assert "seen from 2 directions, " in figure.axes[2].get_title()


def test_directions_may_be_given():
    axes = np.eye(4)[[2, 0]]
    figure, data = viz.warp_grid(model(), *moons(), directions={"1": axes}, return_data=True)
    lines = np.array(figure.axes[2].collections[0].get_segments())
    grid, samples = data["1"]
    np.testing.assert_allclose(lines, (grid - samples.mean(0))[:17][..., [2, 0]], atol=1e-6)
    with pytest.raises(ValueError, match=r"directions\['1'\] must have shape \(2, 4\), got \(4, 4\)"):
        viz.warp_grid(model(), *moons(), directions={"1": np.eye(4)})
    with pytest.raises(ValueError, match="directions has 'x', but the layers are 0, 1, 2, 3, 4"):
        viz.warp_grid(model(), *moons(), directions={"x": axes})


def test_one_unit_is_a_line():
    net = nn.Sequential(nn.Linear(2, 1), seed=0)
    figure = viz.warp_grid(net, *moons())
    assert [t.get_text() for t in figure.axes[1].get_yticklabels()] == ["class 0", "class 1"]
    assert viz.warp_grid(net, moons()[0]).axes[1].get_title() == "0: Linear, 1 unit"


def test_affine_maps_by_their_definitions():
    _, data = viz.affine_maps(angle=90, factors=(2, 3), shear=1, shift=(1, -1), return_data=True)
    x, y = data["grid"][..., 0], data["grid"][..., 1]
    expected = {
        "identity": (x, y),
        "rotation": (-y, x),
        "dilation": (2 * x, 3 * y),
        "shear": (x + y, y),
        "translation": (x + 1, y - 1),
    }
    for name, (u, v) in expected.items():
        image = np.stack([u, v], -1)
        np.testing.assert_allclose(data[name, "alone"], image, atol=1e-15)
        np.testing.assert_allclose(data[name, "tanh"], np.tanh(image), atol=1e-15)
        np.testing.assert_allclose(data[name, "ReLU"], np.maximum(image, 0), atol=1e-15)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="factors must be two numbers, got 3"):
        viz.affine_maps(factors=3)
    with pytest.raises(ValueError, match="a plane needs X with two features"):
        viz.warp_grid(nn.Sequential(nn.Linear(1, 2), seed=0), np.zeros((3, 1)))

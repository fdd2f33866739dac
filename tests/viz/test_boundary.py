"""What is drawn over the plane is what the network says there."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np
from matplotlib import pyplot
from matplotlib.colors import to_rgb

from fastnn import nn, viz
from fastnn.viz.theme import LIGHT

from .cases import model, moons

STEEP = nn.Sequential(nn.Linear(2, 1, weight_init=[[20.0], [0.0]], bias_init=0.0), nn.Sigmoid(), seed=0)
CORNERS = np.array([[-1.0, -1.0], [1.0, 1.0]])


def test_probabilities_are_those_of_the_network_at_the_grid():
    X, y = moons()
    ax, data = viz.decision_boundary(model(), X, y, points=25, return_data=True)
    u, v = data["u"], data["v"]
    for i, j in ((0, 0), (3, 20), (24, 24)):
        z = model().net.predict(np.array([u[j], v[i]], "float32")).astype("float64")
        np.testing.assert_allclose(data["outputs"][i, j], np.exp(z) / np.exp(z).sum(), rtol=1e-5)
    assert u[0] < X[:, 0].min() < X[:, 0].max() < u[-1]
    drawn = np.concatenate([points.get_offsets() for points in ax.collections if len(points.get_offsets()) > 1])
    assert len(drawn) == len(X)


def test_colors_are_those_of_the_classes_by_certainty():
    ax, data = viz.decision_boundary(STEEP, CORNERS, [0, 1], points=41, return_data=True)
    image = ax.images[0].get_array()
    assert data["outputs"][0, 0].tolist() == pytest.approx([1, 0], abs=1e-6)
    for pixel, k in ((image[5, 0], 0), (image[5, -1], 1)):
        own, paper = np.array(to_rgb(LIGHT.color(k))), np.ones(3)
        np.testing.assert_allclose(pixel, paper + 0.62 * (own - paper), atol=1e-6)
    middle = image[5, 20] - np.ones(3)
    assert np.abs(middle).max() < 0.2  # no class is certain there


def test_the_line_is_where_the_classes_meet():
    ax = viz.decision_boundary(STEEP, CORNERS, [0, 1], points=41)
    paths = [path.vertices for lines in ax.collections if hasattr(lines, "levels") for path in lines.get_paths()]
    np.testing.assert_allclose(np.concatenate(paths)[:, 0], 0, atol=1e-6)


def test_many_classes_meet_in_lines_and_each_has_its_color():
    net = nn.Sequential(nn.Linear(2, 3, weight_init=[[1, -1, 0], [0, 0, 1]], bias_init=0.0), seed=0)
    X = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    ax, data = viz.decision_boundary(net, X, [0, 1, 2, 1], points=31, class_names=["a", "b", "c"], return_data=True)
    assert set(data["outputs"].argmax(-1).ravel().tolist()) == {0, 1, 2}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "c"]


def test_samples_have_the_color_of_their_class_where_others_do_not_occur():
    net = nn.Sequential(nn.Linear(2, 3), seed=0)
    ax = viz.decision_boundary(net, CORNERS, [0, 2], points=5)
    drawn = [points for points in ax.collections if len(points.get_offsets()) == 1 and points.get_label()[0] != "_"]
    assert [points.get_label() for points in drawn] == ["class 0", "class 2"]
    np.testing.assert_allclose(drawn[1].get_facecolor()[0][:3], to_rgb(LIGHT.color(2)))
    figure = viz.warp_grid(net, CORNERS, [0, 2])
    np.testing.assert_allclose(figure.axes[0].collections[-1].get_facecolor()[0][:3], to_rgb(LIGHT.color(2)))


def test_numbers_as_colors_where_targets_are_no_classes():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), seed=0)
    y = np.linspace(0, 1, 9) ** 2
    X = np.random.default_rng(0).standard_normal((9, 2))
    for figure in (viz.warp_grid(net, X, y), viz.units(net, X, y, points=5)):
        drawn = [points for points in figure.axes[0].collections if len(points.get_offsets()) == 9]
        np.testing.assert_array_equal(drawn[0].get_array(), y)


def test_a_surface_of_numbers():
    ax, data = viz.decision_boundary(lambda x: x[:, 0] * x[:, 1], CORNERS, [1.0, 1.0], points=11, return_data=True)
    u, v = np.meshgrid(data["u"], data["v"])
    np.testing.assert_allclose(data["outputs"][..., 0], u * v, atol=1e-12)
    assert ax.figure.axes[1].get_ylabel() == "output"


def test_two_of_three_features_with_the_third_at_its_mean():
    X = np.array([[0.0, 0.0, 4.0], [1.0, 1.0, 6.0]])
    _, data = viz.decision_boundary(lambda x: x[:, 2] + 10 * x[:, 1], X, features=(0, 1), points=3, return_data=True)
    np.testing.assert_allclose(data["outputs"][..., 0], 5 + 10 * np.repeat(data["v"][:, None], 3, 1))


def test_the_principal_plane_of_many_features():
    X = np.random.default_rng(0).standard_normal((40, 5)) * [5, 3, 0.1, 0.1, 0.1]
    ax, data = viz.decision_boundary(lambda x: x[:, 0], X, points=5, return_data=True)
    assert ax.get_xlabel().startswith("principal direction 1 (")
    axes = np.linalg.svd(X - X.mean(0))[2][:2]
    np.testing.assert_allclose(np.abs(data["samples"]), np.abs((X - X.mean(0)) @ axes.T), rtol=1e-9)


def test_one_feature_is_a_curve():
    x = np.linspace(-1, 1, 9)[:, None]
    ax, data = viz.decision_boundary(lambda x: x[:, 0] ** 2, x, x[:, 0], points=7, return_data=True)
    np.testing.assert_allclose(data["outputs"][:, 0], data["u"] ** 2)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["target", "output"]
    ax = viz.decision_boundary(lambda x: 1 / (1 + np.exp(-x)), x, (x[:, 0] > 0).astype(int))
    assert ax.get_ylabel() == "probability" and len(ax.get_lines()) == 2


def test_units_are_the_activations_of_the_network():
    X, y = moons()
    _, data = viz.units(model(), X, y, points=9, return_data=True)
    assert {name: f.shape for name, f in data.items() if name not in "uv"} == {
        "1": (9, 9, 4), "3": (9, 9, 3), "4": (9, 9, 2)}  # fmt: skip
    net = model().net
    x = np.array([data["u"][2], data["v"][7]], "float32")
    h = np.tanh(x @ net["0.weight"] + net["0.bias"])
    np.testing.assert_allclose(data["1"][7, 2], h, rtol=1e-5)
    np.testing.assert_allclose(
        data["3"][7, 2], np.maximum(h @ net["2.weight"] + net["2.bias"], 0), rtol=1e-4, atol=1e-6
    )


def test_units_of_one_layer_and_only_the_first():
    figure, data = viz.units(model(), *moons(), layers=["0"], most=2, points=5, return_data=True)
    assert data["0"].shape == (5, 5, 4)
    assert [ax.get_title() for ax in figure.axes] == ["unit 1", "unit 2 of 4"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limits": ((0, 1), (1, 0))}, r"limits must be \(\(low, high\), \(low, high\)\)"),
        ({"points": 1}, "points must be at least 2"),
        ({"kind": "class"}, "kind must be one of 'auto', 'classes', 'numbers'"),
        ({"class_names": ["one"]}, "class_names must have 2 names, one for each class, got 1"),
        ({"feature_names": ["one"]}, "feature_names must have 2 names, one for each feature, got 1"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        viz.decision_boundary(model(), *moons(), **options)


def test_an_error_leaves_no_figure():
    with pytest.raises(ValueError, match="y must have shape"):
        viz.decision_boundary(model(), moons()[0], [0, 1])
    assert not pyplot.get_fignums()


def test_unknown_layer():
    with pytest.raises(KeyError, match="no layer '9'"):
        viz.units(model(), *moons(), layers=["9"])

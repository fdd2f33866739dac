"""The loss over a plane of parameters, beside the loss of networks with those parameters."""

import time

import pytest

pytest.importorskip("matplotlib")

import numpy as np

import fastnn
from fastnn import nn, optim, viz
from fastnn.viz.landscape import filter_normalized

from .cases import model, moons, trained


def loss_at(point):
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), seed=5)
    net.parameters().data[...] = point
    X, y = moons()
    z = net.predict(X).astype("float64")
    return float((np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]).mean())


def test_losses_are_those_of_networks_there():
    before = model().net.parameters().data.copy()
    ax, data = viz.loss_landscape(model(), *moons(), points=7, span=0.5, seed=3, return_data=True)
    d, a, b = data["directions"], data["a"], data["b"]
    for i, j in ((0, 0), (3, 3), (6, 2)):
        point = before.astype("float64") + a[j] * d[0] + b[i] * d[1]
        assert data["loss"][i, j] == pytest.approx(loss_at(point), rel=1e-5)
    assert (model().net.parameters().data == before).all()
    assert a.tolist() == pytest.approx(np.linspace(-0.5, 0.5, 7).tolist())
    assert ax.get_title().startswith(f"loss: {data['loss'][3, 3]:.3g} at +")


def test_directions_are_normalized_by_unit():
    net = model().net
    d = filter_normalized(net, 0)
    for parameter in net.parameters():
        drawn = d[:, parameter.start : parameter.start + parameter.size].reshape(2, *parameter.shape)
        if parameter.ndim == 1:
            assert not drawn.any()
        else:
            lengths = np.linalg.norm(drawn, axis=1)
            np.testing.assert_allclose(lengths, [np.linalg.norm(parameter.data, axis=0)] * 2, rtol=1e-5)


def test_paths_end_at_the_network_and_project_orthogonally():
    recorder = trained()[1]
    ax, data = viz.loss_landscape(model(), *moons(), paths={"Adam": recorder}, points=5, return_data=True)
    path, d = data["paths"]["Adam"], data["directions"]
    np.testing.assert_allclose(path[-1], 0, atol=1e-5)
    moved = recorder.parameters.astype("float64") - model().net.parameters().data
    np.testing.assert_allclose(path, moved @ d.T, atol=1e-4)  # principal directions are orthonormal
    rest = moved - path @ d
    assert np.linalg.norm(rest) < 0.5 * np.linalg.norm(moved)
    assert {line.get_label() for line in ax.get_lines()} >= {"Adam", "network"}
    assert data["a"][0] < path[:, 0].min() and path[:, 0].max() < data["a"][-1]


def test_the_usual_size_takes_less_than_a_second():
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    X, y = fastnn.data.make_moons(200, noise=0.1, seed=0)
    times = []
    for _ in range(3):
        started = time.process_time()
        viz.loss_landscape(trainer, X, y, points=51)
        times.append(time.process_time() - started)
    assert min(times) < 1


def test_losses_that_are_not_finite_are_left_out():
    net = nn.Sequential(nn.Linear(1, 1, weight_init=1.0), seed=0)
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters()))
    size = net.parameters().data.size
    d = np.zeros((2, size))
    d[0, 0], d[1, 1 if size < 9 else 8] = 1e30, 1.0
    d[1, net.parameters()["0.bias"].start] = 1.0
    _, data = viz.loss_landscape(trainer, [[1.0]], [[0.0]], directions=d, points=3, return_data=True)
    assert np.isnan(data["loss"][0, 0]) and np.isfinite(data["loss"][1, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directions": "pca"}, 'directions="pca" needs paths'),
        ({"directions": np.ones((2, 3))}, "directions must be two arrays of"),
        ({"paths": np.ones((4, 3))}, r"paths\['path'\] must have shape \(steps,"),
        ({"span": 0}, "span must be greater than 0"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        viz.loss_landscape(model(), *moons(), points=3, **options)


def test_parallel_directions_and_a_network_alone():
    d = np.zeros((2, model().net.parameters().data.size))
    d[:, 0] = 1, 2
    with pytest.raises(ValueError, match="must not be 0 or parallel"):
        viz.loss_landscape(model(), *moons(), directions=d, points=3)
    with pytest.raises(TypeError, match="trainer must be a Trainer, which has the loss, got Sequential"):
        viz.loss_landscape(model().net, *moons())

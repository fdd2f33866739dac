"""The paths of optimizers beside their rules, written out."""

import pytest

pytest.importorskip("matplotlib")

import numpy as np

from fastnn import optim, viz
from fastnn.viz.paths import SURFACES, walk

STEPS = 12


def gradient(p):
    return np.array([1.0, 15.0]) * p


def by_hand(rule):
    """The path over the ravine by the rule of the course."""
    p, path = np.array([-4.0, 1.2]), []
    v, h, m, s = (np.zeros(2) for _ in range(4))
    for t in range(1, STEPS + 2):
        path.append(p.copy())
        g = gradient(p)
        if rule == "SGD":
            p -= 0.1 * g
        elif rule == "momentum":
            v = 0.9 * v + g
            p -= 0.03 * v
        elif rule == "AdaGrad":
            h += g * g
            p -= 0.5 * g / (np.sqrt(h) + 1e-10)
        elif rule == "RMSProp":
            h = 0.9 * h + 0.1 * g * g
            p -= 0.05 * g / (np.sqrt(h) + 1e-8)
        else:
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            p -= 0.3 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return np.array(path)


@pytest.mark.parametrize("rule", ["SGD", "momentum", "AdaGrad", "RMSProp", "Adam"])
def test_paths_of_the_rules(rule):
    ax, data = viz.optimizer_paths(steps=STEPS, return_data=True)
    path, values = data[rule]
    np.testing.assert_allclose(path, by_hand(rule), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(values, 0.5 * (path[:, 0] ** 2 + 15 * path[:, 1] ** 2), rtol=1e-12)
    line = next(line for line in ax.get_lines() if line.get_label() == rule)
    np.testing.assert_array_equal(np.transpose(line.get_data()), path)


@pytest.mark.parametrize("name", SURFACES)
def test_gradients_of_the_surfaces(name):
    p, step = np.random.default_rng(0).uniform(-2, 2, (20, 2)), 1e-6
    _, gradients = SURFACES[name](p)
    for k in range(2):
        d = step * np.eye(2)[k]
        slope = (SURFACES[name](p + d)[0] - SURFACES[name](p - d)[0]) / (2 * step)
        np.testing.assert_allclose(gradients[:, k], slope, rtol=1e-5, atol=1e-6)


def test_all_optimizers_find_a_way_down():
    for surface in SURFACES:
        ax, data = viz.optimizer_paths(surface, "all", return_data=True)
        paths = {name: pair for name, pair in data.items() if isinstance(pair, tuple)}
        assert len(paths) == len(ax.get_legend().get_texts()) == 17
        for name, (path, values) in paths.items():
            assert np.isfinite(path).all() and values[-1] < 0.8 * values[0], (surface, name)
    assert paths["L-BFGS"][1][-1] < 1e-10


def test_the_start_decides_between_the_valleys():
    start = {"left": (-0.5, 1.0), "right": (1.0, 1.0)}
    rules = dict.fromkeys(start, lambda p: optim.SGD(p, lr=0.1))
    _, data = viz.optimizer_paths("valleys", rules, start=start, return_data=True)
    assert data["left"][0][-1][0] == pytest.approx(-2.09, abs=0.01) and data["right"][0][-1][0] == pytest.approx(
        1.89, abs=0.01
    )
    assert data["left"][1][-1] < data["right"][1][-1]


def test_a_path_that_explodes_ends_in_nan():
    path, values = walk(SURFACES["rosenbrock"], lambda p: optim.SGD(p, lr=1.0), (-1.2, 1.2), 20)
    assert np.isfinite(path[0]).all() and np.isnan(path[-1]).all() and np.isnan(values[-1])


def test_surface_of_a_user():
    def bowl(p):
        return (p**2).sum(-1), 2 * p

    ax, data = viz.optimizer_paths(
        bowl, {"SGD": lambda p: optim.SGD(p, lr=0.25)}, start=(1, 2), steps=3, return_data=True
    )
    np.testing.assert_allclose(data["SGD"][0], [[1, 2], [0.5, 1], [0.25, 0.5], [0.125, 0.25]])
    u, v = np.meshgrid(data["u"], data["v"])
    np.testing.assert_allclose(data["surface"], u**2 + v**2)
    assert ax.get_title() == "3 steps"


def test_rates_too_small_right_and_too_large():
    figure, data = viz.learning_rates(return_data=True)
    ends = [data[rate][1][-1] / data[rate][1][0] for rate in (0.004, 0.1, 0.134)]
    assert ends[1] < 0.001 < 0.1 < ends[0] < 1 < ends[2]
    assert len(figure.axes) == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: viz.optimizer_paths("bowl"), ValueError, "surface must be one of 'ravine'"),
        (lambda: viz.optimizer_paths(3), TypeError, "surface must be a name or a function, got int"),
        (lambda: viz.optimizer_paths(lambda p: p), ValueError, r"surface must return \(values, gradients\)"),
        (lambda: viz.optimizer_paths(start=(1, 2, 3)), ValueError, "start must be two numbers"),
        (lambda: viz.optimizer_paths(rules=[optim.SGD]), TypeError, "rules must be a dict of names to functions"),
        (lambda: viz.optimizer_paths(limits=3), ValueError, r"limits must be \(\(low, high\)"),
        (lambda: viz.learning_rates([]), ValueError, "rates must have at least one"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()

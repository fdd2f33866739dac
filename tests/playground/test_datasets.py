"""The points: balanced, standardized, and the same by the written code."""

import numpy as np
import pytest

from fastnn import data
from fastnn.playground import datasets
from fastnn.playground.choices import DATA
from fastnn.playground.settings import from_json

CLASSES = [{"kind": kind, "classes": n} for kind, (task, low, high) in DATA.items() if task == "classification"
           for n in range(low, high + 1)]  # fmt: skip
OWN_CLASSES = {
    "kind": "own",
    "table": {"columns": ["w", "h", "y"], "rows": [[i, i * i % 7, "abc"[i % 3]] for i in range(40)]},
}
OWN_NUMBERS = {"kind": "own", "table": {"columns": ["w", "h", "y"], "rows": [[i, i * i % 7, i / 3] for i in range(40)]}}
REGRESSIONS = [{"kind": "plane"}, {"kind": "hills"}, OWN_NUMBERS]


def settings_for(of, **more):
    return from_json({"data": of, **more})


@pytest.mark.parametrize("of", [*CLASSES, OWN_CLASSES], ids=str)
def test_classes(of):
    settings = settings_for({**of, "test_share": 0.5})
    points = datasets.make(settings)
    n = settings.data.n_classes
    assert set(np.concatenate([points.y_train, points.y_test])) == set(range(n))
    assert points.y_train.dtype == np.int64
    check_standardized(points.X_train)
    assert abs(len(points.X_train) - len(points.X_test)) <= 1


@pytest.mark.parametrize("of", REGRESSIONS, ids=lambda of: of["kind"])
def test_regressions(of):
    points = datasets.make(settings_for(of, loss="MSELoss"))
    assert points.y_train.shape == (len(points.X_train), 1)
    check_standardized(points.X_train)
    check_standardized(points.y_train)


def check_standardized(values):
    assert np.allclose(values.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(values.std(axis=0), 1, atol=1e-5)


def test_one_output_takes_a_column():
    points = datasets.make(settings_for({"kind": "moons"}, loss="BCEWithLogitsLoss"))
    assert points.y_train.shape == (280, 1)


def test_large_numbers_of_ones_own_stay_finite():
    rows = [[i * 1e28, -i * 1e28, "ab"[i % 2]] for i in range(20)]
    points = datasets.make(settings_for({"kind": "own", "table": {"columns": ["a", "b", "c"], "rows": rows}}))
    check_standardized(points.X_train)


def test_plane_and_hills_without_noise_are_their_formulas():
    X, y = datasets.make_plane(50, noise=0.0, seed=1)
    assert np.allclose(y, X.mean(axis=1))
    X, y = datasets.make_hills(50, noise=0.0, seed=1)
    assert np.allclose(y, np.sin(np.pi * X[:, 0]) * np.sin(np.pi * X[:, 1]))
    assert np.abs(X).max() <= 1


@pytest.mark.parametrize("of", [*CLASSES, OWN_CLASSES, *REGRESSIONS], ids=str)
def test_the_code_makes_the_same_points(of):
    settings = settings_for({**of, "noise": 0.2}, loss="MSELoss" if of in REGRESSIONS else "CrossEntropyLoss", seed=7)
    names = {"np": np, "data": data}
    exec("\n".join(datasets.code(settings)), names)
    points = datasets.make(settings)
    for name in ("X_train", "X_test", "y_train", "y_test"):
        made, expected = names[name], getattr(points, name)
        assert made.dtype == expected.dtype and np.array_equal(made, expected), name

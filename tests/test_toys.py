"""Toy sets: shapes, dtypes, seeds, noise, and the geometry of each."""

import numpy as np
import pytest

from fastnn import data

TOYS = [data.make_moons, data.make_circles, data.make_spirals, data.make_xor, data.make_blobs]
NOISY_TOYS = TOYS[:-1]  # make_blobs has a spread instead


def sorted_rows(X, y):
    rows = np.round(np.column_stack([X, y]), 12)
    return rows[np.lexsort(rows.T)]


@pytest.mark.parametrize("make", TOYS)
@pytest.mark.parametrize("n_samples", [1, 2, 7, 100])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_toys_have_the_shape_and_dtype_asked_for(make, n_samples, dtype):
    X, y = make(n_samples, seed=0, dtype=dtype)
    assert X.shape == (n_samples, 2) and X.dtype == dtype and X.flags.c_contiguous
    assert y.shape == (n_samples,) and y.dtype == np.int64
    assert np.isfinite(X).all()


@pytest.mark.parametrize("make", TOYS)
def test_toys_default_to_100_samples_of_float32(make):
    X, y = make(seed=0)
    assert X.shape == (100, 2) and X.dtype == np.float32 and y.shape == (100,)


@pytest.mark.parametrize(
    ("make", "classes", "arguments"),
    [
        (data.make_moons, 2, {}),
        (data.make_circles, 2, {}),
        (data.make_xor, 2, {}),
        (data.make_spirals, 5, {"n_classes": 5}),
        (data.make_blobs, 4, {"centers": 4}),
    ],
)
@pytest.mark.parametrize("n_samples", range(20, 25))
def test_toys_are_balanced_and_shuffled(make, classes, arguments, n_samples):
    _, y = make(n_samples, seed=3, **arguments)
    counts = np.bincount(y)
    assert len(counts) == classes and np.ptp(counts) <= 1
    assert (np.diff(y) < 0).any()


@pytest.mark.parametrize("make", TOYS)
def test_toys_depend_on_the_seed_alone(make):
    first, again, other = (make(50, seed=seed) for seed in (7, np.int64(7), 8))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(make(50)[0], make(50)[0])


@pytest.mark.parametrize("make", TOYS)
def test_toys_are_the_same_points_in_both_dtypes(make):
    (X32, y32), (X64, y64) = (make(50, seed=1, dtype=dtype) for dtype in ("float32", "float64"))
    assert np.array_equal(X32, X64.astype(np.float32)) and np.array_equal(y32, y64)


@pytest.mark.parametrize("make", NOISY_TOYS)
def test_noise_is_normal_with_the_given_deviation(make):
    clean, noisy = (make(4000, noise=noise, seed=5, dtype="float64")[0] for noise in (0.0, 0.2))
    added = noisy - clean
    assert abs(added.mean()) < 0.01 and added.std() == pytest.approx(0.2, rel=0.05)


@pytest.mark.parametrize("n_samples", [10, 11])
@pytest.mark.parametrize(("name", "arguments"), [("make_moons", {}), ("make_circles", {"factor": 0.3})])
def test_moons_and_circles_are_scikit_learns(name, arguments, n_samples):
    datasets = pytest.importorskip("sklearn.datasets")
    expected = getattr(datasets, name)(n_samples, **arguments)
    found = getattr(data, name)(n_samples, seed=0, dtype="float64", **arguments)
    np.testing.assert_allclose(sorted_rows(*found), sorted_rows(*expected), atol=1e-12)


def test_circles_have_their_radii():
    X, y = data.make_circles(60, factor=0.25, seed=0)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y == 0, 1.0, 0.25), rtol=1e-6)


@pytest.mark.parametrize(("n_classes", "turns"), [(2, 1.5), (3, 0.75), (4, 0.0)])
def test_spirals_tell_their_arm_by_angle_and_radius(n_classes, turns):
    X, y = data.make_spirals(90, n_classes=n_classes, turns=turns, seed=0, dtype="float64")
    radius, angle = np.hypot(*X.T), np.arctan2(X[:, 1], X[:, 0])
    arm = (angle / (2 * np.pi) - turns * radius) * n_classes
    np.testing.assert_allclose((arm - y + 0.5) % n_classes, 0.5, atol=1e-9)
    assert radius.min() > 0 and radius.max() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(5))
def test_xor_classes_are_the_quadrants(seed):
    X, y = data.make_xor(1001, seed=seed)
    assert np.array_equal(y, (X[:, 0] > 0) ^ (X[:, 1] > 0))
    assert np.abs(X).max() <= 1 and np.abs(X).min() > 0
    assert np.ptp(np.bincount(2 * (X[:, 0] > 0) + (X[:, 1] > 0))) <= 1


def test_blobs_lie_around_their_centers():
    centers = np.array([[-50.0, 0.0, 1.0], [50.0, 0.0, 2.0]])
    X, y = data.make_blobs(2000, centers=centers, spread=2.0, seed=0)
    assert X.shape == (2000, 3)
    assert np.array_equal(y, X[:, 0] > 0)
    for label, center in enumerate(centers):
        np.testing.assert_allclose(X[y == label].mean(axis=0), center, atol=0.3)
        np.testing.assert_allclose(X[y == label].std(axis=0), 2.0, rtol=0.1)


def test_blobs_draw_their_centers_from_the_box():
    X, y = data.make_blobs(40, centers=20, n_features=6, spread=0.0, seed=0)
    assert X.shape == (40, 6) and np.abs(X).max() <= 10
    assert len(np.unique(X, axis=0)) == 20 == len(np.unique(y))


@pytest.mark.parametrize(
    ("make", "arguments", "error", "message"),
    [
        (data.make_moons, {"n_samples": 0}, ValueError, "n_samples must be at least 1, got 0"),
        (data.make_xor, {"n_samples": 2.5}, TypeError, "n_samples must be an integer, got 2.5"),
        (data.make_moons, {"noise": -0.1}, ValueError, r"noise must lie in \[0, inf\), got -0.1"),
        (data.make_moons, {"noise": float("nan")}, ValueError, "noise .* got nan"),
        (data.make_moons, {"noise": "0.1"}, TypeError, "noise must be a number, got '0.1'"),
        (data.make_moons, {"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        (data.make_moons, {"seed": 2**64}, ValueError, r"seed must be less than 2\*\*64"),
        (data.make_moons, {"seed": 0.5}, TypeError, "seed must be an integer, got 0.5"),
        (data.make_moons, {"dtype": "int64"}, TypeError, "dtype must be float32 or float64, got int64"),
        (data.make_circles, {"factor": 1.0}, ValueError, r"factor must lie in \[0, 1\), got 1.0"),
        (data.make_spirals, {"n_classes": 0}, ValueError, "n_classes must be at least 1, got 0"),
        (data.make_spirals, {"turns": float("inf")}, ValueError, "turns must lie in .* got inf"),
        (data.make_blobs, {"centers": 0}, ValueError, "centers must be at least 1, got 0"),
        (data.make_blobs, {"n_features": 0}, ValueError, "n_features must be at least 1, got 0"),
        (data.make_blobs, {"centers": [1.0, 2.0]}, ValueError, r"centers must be .* got shape \(2,\)"),
        (data.make_blobs, {"centers": [[np.inf]]}, ValueError, "centers must be a number or finite"),
        (data.make_blobs, {"spread": -1}, ValueError, "spread must lie in"),
    ],
)
def test_toys_explain_bad_arguments(make, arguments, error, message):
    with pytest.raises(error, match=message):
        make(**arguments)

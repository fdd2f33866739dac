"""fastnn.data: toy sets, digits, splitting, standardizing and batches."""

import hashlib
import sys

import numpy as np
import pytest

from fastnn import data
from fastnn.data.digits import DIGITS_FILE
from fastnn.data.make_digits import write_digits
from fastnn.reference.random import permutation

TOYS = [data.make_moons, data.make_circles, data.make_spirals, data.make_xor, data.make_blobs]
NOISY_TOYS = TOYS[:-1]  # make_blobs has a spread instead


def sorted_rows(X, y):
    rows = np.round(np.column_stack([X, y]), 12)
    return rows[np.lexsort(rows.T)]


# ---------------------------------------------------------------------------------------------- toy sets


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


# ------------------------------------------------------------------------------------------------ digits


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_digits_are_complete_and_exact(dtype):
    X, y = data.load_digits(dtype=dtype)
    assert X.shape == (1797, 64) and X.dtype == dtype and X.min() == 0 and X.max() == 1
    assert y.shape == (1797,) and y.dtype == np.int64
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    content = (16 * X).astype(np.uint8).tobytes() + y.astype(np.uint8).tobytes()
    assert hashlib.sha256(content).hexdigest() == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_digits_default_to_float32_and_are_fresh_each_time():
    X, y = data.load_digits()
    assert X.dtype == np.float32
    X[:], y[:] = -1, -1
    again, labels = data.load_digits()
    assert again.min() == 0 and labels.min() == 0


def test_digits_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = data.load_digits(dtype="float64")
    pixels, labels = datasets.load_digits(return_X_y=True)
    assert np.array_equal(X * 16, pixels) and np.array_equal(y, labels)


def test_digits_reject_other_dtypes():
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got float16"):
        data.load_digits(dtype="float16")


def test_make_digits_writes_the_same_small_file_every_time(tmp_path):
    pytest.importorskip("sklearn")
    paths = tmp_path / "one.npz", tmp_path / "two.npz"
    for path in paths:
        write_digits(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert DIGITS_FILE.stat().st_size < 100_000
    with np.load(paths[0]) as written, np.load(DIGITS_FILE) as stored:
        assert sorted(written) == sorted(stored) == ["labels", "pixels"]
        assert all(np.array_equal(written[name], stored[name]) for name in stored)


def test_make_digits_says_that_it_needs_scikit_learn(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(SystemExit, match="pip install scikit-learn"):
        write_digits(tmp_path / "digits.npz")
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------- train_test_split


@pytest.mark.parametrize(
    ("test_size", "n_test"), [(0.25, 26), (0.5, 51), (0.001, 1), (1, 1), (np.int64(30), 30), (100, 100)]
)
@pytest.mark.parametrize("stratify", [False, True])
def test_split_is_disjoint_complete_and_keeps_pairs(test_size, n_test, stratify):
    X = np.arange(202, dtype=np.float32).reshape(101, 2)
    y = np.arange(101)
    labels = np.zeros(101) if stratify else None
    parts = data.train_test_split(X, y, test_size=test_size, seed=0, stratify=labels)
    X_train, X_test, y_train, y_test = parts
    assert len(y_test) == n_test and len(y_train) == 101 - n_test
    assert np.array_equal(np.sort(np.concatenate([y_train, y_test])), y)
    assert np.array_equal(X_train, X[y_train]) and np.array_equal(X_test, X[y_test])
    assert X_train.dtype == np.float32 and y_test.dtype == y.dtype
    assert not any(np.shares_memory(X, part) for part in parts)


def test_split_takes_any_number_of_arrays():
    train, test = data.train_test_split(range(8), seed=0)
    assert (len(train), len(test)) == (6, 2)
    parts = data.train_test_split(range(8), range(8), list("abcdefgh"), seed=0)
    assert len(parts) == 6
    assert np.array_equal(parts[0], parts[2]) and np.array_equal(parts[1], parts[3])


def test_split_depends_on_the_seed_alone():
    first, again, other = (data.train_test_split(range(50), seed=seed)[1] for seed in (4, 4, 5))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(data.train_test_split(range(50))[1], data.train_test_split(range(50))[1])


@pytest.mark.parametrize("seed", range(3))
def test_stratified_split_keeps_the_proportions(seed):
    y = np.repeat(["a", "b", "c"], [60, 30, 10])
    y_train, y_test = data.train_test_split(y, test_size=0.2, seed=seed, stratify=y)
    assert np.unique(y_test, return_counts=True)[1].tolist() == [12, 6, 2]
    assert np.unique(y_train, return_counts=True)[1].tolist() == [48, 24, 8]
    assert len(set(y_test[:12])) > 1, "classes are not in order"


def test_stratified_split_gives_the_rest_to_the_largest_remainders():
    y = np.repeat([0, 1, 2], [5, 3, 3])  # ideal shares of 4 test samples: 1.82, 1.09, 1.09
    _, y_test = data.train_test_split(y, test_size=4, seed=0, stratify=y)
    assert np.bincount(y_test).tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("arrays", "arguments", "error", "message"),
    [
        ((), {}, TypeError, "at least one array"),
        ((5,), {}, ValueError, r"arrays\[0\] must have a first axis of samples, got a scalar"),
        (([1, 2], [1, 2, 3]), {}, ValueError, r"arrays\[0\] and arrays\[1\] .* got 2 and 3"),
        (([1],), {}, ValueError, "test_size must leave samples for both parts, got 0.25: 1 of 1 to test"),
        (([],), {}, ValueError, "test_size must leave samples for both parts"),
        (([1, 2],), {"test_size": 0.0}, ValueError, "test_size must leave .* 0 of 2"),
        (([1, 2],), {"test_size": 2}, ValueError, "test_size must leave .* 2 of 2"),
        (([1, 2],), {"test_size": 0}, ValueError, "test_size must be at least 1, got 0"),
        (([1, 2],), {"test_size": 1.5}, ValueError, r"test_size must lie in \[0, 1\), got 1.5"),
        (([1, 2],), {"test_size": "half"}, TypeError, "test_size must be a number, got 'half'"),
        (([1, 2],), {"seed": -3}, ValueError, "seed must be at least 0, got -3"),
        (([1, 2],), {"stratify": [0]}, ValueError, r"arrays\[0\] and stratify .* got 2 and 1"),
        (([1, 2],), {"stratify": [[0], [1]]}, ValueError, r"stratify must have shape \(n,\), got \(2, 1\)"),
        (([1, 2, 3],), {"stratify": [0, 7, 0]}, ValueError, "two samples of every class, got one of class 7"),
        (([1] * 8,), {"stratify": [0, 1] * 4, "test_size": 1}, ValueError, "each of the 2 classes, got 7"),
    ],
)
def test_split_explains_bad_arguments(arrays, arguments, error, message):
    with pytest.raises(error, match=message):
        data.train_test_split(*arrays, **arguments)


# ------------------------------------------------------------------------------------------ standardize


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standardize_gives_mean_0_and_deviation_1(dtype):
    rng = np.random.default_rng(0)
    X = (1000.0 + [1.0, 10.0, 0.01] * rng.standard_normal((500, 3))).astype(dtype)
    original = X.copy()
    scaled = data.standardize(X)
    assert scaled.dtype == dtype and scaled.shape == X.shape
    np.testing.assert_allclose(scaled.mean(axis=0, dtype=np.float64), 0.0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0, dtype=np.float64), 1.0, rtol=1e-6)
    assert np.array_equal(X, original)


def test_standardize_uses_the_training_statistics_and_keeps_each_dtype():
    train = np.array([[1.0, 0.0], [3.0, 4.0]])
    test = np.array([[5.0, 2.0]], dtype=np.float32)
    results = data.standardize(train, test, test)
    assert isinstance(results, tuple) and [r.dtype for r in results] == ["float64", "float32", "float32"]
    assert np.array_equal(results[0], [[-1.0, -1.0], [1.0, 1.0]])
    assert np.array_equal(results[1], [[3.0, 0.0]])


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e10 / 3])
def test_standardize_divides_a_constant_feature_by_1(constant):
    # The mean of many 0.1 is not 0.1 exactly; its error must not be blown up to a deviation of 1.
    scaled, other = data.standardize(np.full((1003, 1), constant), np.array([[constant + 2.0]]))
    assert np.array_equal(scaled, np.zeros((1003, 1)))
    assert other.item() == (constant + 2.0) - constant


def test_standardize_keeps_nan_within_its_feature():
    scaled = data.standardize(np.array([[np.nan, 1.0], [0.0, 3.0]]))
    assert np.isnan(scaled[:, 0]).all() and np.array_equal(scaled[:, 1], [-1.0, 1.0])


def test_standardize_takes_any_number_of_axes():
    assert np.array_equal(data.standardize(np.array([1.0, 3.0])), [-1.0, 1.0])
    images = np.random.default_rng(0).random((20, 4, 4))
    assert np.array_equal(data.standardize(images).reshape(20, 16), data.standardize(images.reshape(20, 16)))


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ((np.zeros((0, 3)),), ValueError, r"X_train must have at least one sample, got shape \(0, 3\)"),
        ((np.zeros((2, 3)), np.zeros((2, 4))), ValueError, r"others\[0\] must have .* \(3,\) .* got \(4,\)"),
        ((np.zeros((2, 3), int),), TypeError, "dtype of X_train must be float32 or float64, got int64"),
        ((np.float64(1.0),), ValueError, "X_train must have a first axis of samples"),
    ],
)
def test_standardize_explains_bad_arguments(arrays, error, message):
    with pytest.raises(error, match=message):
        data.standardize(*arrays)


# ---------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    ("n", "batch_size", "drop_last", "sizes"),
    [
        (10, 4, False, [4, 4, 2]),
        (10, 4, True, [4, 4]),
        (8, 4, True, [4, 4]),
        (3, 5, False, [3]),
        (3, 5, True, []),
        (0, 5, False, []),
    ],
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_have_the_size_asked_for(n, batch_size, drop_last, sizes, shuffle):
    x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    found = list(data.batches(x, batch_size=batch_size, shuffle=shuffle, seed=0, drop_last=drop_last))
    assert [len(batch) for batch in found] == sizes
    assert all(batch.dtype == np.float32 and batch.shape[1] == 2 for batch in found)


def test_batches_keep_order_and_pairs():
    x, y = np.arange(7.0), np.arange(7)
    pairs = list(data.batches(x, y, batch_size=3))
    assert all(isinstance(pair, tuple) for pair in pairs)
    assert np.array_equal(np.concatenate([xb for xb, _ in pairs]), x)
    assert np.array_equal(np.concatenate([yb for _, yb in pairs]), y)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_shuffled_batches_follow_the_permutation_of_the_trainer(seed):
    x = np.arange(23.0)
    pairs = list(data.batches(x, x.astype(int), batch_size=5, shuffle=True, seed=seed))
    assert np.array_equal(np.concatenate([yb for _, yb in pairs]), permutation(seed, 0, 23))
    assert all(np.array_equal(xb, yb) for xb, yb in pairs)


def test_shuffled_batches_without_a_seed_differ():
    first, second = (next(data.batches(range(50), batch_size=50, shuffle=True)) for _ in range(2))
    assert not np.array_equal(first, second) and np.array_equal(np.sort(first), np.arange(50))


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_copies(shuffle):
    x = np.arange(6.0)
    for batch in data.batches(x, batch_size=2, shuffle=shuffle, seed=0):
        batch[:] = -1.0
    assert np.array_equal(x, np.arange(6.0))


@pytest.mark.parametrize(
    ("x", "arguments", "error", "message"),
    [
        ([1, 2], {"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ([1, 2], {"batch_size": 1.0}, TypeError, "batch_size must be an integer, got 1.0"),
        ([1, 2], {"batch_size": 1, "y": [1]}, ValueError, "x and y must have equally .* got 2 and 1"),
        ([1, 2], {"batch_size": 1, "y": 3}, ValueError, "y must have a first axis of samples, got a scalar"),
        (3.0, {"batch_size": 1}, ValueError, "x must have a first axis of samples, got a scalar"),
        ([1, 2], {"batch_size": 1, "seed": "a"}, TypeError, "seed must be an integer, got 'a'"),
    ],
)
def test_batches_explain_bad_arguments_at_once(x, arguments, error, message):
    with pytest.raises(error, match=message):
        data.batches(x, **arguments)


@pytest.mark.parametrize(
    ("share", "n", "count"), [(0.07, 100, 7), (0.14, 50, 7), (0.29, 100, 29), (0.55, 100, 55), (0.25, 10, 3)]
)
def test_decimal_shares_are_rounded_before_they_are_rounded_up(share, n, count):
    train, test = data.train_test_split(np.arange(n), test_size=share, seed=0)
    assert (len(train), len(test)) == (n - count, count)

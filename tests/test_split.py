"""train_test_split and standardize."""

import numpy as np
import pytest

from fastnn import data


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

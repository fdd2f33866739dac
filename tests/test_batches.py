"""data.batches: their sizes, order and errors."""

import numpy as np
import pytest

from fastnn import data
from fastnn.reference.random import permutation


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

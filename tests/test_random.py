"""The reference's random numbers and dropout: known answers, and any part equal to its whole."""

import math

import numpy as np
import pytest

import fastnn.reference as ref

pytestmark = pytest.mark.filterwarnings("error")

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # kat_vectors of Random123
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_known_answers(counter, key, expected):
    counter, key = np.array(counter, dtype=np.uint32), np.array(key, dtype=np.uint32)
    block = ref.philox4x32(counter, key)
    assert block.dtype == np.uint32
    np.testing.assert_array_equal(block, expected)
    block_number, stream, seed = (int(low) | int(high) << 32 for low, high in [counter[:2], counter[2:], key])
    np.testing.assert_array_equal(ref.philox_uint32(seed, stream, 4 * block_number, 4), expected)


@pytest.mark.parametrize(("start", "n"), [(0, 0), (0, 1), (3, 2), (4, 4), (5, 20), (7, 0)])
def test_any_part_of_a_stream_can_be_drawn(start, n):
    whole = ref.philox_uint32(2**40 + 1, 2**33 + 5, 0, 40)
    np.testing.assert_array_equal(ref.philox_uint32(2**40 + 1, 2**33 + 5, start, n), whole[start : start + n])
    for dtype in DTYPES:
        values = ref.uniform(1, 2, 0, 40, dtype)
        np.testing.assert_array_equal(ref.uniform(1, 2, start, n, dtype), values[start : start + n])


def test_uniform():
    u0, u1 = (int(word) for word in ref.philox_uint32(3, 4, 0, 2))
    assert ref.uniform(3, 4, 0, 1, "float32")[0] == (u0 >> 8) / 2**24
    assert ref.uniform(3, 4, 0, 1, "float64")[0] == ((u0 >> 5) * 2**26 + (u1 >> 6)) / 2**53
    for dtype in DTYPES:
        values = ref.uniform(0, 0, 0, 10000, dtype)
        assert values.min() >= 0 and values.max() < 1
        assert values.mean() == pytest.approx(0.5, abs=0.01)
        assert values.var() == pytest.approx(1 / 12, abs=0.005)


@pytest.mark.parametrize("n", [0, 1, 2, 50])
def test_permutation(n):
    order = list(range(n))
    for word, i in zip(ref.philox_uint32(7, 8, 0, max(n - 1, 0)), range(n - 1, 0, -1), strict=True):
        j = int(word) * (i + 1) >> 32
        order[i], order[j] = order[j], order[i]
    np.testing.assert_array_equal(ref.permutation(7, 8, n), order)
    assert sorted(ref.permutation(7, 8, n)) == list(range(n))


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropout(dtype):
    x = np.random.default_rng(0).normal(size=(100, 50)).astype(dtype)
    y = ref.dropout(x, 0.3, seed=1, stream=2)
    kept = ref.philox_uint32(1, 2, 0, x.size).reshape(x.shape) >= math.floor(0.3 * 2**32)
    expected = np.where(kept, x.astype("float64") * (1 / (1 - 0.3)), 0).astype(dtype)  # rounded once
    np.testing.assert_array_equal(y, expected)
    assert kept.mean() == pytest.approx(0.7, abs=0.02)
    np.testing.assert_array_equal(ref.dropout_backward(x, 0.3, seed=1, stream=2), y)
    np.testing.assert_array_equal(ref.dropout(x[3:], 0.3, seed=1, stream=2, start=150), y[3:])
    np.testing.assert_array_equal(ref.dropout(x, 0.0, seed=1), x)
    np.testing.assert_array_equal(ref.dropout(np.full_like(x, np.nan), 1.0, seed=1), np.zeros_like(x))

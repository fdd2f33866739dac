"""fastnn.concat of arrays; of symbols: tests/tracing."""

import numpy as np
import pytest

import fastnn


def test_arrays_are_joined_along_an_axis(dtype):
    a, b = np.ones((2, 3), dtype), np.zeros((2, 1), dtype)
    joined = fastnn.concat([a, b])
    assert joined.dtype == dtype and joined.tolist() == [[1, 1, 1, 0]] * 2
    assert fastnn.concat((a, a), axis=0).shape == (4, 3)


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        (np.ones((2, 2)), TypeError, "arrays must be a list of arrays, got ndarray"),
        ([], TypeError, "arrays must be a list of arrays"),
        ([np.ones((2, 2)), np.ones((2, 2), "float32")], TypeError, "one dtype"),
        ([np.ones((2, 2)), np.ones((3, 2))], ValueError, "must match exactly"),
    ],
)
def test_what_does_not_fit(arrays, error, message):
    with pytest.raises(error, match=message):
        fastnn.concat(arrays)
    with pytest.raises(ValueError, match="axis must be between -2 and 1"):
        fastnn.concat([np.ones((2, 2))], axis=2)

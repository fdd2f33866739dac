"""Rprop: a run worked by hand, and wrong factors."""

import numpy as np
import pytest

import fastnn.optim.functional as optim


def test_rprop_by_hand(dtype, isa):
    """Signs that are kept, lost, kept after that, and a zero; a NaN passes."""
    param, prev, size = (np.zeros(6, dtype) for _ in range(3))
    for t, grad in enumerate([[1, 1, -1, 1, 0, 1], [2, -1, -1, 0, 1, np.nan], [3, -2, 1, 1, 1, 1]], start=1):
        optim.rprop_step(param, np.array(grad, dtype), prev, size, step=t, lr=1.0)
    expected_size = [1.44, 0.5, 0.6, 1.0, 1.2, 1.0]
    np.testing.assert_allclose(size, expected_size, rtol=1e-6)
    np.testing.assert_allclose(param, [-3.64, -0.5, 2.2, -2.0, -2.2, np.nan], rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"etas": (0.0, 1.2)}, ValueError, "eta_minus must be greater than 0.0 and less than 1.0"),
        ({"etas": (0.5, 1.0)}, ValueError, "eta_plus must be greater than 1.0"),
        ({"etas": 0.5}, TypeError, "etas must be a pair of numbers, got 0.5"),
        ({"step_sizes": (1.0, 0.5)}, ValueError, "step_sizes must be the smallest and the largest"),
        ({"step_sizes": (-1.0, 0.5)}, ValueError, "smallest_step must be at least 0"),
    ],
)
def test_rprop_refuses_wrong_factors(wrong, error, message):
    arrays = [np.ones(3), np.ones(3), np.zeros(3), np.zeros(3)]
    with pytest.raises(error, match=message):
        optim.rprop_step(*arrays, step=1, **wrong)
    np.testing.assert_array_equal(arrays[0], 1)

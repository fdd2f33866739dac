"""Orthogonal matrices."""

import math

import numpy as np
import pytest

from fastnn.nn import init
from fastnn.nn.init.draws import Draws


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (1, 4), (150, 150), (130, 200), (0, 3)])
def test_orthogonal_matrices(shape, dtype):
    array = init.orthogonal_(np.empty(shape, dtype), gain=2.0, seed=1).astype("float64") / 2.0
    product = array @ array.T if shape[0] <= shape[1] else array.T @ array
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-6 if dtype == "float32" else 1e-14)


def test_orthogonal_is_q_of_qr():
    """With a positive diagonal of R, as PyTorch's."""
    for rows, columns in ((80, 100), (100, 80)):
        normal = Draws("float64", 3, init.draws.INIT_STREAM).normal(8000).reshape(80, 100)
        q, r = np.linalg.qr(normal.T)
        expected = q * np.sign(np.diag(r))
        expected = expected.T if rows < columns else expected
        np.testing.assert_allclose(init.orthogonal_(np.empty((rows, columns)), seed=3), expected, atol=1e-12)


def test_orthogonal_directions_have_no_preference():
    """Of many small ones the mean is 0, and the determinant is as often positive as negative."""
    matrices = np.stack([init.orthogonal_(np.empty((3, 3)), seed=seed) for seed in range(2000)])
    assert np.abs(matrices.mean(0)).max() < 6 / math.sqrt(3 * 2000)
    assert abs(np.sign(np.linalg.det(matrices)).mean()) < 6 / math.sqrt(2000)

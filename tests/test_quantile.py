"""The normal numbers of initial values and noise are quantiles of uniform numbers."""

from statistics import NormalDist

import numpy as np
import pytest

import fastnn.reference as ref
from fastnn.nn.init.draws import normal_quantile
from fastnn.testing.measure import assert_same_bits


def test_normal_numbers_are_quantiles():
    """Also far out, where another branch computes them."""
    q = np.concatenate([np.linspace(-0.49999, 0.49999, 4001), 0.5 - 10.0 ** -np.arange(3.0, 16), [-0.5 + 2.0**-54]])
    # In the tails 1/2 + q is rounded: there the quantile is that of the other side.
    expected = [NormalDist().inv_cdf(0.5 + v) if v < 0 else -NormalDist().inv_cdf(0.5 - v) if v > 0 else 0.0 for v in q]
    np.testing.assert_allclose(normal_quantile(q), expected, rtol=2e-15, atol=1e-16)
    assert np.array_equal(normal_quantile(-q), -normal_quantile(q))
    assert np.isfinite(normal_quantile(np.array([-0.5, 0.5]))).all()


def test_normal_numbers_are_quantiles_of_words():
    words, z = ref.philox_uint32(1, 2, 3, 500).tolist(), ref.normal(1, 2, 3, 500, "float64")
    for word, number in zip(words, z, strict=True):
        negative = word >= 2**31
        tail = ((2**32 - 1 - word if negative else word) + 0.5) / 2**32
        assert number == pytest.approx(NormalDist().inv_cdf(tail) * (1 if negative else -1), rel=1e-13)
    assert_same_bits(ref.normal(1, 2, 3, 500, "float32"), z.astype("float32"))
    assert_same_bits(ref.normal(1, 2, 10, 5, "float64"), z[7:12])

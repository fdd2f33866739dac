"""Weights of 8 bits."""

import numpy as np
import pytest

from fastnn.c_source.statements import quantize


def test_each_column_has_the_scale_of_its_largest_weight():
    weight = np.array([[1.0, -0.5, 0.0], [-2.0, 0.25, 0.0]], "float32")
    quantized, scale = quantize(weight)
    assert quantized.tolist() == [[64, -127, 0], [-127, 64, 0]]
    np.testing.assert_allclose(scale, [2 / 127, 0.5 / 127, 1.0])
    assert (np.abs(quantized * scale - weight) <= scale / 2 + 1e-7).all()


def test_weights_that_are_not_finite_have_no_integers():
    with pytest.raises(ValueError, match="weight must be finite to be rounded to integers"):
        quantize(np.array([[1.0], [np.nan]], "float32"))

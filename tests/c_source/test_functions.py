"""Numbers and expressions of C."""

import math

import numpy as np
import pytest

from fastnn.c_source.functions import expression, number, with_type


@pytest.mark.parametrize("value", [0.1, -0.0, 1.0, 1e-45, 3.4028235e38, 1 / 3, 2.0**-1074, 1e300, math.pi])
def test_numbers_are_exact(value):
    for dtype in (np.float32, np.float64):
        with np.errstate(over="ignore", under="ignore"):
            exact = dtype(value)
        if np.isfinite(exact):
            text = number(float(exact), np.dtype(dtype).name)
            assert dtype(text.rstrip("f")).tobytes() == exact.tobytes()
            assert text.endswith("f") == (dtype is np.float32)


def test_numbers_that_are_not_finite():
    assert [number(v, "float32") for v in (math.inf, -math.inf, math.nan)] == ["INFINITY", "-INFINITY", "NAN"]


def test_types_and_parameters_are_filled_in():
    assert with_type("T y = m(exp)(x);", "float32") == "float y = expf(x);"
    assert with_type("T y = m(exp)(x);", "float64") == "double y = exp(x);"
    assert expression("elu", (0.5,), "float32") == "x > 0 ? x : 0.5f * expm1f(x)"
    assert expression("hardtanh", (-1.0, 2.0), "float64") == "x < -1.0 ? -1.0 : x > 2.0 ? 2.0 : x"
    with pytest.raises(KeyError):
        expression("unknown", (), "float32")

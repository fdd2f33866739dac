"""Elementary functions and their kin: digits in tails, special values, and the edges of domains."""

import math

import mpmath
import numpy as np
import pytest

import fastnn.functional as F
from fastnn.testing.measure import assert_same_bits
from support.exhaustive import FUNCTIONS
from test_accuracy import exact, exact_ulp_errors


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "softplus"])
def test_left_tails_keep_their_digits(name, isa, dtype, rng):
    """The textbook formulas lose all of them to cancellation."""
    e = mpmath.exp
    function = {
        "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
        "silu": lambda x: x / (1 + e(-x)),
        "mish": lambda x: x * mpmath.tanh(mpmath.log1p(e(x))),
        "softplus": lambda x: mpmath.log1p(e(x)),
    }[name]
    x = rng.uniform(-12, 2, 300).astype(dtype)
    assert exact_ulp_errors(getattr(F, name)(x), exact(function, x)).max() <= 6
    if name != "softplus":  # down to where results are denormal, and 0
        x = rng.uniform(*(-112, -5) if dtype == "float32" else (-752, -5), 300).astype(dtype)
        x[::2] = rng.uniform(*(-15, -5) if dtype == "float32" else (-39, -5), 150)
        with mpmath.workprec(2400):  # log(1 + e^x) of mish
            truth = [function(mpmath.mpf(value)) for value in x.tolist()]
        assert exact_ulp_errors(getattr(F, name)(x), truth).max() <= 4


@pytest.mark.parametrize("name", ["silu", "mish"])
def test_gradients_keep_their_digits_in_the_left_tail(name, isa, dtype, rng):
    x = rng.uniform(*(-112, -5) if dtype == "float32" else (-752, -5), 300).astype(dtype)
    with mpmath.workprec(2400):
        truth = []
        for value in map(mpmath.mpf, x.tolist()):
            e = mpmath.exp(value)
            n = e * (e + 2)
            mish = (n * (n + 2) + 4 * value * e * (1 + e)) / (n + 2) ** 2
            truth.append(e / (1 + e) * (1 + value / (1 + e)) if name == "silu" else mish)
    assert exact_ulp_errors(getattr(F, f"{name}_backward")(np.ones_like(x), x), truth).max() <= 6


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values_by_their_bits(name, dtype, isa):
    inf, nan = math.inf, math.nan
    x = np.array([0.0, -0.0, inf, -inf, nan], dtype)
    expected = {
        "exp": [1, 1, inf, 0, nan],
        "expm1": [0.0, -0.0, inf, -1, nan],
        "log": [-inf, -inf, inf, nan, nan],
        "log1p": [0.0, -0.0, inf, nan, nan],
        "tanh": [0.0, -0.0, 1, -1, nan],
        "sigmoid": [0.5, 0.5, 1, 0, nan],
        "erf": [0.0, -0.0, 1, -1, nan],
    }[name]
    y = getattr(F, name)(x)
    y[np.isnan(y)] = nan  # a NaN may have any sign
    assert_same_bits(y, np.array(expected, dtype))


def test_logarithms_at_the_edge_of_their_domains(dtype, isa):
    tiny, below = np.finfo(dtype).smallest_subnormal, -np.nextafter(dtype.type(1), dtype.type(0))
    assert F.log(np.array([1], dtype))[0] == 0
    assert F.log(np.array([tiny]))[0] == np.log(tiny)
    assert F.log1p(np.array([-1], dtype))[0] == -np.inf
    assert F.log1p(np.array([below]))[0] == np.log1p(below)
    assert np.isnan(F.log(np.array([-tiny]))[0])
    assert np.isnan(F.log1p(np.array([np.nextafter(dtype.type(-1), dtype.type(-2))]))[0])

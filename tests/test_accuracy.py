"""The elementary functions are within 2 ULP of the truth, and as accurate as their documentation says.

float32: a dense sample of all numbers against float64 functions (`make exhaustive` takes all of them).
float64: random numbers of several ranges against mpmath. sse2 has no FMA and is allowed 4 ULP.
"""

import mpmath
import numpy as np
import pytest

import fastnn.functional as F
from fastnn._core import dispatch
from fastnn.functional.accuracy import MAX_ULP
from fastnn.testing.measure import ulp_errors
from support.exhaustive import FUNCTIONS, float64_truth

BOUND, BOUND_WITHOUT_FMA = 2, 4
# Zero, the seams of the formulas, and where functions overflow, underflow or reach their limits.
SEAMS = [0, 0.25, 0.34657359, 0.5, 0.75, 1, 1.0397207, 1.5, 2, 3.925, 5.8, 9.01, 16.64, 17.33, 27.2, 36.7, 39,
         87.33655, 88.72284, 103.27893, 103.97208, 708.3964185, 709.7827128, 744.4400719, 745.1332191]  # fmt: skip


def allowed(name, dtype):
    if dispatch.get_isa() == "sse2":
        return BOUND_WITHOUT_FMA
    return min(BOUND, MAX_ULP[name][dtype == "float64"])


def seams(dtype):
    """128 neighbours of every seam, on both sides and of both signs."""
    integer = np.dtype(f"int{8 * np.dtype(dtype).itemsize}")
    around = np.array(SEAMS, dtype).view(integer)[:, np.newaxis] + np.arange(-64, 65, dtype=integer)
    positive = np.abs(around).reshape(-1).view(dtype)
    return np.concatenate([positive, -positive])


@pytest.fixture(scope="module")
def sample():
    """2^11 mantissas of every exponent of float32, both signs, infinities and NaN among them; and the seams."""
    bits = np.arange(0, 2**32, 2 ** (23 - 11), dtype="uint32")
    return np.concatenate([bits.view("float32"), (bits + np.uint32(2**11 + 77)).view("float32"), seams("float32")])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32(name, sample, isas):
    truth = float64_truth(name, sample)
    for isa in isas:
        dispatch.set_isa(isa)
        errors = ulp_errors(getattr(F, name)(sample), truth)
        worst = errors.argmax()
        assert errors[worst] <= allowed(name, "float32"), f"{name}({sample[worst]!r}) on {isa}"


# Where each function does something, and how much of it mpmath has time for.
RANGES = {
    "exp": [(-745, 709), (-1, 1)],
    "expm1": [(-40, 709), (-1, 1), (-1e-8, 1e-8)],
    "log": [(0, 10), (0.5, 1.5), (0, 1e300), (0, 1e-307)],
    "log1p": [(-1, 10), (-0.5, 0.5), (-1e-8, 1e-8), (0, 1e300)],
    "tanh": [(-20, 20), (-1, 1), (-1e-8, 1e-8)],
    "sigmoid": [(-745, 40), (-5, 5)],
    "erf": [(-6, 6), (-1, 1), (-1e-8, 1e-8)],
}
EXACT = {name: getattr(mpmath, name) for name in RANGES if name != "sigmoid"}
EXACT["sigmoid"] = lambda x: 1 / (1 + mpmath.exp(-x))


def exact(function, x):
    """The values of a function of mpmath, to 200 bits."""
    with mpmath.workprec(200):
        return [function(mpmath.mpf(value)) for value in x.tolist()]


def exact_ulp_errors(actual, truth):
    """Errors of an array in ULP of its dtype, exact even where the result is denormal."""
    units = np.spacing(np.abs(np.array([float(y) for y in truth]).astype(actual.dtype)))
    with mpmath.workprec(200):
        numbers = zip(actual.tolist(), truth, units.tolist(), strict=True)
        return np.array([float(abs(value - y) / unit) for value, y, unit in numbers])


@pytest.mark.parametrize("name", RANGES)
def test_float64(name, isas, rng):
    domain = RANGES[name]
    x = np.concatenate([rng.uniform(low, high, 700) for low, high in domain] + [seams("float64")[::16]])
    x = x[(x > domain[0][0]) & (x < max(high for _, high in domain))]
    truth = exact(EXACT[name], x)
    for isa in isas:
        dispatch.set_isa(isa)
        errors = exact_ulp_errors(getattr(F, name)(x), truth)
        worst = errors.argmax()
        assert errors[worst] <= allowed(name, "float64"), f"{name}({x[worst]!r}) on {isa}"


def gelu_tanh(x):
    u = 2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)
    return x / (1 + mpmath.exp(-u))


def gelu_slope(x):
    return mpmath.ncdf(x) + x * mpmath.npdf(x)


# The bounds that the docstrings state, in ULP, by the lowest x of a range.
GELU_BOUNDS = [(-0.8, 10, 4, 4), (-5, -0.8, 40, 40), (-30, -5, 200, 1600)]


@pytest.mark.parametrize(("low", "high", "single", "double"), GELU_BOUNDS)
def test_gelu_with_tanh_is_as_accurate_as_its_docstring_says(low, high, single, double, dtype, isa):
    x = np.random.default_rng(0).uniform(low, high, 400).astype(dtype)
    bound = {"float32": single, "float64": double}[str(np.dtype(dtype))]
    for value, y in zip(x, F.gelu(x, "tanh"), strict=True):
        with mpmath.workdps(40):
            truth = gelu_tanh(mpmath.mpf(float(value)))
            unit = max(np.spacing(np.abs(np.dtype(dtype).type(float(truth)))), np.finfo(dtype).tiny)
            assert abs(float(y) - truth) <= bound * float(unit)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_the_gradient_of_gelu_is_near_its_zero_as_its_docstring_says(approximate, dtype, isa):
    x = np.random.default_rng(1).uniform(-2, 0, 400).astype(dtype)
    slope = gelu_slope if approximate == "none" else (lambda x: mpmath.diff(gelu_tanh, x))
    for value, y in zip(x, F.gelu_backward(np.ones_like(x), x, approximate), strict=True):
        with mpmath.workdps(40):
            assert abs(float(y) - slope(mpmath.mpf(float(value)))) <= 2 * float(np.finfo(dtype).eps)


# Activations beside the elementary functions: the exact function, the range in float64, and the largest error in ULP of
# the value and the gradient, of instruction sets without FMA too.
BESIDE = {
    "logit": (lambda x: mpmath.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), (0, 1), 2, 2),
    "logsigmoid": (lambda x: -mpmath.log1p(mpmath.exp(-x)), lambda x: 1 / (1 + mpmath.exp(x)), (-700, 700), 2, 2),
    "tanhshrink": (lambda x: x - mpmath.tanh(x), lambda x: mpmath.tanh(x) ** 2, (-20, 20), 5, 4.5),
    "expm1": (mpmath.expm1, mpmath.exp, (-700, 700), 2, 1.5),
    "erf": (mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x), (-26, 26), 2, 3),
}


@pytest.mark.parametrize("name", BESIDE)
def test_activations_and_gradients_in_both_tails(name, dtype, isa):
    """Also near 0 and 1/2, where terms would cancel, and near the seam of tanhshrink at 1."""
    function, slope, (low, high), value_ulp, slope_ulp = BESIDE[name]
    if dtype == "float32" and high > 1:
        low, high = (max(low, -80), min(high, 80)) if name != "erf" else (-9, 9)
    rng = np.random.default_rng(0)
    near = rng.normal(size=150) * 10.0 ** rng.uniform(-10, 0, 150)
    x = np.concatenate([rng.uniform(low, high, 300), near, 0.5 + near, 1 + 1e-4 * near]).astype(dtype)
    x = x[(x > low) & (x < high) & (x != 0.5)]
    results = getattr(F, name)(x), getattr(F, f"{name}_backward")(np.ones_like(x), x)
    for y, truth, limit in zip(results, (function, slope), (value_ulp, slope_ulp), strict=True):
        assert exact_ulp_errors(y, exact(truth, x)).max() <= limit


def test_logit_of_tiny_numbers(dtype, isa, backend):
    """1 / x would overflow."""
    x = np.array([np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny / 4, np.finfo(dtype).tiny], dtype)
    np.testing.assert_allclose(F.logit(x), np.log(x), rtol=2 * np.finfo(dtype).eps)

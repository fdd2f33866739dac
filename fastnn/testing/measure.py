"""How far a result is from the truth, in units in the last place (ULP), and what counts as the same array."""

import numpy as np

# The truth about a result of the first dtype is computed in the second.
WIDER = {np.dtype("float32"): np.dtype("float64"), np.dtype("float64"): np.dtype("longdouble")}


def wide(value):
    """An array of float32 or float64 in the next wider dtype; anything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype in WIDER:
        return value.astype(WIDER[value.dtype])
    return value


@np.errstate(all="ignore")
def ulp_errors(actual, expected, scale=None):
    """Errors of `actual` in ULP of `expected`, or of the natural scale of its computation where that is larger.

    `expected` has the wider dtype. NaN must be where it is expected: elsewhere the error is infinite. An infinity
    counts as the power of two behind the largest number, so that a rounding may reach it.
    """
    info = np.finfo(actual.dtype)
    magnitude = np.abs(expected.astype(actual.dtype))
    if scale is not None:
        magnitude = np.fmax(magnitude, scale.astype(actual.dtype))
    unit = np.spacing(np.fmin(magnitude, info.max)).astype(expected.dtype)
    bound = np.ldexp(np.ones((), expected.dtype), info.maxexp)
    difference = np.clip(actual.astype(expected.dtype), -bound, bound) - np.clip(expected, -bound, bound)
    errors = np.where(np.isnan(actual) & np.isnan(expected), 0, np.abs(difference) / unit)
    return np.where(np.isnan(errors), np.inf, errors)


def max_ulp(actual, expected, scale=None):
    """The largest error in ULP; 0 for empty arrays."""
    assert actual.shape == expected.shape
    return float(ulp_errors(actual, expected, scale).max(initial=0))


def assert_zero_signs(actual, expected):
    """Zeros have the sign that is expected."""
    zero = (actual == 0) & (expected == 0)
    np.testing.assert_array_equal(np.signbit(actual[zero]), np.signbit(expected[zero]))


def assert_same_bits(actual, expected):
    """Equal dtype, shape and bytes (NaN of any kind, sign of zero and all)."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    if actual.tobytes() != expected.tobytes():
        np.testing.assert_array_equal(actual, expected)
        raise AssertionError("equal numbers, but different bits: the sign of a zero, or the bits of a NaN")

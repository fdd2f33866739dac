"""Every operation, in every dtype and instruction set, against the NumPy reference in the next wider dtype."""

import math

import numpy as np
import pytest

from fastnn._core import dispatch
from fastnn.testing.cases.ops import CASES, FUNCTIONS, case_id
from fastnn.testing.cases.records import Call, results, truth
from fastnn.testing.measure import assert_zero_signs, max_ulp

CHUNK = 4096  # elements that a reduction adds before it starts another sum
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=case_id)
ELEMENTWISE = [case for case in CASES if case[0].kind == "elementwise"]
# Losses of single elements; their sums and weights are no business of special values.
ELEMENTWISE += [
    (op, o) for op, o in CASES if op.kind == "loss" and o.get("reduction") == "none" and "weighted" not in o
]

INF, NAN = math.inf, math.nan
# Zeros, denormals, the neighbourhoods of kinks, saturation of each function in each dtype, and the ends of the range.
SPECIAL = [0.0, 1e-45, 1e-40, 1e-30, 5e-324, 1e-310, 0.25, 0.5, 1.0, 3.0, 6.0, 20.0, 22.0, 40.0, 88.0, 89.0, 104.0,
           709.0, 750.0, 1e4, 1e15, 1e30, 3e38, 1e200, 1.7e308, INF]  # fmt: skip
UPSTREAM = [1.0, -1.0, 0.0, 1e-30, INF, NAN]


def assert_near_truth(op, call):
    for actual, (expected, scale) in zip(results(op.function, call), truth(op, call), strict=True):
        assert actual.dtype == call.args[0].dtype
        assert max_ulp(actual, expected, scale) <= op.tolerance[actual.dtype]


@EVERY_CASE
def test_equals_reference_for_all_sizes(case, dtype, isa, rng):
    op, options = case
    lanes = dispatch.lanes() * 4 // dtype.itemsize
    for n in (0, 1, 2, lanes - 1, lanes, lanes + 1, 3 * lanes + 1, CHUNK + 3):
        assert_near_truth(op, op.make(op.shape(n), dtype, rng, **options))


@pytest.mark.parametrize("op", FUNCTIONS, ids=case_id)
def test_equals_reference_for_any_number_of_threads(op, dtype, threads, rng):
    assert_near_truth(op, op.make(op.shape(3 * CHUNK + 7), dtype, rng, **op.options[-1]))
    if op.kind in ("rows", "class loss", "row loss", "linear", "norm", "groups", "embedding"):
        assert_near_truth(op, op.make((301, 17), dtype, rng, **op.options[-1]))


@pytest.mark.parametrize("op", [op for op in FUNCTIONS if op.kind in ("elementwise", "dropout")], ids=case_id)
def test_equals_reference_for_any_shape(op, dtype, rng):
    for shape in ((), (0,), (1, 1), (3, 0, 2), (2, 3, 5)):
        assert_near_truth(op, op.make(shape, dtype, rng, **op.options[-1]))


def special_values(op, dtype):
    """Special values of both signs, each with all others; what the dtype cannot hold becomes 0 or inf."""
    with np.errstate(over="ignore", under="ignore"):
        values, upstream = (np.array(numbers, "float64").astype(dtype) for numbers in (SPECIAL, UPSTREAM))
    values = np.concatenate([values, -values, np.array([NAN], dtype)])
    if op.name in ("sigmoid_backward", "tanh_backward"):
        values = values[~(np.abs(values) > 1)]  # they take outputs
    arity = len(op.make((1,), dtype, np.random.default_rng(0)).args)
    if op.kind == "loss":
        grid = np.meshgrid(values, np.array([0.0, 0.25, 1.0], dtype))
        grid = (np.ones_like(grid[0]),) * (arity - 2) + tuple(grid)
    else:
        grid = np.meshgrid(*(upstream, values)[2 - arity :])
    return tuple(array.reshape(-1) for array in grid)


@pytest.mark.parametrize("case", ELEMENTWISE, ids=case_id)
def test_special_values(case, dtype, isa):
    """Zeros with their signs, denormals, saturation, infinities and NaN."""
    op, options = case
    call = Call(special_values(op, dtype), options)
    (actual,), (expected,) = results(op.function, call), results(op.reference, call)
    for is_special in (np.isnan, np.isinf):
        np.testing.assert_array_equal(is_special(actual), is_special(expected))
    assert_zero_signs(actual, expected)
    with np.errstate(all="ignore"):
        scale = np.nan_to_num(np.abs(expected) if op.scale is None else op.scale(*call.args, **call.kwargs), posinf=0)
        tolerance = (
            256 * np.finfo(dtype).eps * np.fmax(scale, np.abs(expected)) + 64 * np.finfo(dtype).smallest_subnormal
        )
        near = np.abs(actual - expected) <= tolerance
    assert (near | (actual == expected) | np.isnan(expected)).all()

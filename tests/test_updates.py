"""The optimizer updates against the reference, over some steps, and what they do with arrays that are wrong."""

import numpy as np
import pytest

import fastnn.optim.functional as optim
from fastnn._core import dispatch
from fastnn.testing.cases.ops import UPDATES, case_id
from fastnn.testing.cases.records import Call, numbered
from fastnn.testing.measure import max_ulp, wide

CASES = [(op, options) for op in UPDATES for options in op.options]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=case_id)
STEPS = 5


def steps(op, options, shape, dtype, rng):
    """The arrays of an update (param, grad, states), a fresh gradient and the keywords of each step."""
    call = op.make(shape, dtype, rng, **options)
    gradients = [rng.normal(size=shape).astype(dtype) for _ in range(STEPS)]
    keywords = [call.kwargs | numbered(op.function, t) for t in range(1, STEPS + 1)]
    return call.args, list(zip(gradients, keywords, strict=True))


def run(function, arrays, schedule):
    """The arrays after all steps of a schedule."""
    arrays = [None if array is None else array.copy() for array in arrays]
    for grad, keywords in schedule:
        arrays[1] = grad.astype(arrays[0].dtype)
        function(*arrays, **keywords)
    return arrays


def assert_equals_reference(op, options, shape, dtype, rng):
    """Within the record's ULP of each number, or of 1 where terms of that size may cancel: parameters, averages."""
    arrays, schedule = steps(op, options, shape, dtype, rng)
    actual, expected = run(op.function, arrays, schedule), run(op.reference, [wide(a) for a in arrays], schedule)
    for a, e in zip(actual, expected, strict=True):
        assert (a is None) == (e is None)
        if a is not None:
            assert max_ulp(a, e, np.ones_like(e)) <= op.tolerance[dtype]


@EVERY_CASE
def test_equals_reference(case, dtype, isa, rng):
    lanes = dispatch.lanes() * 4 // dtype.itemsize
    for shape in ((0,), (1,), (lanes - 1,), (lanes,), (lanes + 1,), (3 * lanes + 1,), (4099,), (), (5, 7)):
        assert_equals_reference(*case, shape, dtype, rng)


@EVERY_CASE
def test_equals_reference_for_any_number_of_threads(case, dtype, threads, rng):
    assert_equals_reference(*case, (1000,), dtype, rng)


@EVERY_CASE
def test_reference_backend(case, dtype, rng, reference_backend):
    op, options = case
    arrays, schedule = steps(op, options, (33,), dtype, rng)
    for a, e in zip(run(op.function, arrays, schedule), run(op.reference, arrays, schedule), strict=True):
        np.testing.assert_array_equal(a, e)


@EVERY_CASE
def test_nan_and_infinity_reach_the_parameters(case, dtype, isa, rng):
    op, options = case
    arrays, schedule = steps(op, options, (37,), dtype, rng)
    for grad, _ in schedule:
        grad[::5] = np.nan
    damaged = run(op.function, arrays, schedule)[0]
    np.testing.assert_array_equal(np.isnan(damaged), np.arange(37) % 5 == 0)


def call_of(op, dtype, rng):
    call = op.make((6,), dtype, rng, **op.options[-1])
    return Call(call.args, call.kwargs | numbered(op.function, 1))


@pytest.mark.parametrize("op", UPDATES, ids=case_id)
def test_gradient_is_only_read(op, dtype, rng):
    call = call_of(op, dtype, rng)
    grad = np.repeat(call.args[1], 2)[::2]
    grad.flags.writeable = False
    expected = call._replace(args=tuple(array.copy() for array in call.args))
    op.function(*expected.args, **expected.kwargs)
    op.function(*call.replaced(1, grad).args, **call.kwargs)
    np.testing.assert_array_equal(call.args[0], expected.args[0])


@pytest.mark.parametrize("op", UPDATES, ids=case_id)
def test_wrong_arrays_change_nothing(op, dtype, rng):
    call = call_of(op, dtype, rng)
    other = np.dtype("float64" if dtype == "float32" else "float32")
    before = [array.copy() for array in call.args]
    for i, array in enumerate(call.args):
        wrong = [
            (array.astype(other), TypeError, r"is float\d\d but \w+ is float\d\d"),
            (array.astype(int), TypeError, "must be float32 or float64, got int64"),
            (array[:-1].copy(), ValueError, r"must have the shape of \w+, \(\d,\), got \(\d,\)"),
        ]
        if i != 1:  # the gradient may be any array
            frozen = array.copy()
            frozen.flags.writeable = False
            wrong += [
                (frozen, ValueError, "must be writable"),
                (np.repeat(array, 2)[::2], ValueError, "must be C-contiguous"),
                (array.tolist(), TypeError, "must be an ndarray"),
            ]
        for value, error, message in wrong:
            with pytest.raises(error, match=message):
                op.function(*call.replaced(i, value).args, **call.kwargs)
    for array, was in zip(call.args, before, strict=True):
        np.testing.assert_array_equal(array, was)


@pytest.mark.parametrize("op", UPDATES, ids=case_id)
def test_wrong_numbers(op, rng):
    call = call_of(op, np.dtype("float64"), rng)
    for wrong, error, message in (
        ({"lr": -0.1}, ValueError, "lr must be at least 0"),
        ({"lr": np.nan}, ValueError, "lr must be at least 0"),
        ({"lr": "fast"}, TypeError, "lr must be a number, got str"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay must be at least 0"),
        ({"step": 0}, ValueError, "step must be at least 1, got 0"),
        ({"step": 1.5}, TypeError, "step must be an integer, got float"),
    ):
        if "step" not in wrong or "step" in call.kwargs:
            with pytest.raises(error, match=message):
                op.function(*call.args, **call.kwargs | wrong)


def test_states_that_a_rule_needs():
    param, grad = np.ones(3), np.ones(3)
    with pytest.raises(ValueError, match="momentum_buffer must be given"):
        optim.sgd_step(param, grad, lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        optim.sgd_step(param, grad, lr=0.1, nesterov=True)
    with pytest.raises(ValueError, match="grad_avg must be given"):
        optim.rmsprop_step(param, grad, np.zeros(3), centered=True)
    with pytest.raises(ValueError, match="momentum_buffer must be given"):
        optim.rmsprop_step(param, grad, np.zeros(3), momentum=0.9)
    with pytest.raises(ValueError, match=r"beta2 must be at least 0\.0 and less than 1"):
        optim.adam_step(param, grad, np.zeros(3), np.zeros(3), step=1, betas=(0.9, 1.0))
    with pytest.raises(TypeError, match="exp_avg_sq must be an ndarray, which is updated in place, got NoneType"):
        optim.adam_step(param, grad, np.zeros(3), None, step=1)
    with pytest.raises(TypeError, match="betas must be a pair"):
        optim.adam_step(param, grad, np.zeros(3), np.zeros(3), step=1, betas=0.9)
    np.testing.assert_array_equal(param, [1, 1, 1])

"""The optimizer updates against the reference, over some steps, and what they do with arrays that are wrong."""

import numpy as np
import pytest

import fastnn
import fastnn.optim.functional as optim
from fastnn import reference
from fastnn._core import dispatch
from fastnn.reference.optimizers.adam import product_of_momenta
from support.measure import max_ulp, wide
from support.ops import UPDATES, case_id
from support.records import Call, numbered

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


def nadam_steps(function, arrays, schedule, **more):
    """The parameters and averages after steps of NAdam with these (gradient, betas)."""
    arrays = [array.copy() for array in arrays]
    for t, (grad, betas) in enumerate(schedule, start=1):
        function(arrays[0], grad, *arrays[1:], step=t, betas=betas, **more)
    return arrays


@pytest.mark.parametrize("function", [optim.nadam_step, reference.nadam_step])
def test_the_product_of_momenta(function, rng):
    """Without it, the rates have always been these; with it, they may change."""
    arrays = [rng.normal(size=9), np.zeros(9), np.zeros(9)]
    gradients = rng.normal(size=(60, 9))
    constant = [(grad, (0.9, 0.999)) for grad in gradients]
    product = np.ones(1)
    with_product = nadam_steps(function, arrays, constant, mu_product=product)
    for a, e in zip(with_product, nadam_steps(function, arrays, constant), strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-13)
    momenta = 0.9 * (1 - 0.5 * 0.96 ** (np.arange(1, 61) * 4e-3))
    assert product[0] == pytest.approx(momenta.prod())
    changing = [(grad, (0.5 + 0.005 * t, 0.999)) for t, grad in enumerate(gradients)]
    ends = [nadam_steps(f, arrays, changing, mu_product=np.ones(1)) for f in (function, reference.nadam_step)]
    for a, e in zip(*ends, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-11)


def test_nadam_after_very_many_steps(rng):
    """The product is too small to be a number then."""
    for product in (None, np.array([0.0]), np.array([1e-310])):
        param = np.ones(3)
        optim.nadam_step(param, np.ones(3), np.ones(3), np.ones(3), step=10**6, mu_product=product)
        np.testing.assert_allclose(param, 1 - 2e-3, rtol=1e-6)


def test_a_product_of_momenta_that_cannot_be_updated():
    frozen = np.ones(1)
    frozen.flags.writeable = False
    for wrong, error in (
        (1.0, TypeError),
        (np.ones(1, "float32"), TypeError),
        (np.ones(2), ValueError),
        (frozen, ValueError),
        (np.array([-0.5]), ValueError),
        (np.array([np.nan]), ValueError),
    ):
        param = np.ones(3)
        with pytest.raises(error, match="mu_product must be"):
            optim.nadam_step(param, np.ones(3), np.zeros(3), np.zeros(3), step=1, mu_product=wrong)
        assert (param == 1).all()


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


# Rules that divide by something with an eps: constant gradients, and none at all, with an eps that is 0 in the dtype.
ADAPTIVE = [
    pytest.param(op, options, id=case_id((op, options)))
    for op, options in CASES
    if op.name not in ("sgd_step", "lion_step", "rprop_step")
]


@pytest.mark.parametrize("eps", [0.0, 1e-320])
@pytest.mark.parametrize("of_reference", [False, True])
@pytest.mark.parametrize(("op", "options"), ADAPTIVE)
def test_without_eps_what_has_no_gradient_stays(op, options, eps, of_reference, dtype, isa, rng):
    """And what has one is updated as ever."""
    options = {**options, "eps": eps, "weight_decay": 0.0}
    arrays, schedule = steps(op, options, (37,), dtype, rng)
    for state in arrays[2:]:
        if state is not None:
            state[...] = 0
    for grad, _ in schedule:
        grad[::3] = 0
    start = arrays[0].copy()
    param = run(op.reference if of_reference else op.function, arrays, schedule)[0]
    np.testing.assert_array_equal(param[::3], start[::3])
    assert np.isfinite(param).all()
    if op.name != "adadelta_step":  # its first step is as large as eps
        assert (param != start)[1::3].all()


@pytest.mark.parametrize("compat", ["torch", "keras"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_centered_rmsprop_of_constant_gradients(compat, momentum, dtype, isa, backend, rng):
    """The variance is 0, whatever rounding makes of it: no step is larger than lr g / eps, and none is NaN."""
    grad = rng.normal(size=37).astype(dtype) * 10.0 ** rng.integers(-3, 4, 37).astype(dtype)
    states = [np.zeros_like(grad) for _ in range(3 if momentum else 2)]
    param = np.zeros_like(grad)
    eps = 1e-3
    for _ in range(400):
        before = param.copy()
        optim.rmsprop_step(
            param, grad, *states, centered=True, alpha=0.9, lr=0.1, eps=eps, momentum=momentum, compat=compat
        )
        largest = 0.1 * np.abs(grad) / (eps if compat == "torch" else eps**0.5) / (1 - momentum)
        assert (np.abs(param - before) <= 1.01 * largest).all()
    assert (np.sign(param) == -np.sign(grad)).all()


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("rule", ["adam_step", "adamw_step", "nadam_step", "radam_step", "adamax_step", "adagrad_step"])
def test_steps_beyond_any_training(rule, backend):
    """Late steps take no longer than early ones; those that no float holds are refused."""
    function = getattr(optim, rule)
    states = 1 if rule == "adagrad_step" else 2
    with fastnn.use_backend(backend):
        for betas in ((0.9, 0.999), (0.999999, 0.999)) if states == 2 else (None,):
            param, arrays = np.ones(3), [np.zeros(3) for _ in range(states)]
            function(param, np.ones(3), *arrays, step=2**40, **({} if betas is None else {"betas": betas}))
            assert np.isfinite(param).all()
            assert (param < 1).all()
        for step in (2**63, 2**70, 2**53 + 1):
            param, arrays = np.ones(3), [np.zeros(3) for _ in range(states)]
            with pytest.raises(ValueError, match=f"step must be at most {2**53}, got {step}"):
                function(param, np.ones(3), *arrays, step=step)
            assert (param == 1).all()
            assert not any(array.any() for array in arrays)


@pytest.mark.parametrize(("beta1", "decay", "step"), [(0.999999, 4e-2, 30_000), (0.99999, 1.0, 5000), (0.9, 0.0, 30)])
def test_the_momenta_of_a_late_step_are_those_of_all_before(beta1, decay, step):
    """The product, which is in closed form from where momenta no longer change, against all its factors."""
    expected = np.prod(beta1 * (1 - 0.5 * 0.96 ** (np.arange(1, step) * decay)))
    product = product_of_momenta(beta1, decay, step - 1)
    assert product == pytest.approx(expected, rel=1e-9) or max(product, expected) < 1e-20
    params = [np.ones(4), np.ones(4)]
    for function, param in zip((optim.nadam_step, reference.nadam_step), params, strict=True):
        options = {"momentum_decay": decay, "betas": (beta1, 0.999), "step": step}
        function(param, np.full(4, 0.5), np.full(4, 0.1), np.full(4, 0.2), **options)
    np.testing.assert_allclose(*params, rtol=1e-12)

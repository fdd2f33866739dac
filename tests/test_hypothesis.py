"""Representative operations on whatever arrays Hypothesis thinks of, against the reference."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastnn.functional as F
from fastnn.testing.cases.ops import OPS
from fastnn.testing.cases.records import Call, results, truth
from fastnn.testing.measure import assert_same_bits, max_ulp, wide
from support import strategies

EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, database=None
)
RECORDS = {op.name: op for op in OPS if not op.label}
EXACT = ["relu", "hardtanh", "relu6"]  # they round nothing, so that any number must come out right


def assert_near(name, args, **kwargs):
    op, call = RECORDS[name], Call(args, kwargs)
    for actual, (expected, scale) in zip(results(op.function, call), truth(op, call), strict=True):
        assert actual.dtype == args[0].dtype
        assert max_ulp(actual, expected, scale) <= op.tolerance[actual.dtype]


@pytest.mark.parametrize("name", EXACT)
@EXAMPLES
@given(x=strategies.arrays(special=True))
def test_exact_elementwise(name, x):
    op = RECORDS[name]
    actual = op.function(x)
    np.testing.assert_array_equal(actual, op.reference(x))
    assert_same_bits(op.function(actual), actual)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "elu", "softplus", "exp", "erf"])
@EXAMPLES
@given(x=strategies.arrays())
def test_elementwise(name, x):
    assert_near(name, (x,))


@pytest.mark.parametrize("name", ["relu_backward", "leaky_relu_backward", "elu_backward", "mish_backward"])
@EXAMPLES
@given(pair=strategies.pairs())
def test_elementwise_gradients(name, pair):
    assert_near(name, pair)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@EXAMPLES
@given(x=strategies.arrays(min_dims=1), axis=st.integers(-3, 2), temperature=st.sampled_from([0.5, 1.0, 4.0]))
def test_rows(name, x, axis, temperature):
    if -x.ndim <= axis < x.ndim:
        assert_near(name, (x,), axis=axis, temperature=temperature)
    else:
        with pytest.raises(ValueError, match=f"axis must be between {-x.ndim} and {x.ndim - 1}"):
            getattr(F, name)(x, axis, temperature)


@EXAMPLES
@given(x=strategies.arrays(min_dims=1, min_side=1))
def test_softmax_is_a_distribution(x):
    p = F.softmax(x)
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=8 * np.finfo(x.dtype).eps)
    entropy = F.entropy(p)
    assert (entropy <= np.log(x.shape[-1]) * (1 + 8 * np.finfo(x.dtype).eps)).all()


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
@EXAMPLES
@given(pair=strategies.pairs(min_side=1), reduction=st.sampled_from(["mean", "sum", "none"]))
def test_losses(name, pair, reduction):
    assert_near(name, pair, reduction=reduction)


@EXAMPLES
@given(arguments=strategies.products())
def test_linear(arguments):
    x, weight, bias = map(wide, arguments)
    scale = np.abs(x) @ np.abs(weight) + np.abs(bias)
    assert max_ulp(F.linear(*arguments), x @ weight + bias, scale) <= RECORDS["linear"].tolerance[arguments[0].dtype]


@EXAMPLES
@given(x=strategies.arrays(), p=st.floats(0, 1), seed=st.integers(0, 2**64 - 1), start=st.integers(0, 2**40))
def test_dropout(x, p, seed, start):
    assert_near("dropout", (x,), p=p, seed=seed, start=start)
    assert_same_bits(F.dropout(x, p, seed=seed, start=start), F.dropout_backward(x, p, seed=seed, start=start))

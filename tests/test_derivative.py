"""The derivative of a named activation: right for every name, and what is refused."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn.functional.linear import ACTIVATIONS
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient

POSITIVE = ("log", "log1p", "logit")


@pytest.mark.parametrize("name", [*ACTIVATIONS, "prelu", "rrelu"])
def test_every_activation(name, backend, rng):
    """By central differences, in the dtype and the shape of x."""
    x = rng.uniform(0.1, 0.9, (3, 4)) if name in POSITIVE else rng.normal(size=(3, 4)) + 0.01
    x[np.abs(np.abs(x) - 0.5) < 1e-3] += 0.01
    weight = (np.array([0.25]),) if name == "prelu" else ()
    slope = F.derivative(name, x)
    assert_gradient(slope, lambda x: getattr(F, name)(x, *weight).sum(), x)
    single = F.derivative(name, x.astype("float32"))
    assert (single.dtype, single.shape) == ("float32", (3, 4))
    np.testing.assert_allclose(single, slope, rtol=1e-4, atol=1e-6)


def test_parameters(backend):
    x = np.array([-1.0, 0.5, 3.0])
    np.testing.assert_array_equal(F.derivative("leaky_relu", x, negative_slope=0.25), [0.25, 1, 1])
    np.testing.assert_array_equal(F.derivative("hardtanh", x, min_val=0.0, max_val=1.0), [0, 1, 0])
    np.testing.assert_array_equal(F.derivative("threshold", x, threshold=1.0, value=2.0), [0, 0, 1])
    np.testing.assert_array_equal(F.derivative("prelu", x, weight=0.5), [0.5, 1, 1])
    np.testing.assert_array_equal(F.derivative("prelu", x, weight=np.array([0.5, 0.25, 0.0])), [0.5, 1, 1])
    np.testing.assert_array_equal(F.derivative("rrelu", x, lower=0.25, upper=0.75), [0.5, 1, 1])
    gelu = F.gelu_backward(np.ones(3), x, approximate="tanh")
    assert_same_bits(F.derivative("gelu", x, approximate="tanh"), gelu)


def test_it_takes_the_input_where_the_gradient_takes_the_output(backend):
    x = np.array([-2.0, 0.0, 1.0])
    np.testing.assert_allclose(F.derivative("tanh", x), 1 / np.cosh(x) ** 2, rtol=1e-14)
    np.testing.assert_allclose(F.derivative("sigmoid", x), 1 / (2 * np.cosh(x / 2)) ** 2, rtol=1e-14)
    np.testing.assert_allclose(F.derivative("exp", x), np.exp(x), rtol=1e-14)


def test_what_is_refused(backend):
    x = np.ones(3)
    for arguments, keywords, error, message in (
        (("tanhh", x), {}, ValueError, "there is no activation 'tanhh': did you mean tanh?"),
        (("logsoftmax", x), {}, ValueError, "there is no activation 'logsoftmax'"),
        (("glu", x), {}, ValueError, "there is no activation 'glu'"),
        (("x", x), {}, ValueError, "there is no activation 'x': there are celu, elu, "),
        ((F.tanh, x), {}, TypeError, "name must be a str, such as 'tanh', got function"),
        (("elu", x), {"alfa": 1.0}, TypeError, "elu takes no argument 'alfa': did you mean alpha?"),
        (("relu", x), {"alpha": 1.0}, TypeError, "relu takes no argument 'alpha'"),
        (("rrelu", x), {"training": True}, TypeError, "rrelu takes no argument 'training': it takes lower, upper"),
        (("celu", x), {"alpha": 0.0}, ValueError, "alpha must not be 0"),
        (("tanh", None), {}, TypeError, "x must be an array of numbers, got NoneType"),
    ):
        with pytest.raises(error) as raised:
            F.derivative(*arguments, **keywords)
        assert message in str(raised.value)


def test_bits_are_those_of_the_gradient(isas, dtype, rng):
    x = rng.normal(size=1000).astype(dtype)
    for isa in isas:
        fastnn.set_isa(isa)
        assert_same_bits(F.derivative("mish", x), F.mish_backward(np.ones_like(x), x))

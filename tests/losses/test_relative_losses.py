"""Errors in percent and of logarithms, by Keras' formulas, and the hyperbolic cosine beside them."""

import math

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim

EPSILON = 1e-7  # keras.backend.epsilon()


def keras_mape(y_true, y_pred):
    return 100 * np.abs((y_true - y_pred) / np.maximum(np.abs(y_true), EPSILON))


def keras_msle(y_true, y_pred):
    logs = [np.log(np.maximum(y, EPSILON) + 1.0) for y in (y_true, y_pred)]
    return (logs[0] - logs[1]) ** 2


def keras_log_cosh(y_true, y_pred):
    x = y_pred - y_true
    return x + np.logaddexp(0, -2.0 * x) - math.log(2.0)


KERAS = {"mape_loss": keras_mape, "msle_loss": keras_msle, "log_cosh_loss": keras_log_cosh}


@pytest.mark.parametrize("name", KERAS)
def test_numbers_are_keras(name, rng, backend):
    x, y, w = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.uniform(size=20)
    x[3, 1], y[5, 2] = 0.0, 0.0
    each = KERAS[name](y, x)
    function = getattr(F, name)
    np.testing.assert_allclose(function(x, y, "none"), each, rtol=1e-9, atol=1e-12)
    assert function(x, y, "sum") == pytest.approx(each.sum(), rel=1e-9)
    assert function(x, y, "mean", w) == pytest.approx(np.average(each.mean(axis=1), weights=w), rel=1e-9)


def test_the_hyperbolic_cosine_keeps_small_errors_and_does_not_overflow(dtype, isa, backend):
    e = np.array([1e-12, 1e-4, 0.5, 1.0, 2.0, 1e4, 1e30, np.inf], dtype)
    expected = [0.5e-24, 0.5e-8, math.log(math.cosh(0.5)), math.log(math.cosh(1)), math.log(math.cosh(2)),
                1e4 - math.log(2), 1e30, np.inf]  # fmt: skip
    for sign in (1, -1):
        np.testing.assert_allclose(F.log_cosh_loss(sign * e, np.zeros_like(e), "none"), expected, rtol=1e-6)
        grad = F.log_cosh_loss_backward(np.ones_like(e), sign * e, np.zeros_like(e), "none")
        np.testing.assert_allclose(grad, sign * np.tanh(e), rtol=1e-6)


def test_negative_inputs_have_no_gradient(backend):
    x, y = np.array([-1.0, -1e-9, 2.0]), np.array([1.0, 1.0, 1.0])
    grad = F.msle_loss_backward(1.0, x, y, "sum")
    np.testing.assert_allclose(grad, [0, 0, 2 * math.log(1.5) / 3])
    assert np.isfinite(F.mape_loss(x, np.zeros(3)))


@pytest.mark.parametrize("name", ["mape_loss", "msle_loss"])
def test_eps_is_checked(name, backend):
    for bad in (-1.0, math.nan):
        with pytest.raises(ValueError, match="eps must be"):
            getattr(F, name)(np.ones(2), np.ones(2), eps=bad)
    with pytest.raises(ValueError, match="eps must be greater than 0"):
        nn.MAPELoss(eps=0)


@pytest.mark.parametrize("loss", [nn.MAPELoss(eps=0.5), nn.MSLELoss(), nn.LogCoshLoss(), nn.MSLELoss("sum")], ids=repr)
def test_networks_train_by_them(loss, rng, backend):
    """One step equals one by hand: the value and the gradient of the class, through the network."""
    x, y, w = rng.normal(size=(12, 3)), rng.uniform(1, 3, (12, 2)), rng.uniform(size=12)
    net, twin = (nn.Sequential(nn.Linear(3, 2), nn.Softplus(), seed=0, dtype="float64") for _ in range(2))
    value = fastnn.Trainer(net, loss, optim.SGD(net.parameters(), lr=0.1)).step(x, y, w)
    expected, grad = loss(twin(x), y, w)
    twin.backward(grad)
    optim.SGD(twin.parameters(), lr=0.1).step()
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(net.parameters().data, twin.parameters().data, rtol=1e-12)

"""Activations as layers: alone, between products, and their gradients."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.layers import EVERY_ACTIVATION, FROM_OUTPUT, assert_network_gradients, draw


@EVERY_ACTIVATION
def test_an_activation_alone_is_its_function(case, dtype, backend, rng):
    layer_class, name, keywords = case
    layer, x, upstream = layer_class(**keywords), draw(rng, (7, 5), dtype), draw(rng, (7, 5), dtype)
    y = getattr(F, name)(x, **keywords)
    assert_same_bits(layer(x), y)
    assert_same_bits(layer.eval()(x), y)
    layer.train()(x)
    takes = y if name in FROM_OUTPUT else x
    assert_same_bits(layer.backward(upstream), getattr(F, f"{name}_backward")(upstream, takes, **keywords))


@EVERY_ACTIVATION
def test_an_activation_between_products_is_its_function(case, dtype, backend, rng):
    """It is part of the product before it, its gradient part of the one behind it: the bits are the same."""
    layer_class, name, keywords = case
    net = nn.Sequential(nn.Linear(3, 5), layer_class(**keywords), nn.Linear(5, 2), seed=0, dtype=dtype)
    x, upstream = draw(rng, (7, 3), dtype), draw(rng, (7, 2), dtype)
    z = F.linear(x, net["0.weight"], net["0.bias"])
    h = getattr(F, name)(z, **keywords)
    y = F.linear(h, net["2.weight"], net["2.bias"])
    assert_same_bits(net(x), y)
    assert_same_bits(net.predict(x), y)
    grad_h, *last = F.linear_backward(upstream, h, net["2.weight"])
    grad_z = getattr(F, f"{name}_backward")(grad_h, h if name in FROM_OUTPUT else z, **keywords)
    grad_x, *first = F.linear_backward(grad_z, x, net["0.weight"])
    np.testing.assert_array_equal(net.backward(upstream), grad_x)
    for (_, gradient), expected in zip(net.named_gradients(), first + last, strict=True):
        np.testing.assert_array_equal(gradient, expected)


@EVERY_ACTIVATION
def test_an_activation_has_the_gradient_of_central_differences(case, backend, rng):
    x = draw(rng, (4, 3))
    for kink in (-3, -0.5, 0, 0.7, 1.5, 3, 6):
        x[np.abs(x - kink) < 1e-3] += 0.01
    assert_network_gradients(nn.Sequential(case[0](**case[2]), dtype="float64"), x, rng)


@pytest.mark.parametrize("name", ["logit", "logit_backward"])
def test_logit_clamps_views_and_on_both_backends(name, backend):
    """Arrays that are not contiguous take another path, which dropped the clamp."""
    x = np.array([-1.0, 9.0, 0.5, 9.0, 1.0, 9.0, 0.1])[::2]
    args = (np.ones(4), x) if name.endswith("backward") else (x,)
    np.testing.assert_array_equal(
        getattr(F, name)(*args, eps=0.25), getattr(F, name)(*(a.copy() for a in args), eps=0.25)
    )
    assert np.isfinite(getattr(F, name)(*args, eps=0.25)).all()


def test_hardtanh_of_an_interval_of_one_number(backend):
    """torch.nn.functional.hardtanh takes equal bounds: the output is that number, the gradient 0."""
    x = np.array([-1.0, 0.5, 3.0, np.nan])
    np.testing.assert_array_equal(F.hardtanh(x, 0.5, 0.5), [0.5, 0.5, 0.5, np.nan])
    np.testing.assert_array_equal(F.hardtanh_backward(np.ones(3), x[:3], 0.5, 0.5), np.zeros(3))

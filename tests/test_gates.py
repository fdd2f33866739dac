"""GLU, SwiGLU and Maxout: functions and layers that make one feature of several."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.layers import assert_network_gradients, draw
from test_parametric import stored

NAN, INF = np.nan, np.inf
LAYERS = [
    pytest.param(nn.GLU, "glu", {}, 2, id="GLU"),
    pytest.param(nn.SwiGLU, "swiglu", {}, 2, id="SwiGLU"),
    pytest.param(nn.Maxout, "maxout", {}, 2, id="Maxout"),
    pytest.param(nn.Maxout, "maxout", {"pool_size": 3}, 3, id="Maxout of 3"),
]
EVERY_LAYER = pytest.mark.parametrize(("layer", "name", "options", "share"), LAYERS)


def test_glu_is_that_of_torch(backend):
    a = stored("glu")
    np.testing.assert_allclose(F.glu(a["x"]), a["y"], rtol=1e-14)
    np.testing.assert_allclose(F.glu_backward(a["g"], a["x"]), a["grad_x"], rtol=1e-13)


def test_swiglu_is_silu_times_the_other_half(dtype, backend, rng):
    x = draw(rng, (3, 4, 10), dtype)
    assert_same_bits(F.swiglu(x), F.silu(np.ascontiguousarray(x[..., :5])) * x[..., 5:])


def test_gates_of_special_values(dtype, isa, backend):
    """NaN in a half is NaN; a closed gate is 0."""
    a, b = np.meshgrid([-INF, -1, 0, 1, INF, NAN], [-INF, -1, 0, 1, INF, NAN])
    x = np.stack([a.ravel(), b.ravel()], axis=1).astype(dtype)
    with np.errstate(invalid="ignore"):
        for function, expected in ((F.glu, x[:, 0] * F.sigmoid(x[:, 1])), (F.swiglu, F.silu(x[:, 0]) * x[:, 1])):
            np.testing.assert_array_equal(np.isnan(function(x)[:, 0]), np.isnan(expected))
            np.testing.assert_allclose(function(x)[:, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(F.glu(np.array([[3, -INF]], dtype)), [[0]])


@pytest.mark.parametrize("pool_size", [1, 2, 5])
def test_maxout_takes_the_first_of_the_largest(pool_size, dtype, isa, backend, rng):
    x = rng.integers(0, 3, (40, 7 * pool_size)).astype(dtype)
    x[rng.random(x.shape) < 0.1] = NAN
    pools = x.reshape(40, 7, pool_size)
    np.testing.assert_array_equal(F.maxout(x, pool_size), pools.max(axis=2))
    g = draw(rng, (40, 7), dtype)
    expected = np.zeros_like(pools)
    for place in np.ndindex(40, 7):
        expected[(*place, pools[place].argmax())] = g[place]
    np.testing.assert_array_equal(F.maxout_backward(g, x, pool_size), expected.reshape(x.shape))


def test_maxout_of_infinities_and_signed_zeros(dtype, backend):
    x = np.array([[-INF, -INF, -0.0, 0.0, INF, NAN]], dtype)
    y = F.maxout(x)
    np.testing.assert_array_equal(y, [[-INF, 0, NAN]])
    assert np.signbit(y[0, 1])


@EVERY_LAYER
def test_rows_do_not_see_each_other(layer, name, options, share, dtype, isa, threads, rng):
    for n in (1, 7, 33):
        x = draw(rng, (70, n * share), dtype)
        g = draw(rng, (70, n), dtype)
        forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
        y, grad_x = forward(x, **options), backward(g, x, **options)
        for start, stop in ((0, 1), (3, 20), (69, 70)):
            assert_same_bits(forward(x[start:stop], **options), y[start:stop])
            assert_same_bits(backward(g[start:stop], x[start:stop], **options), grad_x[start:stop])


WRONG = [
    (lambda x: F.glu(x), "glu: x has 5 features, but must have a multiple of 2"),
    (lambda x: F.swiglu(np.float64(2)), r"swiglu: x has no features \(it is a scalar\)"),
    (lambda x: F.maxout(x, 3), "maxout: x has 5 features, but must have a multiple of 3"),
    (lambda x: F.maxout(x, 0), "pool_size must be at least 1, got 0"),
    (lambda x: F.glu_backward(x, x[:, :4]), r"grad_output must have shape \(3, 2\) for x of shape \(3, 4\)"),
    (lambda x: nn.GLU()(x), "GLU: x has 5 features, this layer takes a multiple of 2"),
    (
        lambda x: nn.Sequential(nn.Linear(2, 5), nn.Maxout(3)),
        "Maxout: x has 5 features, .* a multiple of 3",
    ),
    (lambda x: nn.Maxout(0), "pool_size must be at least 1, got 0"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_wrong_arguments(call, message, backend):
    with pytest.raises(ValueError, match=message):
        call(np.ones((3, 5)))
    with pytest.raises(TypeError, match="pool_size must be an integer, got float"):
        F.maxout(np.ones((3, 4)), 2.0)


# -- layers ------------------------------------------------------------------------------------------------------------


@EVERY_LAYER
def test_a_layer_alone_is_its_function(layer, name, options, share, dtype, backend, rng):
    made, x, upstream = layer(**options), draw(rng, (7, 5 * share), dtype), draw(rng, (7, 5), dtype)
    assert_same_bits(made(x), getattr(F, name)(x, **options))
    assert_same_bits(made.backward(upstream), getattr(F, f"{name}_backward")(upstream, x, **options))
    assert_same_bits(made.eval()(x), getattr(F, name)(x, **options))
    assert made.out_features_for(5 * share) == 5


@EVERY_LAYER
def test_gradients_in_networks(layer, name, options, share, backend, rng):
    """First, behind a product, between elementwise layers, and last."""
    layers = [layer(**options), nn.Linear(3, 4 * share), layer(**options), nn.Tanh(), nn.Linear(4, 2 * share)]
    net = nn.Sequential(*layers, nn.Softplus(), layer(**options), seed=0, dtype="float64")
    assert_network_gradients(net, draw(rng, (4, 3 * share)), rng)


@EVERY_LAYER
def test_networks_count_features(layer, name, options, share):
    net = nn.Sequential(nn.Linear(4, 6 * share), layer(**options), nn.Linear(6, 2))
    assert net.out_features_for(4) == 2
    assert f"{6 * share} -> 6" in str(net.compile(batch_size=3))
    with pytest.raises(ValueError, match="takes 5 features but gets 6"):
        nn.Sequential(nn.Linear(4, 6 * share), layer(**options), nn.Linear(5, 2))


def test_another_pool_size_makes_new_programs(backend):
    net, x = nn.Sequential(nn.Maxout(2)), np.arange(12, dtype="float32").reshape(1, 12)
    assert net(x).shape == (1, 6)
    net[0].pool_size = 4
    np.testing.assert_array_equal(net(x), [[3, 7, 11]])
    np.testing.assert_array_equal(net.predict(x), [[3, 7, 11]])

"""Outputs of inner layers, and gradients of the input."""

import copy

import numpy as np
import pytest

from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient
from support.layers import EVERY_ACTIVATION, draw


def make(dtype="float64", **settings):
    inner = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Dropout())
    block = nn.Residual(nn.LayerNorm(8), nn.Linear(8, 8), nn.Tanh())
    layers = [nn.Linear(4, 8), nn.GELU(), nn.BatchNorm1d(8), inner, block, nn.Sequential(), nn.PReLU(), nn.Linear(8, 3)]
    net = nn.Sequential(*layers, seed=0, dtype=dtype, **settings)
    net(np.random.default_rng(0).normal(size=(50, 4)).astype(dtype))
    return net


@pytest.mark.parametrize("rows", [0, 1, 7, 513, 1100])
def test_activations_are_the_outputs_of_layers(rows, backend, dtype, rng):
    net, x = make(dtype), draw(rng, (rows, 4), dtype)
    tick = net._tick.copy()
    found = net.activations(x)
    assert list(found) == [name for name, _ in net.named_modules() if name not in ("", "5")]
    assert (net._tick == tick).all()
    assert_same_bits(found["7"], net.predict(x))
    y = x
    for i, layer in enumerate(net.eval()):
        y = layer(y)
        if i != 5:
            assert_same_bits(found[str(i)], y)
    assert_same_bits(found["3.0"], net[3][0](found["2"]))
    assert_same_bits(found["4.body.1"], net[4].named_children()["body"][1](found["4.body.0"]))
    chosen = net.activations(x, ["3", "0"])
    assert list(chosen) == ["3", "0"]
    for name, y in chosen.items():
        assert_same_bits(y, found[name])


def test_activations_have_the_shape_of_x(rng):
    net = make("float32", input_scale=0.5)
    x = rng.integers(0, 255, (2, 3, 4)).astype("uint8")
    found = net.activations(x)
    assert found["0"].shape == (2, 3, 8)
    assert_same_bits(found["7"], net.predict(x))
    with pytest.raises(KeyError, match=r"no layer '9'; there are 0, 1, 2, 3, 3\.0"):
        net.activations(x, ["9"])
    with pytest.raises(TypeError, match=r"names must be a list of names, got the string '0'"):
        net.activations(x, "0")
    with pytest.raises(ValueError, match="x has 3 features"):
        net.activations(x[..., :3])
    norm = nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False), nn.Tanh(), seed=0)
    x = draw(rng, (700, 4), "float32")
    assert_same_bits(norm.activations(x)["1"], norm.predict(x))


LOSSES = [(nn.CrossEntropyLoss(), lambda n: np.arange(n) % 3), (nn.MSELoss(reduction="sum"), lambda n: np.ones((n, 3)))]


@pytest.mark.parametrize(("loss", "target"), LOSSES, ids=["cross entropy", "squares"])
@pytest.mark.parametrize("rows", [1, 5])
def test_gradients_of_losses_are_central_differences(loss, target, rows, backend, rng):
    net, x = make(), draw(rng, (rows, 4))
    before = net.parameters().grad.copy()
    gradient = net.input_gradient(x, target(rows), loss)
    assert_gradient(gradient, lambda x: loss(net.predict(x), target(rows))[0], x)
    assert_same_bits(net.parameters().grad, before)


@EVERY_ACTIVATION
def test_gradients_of_outputs_are_central_differences(case, backend, rng):
    """Through each activation first, behind a product, a normalization, another activation, and last."""
    layers = [case[0](**case[2]) for _ in range(5)]
    net = nn.Sequential(
        layers[0], nn.Linear(3, 5), layers[1], nn.LayerNorm(5), layers[4], nn.Linear(5, 4), nn.Tanh(), layers[2],
        nn.Dropout(), nn.Linear(4, 3), layers[3], seed=2, dtype="float64",
    )  # fmt: skip
    x, upstream = draw(rng, (3, 3)), rng.normal(size=(3, 3))
    assert_gradient(net.input_gradient(x, upstream), lambda x: (net.predict(x) * upstream).sum(), x)


OTHERS = [
    nn.GLU(),
    nn.SwiGLU(),
    nn.Maxout(2),
    nn.Columns([0, 2]),
    nn.RMSNorm(6),
    nn.Temperature(2.0),
    nn.Identity(),
    nn.BatchNorm1d(6, track_running_stats=False),
    nn.Concat(nn.Identity(), nn.Tanh()),
    nn.AlphaDropout(),
]


@pytest.mark.parametrize("layer", OTHERS, ids=lambda layer: type(layer).__name__)
def test_gradients_of_other_layers(layer, backend, rng):
    net = nn.Sequential(nn.Linear(3, 6), copy.deepcopy(layer), seed=2, dtype="float64")
    x = draw(rng, (5, 3))
    upstream = rng.normal(size=net.predict(x).shape)
    assert_gradient(net.input_gradient(x, upstream), lambda x: (net.predict(x) * upstream).sum(), x)


def test_gradients_of_many_rows_and_dimensions(backend, rng):
    net, x = make("float32"), draw(rng, (1100, 4), "float32")
    upstream = draw(rng, (1100, 3), "float32")
    whole = net.input_gradient(x, upstream)
    for start, stop in ((0, 1), (510, 515), (1000, 1100)):
        part = net.input_gradient(x[start:stop], upstream[start:stop])
        if backend == "native":
            assert_same_bits(part, whole[start:stop])
        np.testing.assert_allclose(part, whole[start:stop], rtol=1e-4, atol=1e-6)
    shaped = net.input_gradient(x.reshape(11, 100, 4), upstream.reshape(11, 100, 3))
    assert_same_bits(shaped, whole.reshape(11, 100, 4))
    assert net.input_gradient(x[:0], upstream[:0]).shape == (0, 4)
    strided = net.input_gradient(np.asfortranarray(x), np.asfortranarray(upstream))
    assert_same_bits(strided, whole)


def test_gradients_do_not_depend_on_what_is_trained(rng):
    net, x, upstream = make(), draw(rng, (4, 4)), draw(rng, (4, 3))
    gradient = net.input_gradient(x, upstream)
    assert_same_bits(net.requires_grad_(False).input_gradient(x, upstream), gradient)


def test_wrong_arguments_of_gradients(rng):
    net, x = make("float32"), draw(rng, (4, 4), "float32")
    with pytest.raises(TypeError, match="target is float64 but the network is float32"):
        net.input_gradient(x, np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"target must have shape \(4, 3\)"):
        net.input_gradient(x, np.ones((4, 1), "float32"))


def test_an_adversarial_step_raises_the_loss(rng):
    net, loss = make("float32"), nn.CrossEntropyLoss()
    x, y = draw(rng, (20, 4), "float32"), np.arange(20) % 3
    worse = x + 0.05 * np.sign(net.input_gradient(x, y, loss))
    assert loss(net.predict(worse), y)[0] > loss(net.predict(x), y)[0]

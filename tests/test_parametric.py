"""PReLU and Temperature: functions and layers, with parameters that learn."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core import parametric as core
from fastnn._core import threads
from fastnn.testing.measure import assert_same_bits
from support import RECORDED
from support.layers import assert_network_gradients, draw

STORED = np.load(RECORDED / "torch_layers.npz")
WITH_FMA = [isa for isa in fastnn.available_isas() if isa != "sse2"]
NAN, INF = np.nan, np.inf


def stored(name):
    """The arrays of what PyTorch computed, by name."""
    return {key.removeprefix(f"{name}/"): STORED[key] for key in STORED.files if key.startswith(f"{name}/")}


@pytest.mark.parametrize("name", ["prelu", "prelu of one slope"])
def test_prelu_is_that_of_torch(name, backend):
    a = stored(name)
    np.testing.assert_allclose(F.prelu(a["x"], a["weight"]), a["y"], rtol=1e-14)
    grad_x, grad_weight = F.prelu_backward(a["g"], a["x"], a["weight"])
    np.testing.assert_allclose(grad_x, a["grad_x"], rtol=1e-14)
    np.testing.assert_allclose(grad_weight, a["grad_weight"], rtol=1e-13)


@pytest.mark.parametrize("n", [1, 4])
def test_prelu_of_special_values(n, dtype, isa, backend):
    """At 0 and NaN it is as PyTorch's: the slope of the left side; NaN stays."""
    x = np.array([[-INF], [-1], [-0.0], [0], [1], [INF], [NAN]], dtype) * np.ones((1, n), dtype)
    weight = np.full(n, 0.5, dtype)
    y = F.prelu(x, weight)
    np.testing.assert_array_equal(y[:, 0], [-INF, -0.5, 0, 0, 1, INF, NAN])
    np.testing.assert_array_equal(np.signbit(y[2:4, 0]), [True, False])
    grad_x, grad_weight = F.prelu_backward(np.ones_like(x), x, weight)
    np.testing.assert_array_equal(grad_x[:, 0], [0.5, 0.5, 0.5, 0.5, 1, 1, 0.5])
    assert np.isnan(grad_weight).all()
    for rows in (x[:2], x[2:6]):
        grad_weight = F.prelu_backward(np.ones_like(rows), rows, weight)[1]
        np.testing.assert_array_equal(grad_weight, np.where(rows <= 0, rows, 0).sum(axis=0, keepdims=n == 1).reshape(n))


def test_the_gradient_of_a_slope_is_one_chain_over_rows(dtype, isa, cut_small_work, rng):
    g, x = rng.normal(size=(2, 60, 70)).astype(dtype)
    weight = rng.normal(size=70).astype(dtype)
    whole = F.prelu_backward(g, x, weight)[1]
    for n in (1, 3, 5):
        threads.set_num_threads(n)
        assert_same_bits(F.prelu_backward(g, x, weight)[1], whole)
    for column in (0, 15, 16, 63, 69):
        pair = [np.ascontiguousarray(a[:, [column, column]]) for a in (g, x)]
        assert_same_bits(F.prelu_backward(*pair, weight[:2])[1][0], whole[column])


def test_long_sums_are_accurate_and_the_same_for_any_threads(dtype, cut_small_work, rng):
    """Longer than the chunks, of which there are so many at most, and longer again."""
    for n in (4096, 256 * 4096, 256 * 4096 + 1, 2_500_000):
        g, x = rng.normal(size=(2, n)).astype(dtype)
        sums = []
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            sums.append(core.dot(x, g))
        assert sums[0] == sums[1] == sums[2]
        exact = (x.astype("longdouble") * g).sum()
        assert abs(sums[0] - exact) < 64 * np.finfo(dtype).eps * n**0.5


def test_temperature_scale_is_what_softmax_does_first(dtype, backend, rng):
    x, temperature = draw(rng, (6, 5), dtype), np.array([2.0], dtype)
    np.testing.assert_allclose(F.softmax(F.temperature_scale(x, temperature)), F.softmax(x, temperature=2.0), rtol=1e-6)
    y = np.arange(6) % 5
    _, grad_temperature = F.temperature_scale_backward(F.cross_entropy_backward(1.0, x / 2, y), x, temperature)
    losses = [F.cross_entropy(x / dtype.type(t), y) for t in (1.999, 2.001)]
    expected = (losses[1] - losses[0]) / 0.002
    np.testing.assert_allclose(grad_temperature[0], expected, rtol=2e-2 if dtype == "float32" else 1e-5)


def test_a_logit_without_a_gradient_counts_for_nothing(dtype, backend):
    x, g, temperature = np.array([[-INF, 1, 2]], dtype), np.array([[0, 1, -3]], dtype), np.ones(1, dtype)
    np.testing.assert_array_equal(F.temperature_scale_backward(g, x, temperature)[1], [5])


WRONG = [
    (lambda x: F.prelu(x, np.ones(3)), ValueError, r"weight must have shape \(1,\) or \(4,\) for x of shape \(2, 4\)"),
    (lambda x: F.prelu(np.float64(3), np.ones(2)), ValueError, r"weight must have shape \(1,\) for x of shape \(\)"),
    (lambda x: F.prelu(x, np.ones((1, 4))), ValueError, r"weight must have shape .*got \(1, 4\)"),
    (lambda x: F.temperature_scale(x, np.ones(4)), ValueError, r"temperature must have shape \(1,\) as it is one for"),
    (lambda x: F.temperature_scale(x, 2.0), ValueError, r"temperature must have shape \(1,\)"),
    (lambda x: nn.PReLU(0), ValueError, "num_parameters must be at least 1, got 0"),
    (lambda x: nn.PReLU(init="0.1"), TypeError, "init must be a number, got str"),
    (lambda x: nn.PReLU(3, dtype="float64")(x), ValueError, "PReLU: x has 4 features, this layer takes 3"),
    (lambda x: nn.Sequential(nn.Linear(2, 4), nn.PReLU(3)), ValueError, "takes 3 features but gets 4"),
    (lambda x: nn.Temperature(0), ValueError, "init must be greater than 0.0, got 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_wrong_arguments(call, error, message, backend):
    with pytest.raises(error, match=message):
        call(np.ones((2, 4)))


# -- layers ------------------------------------------------------------------------------------------------------------


LAYERS = [
    pytest.param(lambda dtype: nn.PReLU(dtype=dtype), "prelu", id="PReLU"),
    pytest.param(lambda dtype: nn.PReLU(5, 0.1, dtype=dtype), "prelu", id="PReLU of 5"),
    pytest.param(lambda dtype: nn.Temperature(1.5, dtype=dtype), "temperature_scale", id="Temperature"),
]


@pytest.mark.parametrize(("make", "name"), LAYERS)
def test_a_layer_alone_is_its_function(make, name, dtype, backend, rng):
    layer, x, upstream = make(dtype.name), draw(rng, (7, 5), dtype), draw(rng, (7, 5), dtype)
    key = "temperature" if name == "temperature_scale" else "weight"
    assert_same_bits(layer(x), getattr(F, name)(x, layer[key]))
    grad_x, gradient = getattr(F, f"{name}_backward")(upstream, x, layer[key])
    assert_same_bits(layer.backward(upstream), grad_x)
    np.testing.assert_array_equal(layer.gradient(key), gradient)
    layer(x)
    layer.backward(upstream)
    np.testing.assert_allclose(layer.gradient(key), 2 * gradient, rtol=1e-6)


def network(dtype="float64"):
    """Each first, between products, behind something else than a product, and last."""
    layers = [
        nn.PReLU(3),
        nn.Linear(3, 5),
        nn.PReLU(),
        nn.PReLU(5, 0.1),
        nn.Linear(5, 4),
        nn.Tanh(),
        nn.Temperature(0.7),
    ]
    return nn.Sequential(*layers, nn.Linear(4, 2), nn.PReLU(), nn.Temperature(2.0), seed=0, dtype=dtype)


def test_gradients_in_networks(backend, rng):
    assert_network_gradients(network(), draw(rng, (4, 3)), rng)
    assert_network_gradients(nn.Sequential(nn.Temperature(), dtype="float64"), draw(rng, (4, 3)), rng)


def test_parameters_have_names_and_first_values():
    values = {
        name: view.tolist() for name, view in network().named_parameters() if "bias" not in name and len(view) < 2
    }
    assert values == {"2.weight": [0.25], "6.temperature": [0.7], "8.weight": [0.25], "9.temperature": [2.0]}


def train(dtype="float32", epochs=3):
    net = network(dtype)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05))
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 3)).astype(dtype), rng.integers(0, 2, 50)
    trainer.fit(x, y, epochs=epochs, batch_size=16, seed=0, progress=False)
    return net.parameters().data.copy()


def test_training_has_the_same_bits_everywhere(dtype, isas, cut_small_work):
    fastnn.set_num_threads(1)
    expected = train(dtype)
    for isa in WITH_FMA:
        fastnn.set_isa(isa)
        for n in (1, 2, 3):
            fastnn.set_num_threads(n)
            assert_same_bits(train(dtype), expected)


def test_a_trained_temperature_calibrates(backend, rng):
    """Logits are three times as large as they should be; one step of learning after the other finds out."""
    logits = rng.normal(size=(2000, 4)) * 2
    y = np.array([rng.choice(4, p=p) for p in F.softmax(logits)])
    net = nn.Sequential(nn.Temperature(), dtype="float64")
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.1))
    trainer.fit(3 * logits, y, epochs=60, batch_size=None, progress=False)
    assert net["0.temperature"][0] == pytest.approx(3, rel=0.15)

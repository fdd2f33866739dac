"""Group and instance normalization, normalization of several axes, bags, and layers of two inputs: in networks."""

import io

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from fastnn._core import threads
from fastnn.testing.measure import assert_same_bits
from support.gradients import assert_gradient
from support.layers import assert_network_gradients, draw
from test_distances import stored

# Layers of 12 features, and the function that each is.
LAYERS = {
    "groups": (lambda **k: nn.GroupNorm(3, 12, **k), lambda x, w, b: F.group_norm(x, 3, w, b)),
    "channels": (lambda **k: nn.GroupNorm(2, 4, **k), lambda x, w, b: F.group_norm(x.reshape(-1, 4, 3), 2, w, b)),
    "one group": (lambda **k: nn.GroupNorm(1, 4, **k), lambda x, w, b: F.group_norm(x.reshape(-1, 4, 3), 1, w, b)),
    "no bias": (
        lambda **k: nn.GroupNorm(2, 4, bias=False, **k),
        lambda x, w, _: F.group_norm(x.reshape(-1, 4, 3), 2, w),
    ),
    "plain": (lambda **k: nn.GroupNorm(2, 4, affine=False, **k), lambda x, *_: F.group_norm(x.reshape(-1, 4, 3), 2)),
    "instances": (
        lambda **k: nn.InstanceNorm1d(4, affine=True, **k),
        lambda x, w, b: F.instance_norm(x.reshape(-1, 4, 3), weight=w, bias=b),
    ),
    "plain instances": (lambda **k: nn.InstanceNorm1d(6, **k), lambda x, *_: F.instance_norm(x.reshape(-1, 6, 2))),
    "axes": (
        lambda **k: nn.LayerNorm((3, 4), **k),
        lambda x, w, b: F.layer_norm(x.reshape(-1, 3, 4), w, b, normalized_shape=(3, 4)),
    ),
    "rms axes": (
        lambda **k: nn.RMSNorm([3, 4], **k),
        lambda x, w, _: F.rms_norm(x.reshape(-1, 3, 4), w, normalized_shape=(3, 4)),
    ),
}


def perturbed(layer, rng):
    for parameter in layer.parameters():
        parameter.data[...] = rng.normal(size=parameter.data.shape)
    return layer


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_its_function(name, dtype, rng, backend):
    make, function = LAYERS[name]
    layer, x = perturbed(make(dtype=dtype.name), rng), draw(rng, (7, 12), dtype)
    y = function(x, layer.weight, layer.bias)
    assert_same_bits(layer(x), y.reshape(7, 12))
    assert_same_bits(layer.eval()(x), y.reshape(7, 12))


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_networks_are_central_differences(name, rng, backend):
    """With an activation before, whose slope is fused with the normalization, and one behind."""
    net = nn.Sequential(nn.Linear(5, 12), nn.Softplus(), LAYERS[name][0](), nn.Tanh(), nn.Linear(12, 2), seed=0,
                        dtype="float64")  # fmt: skip
    perturbed(net[2], rng)
    assert_network_gradients(net, draw(rng, (6, 5)), rng)


@pytest.mark.parametrize("name", LAYERS)
def test_networks_learn_and_are_saved(name, rng, backend):
    net = nn.Sequential(nn.Linear(5, 12), LAYERS[name][0](), nn.ReLU(), nn.Linear(12, 3), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.02))
    x, y = draw(rng, (60, 5), "float32"), np.arange(60) % 3
    history = trainer.fit(x, y, epochs=8, batch_size=16, seed=0, progress=False)
    assert history["loss"][-1] < history["loss"][0]
    file = io.BytesIO()
    net.save(file)
    file.seek(0)
    again = fastnn.load(file)
    assert repr(again[1]) == repr(net[1])
    assert_same_bits(again.predict(x), net.predict(x))
    assert type(net[1]).__name__ in str(net.summary())


@pytest.mark.parametrize("name", ["groups", "channels", "instances"])
def test_trained_bits_are_those_of_any_threads_and_instruction_set(name, dtype, rng, isas, cut_small_work):
    from fastnn._core import dispatch

    x, y = draw(rng, (50, 12), dtype), np.arange(50) % 3
    results = []
    for isa in [isa for isa in isas if isa != "sse2"]:
        dispatch.set_isa(isa)
        for n in (1, 2):
            threads.set_num_threads(n)
            net = nn.Sequential(LAYERS[name][0](), nn.Linear(12, 3), seed=0, dtype=dtype.name)
            trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
            trainer.fit(x, y, epochs=2, batch_size=20, seed=0, progress=False)
            results.append(net.parameters().data.copy())
    for other in results[1:]:
        assert_same_bits(other, results[0])


def test_arguments_of_normalizations():
    assert nn.LayerNorm(4, elementwise_affine=False).weight is None
    assert nn.RMSNorm(4, elementwise_affine=False).weight is None
    layer = nn.LayerNorm((2, 3), bias=False)
    assert layer.weight.shape == (2, 3) and layer.bias is None
    assert repr(layer) == "LayerNorm((2, 3), eps=1e-05, bias=False)"
    assert nn.BatchNorm1d(4, bias=False).bias is None
    assert nn.BatchNorm1d(4, affine=False).weight is None
    assert repr(nn.GroupNorm(2, 4)) == "GroupNorm(2, 4, eps=1e-05)"


WRONG = [
    (lambda: nn.GroupNorm(3, 4), "num_groups must divide num_channels, 4, got 3"),
    (lambda: nn.GroupNorm(2, 4)(np.ones((2, 6), "float32")), "x has 6 features, this layer takes a multiple of 4"),
    (lambda: nn.InstanceNorm1d(4)(np.ones((2, 4), "float32")), "one position of each channel, which has no variance"),
    (lambda: nn.LayerNorm(()), "features must have at least one size"),
    (lambda: nn.LayerNorm((2, 3))(np.ones((2, 5), "float32")), "x has 5 features, this layer takes 6"),
    (lambda: nn.EmbeddingBag(3, 2, mode="min"), "mode must be one of"),
    (lambda: nn.EmbeddingBag(3, 2)(np.full((2, 2), 3, "float32")), "codes must be integers between 0 and 2"),
    (lambda: nn.Embedding(3, 2, max_norm=-1.0), "max_norm must be at least 0"),
    (lambda: nn.Sequential(nn.Bilinear(2, 2, 2))(np.ones((2, 2), "float32")), "this layer takes two inputs"),
    (lambda: nn.Bilinear(2, 2, 2, bias=False, bias_init=1.0), "bias_init is given, but bias is False"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_wrong_arguments(call, message, backend):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


# -- bags --------------------------------------------------------------------------------------------------------------

BAGS = [
    {"mode": "sum"},
    {"mode": "mean", "padding_idx": 1},
    {"mode": "max", "padding_idx": 0},
    {"mode": "sum", "scale_grad_by_freq": True},
    {"mode": "mean", "max_norm": 1.0},
    {"mode": "max", "max_norm": 1.0, "norm_type": 1.0},
]


@pytest.mark.parametrize("options", BAGS)
def test_a_bag_is_its_function(options, dtype, rng, backend):
    layer = nn.EmbeddingBag(7, 4, **options, seed=0, dtype=dtype.name)
    codes, weight, g = rng.integers(0, 7, (6, 3)), layer.weight.copy(), draw(rng, (6, 4), dtype)
    table = weight.copy()
    y = F.embedding_bag(codes, table, **options)
    np.testing.assert_allclose(layer(codes.astype(dtype)), y, rtol=1e-6)
    assert_same_bits(layer.weight, weight)  # the forward pass does not write
    layer.backward(g)
    options = {name: value for name, value in options.items() if name not in ("max_norm", "norm_type")}
    gradient = F.embedding_bag_backward(g, codes, table, **options)
    np.testing.assert_allclose(layer.gradient("weight"), gradient, rtol=1e-6, atol=1e-7)
    assert_same_bits(layer.weight, table)  # the backward pass does


@pytest.mark.parametrize(
    "options", [{"scale_grad_by_freq": True}, {"max_norm": 1.0}, {"max_norm": 1.0, "padding_idx": 2}]
)
def test_options_of_an_embedding(options, dtype, rng, backend):
    layer = nn.Embedding(7, 4, **options, seed=0, dtype=dtype.name)
    codes, table, g = rng.integers(0, 7, (6, 3)), layer.weight.copy(), draw(rng, (6, 12), dtype)
    y = F.embedding(codes, table, **options).reshape(6, 12)
    assert_same_bits(layer(codes.astype(dtype)), y)
    layer.backward(g)
    options.pop("max_norm", None)
    gradient = F.embedding_backward(g.reshape(6, 3, 4), codes, table, **options)
    np.testing.assert_allclose(layer.gradient("weight"), gradient, rtol=1e-6, atol=1e-7)
    assert_same_bits(layer.weight, table)


def test_a_frozen_table_stays(backend):
    net = nn.Sequential(nn.Embedding(7, 4, max_norm=0.5), nn.Linear(8, 1), seed=0)
    layer = net[0].requires_grad_(False)
    before = layer.weight.copy()
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    trainer.step(np.ones((3, 2), "float32"), np.ones((3, 1), "float32"))
    assert_same_bits(layer.weight, before)


@pytest.mark.parametrize("options", BAGS)
def test_bags_learn_and_are_saved(options, rng, backend):
    net = nn.Sequential(nn.EmbeddingBag(9, 8, **options), nn.ReLU(), nn.Linear(8, 3), seed=0)
    trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05))
    x = rng.integers(0, 9, (60, 4)).astype("float32")
    history = trainer.fit(x, (x.sum(axis=1) % 3).astype(int), epochs=10, batch_size=16, seed=0, progress=False)
    assert history["loss"][-1] < history["loss"][0]
    file = io.BytesIO()
    net.save(file)
    file.seek(0)
    again = fastnn.load(file)
    assert repr(again[0]) == repr(net[0])
    assert_same_bits(again.predict(x), net.predict(x))


# -- two inputs --------------------------------------------------------------------------------------------------------


def test_layers_of_two_inputs(backend):
    for layer, name in (
        (nn.CosineSimilarity(), "cosine_similarity/rows"),
        (nn.PairwiseDistance(), "pairwise_distance/2.0"),
    ):
        a = stored(name)
        np.testing.assert_allclose(layer(a["x0"], a["x1"]), a["y"], rtol=1e-12)
        grads = layer.backward(a["g"])
        for i in range(2):
            np.testing.assert_allclose(grads[i], a[f"grad{i}"], rtol=1e-10, atol=1e-12)
        with pytest.raises(RuntimeError, match="backward needs a call"):
            layer.backward(a["g"])


def test_bilinear_learns(rng, backend):
    a = stored("bilinear/rows")
    layer = nn.Bilinear(3, 5, 2, weight_init=a["x2"], bias_init=a["x3"], dtype="float64")
    np.testing.assert_allclose(layer(a["x0"], a["x1"]), a["y"], rtol=1e-12)
    grads = layer.backward(a["g"])
    for gradient, name in zip((*grads, layer.gradient("weight"), layer.gradient("bias")), range(4), strict=True):
        np.testing.assert_allclose(gradient, a[f"grad{name}"], rtol=1e-11, atol=1e-12)
    layer(a["x0"], a["x1"])
    layer.backward(a["g"])  # added
    np.testing.assert_allclose(layer.gradient("bias"), 2 * a["grad3"], rtol=1e-12)
    assert_gradient(grads[0], lambda x: (a["g"] * layer(x, a["x1"])).sum(), a["x0"])
    assert [p.name for p in layer.parameters()] == ["weight", "bias"]
    bound = 1 / np.sqrt(3)
    fresh = nn.Bilinear(3, 50, 20, seed=0)
    assert 0.9 * bound < np.abs(fresh.weight).max() <= bound
    before = fresh.weight.copy()
    optimizer = optim.SGD(fresh.parameters(), lr=0.1)
    fresh.backward(np.ones_like(fresh(np.ones((2, 3), "float32"), np.ones((2, 50), "float32"))))
    optimizer.step()
    np.testing.assert_allclose(fresh.weight, before - 0.2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "layer", [nn.Bilinear(2, 3, 4, False, seed=3), nn.CosineSimilarity(0, 0.5), nn.PairwiseDistance(1.0, 0.5, True)]
)
def test_layers_of_two_inputs_can_be_made_again(layer):
    again = type(layer)(**layer.config())
    assert repr(again) == repr(layer) and again.config() == layer.config()

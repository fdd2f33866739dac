"""The arguments of layers: told as they are now, and enough to make each layer anew."""

import inspect

import numpy as np
import pytest

import fastnn
from fastnn import nn
from fastnn.nn.arguments import arguments_of
from fastnn.nn.registry import public
from fastnn.testing.measure import assert_same_bits

FEATURES = 6


# Layers that cannot be made without arguments, and some with arguments that are not the default.
EXAMPLES = {
    "AlphaDropout": [lambda: nn.AlphaDropout(0.1)],
    "BatchNorm1d": [lambda: nn.BatchNorm1d(FEATURES, 0.1, None), lambda: nn.BatchNorm1d(FEATURES, frozen=True)],
    "CELU": [lambda: nn.CELU(2.0)],
    "Columns": [lambda: nn.Columns([2, 0]), lambda: nn.Columns(slice(1, None))],
    "Concat": [lambda: nn.Concat(nn.Sequential(), nn.Linear(FEATURES, 3), nn.Sequential(nn.Tanh(), nn.ReLU(), seed=1))],
    "Dropout": [lambda: nn.Dropout(0.1)],
    "Embedding": [
        lambda: nn.Embedding(7, 2, -1, seed=2),
        lambda: nn.Embedding(3, 2, 0, weight_init=nn.init.Normal(1.0, 2.0)),
    ],
    "EmbeddingBag": [lambda: nn.EmbeddingBag(7, 2, 0.5, 1.0, mode="max", padding_idx=-1, seed=2)],
    "GELU": [lambda: nn.GELU("tanh")],
    "GraphModule": [
        lambda: nn.GraphModule({"a": nn.Linear(FEATURES, 2)}, [["layer", "a", "%0"], ["add", "%1", "@b"]], {"b": (2,)})
    ],
    "GroupNorm": [lambda: nn.GroupNorm(2, FEATURES, 0.1), lambda: nn.GroupNorm(1, 3, bias=False)],
    "InstanceNorm1d": [lambda: nn.InstanceNorm1d(2, affine=True), lambda: nn.InstanceNorm1d(3, 0.1)],
    "Hardtanh": [lambda: nn.Hardtanh(-np.inf, 0.1)],
    "GaussianNoise": [lambda: nn.GaussianNoise(0.3)],
    "Heads": [lambda: nn.Heads(a=nn.Linear(FEATURES, 2), b=nn.Sequential(nn.Linear(FEATURES, 3), nn.Tanh()))],
    "LayerNorm": [lambda: nn.LayerNorm(FEATURES, 0.1, bias=False), lambda: nn.LayerNorm((2, 3), affine=False)],
    "Linear": [lambda: nn.Linear(FEATURES, 4), lambda: nn.Linear(FEATURES, 4, False, seed=2**64 - 1)],
    "Maxout": [lambda: nn.Maxout(1)],
    "PReLU": [lambda: nn.PReLU(FEATURES, 0.1)],
    "RMSNorm": [lambda: nn.RMSNorm(FEATURES), lambda: nn.RMSNorm(FEATURES, 0.1, affine=False)],
    "Residual": [
        lambda: nn.Residual(nn.Linear(FEATURES, 2), nn.Tanh(), nn.Linear(2, 4), shortcut=nn.Linear(FEATURES, 4)),
        lambda: nn.Residual(nn.Sequential(nn.Residual(nn.Linear(FEATURES, FEATURES)), seed=3)),
    ],
    "Sequential": [lambda: nn.Sequential(nn.Linear(FEATURES, 2), nn.Sequential(nn.Tanh(), nn.Linear(2, 3)), seed=7)],
    "Softmax": [lambda: nn.Softmax(1, temperature=0.3)],
    "Softplus": [lambda: nn.Softplus(beta=2, threshold=np.float32(0.1))],
    "TabularInput": [lambda: nn.TabularInput([2, 0], {1: (3, 4), 3: (5, 1)}), lambda: nn.TabularInput([], {0: (3, 2)})],
    "Threshold": [lambda: nn.Threshold(0.5, -1.0, True)],
    "Temperature": [lambda: nn.Temperature(0.5)],
}


LAYERS = public(nn, nn.Module)
del LAYERS["ModuleList"]  # which computes nothing: test_module_list.py
for of_two_inputs in ("Bilinear", "CosineSimilarity", "PairwiseDistance"):  # test_group_norm.py
    del LAYERS[of_two_inputs]
del LAYERS["LinearInt8"]  # which is for inference: test_int8.py


def examples():
    for name, cls in LAYERS.items():
        makers = EXAMPLES.get(name, [])
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        if name != "Heads" and all(p.default is not p.empty or p.kind is p.VAR_KEYWORD for p in parameters):
            makers = [cls, *makers]
        assert makers, f"{name} needs an example in {__file__}"
        yield from (pytest.param(maker, id=f"{name}{i}") for i, maker in enumerate(makers))


def plain(value):
    """Arguments as something that can be compared."""
    if isinstance(value, nn.Module):
        return type(value), plain(value.config())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return plain(arguments_of(value)) if isinstance(value, tuple(public(nn.init, object).values())) else value


@pytest.mark.parametrize("maker", list(examples()))
def test_every_layer_comes_back(maker, dtype, path, rng):
    """With its class, its arguments, its values, its predictions; and it goes on to train as it would have done."""
    layer = maker()
    start = layer.in_features_hint() or FEATURES
    tables = (nn.Embedding, nn.EmbeddingBag, nn.TabularInput)  # which take codes
    first = layer.in_features_hint() or isinstance(layer, tables)
    layers = [] if first else [nn.Linear(start, FEATURES)]
    net = nn.Sequential(*layers, layer, seed=3, dtype=dtype)
    for array in (net.parameters().data, net.parameters().grad):
        array[...] = rng.random(array.shape)
    x = np.floor(3 * rng.random((8, start))).astype(dtype)
    net(x)
    net.save(path)
    twin = fastnn.load(path)
    assert plain(twin) == plain(net)
    assert (twin.seed, twin.dtype, repr(twin)) == (net.seed, net.dtype, repr(net))
    assert [(n, a.dtype) for n, a in net.state_dict().items()] == [(n, a.dtype) for n, a in twin.state_dict().items()]
    for name, array in net.state_dict().items():
        assert_same_bits(twin.state_dict()[name], array)
    assert_same_bits(twin.predict(x), net.predict(x))
    y = net(x)
    assert_same_bits(twin(x), y)
    grad = rng.random(y.shape).astype(dtype)
    assert_same_bits(twin.backward(grad), net.backward(grad))


def test_arguments_are_those_of_now(path):
    net = nn.Sequential(nn.Dropout(0.5), nn.LeakyReLU(0.1), seed=0)
    net[0].p, net[1].negative_slope = 0.25, 0.75
    net.save(path)
    twin = fastnn.load(path)
    assert (twin[0].p, twin[1].negative_slope) == (0.25, 0.75)

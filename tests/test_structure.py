"""The layers of a network as a tree: a layer stands in one place, and all have one dtype."""

import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.layers import draw


def test_a_nested_network_takes_the_dtype_of_the_outer_one(rng):
    net = nn.Sequential(nn.Sequential(nn.Linear(3, 4)), nn.Tanh(), dtype="float64")
    x = draw(rng, (2, 3))
    assert_same_bits(F.tanh(net[0](x)), net(x))
    narrow = x.astype("float32")
    assert_same_bits(net[0](narrow), net[0](narrow.astype("float64")))


def test_a_layer_stands_in_one_place():
    layer, net = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="layer 1 is layer 0 again: each layer can stand in a network once"):
        nn.Sequential(layer, layer)
    nn.Sequential(layer, net)
    for layers in ([layer], [nn.ReLU(), net], [net[0]]):
        with pytest.raises(ValueError, match="is part of another network already"):
            nn.Sequential(*layers)
    with pytest.raises(ValueError, match=r"layer 1, Linear\(.*\), takes 4 features but gets 3"):
        nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1))
    with pytest.raises(TypeError, match=r"layer 0 must be a Module, got type: write ReLU\(\)"):
        nn.Sequential(nn.ReLU)

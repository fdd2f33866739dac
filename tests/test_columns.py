"""Columns and Identity: layers that compute nothing."""

import numpy as np
import pytest

from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.layers import assert_network_gradients, draw

PICKS = [[0, 3], [3, 1, 1], [], slice(1, 3), slice(None, None, -2), slice(-2, None)]


@pytest.mark.parametrize("columns", PICKS, ids=str)
def test_columns(columns, dtype, backend, rng):
    layer, x = nn.Columns(columns), draw(rng, (5, 4), dtype)
    picked = x[:, columns] if isinstance(columns, slice) or columns else x[:, :0]
    assert_same_bits(layer(x), np.ascontiguousarray(picked))
    assert layer.out_features_for(4) == picked.shape[1]
    upstream, expected = draw(rng, picked.shape, dtype), np.zeros_like(x)
    np.add.at(expected, (slice(None), columns if isinstance(columns, slice) else np.array(columns, int)), upstream)
    np.testing.assert_array_equal(layer.backward(upstream), expected)


def test_columns_in_networks(backend, rng):
    layers = [nn.Columns([2, 0]), nn.Linear(2, 4), nn.Tanh(), nn.Columns(slice(1, 4)), nn.Linear(3, 3), nn.Columns([1])]
    net = nn.Sequential(*layers, seed=0, dtype="float64")
    x = draw(rng, (4, 3))
    assert_network_gradients(net, x, rng)
    assert_same_bits(net.predict(x), net(x))


def test_identity_is_nothing(dtype, backend, rng):
    x, upstream = draw(rng, (3, 4), dtype), draw(rng, (3, 4), dtype)
    layer = nn.Identity()
    for y in (layer(x), layer.eval()(x), layer.train()(x)):
        assert_same_bits(y, x)
        assert not np.shares_memory(y, x)
    assert_same_bits(layer.backward(upstream), upstream)
    plain, net = (nn.Sequential(nn.Linear(4, 3), *between, nn.Tanh(), seed=0, dtype=dtype) for between in ([], [layer]))
    assert_same_bits(net(x), plain(x))

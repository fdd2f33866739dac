"""Softmax and its logarithm as layers."""

import numpy as np
import pytest

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits


def test_softmax_takes_the_features_of_a_network():
    assert_same_bits(nn.Softmax(dim=1)(np.eye(2)), nn.Softmax(dim=-1)(np.eye(2)))
    with pytest.raises(ValueError, match="dim must be -1 or 1 in a network, got 0"):
        nn.Sequential(nn.Linear(2, 3), nn.LogSoftmax(dim=0))


@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (4, 3, 0)])
def test_softmax_obeys_dim(layer, shape, dtype, backend, rng):
    x, g = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    forward, backward = (getattr(F, layer.kernel + suffix) for suffix in ("", "_backward"))
    for dim in range(-len(shape), len(shape)):
        along = layer(dim, temperature=0.5)
        y = along(x)
        expected = forward(x, dim, 0.5)
        np.testing.assert_allclose(y, expected, rtol=1e-5)
        assert (y.shape, y.dtype) == (shape, dtype)
        np.testing.assert_allclose(along.backward(g), backward(g, expected, dim, 0.5), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layer", [nn.Softmax, nn.LogSoftmax])
def test_softmax_of_dim_1_in_a_network_takes_matrices(layer, backend):
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(layer(dim=1)), seed=0)
    x = np.zeros((2, 5, 3), "float32")
    for function in (net, net.predict):
        with pytest.raises(ValueError, match=r"dim=1 means the features .* x has shape \(2, 5, 3\): take dim=-1"):
            function(x)
    assert net(x[0]).shape == (5, 4)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(15, 4), layer(dim=1), seed=0)
    assert flat(x).shape == (2, 4)
    assert nn.Sequential(nn.Linear(3, 4), layer(), seed=0)(x).shape == (2, 5, 4)
    with pytest.raises(ValueError, match=r"dim=1 is out of range for x of shape \(3,\)"):
        layer(dim=1)(np.zeros(3))

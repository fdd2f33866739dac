"""Flatten makes a row of each sample."""

from fastnn import functional as F
from fastnn import nn
from fastnn.testing.measure import assert_same_bits
from support.layers import draw


def test_flatten_makes_rows_of_samples(rng):
    images, upstream = draw(rng, (5, 2, 3, 4)), draw(rng, (5, 2))
    net = nn.Sequential(nn.Flatten(), nn.Linear(24, 2), nn.Flatten(), seed=0, dtype="float64")
    flat = images.reshape(5, 24)
    y = F.linear(flat, net["1.weight"], net["1.bias"])
    assert_same_bits(net(images), y)
    assert_same_bits(net.predict(images), y)
    grad_x = F.linear_backward(upstream, flat, net["1.weight"])[0]
    assert_same_bits(net.backward(upstream), grad_x.reshape(images.shape))
    alone = nn.Flatten()
    assert_same_bits(alone(images), flat)
    assert_same_bits(alone.backward(flat), images)

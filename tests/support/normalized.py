"""Networks with normalizations, shared by the tests of training, running statistics and folding."""

import numpy as np

from fastnn import nn
from support import RECORDED

with np.load(RECORDED / "torch_normalization.npz") as _file:
    STORED = dict(_file)


def stored(prefix):
    return {key.removeprefix(prefix): array for key, array in STORED.items() if key.startswith(prefix)}


def make_network(*extra, dtype="float64", **options):
    """The network of make_torch_normalization.py with its first parameters."""
    net = nn.Sequential(
        nn.Linear(4, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 5), nn.LayerNorm(5), nn.GELU(),
        nn.Linear(5, 5), nn.RMSNorm(5), nn.Tanh(), nn.Linear(5, 3), *extra, dtype=dtype, **options,
    )  # fmt: skip
    if dtype == "float64" and not extra:
        net.load_state_dict(stored("network/"))
    return net


def small_network(**options):
    return nn.Sequential(nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3, **options), nn.Tanh(), seed=0, dtype="float64")


def data(rows=10, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 4)) * 2 + 1, rng.integers(3, size=rows)


def running(net):
    return [view.copy() for _, view in net.named_buffers()]


def assert_equal(left, right):
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)

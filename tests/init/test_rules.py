"""Rules for initial values: their distributions, their gains, and wrong arguments."""

import copy
import math
import pickle
from statistics import NormalDist

import numpy as np
import pytest

from fastnn import nn
from fastnn.nn import init

IN, OUT = 300, 200
RELU = math.sqrt(2.0)

# What a matrix (IN, OUT) is filled with: the standard deviation, and the bound if there is one.
DISTRIBUTIONS = {
    "uniform": (lambda a, **k: init.uniform_(a, -2.0, 2.0, **k), 2 / math.sqrt(3), 2.0),
    "normal": (lambda a, **k: init.normal_(a, 0.0, 3.0, **k), 3.0, None),
    "xavier_uniform": (lambda a, **k: init.xavier_uniform_(a, 2.0, **k), 2 * math.sqrt(2 / (IN + OUT)), None),
    "xavier_normal": (init.xavier_normal_, math.sqrt(2 / (IN + OUT)), None),
    "kaiming_uniform": (init.kaiming_uniform_, RELU / math.sqrt(IN), RELU * math.sqrt(3 / IN)),
    "kaiming_uniform tanh": (
        lambda a, **k: init.kaiming_uniform_(a, mode="fan_out", nonlinearity="tanh", **k),
        5 / 3 / math.sqrt(OUT),
        5 / 3 * math.sqrt(3 / OUT),
    ),
    "kaiming_normal": (
        lambda a, **k: init.kaiming_normal_(a, a=0.5, **k),
        math.sqrt(2 / 1.25) / math.sqrt(IN),
        None,
    ),
    "kaiming_normal linear": (
        lambda a, **k: init.kaiming_normal_(a, mode="fan_out", nonlinearity="linear", **k),
        1 / math.sqrt(OUT),
        None,
    ),
    "lecun_uniform": (init.lecun_uniform_, 1 / math.sqrt(IN), math.sqrt(3 / IN)),
    "lecun_normal": (init.lecun_normal_, 1 / math.sqrt(IN), None),
}


@pytest.mark.parametrize("key", DISTRIBUTIONS)
def test_moments_and_bounds(key, dtype, global_random_seed):
    """Of 60000 numbers, each within six standard errors."""
    fill, std, bound = DISTRIBUTIONS[key]
    array = np.empty((IN, OUT), dtype)
    assert fill(array, seed=global_random_seed) is array
    normal, n = bound is None and "uniform" not in key, array.size
    assert abs(array.mean(dtype="float64")) < 6 * std / math.sqrt(n)
    assert abs(array.var(dtype="float64") / std**2 - 1) < 6 * math.sqrt((2.0 if normal else 0.8) / n)
    fourth = ((array / std).astype("float64") ** 4).mean()
    assert abs(fourth - (3.0 if normal else 1.8)) < 6 * math.sqrt((96 if normal else 5.76) / n)
    if bound is not None:
        assert np.abs(array).max() <= bound * (1 + 1e-6) and np.abs(array).max() > 0.999 * bound
    elif normal:
        assert 3.5 < np.abs(array / std).max() < 6


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0.0, 1.0, -2.0, 2.0), (1.0, 2.0, 0.0, 1.5), (0.0, 0.1, 0.3, 9.0)])
def test_truncated_normal_numbers(mean, std, a, b, dtype):
    array = init.trunc_normal_(np.empty(40000, dtype), mean, std, a, b, seed=0)
    assert array.min() >= dtype.type(a) and array.max() <= dtype.type(b)
    low, high = ((end - mean) / std for end in (a, b))
    n = NormalDist()
    share = n.cdf(high) - n.cdf(low)
    expected = mean + std * (n.pdf(low) - n.pdf(high)) / share
    variance = 1 + (low * n.pdf(low) - high * n.pdf(high)) / share - ((n.pdf(low) - n.pdf(high)) / share) ** 2
    spread = std * math.sqrt(variance)
    assert abs(array.mean(dtype="float64") - expected) < 6 * spread / math.sqrt(array.size)
    assert array.std(dtype="float64") == pytest.approx(spread, rel=0.03)


def test_sparse_columns(dtype):
    array = init.sparse_(np.empty((50, 40), dtype), sparsity=0.31, std=0.5, seed=2)
    assert ((array == 0).sum(0) == 16).all(), "0.31 * 50, rounded up"
    assert len({tuple(np.flatnonzero(column)) for column in array.T}) == 40, "each column has places of its own"
    assert array[array != 0].std() == pytest.approx(0.5, rel=0.1)
    assert not init.sparse_(np.empty((4, 3)), 1.0).any() and init.sparse_(np.empty((4, 3)), 0.0).all()


def test_values_without_chance(dtype):
    assert (init.zeros_(np.empty(3, dtype)) == 0).all() and (init.ones_(np.empty((2, 3), dtype)) == 1).all()
    assert (init.constant_(np.empty(3, dtype), 0.25) == 0.25).all()
    assert np.array_equal(init.eye_(np.empty((3, 5), dtype)), np.eye(3, 5))


def test_gains_are_torchs():
    gains = {"linear": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}
    assert {name: init.calculate_gain(name) for name in gains} == gains
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert init.calculate_gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)


def scale(*layers, rule="kaiming_normal"):
    """By how much larger the weights are than those of gain 1."""
    net = nn.Sequential(nn.Linear(20, 30, weight_init=rule), *layers, seed=0, dtype="float64")
    same = nn.Sequential(nn.Linear(20, 30, weight_init="lecun_normal"), seed=0, dtype="float64")
    return pytest.approx((net["0.weight"] / same["0.weight"]).mean(), rel=1e-12)


def test_gain_is_that_of_the_activation_that_follows():
    assert scale(nn.Tanh()) == 5 / 3
    assert scale(nn.Dropout(), nn.Sigmoid(), nn.Tanh()) == 1
    assert scale(nn.LeakyReLU(0.5)) == math.sqrt(2 / 1.25)
    assert scale(nn.SELU()) == 3 / 4
    assert scale(nn.Residual(nn.Tanh())) == 5 / 3
    for unknown in ([], [nn.GELU()], [nn.Linear(30, 2), nn.Tanh()]):
        assert scale(*unknown) == RELU
    assert scale(nn.ReLU(), rule=nn.init.KaimingNormal(nonlinearity="tanh")) == 5 / 3
    assert scale(nn.LeakyReLU(0.5), rule=nn.init.KaimingNormal(nonlinearity="relu")) == RELU


def test_layers_tell_and_keep_their_rules():
    layer = nn.Linear(2, 3, weight_init=nn.init.Orthogonal(gain=2), bias_init="zeros")
    assert repr(layer).endswith("out_features=3, weight_init=Orthogonal(gain=2.0), bias_init='zeros')")
    assert layer.bias_init == "zeros" and layer.weight_init.gain == 2
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert repr(twin) == repr(layer)


BAD = {
    "name": (lambda: nn.Linear(2, 3, weight_init="kaming"), ValueError, "weight_init must be one of 'zeros', 'ones', "),
    "constant": (lambda: nn.Linear(2, 3, bias_init="constant"), ValueError, r"give nn.init.Constant\(...\)"),
    "bias": (lambda: nn.Linear(2, 3, bias_init="orthogonal"), ValueError, r"bias_init: Orthogonal is for matrices"),
    "no bias": (lambda: nn.Linear(2, 3, bias=False, bias_init="zeros"), ValueError, "bias_init is given, but bias is"),
    "class": (lambda: nn.Linear(2, 3, weight_init=nn.init.Eye), TypeError, r"not the class: write Eye\(\)"),
    "shape": (lambda: nn.Linear(2, 3, weight_init=np.ones((3, 2))), ValueError, r"weight_init must fit shape \(2, 3\)"),
    "object": (lambda: nn.Linear(2, 3, weight_init=b"x"), TypeError, "weight_init must be the name of a rule"),
    "result": (
        lambda: nn.Sequential(nn.Linear(2, 3, weight_init=lambda shape, draws: np.ones(2))),
        ValueError,
        r"must have shape \(2, 3\) of the parameter, got \(2,\)",
    ),
    "vector": (
        lambda: init.xavier_uniform_(np.empty(3)),
        ValueError,
        r"array: XavierUniform is for matrices \(in, out\)",
    ),
    "list": (lambda: init.zeros_([1.0]), TypeError, "array must be an ndarray, got list"),
    "dtype": (lambda: init.zeros_(np.empty(3, int)), TypeError, "array must be float32 or float64, got int64"),
    "seed": (lambda: init.normal_(np.empty(3), seed=-1), ValueError, "seed must be at least 0, got -1"),
    "read-only": (lambda: init.zeros_(np.broadcast_to(1.0, 3)), ValueError, "array must be writable"),
    "std": (lambda: init.normal_(np.empty(3), std=-1.0), ValueError, "std must be at least 0"),
    "ends": (lambda: init.trunc_normal_(np.empty(3), a=1, b=1), ValueError, "b must be greater than 1"),
    "uniform": (lambda: init.uniform_(np.empty(3), 1, 0), ValueError, "b must be at least 1"),
    "mode": (lambda: init.kaiming_normal_(np.empty((2, 2)), mode="in"), ValueError, "mode must be one of 'fan_in'"),
    "gain": (
        lambda: init.calculate_gain("gelu"),
        ValueError,
        "nonlinearity must be one of 'linear', 'sigmoid', 'tanh'",
    ),
    "nonlinearity": (lambda: nn.init.KaimingNormal(nonlinearity="elu"), ValueError, "nonlinearity must be one of"),
    "sparsity": (lambda: nn.init.Sparse(1.5), ValueError, "sparsity must be at least 0.0 and at most 1.0, got 1.5"),
}


@pytest.mark.parametrize("key", BAD)
def test_bad_arguments_are_named(key):
    call, error, message = BAD[key]
    with pytest.raises(error, match=message):
        call()

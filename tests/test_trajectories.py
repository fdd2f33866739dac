"""PyTorch's numbers in float64 for training runs, activations and losses: recorded/make_torch_trajectories.py."""

import json

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support import RECORDED

with np.load(RECORDED / "trajectories.npz") as _file:
    STORED = dict(_file)

INF, NAN = np.inf, np.nan

# PyTorch rounds a constant of these to float32: 1 / alpha, 1 / 6 and 1e-12.
TOLERANCE = {"celu": 1e-6, "hardsigmoid": 1e-7, "binary_cross_entropy": 1e-8}

# In the tails PyTorch's results are differences of numbers near 1, multiplied by x^2 in gelu's gradient.
ATOL = {"gelu": 2e-14}

# Where this package keeps to the limit, or lets NaN through, and PyTorch does not: (value, gradient) at x.
DIFFERENT = {
    "silu": {-INF: (0, 0), INF: (INF, 1)},
    "mish": {-INF: (0, 0), INF: (INF, 1)},
    "gelu": {-INF: (0, 0), INF: (INF, 1)},
    "softsign": {-INF: (-1, 0), INF: (1, 0)},
    "hardswish": {-INF: (0, 0), NAN: (NAN, NAN)},
    "elu": {NAN: (NAN, NAN)},
    "selu": {NAN: (NAN, NAN)},
    "celu": {NAN: (NAN, NAN)},
}


def data(name):
    return STORED[f"data/{name}"]


def keys(kind):
    return sorted({"/".join(key.split("/")[:3]) for key in STORED if key.startswith(f"{kind}/")})


def called(key):
    """The name and the keyword arguments at the end of a key."""
    name, keywords = key.rpartition("/")[2].split(" ", 1)
    return name, json.loads(keywords)


def make_trainer(loss, optimizer, keywords):
    """The network of make_torch_trajectories.py with its first parameters, and what trains it."""
    layers = [nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4), nn.Softplus(), nn.Linear(4, 4)]
    net = nn.Sequential(*layers, dtype="float64")
    start = 0
    for _, view in net.named_parameters():
        view[...] = data("parameters")[start : start + view.size].reshape(view.shape)
        start += view.size
    params = [p for p in net.parameters() if p.data.ndim == 2] if optimizer == "Muon" else net.parameters()
    return fastnn.Trainer(net, getattr(nn, loss)(), getattr(optim, optimizer)(params, **keywords))


def explicit_step(trainer, x, y):
    """What `Trainer.step` does, call by call."""
    y_pred = trainer.net(x)
    loss, grad = trainer.loss(y_pred, y)
    trainer.net.backward(grad)
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()
    return loss


@pytest.mark.parametrize("step", [fastnn.Trainer.step, explicit_step], ids=["trainer", "loop"])
@pytest.mark.parametrize("key", keys("trajectory"))
def test_training_follows_torch(key, step, backend):
    """Twelve steps of every optimizer, from the same parameters, give the same losses and the same parameters."""
    loss, target = key.split("/")[1].split()
    trainer = make_trainer(loss, *called(key))
    losses = [step(trainer, data("x"), data(target)) for _ in STORED[f"{key}/losses"]]
    parameters = np.concatenate([view.ravel() for _, view in trainer.net.named_parameters()])
    np.testing.assert_allclose(losses, STORED[f"{key}/losses"], rtol=1e-11)
    np.testing.assert_allclose(parameters, STORED[f"{key}/parameters"], rtol=1e-11)


def forward_and_backward(name, x, grad_output, keywords):
    """Results of F.<name> and F.<name>_backward; the latter of some takes the output."""
    y = getattr(F, name)(x, **keywords)
    takes = y if name in ("sigmoid", "tanh", "softmax", "log_softmax") else x
    return y, getattr(F, f"{name}_backward")(grad_output, takes, **keywords)


@pytest.mark.parametrize("key", keys("activation"))
def test_activations_are_torchs(key, backend):
    name, keywords = called(key)
    x = data("grid")
    expected = STORED[key].copy()
    for special, pair in DIFFERENT.get(name, {}).items():
        place = np.isnan(x) if np.isnan(special) else x == special
        assert not np.array_equal(expected[:, place].ravel(), pair, equal_nan=True), "no exception is needed here"
        expected[:, place] = np.reshape(pair, (2, 1))
    results = forward_and_backward(name, x, np.ones_like(x), keywords)
    np.testing.assert_allclose(results, expected, rtol=TOLERANCE.get(name, 1e-12), atol=ATOL.get(name, 1e-15))


@pytest.mark.parametrize("key", keys("rows"))
def test_softmax_is_torchs(key, backend):
    name, keywords = called(key)
    results = forward_and_backward(name, data("scores"), data("grad_elements"), keywords)
    np.testing.assert_allclose(results, STORED[key], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("key", keys("loss"))
def test_losses_are_torchs(key, backend):
    name, keywords = called(key)
    x, target = (data(which) for which in key.split("/")[1].split())
    value = getattr(F, name)(x, target, **keywords)
    by_rows = name in ("cross_entropy", "nll_loss")
    grad_output = data("grad_rows" if by_rows else "grad_elements") if keywords["reduction"] == "none" else 1.0
    grad = getattr(F, f"{name}_backward")(grad_output, x, target, **keywords)
    np.testing.assert_allclose(value, STORED[f"{key}/value"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(grad, STORED[f"{key}/grad"], rtol=TOLERANCE.get(name, 1e-12), atol=1e-15)

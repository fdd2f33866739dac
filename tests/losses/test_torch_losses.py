"""PyTorch's numbers in float64 for the losses and their options; recorded/make_torch_losses.py made them."""

import json

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support import RECORDED

with np.load(RECORDED / "torch_losses.npz") as _file:
    STORED = dict(_file)


def data(name):
    return STORED[f"data/{name}"]


def keys(kind):
    return sorted({"/".join(key.split("/")[:3]) for key in STORED if key.startswith(f"{kind}/")})


def called(key):
    """The name and the keyword arguments at the end of a key."""
    name, keywords = key.rpartition("/")[2].split(" ", 1)
    arguments = json.loads(keywords)
    return name, {n: data(v[1:]) if isinstance(v, str) and v[0] == "$" else v for n, v in arguments.items()}


@pytest.mark.parametrize("key", keys("function"))
def test_losses_are_torchs(key, backend):
    name, keywords = called(key)
    arrays = [data(which) for which in key.split("/")[1].split()]
    value = getattr(F, name)(*arrays, **keywords)
    above = {0: 1.0, 1: data("grad_rows"), 2: data("grad_elements")}[np.ndim(value)]
    gradients = getattr(F, f"{name}_backward")(above, *arrays, **keywords)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    np.testing.assert_allclose(value, STORED[f"{key}/value"], rtol=1e-12, atol=1e-15)
    for i, gradient in enumerate(gradients):
        np.testing.assert_allclose(gradient, STORED[f"{key}/grad{i}"], rtol=1e-11, atol=1e-15)


def make_trainer(name, keywords):
    """The network of make_torch_losses.py with its first parameters, and what trains it."""
    end = [nn.LogSoftmax()] if name == "KLDivLoss" else []
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), *end, dtype="float64")
    net.parameters().data[...] = 0
    start = 0
    for _, view in net.named_parameters():
        view[...] = data("parameters")[start : start + view.size].reshape(view.shape)
        start += view.size
    return fastnn.Trainer(net, getattr(nn, name)(**keywords), optim.SGD(net.parameters(), lr=0.1))


@pytest.mark.parametrize("key", keys("trajectory"))
def test_training_follows_torch(key, backend):
    """With the whole batch, in steps of the trainer and in fit, one epoch being one step."""
    name, keywords = called(key)
    x, target = data("x"), data(key.split("/")[1])
    trainer, twin = make_trainer(name, keywords), make_trainer(name, keywords)
    steps = len(STORED[f"{key}/losses"])
    losses = [trainer.step(x, target) for _ in range(steps)]
    history = twin.fit(x, target, epochs=steps, batch_size=None, shuffle=False)
    for each, values in ((trainer, losses), (twin, history["loss"])):
        np.testing.assert_allclose(values, STORED[f"{key}/losses"], rtol=1e-11)
        parameters = np.concatenate([view.ravel() for _, view in each.net.named_parameters()])
        np.testing.assert_allclose(parameters, STORED[f"{key}/parameters"], rtol=1e-11)

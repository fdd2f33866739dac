"""PyTorch's numbers for activations and elementary functions: recorded/make_torch_activations.py."""

import json

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn, optim
from support import RECORDED

with np.load(RECORDED / "torch_activations.npz") as _file:
    STORED = dict(_file)

# Where PyTorch's results are differences of larger numbers: x - tanh(x), e^x - 1 + 1, log(x / (1 - x)).
ATOL = {"tanhshrink": 1e-15, "expm1": 2e-16, "logit": 2e-15}


@pytest.mark.parametrize("key", sorted(key for key in STORED if key.startswith("function/")))
def test_values_and_gradients(key, backend):
    name, keywords = key.removeprefix("function/").split(" ", 1)
    keywords, x = json.loads(keywords), STORED["grid"]
    y = getattr(F, name)(x, **keywords)
    grad = getattr(F, f"{name}_backward")(np.ones_like(x), y if name == "exp" else x, **keywords)
    np.testing.assert_allclose([y, grad], STORED[key], rtol=1e-12, atol=ATOL.get(name, 1e-300))
    np.testing.assert_allclose(F.derivative(name, x, **keywords), grad, rtol=1e-15)


@pytest.mark.parametrize("dim", [0, 1, 2])
def test_softmin(dim, backend):
    x, g = STORED["softmin/x"], STORED["softmin/g"]
    y = F.softmin(x, dim=dim)
    grad = F.softmin_backward(g, y, dim)
    np.testing.assert_allclose([y, grad], STORED[f"softmin/{dim}"], rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(F.softmin(x, dim), y)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_dtype_of_the_result(name, backend):
    x = STORED["softmin/x"].astype("float32")
    for dtype in ("float64", np.float64, np.dtype("float64")):
        y = getattr(F, name)(x, dim=1, dtype=dtype)
        assert y.dtype == "float64"
        np.testing.assert_allclose(y, STORED[f"{name} in float64"], rtol=1e-12)
    assert getattr(F, name)(x, dtype="float32").dtype == "float32"
    with pytest.raises(ValueError, match="dtype must be one of 'float32', 'float64', got 'int64'"):
        getattr(F, name)(x, dtype=int)
    with pytest.raises(TypeError, match="give axis or dim, not both"):
        getattr(F, name)(x, 0, dim=1)


def test_training(backend):
    layers = [nn.Linear(3, 6), nn.LogSigmoid(), nn.Linear(6, 5), nn.Tanhshrink(), nn.Linear(5, 6), nn.Softshrink(0.1),
              nn.Linear(6, 6), nn.Hardshrink(0.2), nn.Linear(6, 5), nn.Threshold(-0.5, 0.25, inplace=True),
              nn.Linear(5, 4), nn.Softmin(dim=1)]  # fmt: skip
    net = nn.Sequential(*layers, dtype="float64")
    prefix = "training/before/"
    before = {key.removeprefix(prefix): value for key, value in STORED.items() if key.startswith(prefix)}
    net.load_state_dict(before, layout="torch")
    trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.5))
    losses = [trainer.step(x, y) for x, y in zip(STORED["training/x"], STORED["training/y"], strict=True)]
    np.testing.assert_allclose(losses, STORED["training/losses"], rtol=1e-12)
    for name, value in net.named_parameters():
        after = STORED[f"training/after/{name}"]
        np.testing.assert_allclose(value, after.T if name.endswith("weight") else after, rtol=1e-11, atol=1e-14)

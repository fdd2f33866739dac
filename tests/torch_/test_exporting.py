"""Torch modules made of networks compute as those."""

import numpy as np
import pytest

import fastnn
from fastnn import functional as F
from fastnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from fastnn.torch import from_torch, to_torch  # noqa: E402


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.norm = nn.Linear(4, 3), nn.LayerNorm(3)
        self.add_parameter("shift", (4,), init=0.5)
        self.add_parameter("w", (3, 3), init=[[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [0.5, 0.0, 1.0]])

    def forward(self, x):
        h = self.norm(F.tanh(self.encoder(x)) @ self["w"]) + [0.5, 1.0, 1.5]
        h = F.linear(h, self["w"].T)
        h = F.linear(h, self.encoder.weight.T) / (1.0 + F.exp(-x)) + self["shift"]
        return fastnn.concat([F.gelu(h, "tanh"), x[:, ::2], h.max(-1, keepdim=True), 1.0 / (h * h + 1.0)])


NETWORKS = {
    "branches": lambda: nn.Sequential(
        nn.Linear(4, 6), nn.Residual(nn.Linear(6, 6), nn.BatchNorm1d(6)),
        nn.Residual(nn.Linear(6, 8), shortcut=nn.Linear(6, 8)),
        nn.Concat(nn.Identity(), nn.Linear(8, 4)), seed=0, dtype="float64"),
    "gates": lambda: nn.Sequential(
        nn.Linear(4, 24), nn.Maxout(3), nn.SwiGLU(), nn.Linear(4, 4), nn.GLU(), nn.Temperature(2.0),
        seed=0, dtype="float64"),
    "heads": lambda: nn.Sequential(
        nn.Linear(4, 6), nn.Heads(a=nn.Linear(6, 1), b=nn.Sequential(nn.Linear(6, 3), nn.LogSoftmax(temperature=2.0))),
        seed=0, dtype="float64"),
    "columns": lambda: nn.Sequential(
        nn.Columns([3, 0, 1]), nn.Linear(3, 4), nn.Columns(slice(None, None, -1)), nn.Softmin(temperature=0.5), seed=0,
        dtype="float64"),
    "noise": lambda: nn.Sequential(
        nn.Linear(4, 4), nn.GaussianNoise(0.0), nn.GaussianDropout(0.0), nn.Dropout(0.0), seed=0, dtype="float64"),
    "traced": lambda: nn.Sequential(nn.Linear(4, 4), Tied(), seed=0, dtype="float64"),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.usefixtures("backend")
def test_a_network_in_pytorch_has_the_same_outputs_and_gradients(name):
    net, rng = NETWORKS[name](), np.random.default_rng(0)
    module = to_torch(net)
    assert set(module.state_dict()) == set(net.state_dict())
    x = torch.tensor(rng.normal(size=(6, 4)), requires_grad=True)
    y = module(x)
    upstream = rng.normal(size=tuple(y.shape))
    np.testing.assert_allclose(net(x.detach()), y.detach(), rtol=1e-11)
    (y * torch.tensor(upstream)).sum().backward()
    np.testing.assert_allclose(net.backward(upstream), x.grad, rtol=1e-9, atol=1e-12)
    gradients = {name: grad.sum() for name, grad in net.named_gradients()}
    for key, p in module.named_parameters():
        np.testing.assert_allclose(gradients[key], p.grad.sum(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(net.eval().predict(x.detach()), module.eval()(x).detach(), rtol=1e-11)


def test_there_and_back_is_the_same_network():
    net = nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Sequential(nn.Linear(6, 2), nn.GELU()), seed=0
    )
    twin = from_torch(to_torch(net))
    assert str(twin) == str(net)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[name], value)
    assert isinstance(from_torch(to_torch(nn.Linear(2, 3, dtype="float64"))), nn.Linear)
    assert from_torch(to_torch(nn.Linear(2, 3, dtype="float64"))).weight.dtype == "float64"


class Doubles(nn.Module):
    def forward(self, x):
        return 2 * x

    def backward(self, grad_output):
        return 2 * grad_output


def test_what_pytorch_does_not_have_is_named():
    with pytest.raises(TypeError, match="PyTorch does not have Doubles"):
        to_torch(nn.Sequential(Doubles(), nn.Linear(2, 2)))
    with pytest.raises(TypeError, match="net must be a network or a layer, got list"):
        to_torch([])
    with pytest.raises(TypeError, match="in_features must be given"):
        to_torch(nn.Sequential(nn.GraphModule({}, [["relu", "%0"]])))

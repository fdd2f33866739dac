"""A network within a torch model: passes run in fastnn, gradients flow, torch optimizers train it."""

import copy
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from fastnn.torch import Block, to_torch  # noqa: E402


def make(dtype="float64"):
    return nn.Sequential(
        nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Residual(nn.Linear(5, 5), nn.SiLU()), nn.PReLU(),
        nn.Linear(5, 2), seed=0, dtype=dtype)  # fmt: skip


def data(rows=6, columns=3):
    return torch.tensor(np.random.default_rng(1).normal(size=(rows, columns)), requires_grad=True)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.usefixtures("backend")
def test_gradcheck_of_pytorch_passes(training):
    block = Block(make()).train(training)
    assert torch.autograd.gradcheck(block, (data(),))
    assert torch.autograd.gradcheck(torch.nn.Sequential(torch.nn.Linear(3, 3).double(), block), (data(),))
    assert torch.autograd.gradcheck(lambda x: block(x) * block(x + 1.0), (data(),))


@pytest.mark.parametrize("training", [True, False])
def test_gradients_of_parameters_are_those_of_central_differences(training):
    net = make()
    block, x = Block(net).train(training), data()
    upstream = torch.randn(6, 2, dtype=torch.float64)
    (block(x) * upstream).sum().backward()
    for p in block.parameters():
        flat, step = p.data.view(-1) if p.is_contiguous() else p.data.T.view(-1), 1e-6
        gradient = (p.grad if p.is_contiguous() else p.grad.T).reshape(-1)
        for i in range(0, flat.numel(), 3):
            before = flat[i].item()
            values = []
            for sign in (1, -1):
                flat[i] = before + sign * step
                values.append((block(x.detach()) * upstream).sum().item())
            flat[i] = before
            assert (values[0] - values[1]) / (2 * step) == pytest.approx(gradient[i].item(), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
def test_a_torch_optimizer_trains_the_network_as_it_trains_the_module(rule):
    net = make()
    twin = to_torch(net)
    model, other = (torch.nn.Sequential(m, torch.nn.Softplus()) for m in (Block(net), twin))
    a, b = (getattr(torch.optim, rule)(m.parameters(), lr=0.05) for m in (model, other))
    x, y = data(16).detach(), data(16, 2).detach()
    for _ in range(10):
        losses = []
        for m, optimizer in ((model, a), (other, b)):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(m(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[0] == pytest.approx(losses[1], rel=1e-10)
    np.testing.assert_allclose(net.predict(x.numpy()), twin.eval()(x).detach(), rtol=1e-9)


def test_parameters_are_views_under_pytorchs_names_and_shapes():
    net = make()
    block = Block(net)
    assert list(block.state_dict()) == list(to_torch(net).state_dict())
    assert [tuple(p.shape) for p in block.parameters()] == [tuple(p.shape) for p in to_torch(net).parameters()]
    block.load_state_dict(to_torch(make()).state_dict())
    with torch.no_grad():
        for p in block.parameters():
            p.fill_(0.5)
    assert all((view == 0.5).all() for _, view in net.named_parameters())
    running = net[1].running_mean.copy()
    block(data())
    assert (net[1].running_mean != running).all()
    assert torch.equal(block.state_dict()["1.running_mean"], torch.from_numpy(net[1].running_mean))


def test_dropout_is_the_same_in_a_repeated_pass():
    block = Block(nn.Sequential(nn.Linear(3, 50), nn.Dropout(0.5), seed=0, dtype="float64"))
    x = data()
    first = block(x)
    block(x)  # the network remembers this call
    (grad,) = torch.autograd.grad(first.sum(), x)
    weight = block.net[0].weight
    mask = first.detach().numpy() != 0
    np.testing.assert_allclose(grad, 2 * mask @ weight.T, rtol=1e-12)


def test_gradients_of_the_network_itself_are_left_alone():
    net = make()
    net.parameters().grad[...] = 7.0
    Block(net)(data()).sum().backward()
    assert (net.parameters().grad == 7.0).all()


def test_frozen_layers_get_no_gradient():
    net = make()
    net[0].requires_grad_(False)
    block = Block(net)
    block(data()).sum().backward()
    assert dict(block.named_parameters())["0.weight"].grad is None
    assert dict(block.named_parameters())["5.weight"].grad is not None


def test_copies_have_a_network_of_their_own():
    block = Block(make()).eval()
    for twin in (copy.deepcopy(block), pickle.loads(pickle.dumps(block))):
        x = data()
        assert torch.equal(twin(x), block(x)) and not twin.training
        with torch.no_grad():
            next(twin.parameters()).zero_()
        assert not torch.equal(twin(x), block(x))


def test_a_layer_alone_and_more_dimensions():
    layer = nn.Linear(3, 2)
    x = torch.randn(2, 4, 3, requires_grad=True)
    y = Block(layer)(x)
    y.sum().backward()
    assert y.shape == (2, 4, 2) and x.grad.shape == x.shape
    np.testing.assert_allclose(y.detach(), layer(x.detach()), rtol=1e-6)


def test_what_cannot_be_is_refused():
    net = make()
    block, x = Block(net), data()
    with pytest.raises(TypeError, match=r"x is torch\.float32 on cpu, but the network is torch\.float64"):
        block(x.float())
    with pytest.raises(TypeError, match=r"call net\.double\(\) or net\.float\(\)"):
        torch.nn.Sequential(block).float()
    assert torch.nn.Sequential(block).double()[0] is block
    with pytest.raises(TypeError, match="net must be a network or a layer of fastnn, got ReLU"):
        Block(torch.nn.ReLU())
    (gradient,) = torch.autograd.grad((block(x) ** 2).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
    y = block(x)
    with torch.no_grad():
        next(block.parameters()).add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    net.append(nn.ReLU())
    with pytest.raises(RuntimeError, match="make another Block of it"):
        block(x)


def test_inference_without_gradients_is_predict():
    net = make()
    with torch.no_grad():
        y = Block(net).eval()(data())
    np.testing.assert_array_equal(y, net.predict(data().detach()))
    assert fastnn.get_backend()

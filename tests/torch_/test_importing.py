"""Networks made of torch modules compute, differentiate and train as those."""

import io

import numpy as np
import pytest

import fastnn
from fastnn import nn, optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from torch.nn import functional as T  # noqa: E402

from fastnn.torch import from_torch, to_torch  # noqa: E402

R = 5
ACTIVATIONS = [
    "ReLU()", "ReLU6()", "LeakyReLU(0.2)", "ELU(0.7)", "SELU()", "CELU(0.7)", "GELU()", "GELU('tanh')", "SiLU()",
    "Mish()", "Hardswish()", "Hardsigmoid()", "Hardtanh(-0.5, 0.7)", "Hardshrink(0.3)", "Softshrink(0.3)",
    "Tanhshrink()", "Softplus(2.0, 3.0)", "Softsign()", "Sigmoid()", "LogSigmoid()", "Tanh()", "Threshold(-0.1, 0.7)",
    "Softmax(-1)", "Softmax(1)", "LogSoftmax(dim=1)", "Softmin(-1)", "GLU()", "PReLU()", "PReLU(8, 0.1)",
    "Identity()", "Flatten()", "BatchNorm1d(8, 1e-3, 0.2)", "BatchNorm1d(8, affine=False)",
    "BatchNorm1d(8, momentum=None)", "BatchNorm1d(8, track_running_stats=False)", "LayerNorm(8)",
    "LayerNorm([8], bias=False)", "LayerNorm(8, elementwise_affine=False)", "RMSNorm(8)",
    "RMSNorm(8, 1e-3, elementwise_affine=False)", "Linear(8, 8, bias=False)", "Dropout(0.0)", "AlphaDropout(0.0)",
]  # fmt: skip


class Gated(torch.nn.Module):
    """What forwards of fully connected models are made of."""

    def __init__(self):
        super().__init__()
        self.a, self.act = torch.nn.Linear(4, 6), torch.nn.ReLU()
        self.b = torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.Tanh())
        self.scale, self.w = torch.nn.Parameter(torch.randn(6)), torch.nn.Parameter(torch.randn(6, 6) / 3)
        self.register_buffer("shift", torch.randn(6))

    def forward(self, x):
        x = x.view(x.size(0), -1)
        h = self.act(self.a(x))
        h = h + self.b(h) * self.scale - self.shift
        u, v = torch.cat([h, x], 1).chunk(2, -1)
        h = torch.cat([u * torch.sigmoid(v), -h[:, :1]], dim=-1)
        h = T.dropout(T.leaky_relu(h, 0.2) / 2 + 1, 0.0, self.training)
        h = h - h.mean(-1, keepdim=True) + 1.5 / (2 + h.sum(1, keepdim=True) ** 2)
        h = T.linear(h, self.w) @ self.w
        h = T.linear(h, self.a.weight.t(), None)
        return torch.softmax(T.hardtanh(h, min_val=-2, max_val=2).exp(), dim=-1)


TOLERANCES = {"float32": (1e-5, 1e-6), "float64": (1e-12, 1e-13), "float32 constants": (1e-6, 1e-7)}


def close(a, b, dtype):
    rtol, atol = TOLERANCES[dtype]
    np.testing.assert_allclose(np.asarray(a), b.detach().numpy(), rtol=rtol, atol=atol)


IN_FLOAT = ("CELU", "Hardsigmoid")  # PyTorch computes these with a constant that is rounded to float32


def model_of(layer, dtype):
    torch.manual_seed(0)
    layer = eval(f"torch.nn.{layer}")
    return torch.nn.Sequential(torch.nn.Linear(4, 8), layer, torch.nn.LazyLinear(3)), getattr(torch, dtype)


@pytest.mark.parametrize("layer", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.usefixtures("backend")
def test_a_layer_has_the_outputs_and_gradients_of_its_namesake_and_goes_back(layer, dtype):
    model, kind = model_of(layer, dtype)
    dtype = "float32 constants" if dtype == "float64" and layer.startswith(IN_FLOAT) else dtype
    x = torch.randn(R, 4)
    model(x)
    model, x = model.to(kind), x.to(kind).requires_grad_()
    net = from_torch(model)
    back = to_torch(net)
    assert list(back.state_dict()) == list(model.state_dict())
    upstream = torch.randn(R, 3, dtype=kind)
    y = model(x)
    (y * upstream).sum().backward()
    close(net(x.detach()), y, dtype)
    close(back(x).detach(), y, dtype)
    close(net.backward(upstream.numpy()), x.grad, dtype)
    gradients = dict(net.named_gradients())
    for name, p in model.named_parameters():
        wide = name in ("0.weight", "2.weight") or (layer.startswith("Linear") and name == "1.weight")
        close(gradients[name].T if wide else gradients[name], p.grad, dtype)
    close(net.eval().predict(x.detach()), model.eval()(x), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.usefixtures("backend")
def test_a_forward_is_traced(dtype):
    torch.manual_seed(1)
    model = Gated().to(getattr(torch, dtype))
    net = from_torch(model)
    x = torch.randn(7, 4, dtype=getattr(torch, dtype))
    close(net(x), model(x), dtype)
    assert set(net.state_dict()) == set(model.state_dict()) - {"shift"}
    back = to_torch(net, 4)
    close(back(x).detach(), model(x), dtype)
    file = io.BytesIO()
    net.save(file)
    np.testing.assert_array_equal(fastnn.load(file.getvalue()).predict(x), net.predict(x))


def test_a_traced_module_within_a_sequential_and_a_layer_twice():
    layer = torch.nn.Linear(4, 4)
    model = torch.nn.Sequential(Gated(), torch.nn.Sequential(layer, torch.nn.Tanh(), layer), torch.nn.Linear(4, 1))
    x = torch.randn(3, 4)
    net = from_torch(model)
    close(net(x), model(x), "float32")
    assert isinstance(net[1], nn.GraphModule)


RULES = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.01},
    "AdamW": {"lr": 0.01, "weight_decay": 0.1},
    "RMSprop": {"lr": 0.01},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("which", ["Sequential", "traced"])
def test_ten_further_steps_are_on_the_same_path(rule, which):
    torch.manual_seed(2)
    sequential = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.GELU(),
                                     torch.nn.Linear(8, 4))  # fmt: skip
    model = (sequential if which == "Sequential" else torch.nn.Sequential(Gated(), torch.nn.Linear(4, 4))).double()
    net = from_torch(model)
    theirs = getattr(torch.optim, rule)(model.parameters(), **RULES[rule])
    trainer = fastnn.Trainer(net, nn.MSELoss(), getattr(optim, rule)(net.parameters(), **RULES[rule]))
    x, y = torch.randn(32, 4, dtype=torch.float64), torch.randn(32, 4, dtype=torch.float64)
    for _ in range(10):
        theirs.zero_grad()
        loss = T.mse_loss(model(x), y)
        loss.backward()
        theirs.step()
        assert trainer.step(x, y) == pytest.approx(loss.item(), rel=1e-9)
    close(net.eval().predict(x), model.eval()(x), "float32")


def test_an_embedding():
    model = torch.nn.Sequential(torch.nn.Embedding(5, 3, padding_idx=0), torch.nn.Flatten(), torch.nn.Linear(6, 2))
    net = from_torch(model)
    x = np.array([[1, 0], [4, 2]])
    close(net.predict(x.astype("float32")), model(torch.tensor(x)), "float32")


def test_modes_and_frozen_layers_come_along():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1))
    model[0].requires_grad_(False)
    model[1].eval()
    net = from_torch(model)
    assert net.training and net[1].frozen and not net[0].requires_grad and net[2].requires_grad
    back = to_torch(net)
    assert not back[1].training and not back[0].weight.requires_grad and back[2].weight.requires_grad
    assert not from_torch(model.eval()).training


class Sorts(torch.nn.Module):
    def forward(self, x):
        return torch.sort(x)[0] + torch.cumsum(x, 1)


class Branches(torch.nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Two(torch.nn.Module):
    def forward(self, x, y):
        return x + y


REFUSED = {
    "layers": (
        lambda: torch.nn.Sequential(torch.nn.Conv1d(1, 1, 1), torch.nn.LSTM(1, 1), torch.nn.Flatten(0)),
        r"fastnn does not have Conv1d, LSTM, Flatten\(start_dim=0\)",
    ),
    "arguments": (lambda: torch.nn.Embedding(2, 2, max_norm=1.0), r"Embedding\(max_norm=1\.0\)"),
    "softmax over rows": (lambda: torch.nn.Softmax(0), "dim must be -1 or 1"),
    "functions": (Sorts, "does not have Sorts: the function sort, Sorts: the function cumsum"),
    "a branch": (Branches, "Branches, which torch.fx cannot trace"),
    "two inputs": (Two, "a second input, y"),
    "no module": (lambda: [1], r"must be a torch\.nn\.Module, got list"),
    "half": (lambda: torch.nn.Linear(1, 1).half(), "networks are float32 or float64"),
    "mixed": (lambda: torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1).double()), "parameters of"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_fastnn_does_not_have_is_named(case):
    make, message = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(make())


def test_a_layer_frozen_in_part_and_shared_parameters_are_refused():
    layer = torch.nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    with pytest.raises(ValueError, match="frozen as a whole"):
        from_torch(layer)
    a, b = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    b.weight = a.weight
    with pytest.raises(ValueError, match="share"):
        from_torch(torch.nn.Sequential(a, b))

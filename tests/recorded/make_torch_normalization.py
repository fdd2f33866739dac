"""Writes torch_normalization.npz: what PyTorch's normalizations, and networks with them, compute in float64.

Run it with a Python that has PyTorch (2.13 made the file); tests/test_normalization.py compares.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

STEPS = 8
ROWS, FEATURES = 10, 4


def make_data():
    """Inputs, gradients, targets and vectors, by the names of the file; batches are of different sizes."""
    rng = np.random.default_rng(0)
    data = {name: rng.normal(size=(ROWS, FEATURES)) * 2 + 1 for name in ("x", "grad")}
    data |= {name: rng.normal(size=FEATURES) for name in ("weight", "bias", "running_mean")}
    data["running_var"] = rng.uniform(0.5, 2, FEATURES)
    data["labels"] = rng.integers(3, size=ROWS)
    return data | {f"batch{i}": rng.normal(size=(rows, FEATURES)) * 3 for i, rows in enumerate((5, 2, 7))}


def make_network():
    """A small network with all three; the test builds the same one."""
    torch.manual_seed(0)
    layers = [nn.Linear(4, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 5), nn.LayerNorm(5), nn.GELU()]
    layers += [nn.Linear(5, 5), nn.RMSNorm(5), nn.Tanh(), nn.Linear(5, 3)]
    return nn.Sequential(*layers).double()


def gradients(function, *arrays):
    """What a function of tensors gives, and the gradients of these for the upstream gradient of the data."""
    leaves = [array.clone().requires_grad_() for array in arrays]
    y = function(*leaves)
    y.backward(DATA["grad"])
    return [y.detach(), *(leaf.grad for leaf in leaves)]


def functions():
    x, weight, bias = DATA["x"], DATA["weight"], DATA["bias"]
    running = DATA["running_mean"], DATA["running_var"]
    shape = weight.shape
    yield "layer_norm", gradients(lambda x, w, b: F.layer_norm(x, shape, w, b), x, weight, bias)
    yield "layer_norm plain", gradients(lambda x: F.layer_norm(x, shape, eps=0.1), x)
    yield "rms_norm", gradients(lambda x, w: F.rms_norm(x, shape, w), x, weight)
    yield "rms_norm plain", gradients(lambda x: F.rms_norm(x, shape, eps=0.1), x)
    yield "batch_norm", gradients(lambda x, w, b: F.batch_norm(x, *running, w, b), x, weight, bias)
    yield "batch_norm plain", gradients(lambda x: F.batch_norm(x, *running, eps=0.1), x)
    yield "batch_norm training", gradients(lambda x, w, b: F.batch_norm(x, None, None, w, b, True), x, weight, bias)
    yield "batch_norm training plain", gradients(lambda x: F.batch_norm(x, None, None, training=True, eps=0.1), x)


def running(momentum):
    """Outputs and running statistics after each of three batches, then the outputs of x by those."""
    layer = nn.BatchNorm1d(FEATURES, momentum=momentum).double()
    for i in range(3):
        y = layer(DATA[f"batch{i}"])
        yield f"{i}", [y.detach(), layer.running_mean.clone(), layer.running_var.clone()]
    yield "x", [layer.eval()(DATA["x"]).detach(), layer.num_batches_tracked]


def state(net):
    """Parameters and buffers, weights of linear layers as (in_features, out_features)."""
    return {name: value.detach().numpy().T.copy() for name, value in net.state_dict().items()}


def trajectory(optimizer_class, **keywords):
    net = make_network()
    optimizer = optimizer_class(net.parameters(), **keywords)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(DATA["x"]), DATA["labels"])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    yield "losses", np.array(losses)
    yield "outputs", net.eval()(DATA["x"]).detach().numpy()
    for name, value in state(net).items():
        yield f"state/{name}", value


def main():
    torch.set_num_threads(1)
    results = {f"data/{name}": array.numpy() for name, array in DATA.items()}
    results |= {f"network/{name}": value for name, value in state(make_network()).items()}
    for name, tensors in functions():
        results |= {f"function/{name}/{i}": tensor.numpy() for i, tensor in enumerate(tensors)}
    for momentum in (0.1, None):
        for name, tensors in running(momentum):
            results |= {f"running/{momentum}/{name}/{i}": tensor.numpy() for i, tensor in enumerate(tensors)}
    for rule, keywords in ((torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}), (torch.optim.Adam, {"lr": 0.02})):
        results |= {f"training/{rule.__name__}/{name}": value for name, value in trajectory(rule, **keywords)}
    np.savez_compressed(Path(__file__).with_name("torch_normalization.npz"), **results)


DATA = {name: torch.from_numpy(array) for name, array in make_data().items()}

if __name__ == "__main__":
    main()

"""Make torch_layers.npz: what PyTorch computes in float64, for the tests of layers with gates, slopes and tables.

Run it with torch 2.13; the same version writes the same bytes. A key says what was called, and which array it is.
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ROWS, FEATURES, STEPS = 6, 5, 4


def tensor(rng, *shape):
    return torch.tensor(2 * rng.normal(size=shape), requires_grad=True)


def store(stored, name, inputs, y, rng):
    """The inputs by name, the output, an upstream gradient, and the gradients of what has some."""
    g = torch.tensor(rng.normal(size=tuple(y.shape)))
    y.backward(g)
    for key, value in inputs.items():
        stored[f"{name}/{key}"] = value.detach().numpy()
        if value.grad is not None:
            stored[f"{name}/grad_{key}"] = value.grad.numpy()
    stored[f"{name}/y"], stored[f"{name}/g"] = y.detach().numpy(), g.numpy()


def functions(stored, rng):
    for name, features in (("prelu of one slope", 1), ("prelu", FEATURES)):
        x, weight = tensor(rng, ROWS, FEATURES), tensor(rng, features)
        x.data[0, 0] = 0.0
        store(stored, name, {"x": x, "weight": weight}, F.prelu(x, weight), rng)
    x = tensor(rng, ROWS, 2 * FEATURES)
    store(stored, "glu", {"x": x}, F.glu(x), rng)
    for name, options in (("embedding", {}), ("embedding with padding", {"padding_idx": 2})):
        codes, weight = torch.tensor(rng.integers(0, 7, (ROWS, 3))), tensor(rng, 7, 4)
        store(stored, name, {"codes": codes, "weight": weight}, F.embedding(codes, weight, **options), rng)


def alpha_dropout(stored, rng):
    for p in (0.2, 0.5):
        x = tensor(rng, 20, FEATURES)
        store(stored, f"alpha_dropout/{p}", {"x": x}, F.alpha_dropout(x, p, training=True), rng)


def training(stored, rng):
    """Losses and parameters of a network with a table, a gate and slopes, trained by SGD."""
    table, slopes = nn.Embedding(7, 4), nn.PReLU(FEATURES, 0.1)
    first, last = nn.Linear(3 * 4, 2 * FEATURES), nn.Linear(FEATURES, 2)
    net = nn.Sequential(table, nn.Flatten(), first, nn.GLU(), slopes, last).double()
    for name, value in net.named_parameters():
        value.data[...] = torch.tensor(rng.normal(size=tuple(value.shape)) / 2)
        stored[f"training/before/{name}"] = value.detach().numpy().copy()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    codes, y = rng.integers(0, 7, (STEPS, ROWS, 3)), rng.integers(0, 2, (STEPS, ROWS))
    losses = []
    for x, target in zip(codes, y, strict=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(torch.tensor(x)), torch.tensor(target))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for name, value in net.named_parameters():
        stored[f"training/after/{name}"] = value.detach().numpy()
    stored |= {"training/codes": codes, "training/y": y, "training/losses": np.array(losses)}
    return stored


def main():
    torch.manual_seed(0)
    rng, stored = np.random.default_rng(0), {}
    functions(stored, rng)
    alpha_dropout(stored, rng)
    training(stored, rng)
    np.savez_compressed(Path(__file__).parent / "torch_layers.npz", **stored)


if __name__ == "__main__":
    main()

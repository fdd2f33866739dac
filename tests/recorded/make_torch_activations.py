"""Make torch_activations.npz: PyTorch's values and gradients, in float64, of the functions that trajectories.npz lacks.

Run it with torch 2.13; the same version writes the same bytes. A key is the name of a function and its keyword
arguments; under it are the values on the grid and the gradients for a grad_output of ones.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FUNCTIONS = [
    ("logsigmoid", {}),
    ("threshold", {"threshold": 0.5, "value": -2.0}),
    ("tanhshrink", {}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 1.5}),
    ("softshrink", {"lambd": 0.0}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": 1.5}),
    ("hardshrink", {"lambd": 0.0}),
    ("rrelu", {}),
    ("rrelu", {"lower": 0.25, "upper": 0.75}),
    ("logit", {}),
    ("logit", {"eps": 0.25}),
    ("logit", {"eps": 0.0}),
    ("exp", {}),
    ("expm1", {}),
    ("log", {}),
    ("log1p", {}),
    ("erf", {}),
]
SPECIAL = [0.0, 1e-308, 1e-160, 1e-20, 1e-8, 0.25, 0.5, 1.0, 1.5, 2.0, 6.0, 20.0, 30.0, 40.0, 700.0, 1e10, np.inf]
STEPS = 6


def make_grid():
    special = np.array(SPECIAL)
    return np.concatenate([np.linspace(-12, 12, 96), np.linspace(0, 1, 41), special, -special, [np.nan]])


def softmin(stored, rng):
    x, g = 3 * rng.normal(size=(2, 3, 4, 5))
    for dim in (0, 1, 2):
        leaf = torch.tensor(x, requires_grad=True)
        y = F.softmin(leaf, dim)
        y.backward(torch.tensor(g))
        stored[f"softmin/{dim}"] = np.stack([y.detach().numpy(), leaf.grad.numpy()])
    stored |= {"softmin/x": x, "softmin/g": g}
    single = torch.tensor(x.astype("float32"))
    for name in ("softmax", "log_softmax", "softmin"):
        stored[f"{name} in float64"] = getattr(F, name)(single, dim=1, dtype=torch.float64).numpy()
    return stored


def training(stored, rng):
    """Losses and parameters of a network of these activations, trained by SGD."""
    layers = [nn.Linear(3, 6), nn.LogSigmoid(), nn.Linear(6, 5), nn.Tanhshrink(), nn.Linear(5, 6), nn.Softshrink(0.1),
              nn.Linear(6, 6), nn.Hardshrink(0.2), nn.Linear(6, 5), nn.Threshold(-0.5, 0.25, inplace=True),
              nn.Linear(5, 4), nn.Softmin(dim=1)]  # fmt: skip
    net = nn.Sequential(*layers).double()
    for name, value in net.named_parameters():
        value.data[...] = torch.tensor(rng.normal(size=tuple(value.shape)))
        stored[f"training/before/{name}"] = value.detach().numpy().copy()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    x, y = rng.normal(size=(STEPS, 8, 3)), rng.normal(size=(STEPS, 8, 4))
    losses = []
    for batch, target in zip(x, y, strict=True):
        optimizer.zero_grad()
        loss = F.mse_loss(net(torch.tensor(batch)), torch.tensor(target))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for name, value in net.named_parameters():
        stored[f"training/after/{name}"] = value.detach().numpy()
    return stored | {"training/x": x, "training/y": y, "training/losses": np.array(losses)}


def main():
    rng, stored = np.random.default_rng(0), {"grid": make_grid()}
    for name, keywords in FUNCTIONS:
        x = torch.tensor(stored["grid"], requires_grad=True)
        y = getattr(F, name, None) or getattr(torch, name)
        y = y(x, **keywords)
        y.backward(torch.ones_like(x))
        stored[f"function/{name} {json.dumps(keywords)}"] = np.stack([y.detach().numpy(), x.grad.numpy()])
    stored = training(softmin(stored, rng), rng)
    np.savez_compressed(Path(__file__).parent / "torch_activations.npz", **stored)


if __name__ == "__main__":
    main()

"""Make torch_states.npz: state dicts of torch modules, and what they compute, in float64.

Run it with torch 2.13; the same version writes the same bytes. Weights are as PyTorch has them, (out, in).
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

MODELS = {
    "plain": lambda: nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3), nn.LogSoftmax(-1)),
    "normalized": lambda: nn.Sequential(
        nn.Linear(4, 4), nn.BatchNorm1d(4), nn.PReLU(), nn.LayerNorm(4), nn.Sequential(nn.Linear(4, 2), nn.Tanh())
    ),
}


def main():
    torch.manual_seed(5)
    stored = {}
    for name, make in MODELS.items():
        model = make().double()
        x = torch.randn(6, 4, dtype=torch.float64)
        model(x + 1.0)  # so that there are running statistics
        stored |= {f"{name}/state/{key}": value.numpy() for key, value in model.state_dict().items()}
        stored[f"{name}/x"], stored[f"{name}/y"] = x.numpy(), model.eval()(x).detach().numpy()
    np.savez_compressed(Path(__file__).with_name("torch_states.npz"), **stored)


if __name__ == "__main__":
    main()

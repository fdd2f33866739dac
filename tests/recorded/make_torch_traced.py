"""Make torch_traced.npz: outputs and gradients by torch.autograd, in float64, of the modules of support/traced.py.

Run it with torch 2.13; the same version writes the same bytes. Weights are stored as (in, out).
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
from support.traced import CASES  # noqa: E402

ROWS = 5


class Traced(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.case = case
        for name, (n_in, n_out) in case.layers.items():
            setattr(self, name, nn.Linear(n_in, n_out))
        for name, shape in case.parameters.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))

    def __getitem__(self, name):
        return getattr(self, name)

    def turned(self, name):
        return getattr(self, name).weight  # stored as (out, in)

    def forward(self, x):
        return self.case.forward(self, x, F, lambda parts: torch.cat(parts, -1))


def rows_of(case):
    """Lists in a forward are rows of numbers there, and tensors here."""
    subtract, divide = torch.Tensor.__sub__, torch.Tensor.__truediv__
    torch.Tensor.__sub__ = lambda x, y: subtract(x, torch.tensor(y, dtype=x.dtype) if isinstance(y, list) else y)
    torch.Tensor.__truediv__ = lambda x, y: divide(x, torch.tensor(y, dtype=x.dtype) if isinstance(y, list) else y)
    return case


def main():
    stored, rng = {}, np.random.default_rng(12)
    for name, case in CASES.items():
        module = Traced(rows_of(case)).double()
        with torch.no_grad():
            for value in module.parameters():
                value.copy_(torch.tensor(rng.normal(size=tuple(value.shape)) / 2))
        x = torch.tensor(rng.normal(size=(ROWS, case.features)), requires_grad=True)
        y = module(x)
        g = torch.tensor(rng.normal(size=tuple(y.shape)))
        y.backward(g)
        for key, value in {"x": x, "y": y, "g": g, "grad_x": x.grad}.items():
            stored[f"{name}/{key}"] = value.detach().numpy()
        for key, value in module.named_parameters():
            turned = (lambda a: a.T) if key.endswith(".weight") else (lambda a: a)
            stored[f"{name}/parameter/{key}"] = turned(value.detach().numpy())
            gradient = torch.zeros_like(value) if value.grad is None else value.grad
            stored[f"{name}/gradient/{key}"] = turned(gradient.numpy())
    np.savez_compressed(FOLDER / "torch_traced.npz", **stored)


main()

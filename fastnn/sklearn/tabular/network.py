"""The network of the tabular estimators, its optimizer and its rates: the recipe of RealMLP.

Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
Data", NeurIPS 2024. Its "neural tangent" layers, x W / sqrt(n_in), with one rate for all are here plain layers whose
initial weights, rates and decays have the factor: with Adam, that is the same training.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from ... import nn, optim
from ...nn.module import Module
from ..building import activation_layer

BIAS_RATE, SCALE_RATE = 0.1, 6.0  # factors of the learning rate
BETAS = 0.9, 0.95


@dataclass
class Recipe:
    """The sizes and numbers of a network, all that is needed to build it again."""

    numbers: int
    tables: list[int]
    outputs: int
    hidden: list[int]
    activation: str
    dropout: float
    embedding_dim: int

    def state(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

    def size(self) -> int:
        """The number of parameters of the network."""
        dims = [min(self.embedding_dim, codes) for codes in self.tables]
        widths = [self.numbers + sum(dims), *self.hidden, self.outputs]
        tables = sum(codes * dim for codes, dim in zip(self.tables, dims, strict=True))
        return self.numbers + tables + sum((a + 1) * b for a, b in pairwise(widths))


class Scale(Module):
    """A trainable factor for each feature: y = x * scale, the first layer of RealMLP."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features
        self.add_parameter("scale", (features,), 1.0)

    def forward(self, x: Any) -> Any:
        """The product."""
        return x * self["scale"]


def build(recipe: Recipe, seed: int) -> nn.Sequential:
    """The network; output layers start as 0, as RealMLP's."""
    branches: list[Module] = [nn.Sequential(nn.Columns(slice(0, recipe.numbers)), Scale(recipe.numbers))]
    for i, codes in enumerate(recipe.tables):
        dim = min(recipe.embedding_dim, codes)
        branches.append(nn.Sequential(nn.Columns([recipe.numbers + i]), nn.Embedding(codes, dim, padding_idx=0)))
    width = recipe.numbers + sum(min(recipe.embedding_dim, codes) for codes in recipe.tables)
    layers: list[Module] = [nn.Concat(*branches)] if recipe.tables else list(branches)
    for size in recipe.hidden:
        start = nn.init.Normal(std=1.0 / math.sqrt(width))
        layers += [nn.Linear(width, size, weight_init=start, bias_init=nn.init.Normal()),
                   activation_layer(recipe.activation)]  # fmt: skip
        if recipe.dropout:
            layers.append(nn.Dropout(recipe.dropout))
        width = size
    layers.append(nn.Linear(width, recipe.outputs, weight_init=0.0, bias_init=0.0))
    return nn.Sequential(*layers, seed=seed, dtype="float32")


def make_optimizer(net: nn.Sequential, rate: float, decay: float) -> optim.Optimizer:
    """AdamW with a group for each width of weights, for biases, and for factors of features; tables have `rate`."""
    linear = [layer["weight"] for layer in net.modules() if isinstance(layer, nn.Linear)]
    groups: list[dict[str, Any]] = []
    for width in sorted({len(weight) for weight in linear}):
        root = math.sqrt(width)
        weights = [weight for weight in linear if len(weight) == width]
        groups.append({"params": weights, "lr": rate / root, "weight_decay": decay * root})
    groups.append({"params": "*.bias", "lr": rate * BIAS_RATE, "weight_decay": 0.0})
    groups.append({"params": "*.scale", "lr": rate * SCALE_RATE, "weight_decay": 0.0})
    return optim.AdamW(net.parameters(), lr=rate, betas=BETAS, weight_decay=decay, groups=groups)


def coslog(steps: int, cycles: int = 4) -> Any:
    """The rate's factor at each step: cosine cycles, each twice as long as the one before ("coslog4" of RealMLP).

    0.5 - 0.5 cos(2 pi log2(1 + (2^cycles - 1) t)), where t goes from 0 to 1.
    """

    def factor(step: int) -> float:
        t = min(1.0, (step + 1) / (steps + 1))
        return 0.5 - 0.5 * math.cos(2.0 * math.pi * math.log2(1.0 + (2**cycles - 1) * t))

    return factor

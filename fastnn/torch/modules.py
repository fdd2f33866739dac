"""Torch modules for what `fastnn.nn` has and `torch.nn` has not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as T


def add_submodule(parent: torch.nn.Module, name: str, module: torch.nn.Module) -> None:
    """Add a module under a name that may have dots, by modules in between."""
    first, _, rest = name.partition(".")
    if not rest:
        parent.add_module(first, module)
        return
    if not hasattr(parent, first):
        parent.add_module(first, torch.nn.Module())
    add_submodule(parent.get_submodule(first), rest, module)


class Residual(torch.nn.Module):  # type: ignore[misc]
    """body(x) + shortcut(x), or + x."""

    def __init__(self, body: torch.nn.Module, shortcut: torch.nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Shape (..., features)."""
        return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


class Concat(torch.nn.Module):  # type: ignore[misc]
    """The outputs of branches side by side."""

    def __init__(self, branches: Mapping[str, torch.nn.Module]) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (..., sum of the features of the branches)."""
        return torch.cat([branch(x) for branch in self.children()], -1)


class Temperature(torch.nn.Module):  # type: ignore[misc]
    """x / temperature, which is trained."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.temperature = torch.nn.Parameter(torch.ones(tuple(shape)))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (..., features)."""
        return x / self.temperature


class Function(torch.nn.Module):  # type: ignore[misc]
    """A function of a tensor, named in printed models."""

    def __init__(self, name: str, function: Callable[[Tensor], Tensor], training_only: bool = False) -> None:
        super().__init__()
        self.name, self.function, self.training_only = name, function, training_only

    def forward(self, x: Tensor) -> Tensor:
        """The function of x; noise only in training mode."""
        return x if self.training_only and not self.training else self.function(x)

    def extra_repr(self) -> str:
        """The name."""
        return self.name


class Graph(torch.nn.Module):  # type: ignore[misc]
    """Values computed one after the other: what `nn.tracing` makes of a forward, in training and in inference."""

    def __init__(
        self,
        layers: Mapping[str, torch.nn.Module],
        parameters: Mapping[str, Sequence[int]],
        steps: Mapping[bool, tuple[Sequence[Callable[[Any, list[Tensor]], Tensor]], int]],
    ) -> None:
        super().__init__()
        for name, shape in parameters.items():
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(tuple(shape))))
        for name, layer in layers.items():
            add_submodule(self, name, layer)
        self.steps = dict(steps)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (..., features)."""
        values = [x]
        steps, output = self.steps[self.training]
        for step in steps:
            values.append(step(self, values))
        return values[output]


def swiglu(x: Tensor) -> Tensor:
    """silu(a) * b, where x = [a, b]."""
    a, b = x.chunk(2, -1)
    return T.silu(a) * b

"""What the compiler asks of layers, losses, optimizers and data: the classes above it, as far as it knows them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from .._validation import Array

# The name of a parameter, its values and its gradient.
NamedParameter = tuple[str, Array, Array]


class Layer(Protocol):
    """A layer of `nn`."""

    training: bool

    def modules(self) -> Any:
        """The layer and those that it is made of."""

    def trained_names(self) -> tuple[str, ...]:
        """The names of its own parameters that are trained."""

    def array(self, name: str) -> Any:
        """The values of a parameter, None if the layer has none of that name."""

    def gradient(self, name: str) -> Any:
        """The gradient of a parameter, likewise."""

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all parameters by name."""

    def buffers(self) -> tuple[str, ...]:
        """The names of the arrays that are kept but not trained."""

    def buffer(self, name: str) -> Any:
        """One of them."""

    def in_features_hint(self) -> int | None:
        """The number of input features; None if any will do."""

    def out_features_for(self, in_features: int) -> int:
        """The number of output features for so many input features."""

    def forward(self, x: Array) -> Array:
        """The output, of a layer that is written in Python."""

    def backward(self, grad_output: Array) -> Array:
        """The gradient of its last input."""


class Node(Protocol):
    """A layer in its place in a network."""

    @property
    def layer(self) -> Any:
        """The layer; its `plan(builder, label, position)` adds its operations."""

    @property
    def name(self) -> str:
        """Its name in the network."""

    @property
    def position(self) -> int:
        """Its number in the network: it decides the random streams of dropout."""

    @property
    def title(self) -> str:
        """What printed programs call it, instead of its name and class."""

    @property
    def branches(self) -> Any:
        """The chains of nodes that it joins, if it does."""


class Loss(Protocol):
    """A loss of `nn`."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads whose losses it adds up."""

    @property
    def threshold(self) -> float | None:
        """Above which an output predicts label 1; None where outputs are no labels."""

    @property
    def ignored(self) -> int:
        """The class index of rows that do not count."""

    @property
    def reduction(self) -> str:
        """Either "mean", "batchmean" or "sum"."""

    @property
    def by_elements(self) -> bool:
        """Whether it is a mean over elements, which may have weights of their own."""

    @property
    def classes(self) -> bool:
        """Whether outputs are scores over classes, and targets may be class indices."""

    def plan(self, plan: Any, labels: Any) -> None:
        """Add its operations to a builder."""


class Optimizer(Protocol):
    """An optimizer of `optim`."""

    rule: Any  # name of the kernel
    params: Any
    param_groups: Any
    max_grad_norm: Any
    max_grad_value: Any

    def arrays(self, l1: float = ..., l2: float = ...) -> dict[str, Array]:
        """All arrays that an update reads and writes, by operand."""


class Average(Protocol):
    """An average of the parameters, of `optim`."""

    data: Array
    settings: Array
    seen: Array


class Targets(Protocol):
    """Data, as far as counters look at them."""

    y: Any
    mix: Any
    labels: Any
    dtype: np.dtype[Any]
    y_dtype: np.dtype[Any]  # of y in its batches
    missing: bool

    @property
    def by_elements(self) -> bool:
        """Whether there is a weight for each element."""

    def __len__(self) -> int: ...

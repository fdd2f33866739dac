"""A module whose forward is data: a list of steps, as models of other libraries are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import _validation as check
from .. import functional as F
from .._core import dispatch
from .module import Module
from .tracing.functions import LAYERS

Array = check.Array

# Functions of one matrix and numbers, by their names in `functional`: those that a trace takes.
FUNCTIONS = frozenset(
    name for name in F.__all__ if dispatch.PLACES.get(name, (0, ""))[1] == "map1" or name in set(LAYERS) - {"dropout"}
)
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "power": lambda a, n: a**n,
    "identity": lambda a: a,
    "columns": lambda a, start, stop, step=None: a[:, slice(start, stop, step)],
    "take": lambda a, which: a[:, which],
    "chunk": lambda a, chunks, i: _chunk(a, chunks, i),
    "concat": lambda *parts: parts[0].concat(parts, -1),
    "sum": lambda a: a.sum(-1, keepdim=True),
    "mean": lambda a: a.mean(-1, keepdim=True),
    "max": lambda a: a.max(-1, keepdim=True),
    "linear": lambda a, weight, bias=None: F.linear(a, weight, bias),
    "linear_t": lambda a, weight, bias=None: F.linear(a, weight.T, bias),
    **{name: getattr(F, name) for name in sorted(FUNCTIONS)},
}


class GraphModule(Module):
    """A module whose forward is a list of steps; `fastnn.torch.from_torch` makes it of a traced PyTorch module.

    Step i computes value i + 1 from earlier ones; value 0 is the input, the last value the output. Its parameters and
    layers are trained, saved and named as those of a module with a `forward`.

    Parameters
    ----------
    layers : dict of str to Module
        The layers that steps call. Names may have dots: "body.0".
    steps : sequence of sequences
        (operation, operand, ...). An operation is "layer", with the name of a layer and a value, or one of add,
        subtract, multiply, divide, negative, power, identity, columns (start, stop, step), take (a list of columns),
        chunk (number of chunks, which), concat, sum, mean, max (over the features), linear (x w + b), linear_t
        (x w^T + b), dropout, and elementwise functions, softmax and gates of `functional`. An operand is "%i", value i;
        "@w", the parameter w of the module, or of a layer, "@fc.weight"; a number, or a list of numbers.
    shapes : dict of str to tuple of int, optional
        Parameters of the module itself; initially 0.
    seed : int in [0, 2^64), optional
        Seed of the initial values of a module that is used alone; in a network the network's seed counts.
    dtype : {"float32", "float64"}, default "float32"
        Of a module that is used alone; in a network the network's dtype counts.

    Raises
    ------
    TypeError, ValueError
        If there is no step, an operation is unknown, or a step uses a value, layer or parameter that is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import nn
    >>> layers = {"fc": nn.Linear(2, 2, weight_init="eye", bias_init=0.0)}
    >>> steps = [("layer", "fc", "%0"), ("relu", "%1"), ("add", "%2", "%0"), ("multiply", "%3", 0.5)]
    >>> nn.GraphModule(layers, steps).predict(np.array([[-1.0, 3.0]], "float32")).tolist()
    [[-0.5, 3.0]]
    """

    fixed = ("layers", "steps", "shapes")

    def __init__(
        self,
        layers: Mapping[str, Module],
        steps: Sequence[Sequence[Any]],
        shapes: Mapping[str, Sequence[int]] | None = None,
        *,
        seed: int | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__()
        self.seed = None if seed is None else check.check_seed(seed)
        self.dtype = check.check_dtype(dtype)
        self.layers = dict(layers)
        for name, layer in self.layers.items():
            if not isinstance(layer, Module):
                raise TypeError(f"layers[{name!r}] must be a Module, got {type(layer).__name__}")
        self.shapes = {name: tuple(shape) for name, shape in (shapes or {}).items()}
        for name, shape in self.shapes.items():
            self.add_parameter(name, shape)
        self.steps = [list(step) for step in steps]
        if not self.steps:
            raise ValueError("steps must have at least one step, whose value is returned")
        for i, step in enumerate(self.steps):
            self._check_step(i, step)

    def _check_step(self, i: int, step: list[Any]) -> None:
        """Raise an error unless step i is one that can be computed from the values before it."""
        if not step or not isinstance(step[0], str) or not (step[0] in OPERATIONS or step[0] in ("layer", "dropout")):
            raise ValueError(f"step {i}, {step!r:.60}: the operation is unknown")
        operands = step[1:]
        if step[0] == "layer":
            if not operands or operands[0] not in self.layers:
                raise ValueError(f"step {i}, {step!r:.60}: there is no such layer; there are {', '.join(self.layers)}")
            operands = operands[1:]
        for operand in operands:
            if isinstance(operand, str):
                self._check_reference(i, operand)
            elif not (operand is None or _is_numbers(operand)):
                raise TypeError(f"step {i}: an operand must be '%value', '@parameter' or numbers, got {operand!r:.60}")

    def _check_reference(self, i: int, operand: str) -> None:
        kind, name = operand[:1], operand[1:]
        layer, _, own = name.rpartition(".")
        if kind == "@" and (name in self.shapes or own in self.layers.get(layer, self).parameter_shapes()):
            return
        if kind != "%" or not name.isdecimal() or int(name) > i:
            raise ValueError(f"step {i}: there is no {operand!r:.60} before it: values are '%0' to '%{i}'")

    def named_children(self) -> dict[str, Module]:
        return self.layers

    def config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("layers", "steps", "shapes", "seed", "dtype")}

    def forward(self, x: Array) -> Any:
        """Compute the steps; it is traced, so that x is a symbol."""
        values: list[Any] = [x]
        for name, *operands in self.steps:
            if name == "layer":
                values.append(self.layers[operands[0]](values[int(operands[1][1:])]))
                continue
            given = [self._operand(values, operand) for operand in operands]
            function = self._dropout if name == "dropout" else OPERATIONS[name]
            values.append(function(*given))
        return values[-1]

    def _dropout(self, x: Any, p: float = 0.5) -> Any:
        return F.dropout(x, p, training=self.training)

    def _operand(self, values: list[Any], operand: Any) -> Any:
        if not isinstance(operand, str):
            return operand
        name = operand[1:]
        if operand[0] == "%":
            return values[int(name)]
        layer, _, own = name.rpartition(".")
        return self[name] if name in self.shapes else self.layers[layer][own]

    def extra_repr(self) -> str:
        return f"{len(self.steps)} steps"


def _chunk(a: Any, chunks: int, i: int) -> Any:
    """Part i of the features in so many chunks, of equal size but the last; PyTorch's chunk."""
    size = -(-a.trace.width(a) // chunks)
    return a[:, i * size : (i + 1) * size]


def _is_numbers(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_numbers(item) for item in value)
    return isinstance(value, (int, float)) and not math.isnan(value)

"""Networks from Keras models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from .. import nn
from .._frames import errors_of_use
from ..nn.graph_module import FUNCTIONS
from ..nn.unsupported import Unsupported, refuse
from .layers import Made, made

# Merging layers and operations of keras.ops, by the names of their classes.
BINARY = {"Add": "add", "Subtract": "subtract", "Multiply": "multiply", "Divide": "divide", "TrueDivide": "divide"}
REDUCTIONS = {"Sum": "sum", "Mean": "mean", "Max": "max"}
PLAIN = {name.replace("_", ""): name for name in FUNCTIONS}


@errors_of_use
def from_keras(model: Any) -> Any:
    """Make a network of a Keras model, with its values.

    Parameters
    ----------
    model : keras.Sequential or keras.Model
        Built. Sequential, or Functional with one input and one output: Dense, activations, normalizations, dropout and
        noise, Embedding, Flatten, Rescaling, Add, Subtract, Multiply, Average, Concatenate, operators and
        elementwise functions of keras.ops, and models of these. Of float32 or float64.

    Returns
    -------
    net : Sequential or GraphModule
        A Dense with an activation is two layers. Layers that are not trainable are frozen, a BatchNormalization too.

    Raises
    ------
    TypeError
        If it has layers or operations that fastnn does not have: the message names all of them.
    ValueError
        If it is not built, or of another dtype.

    Notes
    -----
    Outputs and gradients are those of Keras but for rounding, training steps with `compat="keras"` of the optimizer.
    The running variance of BatchNormalization is the biased one in Keras, and the unbiased one here, as in PyTorch:
    after further training it is rows / (rows - 1) times as large.

    Examples
    --------
    >>> import keras
    >>> import fastnn.keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
    >>> [type(layer).__name__ for layer in fastnn.keras.from_keras(model)]
    ['Linear', 'ReLU', 'Linear']
    """
    if not isinstance(model, keras.Sequential) and not hasattr(model, "_nodes_by_depth"):
        raise TypeError(f"model must be a Sequential or Functional model of Keras, got {type(model).__name__}")
    if not model.built:
        raise ValueError("model is not built: give it a keras.Input, or call it once")
    dtype = keras.backend.standardize_dtype(model.dtype)
    if dtype not in ("float32", "float64"):
        raise ValueError(f"model is {dtype}, networks are float32 or float64")
    reader = Reader(dtype)
    net = reader.model(model)
    refuse(reader.problems)
    for theirs, ours, values in reader.pairs:
        _copy(theirs, ours, values)
    return net


class Reader:
    """Makes layers of Keras' layers, and remembers which of which."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.pairs: list[tuple[Any, nn.Module, dict[str, str]]] = []
        self.problems: list[str] = []

    def model(self, model: Any) -> nn.Module:
        """The network of a model."""
        if isinstance(model, keras.Sequential):
            layers = [part for layer in model.layers for part in self.layer(layer)]
            return nn.Sequential(*layers, dtype=self.dtype)
        return self.graph(model)

    def layer(self, layer: Any) -> Iterator[nn.Module]:
        """The layer for one of Keras', and its activation; nothing, and a problem noted, where there is none."""
        if isinstance(layer, keras.Model):
            yield self.model(layer)
            return
        try:
            result = self.made(layer)
        except Unsupported as problem:
            self.problems.append(str(problem))
            return
        yield result.layer
        if result.activation is not None:
            yield result.activation

    def made(self, layer: Any) -> Made:
        """The layer for one of Keras', which is remembered."""
        shape = layer.input.shape if not isinstance(layer.input, (list, tuple)) else layer.input[0].shape
        features = math.prod(size for size in shape[1:] if size is not None)
        result = made(layer, features)
        self.pairs.append((layer, result.layer, result.values))
        return result

    def graph(self, model: Any) -> nn.Module:
        """The module for a Functional model: its nodes in order."""
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            self.problems.append(f"{len(model.inputs)} inputs and {len(model.outputs)} outputs")
            return nn.Identity()
        graph = Graph(self)
        graph.values[id(model.inputs[0])] = "%0"
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                graph.read(node)
        output = graph.values.get(id(model.outputs[0]))
        if self.problems or output is None:
            return nn.Identity()
        graph.steps.append(["identity", output])
        return nn.GraphModule(graph.layers, graph.steps, dtype=self.dtype)


class Graph:
    """The steps of a Functional model."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.values: dict[int, str] = {}  # by id of the KerasTensor
        self.layers: dict[str, nn.Module] = {}
        self.known: dict[int, list[str]] = {}  # the names of the layers for one of Keras', by its id
        self.steps: list[Any] = []

    def step(self, name: str, *operands: Any) -> str:
        """Add a step; returns its value."""
        self.steps.append([name, *operands])
        return f"%{len(self.steps)}"

    def read(self, node: Any) -> None:
        """Add the steps of a node; what there is none for is noted among the problems."""
        operation = node.operation
        if type(operation).__name__ == "InputLayer":
            return
        arguments = list(node.arguments.args)
        operands = arguments[0] if arguments and isinstance(arguments[0], (list, tuple)) else arguments
        operands = [self.values.get(id(a), a) for a in operands]
        try:
            value = self.value(operation, operands, dict(node.arguments.kwargs))
        except Unsupported as problem:
            self.reader.problems.append(str(problem))
            value = "%0"
        self.values[id(node.output_tensors[0])] = value

    def value(self, operation: Any, operands: list[Any], keywords: dict[str, Any]) -> str:
        """The value of an operation."""
        name = type(operation).__name__
        if name in BINARY or name == "Average":
            value = operands[0]
            for operand in operands[1:]:
                value = self.step(BINARY.get(name, "add"), value, operand)
            return self.step("divide", value, float(len(operands))) if name == "Average" else value
        if name == "Concatenate":
            if operation.axis not in (-1, 1):
                raise Unsupported(f"Concatenate(axis={operation.axis})")
            return self.step("concat", *operands)
        if isinstance(operation, keras.layers.Layer):
            return self.called(operation, operands)
        if name == "Negative":
            return self.step("negative", *operands)
        if name in REDUCTIONS and operation.axis in (-1, 1, [-1], [1], (-1,), (1,)) and operation.keepdims:
            return self.step(REDUCTIONS[name], *operands)
        if name == "GetItem":
            return self.columns(*operands)
        if name.lower() in PLAIN and not _parameters(operation):
            return self.step(PLAIN[name.lower()], operands[0])
        raise Unsupported(f"the operation {name}")

    def columns(self, x: Any, key: Any) -> str:
        """x[:, a:b]"""
        if isinstance(key, tuple) and len(key) == 2 and key[0] == slice(None) and isinstance(key[1], slice):
            return self.step("columns", x, key[1].start, key[1].stop, key[1].step)
        raise Unsupported("an index but of columns, x[:, a:b]")

    def called(self, layer: Any, operands: list[Any]) -> str:
        """The call of a layer; of one that was called before, its layers again."""
        if id(layer) not in self.known:
            parts = list(self.reader.layer(layer))
            names = [layer.name.replace(".", "_"), f"{layer.name}_activation".replace(".", "_")][: len(parts)]
            self.known[id(layer)] = names
            self.layers |= dict(zip(names, parts, strict=True))
        value = operands[0]
        for name in self.known[id(layer)]:
            value = self.step("layer", name, value)
        return value


def _parameters(operation: Any) -> bool:
    """Whether an operation of keras.ops has an argument that is not the default."""
    given = {
        key: value
        for key, value in vars(operation).items()
        if not key.startswith("_") and key not in ("name", "dtype_policy")
    }
    return any(value not in (-1, None, False, 1.0) for value in given.values() if isinstance(value, (int, float, str)))


def _copy(theirs: Any, ours: nn.Module, values: dict[str, str]) -> None:
    """Copy the values of a layer, and whether it is trained."""
    for name, other in values.items():
        variable = getattr(theirs, other)
        target = ours.array(name) if name in ours.parameter_shapes() else ours.buffer(name)
        assert target is not None
        target[...] = np.asarray(keras.ops.convert_to_numpy(variable)).reshape(target.shape)
    if ours.parameter_shapes() and not theirs.trainable:
        ours.requires_grad_(False)

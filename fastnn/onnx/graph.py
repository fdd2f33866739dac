"""The graph of a model: its constants, after folding, its nodes, and the shapes of values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, TypeProto

from .._validation import Array
from ..files.format import FileFormatError
from .folding import UNKNOWN, fold
from .reading import array, attributes
from .shapes import WRONG, Shape, known, output_shapes

FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
# Operators that return their first input where its values stay the same.
RESHAPING = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")


@dataclass(frozen=True)
class Node:
    """A node, with its attributes as Python values."""

    op: str  # with the domain before it, except for the operators of ONNX itself
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    version: int

    def get(self, key: str, default: Any) -> Any:
        """An attribute; text is decoded."""
        value = self.attributes.get(key, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class Graph:
    """Values by name, from a model whose functions are inlined.

    Attributes
    ----------
    inputs : dict of str to int
        The element types of the inputs.
    outputs : tuple of str
    constants : dict of str to ndarray
    makers : dict of str to Node
        The node of each value that is not constant.
    shapes : dict of str to tuple
    """

    def __init__(self, model: ModelProto, label: Any) -> None:
        self.label = label
        self.versions = {opset.domain: opset.version for opset in model.opset_import}
        graph = model.graph
        if graph.sparse_initializer:
            raise ValueError(f"{label}: sparse initializers are not supported")
        self.constants: dict[str, Array] = {}
        for tensor in graph.initializer:
            self.constants[tensor.name] = array(tensor, f"{label}: initializer {tensor.name!r:.60}")
        self.values = sum(constant.size for constant in self.constants.values())
        given = [value for value in graph.input if value.name not in self.constants]
        self.inputs = {value.name: value.type.tensor_type.elem_type for value in given}
        if len(self.inputs) < len(given):
            raise FileFormatError(f"{label} is damaged: two inputs have one name")
        self.outputs = tuple(value.name for value in graph.output)
        self.kinds = {value.name: value.type for value in (*graph.output, *graph.value_info, *graph.input)}
        self.makers: dict[str, Node] = {}
        self.aliases: dict[str, str] = {}
        nodes = self._nodes(graph)
        self.shapes: dict[str, Shape] = {name: values.shape for name, values in self.constants.items()}
        widths = _input_widths(nodes, self.constants)
        for value in given:
            self.shapes[value.name] = _declared(value.type, widths.get(value.name))
        self._settle(nodes)

    # -- nodes ---------------------------------------------------------------------------------------------------------

    def _nodes(self, graph: GraphProto) -> list[Node]:
        nodes = []
        for i, proto in enumerate(graph.node):
            domain = "" if proto.domain == "ai.onnx" else proto.domain
            op = f"{domain}:{proto.op_type}" if domain else proto.op_type
            name = proto.name or (proto.output[0] if proto.output else f"number {i}")
            where = f"{self.label}: node {name!r:.60} ({op:.40})"
            version = self.versions.get(domain, self.versions.get(domain or "ai.onnx", 0))
            inputs, outputs = tuple(proto.input), tuple(proto.output)
            nodes.append(Node(op, name, inputs, outputs, attributes(proto, where), version))
        return nodes

    def _settle(self, nodes: list[Node]) -> None:
        """Fold constants, find outputs that equal an input (aliases), and note the node of each value."""
        computed = {"", *self.constants, *self.inputs}
        for node in nodes:
            where = f"{self.label}: node {node.name!r:.60} ({node.op:.40})"
            for name in node.inputs:
                if name not in computed:
                    raise FileFormatError(f"{where} is damaged: its input {name!r:.60} is not computed before it")
            for name in node.outputs:
                if name and name in computed:
                    raise FileFormatError(f"{where} is damaged: its output {name!r:.60} is there already")
            computed.update(node.outputs)
            try:
                constant = self._constant(node)
            except FileFormatError:
                raise
            except WRONG as error:
                raise FileFormatError(f"{where} is damaged: it cannot be computed ({error!s:.80})") from None
            if constant is not None:
                self.constants[node.outputs[0]], self.shapes[node.outputs[0]] = constant, constant.shape
                continue
            self._find_shapes(node)
            if node.outputs and (source := self._same(node)) is not None:
                self.aliases[node.outputs[0]] = self.resolve(source)
            for name in node.outputs:
                if name:
                    self.makers[name] = node

    def _constant(self, node: Node) -> Array | None:
        if len(node.outputs) != 1:
            return None
        if node.op == "Shape" and node.inputs:
            if node.inputs[0] in self.constants:
                return np.asarray(self.constants[node.inputs[0]].shape, "int64")
            shape = self.shapes.get(node.inputs[0])
            part = slice(node.attributes.get("start", 0), node.attributes.get("end"))
            return None if shape is None else np.asarray([UNKNOWN if n is None else n for n in shape][part], "int64")
        if node.op == "CastLike" and node.inputs:  # constants take part in arithmetic as numbers, of whatever dtype
            return self.constants.get(node.inputs[0])
        inputs = [self.constants.get(name) for name in node.inputs if name]
        if any(value is None for value in inputs) or len(inputs) < len(node.inputs):
            return None
        return fold(node.op, node.attributes, [value for value in inputs if value is not None])

    def _same(self, node: Node) -> str | None:
        """The input that the output is equal to, seen as rows of features; None if it is another value."""
        if not node.inputs or len([name for name in node.outputs if name]) != 1:
            return None
        first = node.inputs[0]
        if node.op in ("Identity", "CastLike") or (node.op == "Cast" and node.attributes.get("to") in FLOATS):
            return first
        if node.op in RESHAPING:
            before, after = self.shapes.get(first), self.shapes.get(node.outputs[0])
            if before and after and None not in before[1:] and None not in after[1:] and before[0] == after[0]:
                return first if math.prod(known(before[1:])) == math.prod(known(after[1:])) else None
        return None

    def _find_shapes(self, node: Node) -> None:
        """Note the shapes of the outputs: by the rule of the operator, or else those that the file declares."""
        inputs = [name for name in node.inputs if name]
        constants = [self.constants.get(name) for name in node.inputs]
        found = output_shapes(node, [self.shapes.get(name) for name in inputs], constants)
        for i, name in enumerate(node.outputs):
            if name and i < len(found):
                self.shapes[name] = found[i]
            elif name in self.kinds and self.kinds[name].tensor_type.HasField("shape"):
                self.shapes[name] = _declared(self.kinds[name])

    # -- values --------------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> str:
        """The first name of a value."""
        return self.aliases.get(name, name)

    def constant(self, name: str) -> Array | None:
        """The values of a constant; None for other values."""
        return self.constants.get(name)

    def scalar(self, name: str) -> float | None:
        """A constant of one number; None for other values."""
        values = self.constants.get(name)
        return (
            float(values.ravel()[0]) if values is not None and values.size == 1 and values.dtype.kind in "fiu" else None
        )

    def maker(self, name: str, *ops: str) -> Node | None:
        """The node that computes a value, if it has one of these operators."""
        node = self.makers.get(self.resolve(name))
        return node if node is not None and node.op in ops else None


def _declared(kind: TypeProto, width: int | None = None) -> Shape:
    """The shape that a file declares; `width` is the number of features, where it is known from elsewhere."""
    if width is not None and not kind.tensor_type.HasField("shape"):
        return None, width
    axes = kind.tensor_type.shape.dim
    shape = [axis.dim_value if axis.HasField("dim_value") and axis.dim_value >= 0 else None for axis in axes]
    if shape and not shape[0]:  # rows that are declared as 0, as skl2onnx does, are any number
        shape[0] = None
    if shape and width is not None and shape[-1] is None:
        shape[-1] = width
    return tuple(shape)


def _input_widths(nodes: list[Node], constants: dict[str, Array]) -> dict[str, int]:
    """The numbers of features that products take, by the names of the values that they take."""
    widths, same = dict[str, int](), dict[str, str]()
    for node in nodes:
        if node.op in ("Identity", "Cast") and node.inputs and node.outputs:
            same[node.outputs[0]] = same.get(node.inputs[0], node.inputs[0])
        if node.op in ("Gemm", "MatMul") and len(node.inputs) > 1:
            weight = constants.get(node.inputs[1])
            if weight is not None and weight.ndim == 2:
                name = same.get(node.inputs[0], node.inputs[0])
                widths[name] = weight.shape[1 if node.attributes.get("transB") else 0]
    return widths

"""The graph of a model: its constants, after folding, its nodes, and the shapes of values."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper, shape_inference

from .._validation import Array
from ..files.format import FileFormatError
from .folding import UNKNOWN, fold
from .reading import array, attributes

Shape = tuple[int | None, ...]  # None is a length that is not known, such as the number of rows
FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
# Operators that return their first input where its values stay the same.
RESHAPING = ("Reshape", "Flatten", "Squeeze", "Unsqueeze")
PASSES = 4
SMALL = 256  # values of an initializer that shape inference may need


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
        self.stored = frozenset(self.constants)
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
        for _ in range(PASSES):  # shapes that are computed from shapes are known to the inference of the next pass
            known = len(self.constants)
            self.shapes = _inferred(model, nodes, self.constants)
            self._settle(nodes)
            if len(self.constants) == known or not any(node.op == "Shape" for node in nodes):
                break

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
        known = {"", *self.stored, *self.inputs}
        self.makers, self.aliases = {}, {}
        for node in nodes:
            where = f"{self.label}: node {node.name!r:.60} ({node.op:.40})"
            for name in node.inputs:
                if name not in known:
                    raise FileFormatError(f"{where} is damaged: its input {name!r:.60} is not computed before it")
            for name in node.outputs:
                if name and name in known:
                    raise FileFormatError(f"{where} is damaged: its output {name!r:.60} is there already")
            known.update(node.outputs)
            try:
                constant = self._constant(node)
            except FileFormatError:
                raise
            except (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError, ZeroDivisionError) as e:
                raise FileFormatError(f"{where} is damaged: it cannot be computed ({e!s:.80})") from None
            if constant is not None:
                self.constants[node.outputs[0]] = constant
                continue
            self._complete(node)
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
                return first if math.prod(_known(before[1:])) == math.prod(_known(after[1:])) else None
        return None

    # -- shapes --------------------------------------------------------------------------------------------------------

    def _complete(self, node: Node) -> None:
        """Find shapes that the inference of onnx leaves open: those that follow from a computed target."""
        if not node.inputs or not node.outputs:
            return
        first, output = self.shapes.get(node.inputs[0]), node.outputs[0]
        if first is None:
            return
        found = self.shapes.get(output)
        if node.op == "Reshape" and len(node.inputs) > 1 and node.inputs[1] in self.constants:
            self.shapes[output] = _reshaped(first, self.constants[node.inputs[1]], bool(node.get("allowzero", 0)))
        elif node.op == "Flatten" and node.get("axis", 1) == 1 and len(first) > 1 and None not in first[1:]:
            self.shapes[output] = first[0], math.prod(_known(first[1:]))
        elif found is None or None in found[1:]:
            followed = first if node.op in ELEMENTWISE else self._following(node)
            if followed is not None and None not in followed[1:]:
                self.shapes[output] = followed

    def _following(self, node: Node) -> Shape | None:
        """The shape of a product or of arithmetic behind an operator that onnx infers nothing for."""
        shapes = [self.shapes.get(name) for name in node.inputs[:2]]
        if len(shapes) < 2 or shapes[0] is None or shapes[1] is None:
            return None
        first, second = shapes[0], shapes[1]
        if node.op in ("Gemm", "MatMul") and len(second) == 2:
            return (*first[:-1], second[0 if node.attributes.get("transB") else 1])
        if node.op in ("Add", "Sub", "Mul", "Div"):
            rank = max(len(first), len(second))
            pairs = zip(*((1,) * (rank - len(shape)) + shape for shape in (first, second)), strict=True)
            return tuple(b if a == 1 else a for a, b in pairs)
        return None

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


# Operators whose output has the shape of their first input.
ELEMENTWISE = frozenset((
    "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign", "HardSigmoid", "HardSwish",
    "Gelu", "Mish", "Swish", "PRelu", "Clip", "Cast", "Identity", "Dropout", "Erf", "Exp", "Abs", "Softmax",
    "LogSoftmax", "LayerNormalization", "BatchNormalization", "RMSNormalization", "ai.onnx.ml:Scaler",
    "ai.onnx.ml:Normalizer", "ThresholdedRelu",
))  # fmt: skip


def _known(shape: Shape) -> list[int]:
    return [length for length in shape if length is not None]


def _reshaped(before: Shape, target: Array, allow_zero: bool) -> Shape:
    """The shape that Reshape gives; lengths that cannot be known are None."""
    wanted: list[int | None] = []
    for i, length in enumerate(target.ravel().tolist()):
        if length == 0 and not allow_zero:
            wanted.append(before[i] if i < len(before) else 0)
        else:
            wanted.append(None if length == UNKNOWN else int(length))
    if -1 not in wanted:
        return tuple(wanted)
    place = wanted.index(-1)
    others = [length for i, length in enumerate(wanted) if i != place]
    rest = math.prod(_known(before[1:])) if None not in before[1:] else None
    wanted[place] = None
    if rest is not None and None not in others:  # it takes the rows
        size = math.prod(_known(tuple(others)))
        wanted[place] = before[0] if place == 0 and size == rest else None
        if before[0] is not None and size:
            wanted[place] = before[0] * rest // size
    elif rest is not None and place > 0 and others.count(None) == 1 and wanted[0] is None and before[0] is None:
        size = math.prod(_known(tuple(others)))
        wanted[place] = rest // size if size and rest % size == 0 else None
    return tuple(wanted)


def _inferred(model: ModelProto, nodes: list[Node], constants: dict[str, Array]) -> dict[str, Shape]:
    """The shapes of all values as far as onnx can infer them, from a copy of the model without its weights."""
    skeleton = ModelProto()
    skeleton.CopyFrom(_stripped(model, constants))
    widths = _input_widths(nodes, constants)
    graph = skeleton.graph
    for name, values in constants.items():
        kind = helper.np_dtype_to_tensor_dtype(values.dtype) if values.dtype.kind in "fiub" else TensorProto.STRING
        if values.size > SMALL or (values == UNKNOWN).any():
            graph.input.append(helper.make_tensor_value_info(name, kind, values.shape))
        elif kind != TensorProto.STRING:
            graph.initializer.append(numpy_helper.from_array(values, name))
    for value in graph.input:
        axes = value.type.tensor_type.shape.dim
        if axes and axes[0].HasField("dim_value") and not axes[0].dim_value and value.name not in constants:
            axes[0].Clear()  # rows that are declared as 0, as skl2onnx does, are any number
        if value.name in widths and axes and not axes[-1].HasField("dim_value"):
            axes[-1].dim_value = widths[value.name]
    with contextlib.suppress(Exception):  # for a model that onnx cannot make sense of, what is declared is used
        graph = shape_inference.infer_shapes(skeleton, data_prop=True).graph
    shapes: dict[str, Shape] = {name: values.shape for name, values in constants.items()}
    for value in (*graph.value_info, *graph.output, *graph.input):
        tensor = value.type.tensor_type
        if value.name not in shapes and tensor.HasField("shape"):
            shapes[value.name] = tuple(
                axis.dim_value if axis.HasField("dim_value") and axis.dim_value >= 0 else None
                for axis in tensor.shape.dim
            )
    return shapes


def _stripped(model: ModelProto, constants: dict[str, Array]) -> ModelProto:
    """The model without what is constant; initializers that older files list as inputs too are left out there."""
    copy = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    copy.graph.name = "shapes"
    copy.graph.node.extend(node for node in model.graph.node if not any(name in constants for name in node.output))
    copy.graph.input.extend(value for value in model.graph.input if value.name not in constants)
    copy.graph.output.extend(model.graph.output)
    copy.graph.value_info.extend(model.graph.value_info)
    return copy


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

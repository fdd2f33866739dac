"""Modules whose forward is traced as ONNX nodes: a converter for each kind of value of the graph of a forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import nn
from ..compiler.graph import Value as Traced
from ..nn.registry import Above
from ..nn.structure import join
from ..nn.tracing.functions import Function, Tied
from .activation_nodes import write_activation
from .layer_nodes import CONVERTERS, converter, joined, write_layer
from .writer import Value, Writer

ARITHMETIC = {"add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div"}
ROWS = ("constant", "parameter")  # one row, the same for each sample

Joint = Callable[[Writer, Traced, list[Value]], Value]
# By the kind of a value, `compiler.joints.JOINTS`: the nodes that compute it from matrices.
JOINTS: dict[str, Joint] = {}


def joint(*kinds: str) -> Callable[[Joint], Joint]:
    """Register the nodes of a kind of value."""

    def register(write: Joint) -> Joint:
        JOINTS.update(dict.fromkeys(kinds, write))
        return write

    return register


def _traced(w: Writer, layer: nn.Module, x: Value) -> Value:
    """The nodes of the graph of a forward."""
    graph, name = Above.trace(layer, x.features, training=False).graph, w.scope
    results, single = {0: x}, set[int]()  # single: rows that operators repeat for each sample where it is needed
    for number in graph.live():
        value = graph.values[number]
        rows = [i in single for i in value.inputs]
        if value.kind == "expand" and all(rows):  # operators repeat one number of a row as well
            results[number] = Value(results[value.inputs[0]].name, value.cols)
            single.add(number)
            continue
        repeated = any(rows) and (value.kind not in ARITHMETIC or all(rows))
        inputs = [
            _for_each_sample(w, results[i], x) if row and repeated else results[i]
            for i, row in zip(value.inputs, rows, strict=True)
        ]
        if value.kind == "layer":
            results[number] = write_layer(w, value.node.layer, join(name, value.node.name), inputs[0])
            continue
        results[number] = JOINTS[value.kind](w, value, inputs)
        if value.kind in ROWS:
            single.add(number)
    output = results[graph.output]
    return _for_each_sample(w, output, x) if graph.output in single else output


CONVERTERS[nn.Module] = _traced


def _for_each_sample(w: Writer, row: Value, x: Value) -> Value:
    """A matrix with a row for each sample of x, all equal."""
    ends = [w.constant([number], "int64") for number in (0, 1, 0)]
    count = w.node("Slice", w.node("Shape", x.name), *ends)
    shape = w.node("Concat", count, w.constant([row.features], "int64"), axis=0)
    return Value(w.node("Expand", row.name, shape), row.features)


@joint(*ARITHMETIC)
def _arithmetic(w: Writer, value: Traced, inputs: list[Value]) -> Value:
    return Value(w.node(ARITHMETIC[value.kind], *(part.name for part in inputs)), value.cols)


@joint("concat")
def _concat(w: Writer, value: Traced, inputs: list[Value]) -> Value:
    return joined(w, inputs)


@joint("sum")
def _sum(w: Writer, value: Traced, inputs: list[Value]) -> Value:
    return Value(w.node("ReduceSum", inputs[0].name, w.constant([-1], "int64"), keepdims=1), 1)


@joint("expand")
def _expand(w: Writer, value: Traced, inputs: list[Value]) -> Value:
    return w.columns(inputs[0], [0] * value.cols)


@joint("constant")
def _constant(w: Writer, value: Traced, inputs: list[Value]) -> Value:
    return Value(w.constant(value.source), value.cols)


@joint("parameter")
def _parameter(w: Writer, value: Traced, inputs: list[Value]) -> Value:
    layer, name = value.source
    return Value(w.parameter(layer, name), value.cols)


@converter(Function)
def _function(w: Writer, layer: Function, x: Value) -> Value:
    return Value(write_activation(w, layer.kernel, x.name, layer.params), x.features)


@converter(Tied)
def _tied(w: Writer, layer: Any, x: Value) -> Value:
    """A product with the parameter of another layer, or its transpose; of a Bilinear that is read as a matrix."""
    names = [w.parameter(*layer.sources[key]) for key in ("weight", "bias") if key in layer.sources]
    source, key = layer.sources["weight"]
    if len(source.parameter_shapes()[key]) > 2:
        names[0] = w.reshape(names[0], *layer.sizes[::-1])
    return Value(w.node("Gemm", x.name, *names, transB=int(layer.transposed)), layer.sizes[1])


@converter(nn.Bilinear)
def _bilinear(w: Writer, layer: nn.Bilinear, x: Value) -> Value:
    """Within a forward it is written as a product, by `_tied`."""
    raise TypeError("Bilinear takes two inputs: export the network whose forward calls it")

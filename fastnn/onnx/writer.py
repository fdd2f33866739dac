"""A graph of ONNX nodes while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from .._validation import Array
from ..nn.structure import join


class Value(NamedTuple):
    """A matrix of the graph: its name, and its number of columns."""

    name: str
    features: int


class Writer:
    """Nodes and initializers, with names that are used once.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    opset : int
        The version of the operators.
    """

    def __init__(self, dtype: str, opset: int) -> None:
        self.dtype, self.opset = np.dtype(dtype), opset
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self.scope = ""
        self.layers: dict[int, str] = {}  # the names of layers, by id
        self._nets: list[Any] = []  # what they are of: an id is one as long as its layer is there
        self._names: set[str] = set()
        self._parameters: dict[tuple[int, str], str] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    @property
    def kind(self) -> int:
        """The element type of the network."""
        return TensorProto.FLOAT if self.dtype == "float32" else TensorProto.DOUBLE

    @contextmanager
    def within(self, scope: str) -> Iterator[None]:
        """Names that are made within begin with `scope`, the name of a layer."""
        before, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = before

    def register(self, net: Any, scope: str) -> None:
        """Have the parameters of a network be named after its layers, within `scope`."""
        self._nets.append(net)
        self.layers |= {id(layer): join(scope, name) for name, layer in net.named_modules()}

    def unused(self, name: str) -> str:
        """`name`, or with a number after it if it is used."""
        free, number = name, 2
        while free in self._names:
            free, number = f"{name}_{number}", number + 1
        self._names.add(free)
        return free

    def node(self, operator: str, *inputs: str, name: str | None = None, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output, whose name is returned; attributes that are None are left out."""
        label = self.unused(f"{self.scope}/{operator}" if self.scope else operator)
        output = self.unused(name or f"{label}.out")
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=label, domain=domain, **given))
        return output

    def initializer(self, name: str, array: Array) -> str:
        """Add an array of weights."""
        name = self.unused(name)
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def parameter(self, layer: Any, key: str) -> str:
        """The name of a parameter or buffer of a layer, that of `net.named_parameters()`; it is stored once."""
        place = id(layer), key
        if place not in self._parameters:
            name = self.layers.get(id(layer), self.scope)
            values = layer.buffer(key) if key in layer.buffers() else layer[key]
            self._parameters[place] = self.initializer(f"{name}.{key}" if name else key, values)
        return self._parameters[place]

    def constant(self, value: Any, dtype: Any = None) -> str:
        """The name of a constant, of the network's dtype if no other is given; equal ones are stored once."""
        array = np.asarray(value, self.dtype if dtype is None else dtype)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._constants:
            self._constants[key] = self.unused(f"constant_{len(self._constants)}")
            self.initializers[self._constants[key]] = numpy_helper.from_array(array, self._constants[key])
        return self._constants[key]

    def reduce(self, operator: str, x: str, axis: int, *, keepdims: bool = True) -> str:
        """A ReduceMean or another reduction over one axis; the axes are an input from opset 18 on, and not before."""
        if self.opset >= 18:
            return self.node(operator, x, self.constant([axis], "int64"), keepdims=int(keepdims))
        return self.node(operator, x, axes=[axis], keepdims=int(keepdims))

    def reshape(self, x: str, *shape: int) -> str:
        """A Reshape, where -1 is the number of rows."""
        return self.node("Reshape", x, self.constant(shape, "int64"))

    def columns(self, x: Value, places: Any) -> Value:
        """Selected columns: a Slice of those that follow each other, otherwise a Gather."""
        places = [int(place) for place in places]
        first = places[0] if places else 0
        if places == list(range(first, first + len(places))) and places:
            ends = [self.constant([number], "int64") for number in (first, first + len(places), 1)]
            return Value(self.node("Slice", x.name, *ends), len(places))
        return Value(self.node("Gather", x.name, self.constant(places, "int64"), axis=1), len(places))

    def finish(self, name: str, output: str) -> None:
        """Have a value be the output of the graph of that name: its node is renamed, or an Identity copies it."""
        readers = sum(list(node.input).count(name) for node in self.nodes)
        maker = next((node for node in self.nodes if name in node.output), None)
        if maker is not None and readers == 0:
            maker.output[0] = output
        else:
            self.nodes.append(helper.make_node("Identity", [name], [output], name=self.unused(f"{output}/Identity")))

    def graph(self, name: str, inputs: list[Any], outputs: list[Any]) -> GraphProto:
        """The graph of everything that was added."""
        return helper.make_graph(self.nodes, name, inputs, outputs, list(self.initializers.values()))

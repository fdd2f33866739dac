"""A trace: `forward` is run once with symbols, and what it does to them is noted as a graph (compiler/graph.py)."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...compiler.graph import Graph, Value
from ..module import Module
from ..registry import tracing
from ..structure import Node
from .errors import TraceError, explained
from .functions import Tied, as_layer
from .symbols import ParameterSymbol, Symbol


class WidthFound(BaseException):
    """Ends a trace that asks only for the number of features that the input must have: its argument, or None."""


class Trace:
    """The values of a forward, as they are noted.

    Parameters
    ----------
    module : Module
        Whose forward it is.
    features : int or None
        Of the input; None to find out what the module requires.
    nodes : dict of int to Node
        The layers that it is made of, by id.
    position : int
        Of the module in its network: random functions of it draw by that.
    name : str
        Of the module, in printed programs.
    """

    def __init__(
        self, module: Module, features: int | None, nodes: dict[int, Node], position: int = 0, name: str = ""
    ) -> None:
        self.module, self.nodes, self.position = module, nodes, position
        self.name = name
        self.graph = Graph([Value("input", (), features or 0)])
        self.known = features is not None
        self.widths: dict[int, tuple[int, int]] = {}  # of the layers that were called, by id
        self.called: set[int] = set()
        self.parameters: dict[tuple[int, str], ParameterSymbol] = {}

    @classmethod
    def of(
        cls,
        module: Module,
        features: int | None,
        nodes: Sequence[Node] | None = None,
        position: int = 0,
        training: bool | None = None,
        name: str = "",
    ) -> Trace:
        """Run the forward of a module, in training mode or not, by default in the mode that it is in.

        `nodes` are those of its layers; without them they have the names that they have in the module.
        """
        if nodes is None:
            known = {id(layer): Node(name, layer, 0) for name, layer in module.named_modules()}
        else:
            known = {id(node.layer): node for node in every(nodes)}
        trace = cls(module, features, known, position, name)
        states = [layer.__dict__ for layer in module.modules()] if training is not None else []
        before = [state["training"] for state in states]
        for state in states:
            state["training"] = training
        try:
            trace.run()
        finally:
            for state, mode in zip(states, before, strict=True):
                state["training"] = mode
        return trace

    def run(self) -> Graph:
        """Run the forward; returns the graph."""
        x = Symbol(self, 0, self.graph.values[0].cols if self.known else None)
        y = self._forward(self.module, x)
        self.graph.output = self._number(y)
        if 0 not in {i for number in self.graph.live() for i in self.graph.values[number].inputs} | {self.graph.output}:
            raise TraceError(f"{type(self.module).__name__}.forward does not use its input")
        return self.graph

    def _forward(self, module: Module, x: Symbol) -> Symbol:
        """What the forward of a module makes of x."""
        name = type(module).__name__
        token = tracing.set(self)
        try:
            y = module.forward(x)  # type: ignore[arg-type]
        except TypeError as error:
            if "Symbol" not in str(error) and (not isinstance(error, TraceError) or "cannot be traced" in str(error)):
                raise
            raise explained(name, error) from None
        finally:
            tracing.reset(token)
        if not isinstance(y, Symbol):
            raise TraceError(f"{name}.forward must return one matrix, computed from x, got {type(y).__name__}")
        return y

    # -- values --------------------------------------------------------------------------------------------------------

    def value(self, kind: str, inputs: Sequence[Symbol], cols: int | None, node: Any = None, source: Any = None) -> Any:
        """Note a value; returns its symbol."""
        values = tuple(self._number(symbol) for symbol in inputs)
        self.graph.values.append(Value(kind, values, cols or 0, node, source))
        return Symbol(self, len(self.graph.values) - 1, cols)

    def _number(self, symbol: Symbol) -> int:
        """The number of a symbol's value; a parameter is one when it is first used as a row."""
        self._check_own(symbol)
        if isinstance(symbol, ParameterSymbol) and symbol.number < 0:
            if len(symbol.sizes) > 1:
                raise TraceError(f"{symbol.name} has shape {symbol.sizes}: it can only be multiplied, x @ weight")
            source = symbol.layer, symbol.name
            symbol.number = self.value("parameter", (), symbol.features, source=source).number
        return symbol.number

    def _check_own(self, symbol: Symbol) -> None:
        if symbol.trace is not self:
            raise TraceError("a matrix of another forward, kept from there")

    def parameter(self, layer: Any, name: str) -> ParameterSymbol:
        """A parameter of a layer: `self["name"]` in a forward."""
        key = id(layer), name
        if key not in self.parameters:
            self.parameters[key] = ParameterSymbol(self, layer, name)
        return self.parameters[key]

    def width(self, symbol: Symbol) -> int:
        """The features of a symbol."""
        if symbol.features is None:
            raise WidthFound(None)
        return symbol.features

    # -- layers --------------------------------------------------------------------------------------------------------

    def layer(self, layer: Module, x: Symbol) -> Symbol:
        """The call of a layer: noted, or followed into if it is a network or is traced itself."""
        name = self._name(layer)
        if layer.is_network:
            y = x
            for child in layer.children():
                y = self.layer(child, y)
        elif layer._is_traced:
            y = self._forward(layer, x)
        else:
            return self._call(layer, x)
        self.widths[id(layer)] = x.features or 0, y.features or 0
        self.graph.taps.append((name, self._number(x), self._number(y)))
        return y

    def _name(self, layer: Module) -> str:
        node = self.nodes.get(id(layer))
        if node is not None:
            return node.name
        if not layer.is_network and any(module.state_shapes() for module in layer.modules()):
            raise TraceError(
                f"{type(layer).__name__} has parameters, but is not among the attributes of the module: make it in "
                "__init__, self.name = layer"
            )
        return ""

    def _call(self, layer: Module, x: Symbol, title: str = "") -> Symbol:
        """A value that a layer computes; `title` is that of a function of `forward` itself."""
        title = title or type(layer).__name__
        hint = layer.in_features_hint()
        if x.features is None:
            if hint is None and type(layer).out_features_for is Module.out_features_for:
                return self.value("layer", [x], None, self._node(layer, title))
            raise WidthFound(hint)
        if hint is not None and hint != x.features:
            raise TraceError(f"{self._name(layer) or title} takes {hint} features but gets {x.features}")
        if layer._in_python and id(layer) in self.called:
            raise TraceError(f"{title} has a backward of its own, which belongs to its last call: call it once")
        self.called.add(id(layer))
        cols = layer.out_features_for(x.features)
        self.widths[id(layer)] = x.features, cols
        return self.value("layer", [x], cols, self._node(layer, title))

    def _node(self, layer: Module, title: str) -> Node:
        return self.nodes.get(id(layer)) or Node("", layer, self.position, title=f"{self.name} {title}".strip())

    def function(self, name: str, x: Any, *args: Any) -> Symbol:
        """The call of a function of one array; of two for add, subtract, multiply and divide."""
        if name in ("add", "subtract", "multiply", "divide"):
            return self.binary(name, x, *args)
        if name in ("linear", "bilinear"):
            result: Symbol = getattr(self, name)(x, *args)
            return result
        self._number(x)
        return self._call(as_layer(name, args), x, name)

    # -- joints --------------------------------------------------------------------------------------------------------

    def binary(self, kind: str, a: Any, b: Any) -> Symbol:
        """A sum, difference, product or quotient of two matrices, or of one and a number or a row."""
        if isinstance(b, numbers.Real):
            return self.function(*_with_number(kind, float(b), a))
        if isinstance(a, numbers.Real):
            return self.function(*_of_number(kind, float(a), b))
        a, b = self._operand(a), self._operand(b)
        if a.features is None or b.features is None:
            known = a.features or b.features
            if known:
                raise WidthFound(known if known > 1 else None)
            return self.value(kind, [a, b], None)
        if a.features != b.features:
            if 1 not in (a.features, b.features):
                raise TraceError(f"{a.features} and {b.features} features: they must be equal, or one of them 1")
            cols = max(a.features, b.features)
            a, b = self._expanded(a, cols), self._expanded(b, cols)
        return self.value(kind, [a, b], a.features)

    def _operand(self, of: Any) -> Symbol:
        """A symbol for an operand, which may be a row of numbers."""
        if isinstance(of, Symbol):
            self._check_own(of)
            return of
        array = np.asarray(of)
        if array.dtype.kind not in "fiub" or (array.ndim > 1 and array.size != array.shape[-1]):
            raise TraceError(
                f"an operand must be a matrix of the forward, a number or a row of them, got {type(of).__name__} of "
                f"shape {array.shape}"
            )
        return self.value("constant", (), array.size, source=array.astype("float64").ravel())

    def _expanded(self, x: Symbol, cols: int) -> Symbol:
        return x if x.features == cols else self.value("expand", [x], cols)

    def concat(self, parts: Any, axis: Any = -1) -> Symbol:
        """Matrices side by side."""
        if axis not in (-1, 1):
            raise TraceError(f"matrices are joined by their features, axis=-1, not {axis}")
        symbols = [self._operand(part) for part in parts]
        return self.value("concat", symbols, sum(self.width(symbol) for symbol in symbols))

    def sum(self, x: Symbol) -> Symbol:
        """The sum over the features."""
        self.width(x)
        return self.value("sum", [x], 1)

    def columns(self, x: Symbol, key: Any) -> Symbol:
        """Some columns of x: x[:, key]."""
        if not isinstance(key, tuple) or len(key) != 2 or key[0] not in (slice(None), Ellipsis):
            raise TraceError("only columns can be chosen, of all rows: x[:, a:b], or x[:, [a, b]]")
        which = key[1]
        if isinstance(which, numbers.Integral):
            raise TraceError(f"x[:, {which}] would have one dimension: write x[:, {which}:{int(which) + 1}]")
        width = self.width(x)
        chosen = range(width)[which] if isinstance(which, slice) else [range(width)[i] for i in which]
        return self._call(as_layer("columns", (list(chosen),)), x, "columns")

    def linear(self, x: Symbol, weight: Any, bias: Any = None) -> Symbol:
        """x W + b, with parameters of layers."""
        for name, parameter in (("weight", weight), ("bias", bias)):
            if parameter is not None and not isinstance(parameter, ParameterSymbol):
                raise TraceError(f"{name} must be a parameter, self['name'] or self.layer.weight")
        if len(weight.sizes) != 2:
            raise TraceError(f"weight must be a matrix, got shape {weight.sizes}")
        if bias is not None and bias.sizes != weight.sizes[1:]:
            raise TraceError(f"bias must have shape {weight.sizes[1:]}, got {bias.sizes}")
        return self._call(Tied(weight, bias), x, f"x @ {weight}")

    def bilinear(self, x1: Any, x2: Any, weight: Any, bias: Any = None) -> Symbol:
        """sum_ij x1_i W_kij x2_j + b: a product with all products of a column of x1 and one of x2."""
        for name, parameter, axes in (("weight", weight, 3), ("bias", bias, 1)):
            if parameter is not None and not (isinstance(parameter, ParameterSymbol) and parameter.ndim == axes):
                raise TraceError(f"{name} must be a parameter of {axes} axes, self['name'] or self.layer.{name}")
        first, second = self._operand(x1), self._operand(x2)
        for symbol, features in ((first, weight.sizes[1]), (second, weight.sizes[2])):
            if symbol.features is None:
                raise WidthFound(features)
            if symbol.features != features:
                raise TraceError(f"bilinear with a weight of shape {weight.sizes} gets {symbol.features} features")
        i, j = np.indices(weight.sizes[1:]).reshape(2, -1).tolist()
        pairs = self.binary("multiply", self.columns(first, (..., i)), self.columns(second, (..., j)))
        self.widths[id(weight.layer)] = sum(weight.sizes[1:]), weight.sizes[0]
        return self._call(Tied(weight.T, bias), pairs, f"bilinear {weight}")


def every(nodes: Sequence[Node]) -> Iterator[Node]:
    """Nodes, and those of the layers that they are made of."""
    for node in nodes:
        yield node
        for branch in node.branches:
            yield from every(branch)


def required_features(module: Module) -> int | None:
    """The features that a forward requires of its input; None if it takes any number, or is not found out."""
    try:
        Trace.of(module, None)
    except WidthFound as found:
        width: int | None = found.args[0]
        return width
    except Exception:  # it is raised again when the forward is compiled
        return None
    return None


def returned_features(module: Module, features: int) -> int:
    """The features of what a forward returns for an input of so many.

    An error of the user's own is raised when the forward is compiled; until then they are those of the input.
    """
    try:
        graph = Trace.of(module, features).graph
    except TraceError:
        raise
    except Exception:
        return features
    return graph.values[graph.output].cols


def _with_number(kind: str, number: float, x: Symbol) -> tuple[Any, ...]:
    """The elementwise function x (kind) number, and its arguments."""
    if kind in ("add", "subtract"):
        return "affine", x, 1.0, number if kind == "add" else -number
    if kind == "divide" and number == 0:
        raise TraceError("division by 0")
    return "affine", x, number if kind == "multiply" else 1.0 / number, -0.0


def _of_number(kind: str, number: float, x: Symbol) -> tuple[Any, ...]:
    """The elementwise function number (kind) x, and its arguments."""
    if kind == "divide":
        return "reciprocal", x, number
    return ("affine", x, -1.0, number) if kind == "subtract" else _with_number(kind, number, x)

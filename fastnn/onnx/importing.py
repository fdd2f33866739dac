"""The values of a graph as steps of a network, found backward from its outputs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from .. import nn
from .._validation import Array
from ..files.format import FileFormatError
from .graph import RESHAPING, Graph, Node
from .shapes import WRONG, Shape
from .specs import Affine, Layer, Spec

MOST_FEATURES, MOST_SELECTED = 1 << 20, 1 << 23
MOST_FACTORS, DEEP = 8, 8


class Unsupported(Exception):
    """There is no layer for a node, for this reason."""


@dataclass(frozen=True)
class Step:
    """How a value comes from others: by layers ("layers"), or as their "add" or "concat"."""

    kind: str
    inputs: tuple[str, ...]
    specs: tuple[Spec, ...] = ()


def through(source: str, *specs: Spec) -> Step:
    """The step of a value that layers compute from one other."""
    return Step("layers", (source,), specs)


Handler = Callable[["Importer", Node, int], Step]
Pattern = Callable[["Importer", str], Step | None]

# By operator: what a node alone means, and what it may be the last node of.
HANDLERS: dict[str, Handler] = {}
PATTERNS: dict[str, list[Pattern]] = {}


def handles(*ops: str) -> Callable[[Handler], Handler]:
    """Register the handler of operators: it returns the step of the output of that number."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(ops, handler))
        return handler

    return register


def ends_at(*ops: str) -> Callable[[Pattern], Pattern]:
    """Register a pattern of several nodes whose last one has one of these operators."""

    def register(pattern: Pattern) -> Pattern:
        for op in ops:
            PATTERNS.setdefault(op, []).append(pattern)
        return pattern

    return register


class Importer:
    """Finds the steps of the values that the outputs need.

    Attributes
    ----------
    steps : dict of str to Step
    problems : list of (Node, str)
        The nodes without a layer, and why.
    lead : int
        The number of axes that are rows: 1, or all but the last one where the model never reshapes.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steps: dict[str, Step] = {}
        self.problems: list[tuple[Node, str]] = []
        data = [node for node in graph.makers.values() if node.op in RESHAPING]
        ranks = [len(graph.shapes.get(name) or (None, None)) for name in graph.inputs]
        deep = max(ranks, default=2)
        self.lead = 1 if data or deep < 3 else deep - 1
        self.most = max(MOST_FEATURES, graph.values)
        self.left = MOST_SELECTED + graph.values  # of the features that all selections together may number

    def run(self, outputs: list[str]) -> None:
        """Find the steps of these values and of all that they need."""
        todo, seen = [self.graph.resolve(name) for name in outputs], set[str]()
        while todo:
            name = todo.pop()
            if name in seen or name in self.graph.inputs:
                continue
            seen.add(name)
            step = self.steps.get(name)
            if step is None:
                node = self.graph.makers[name]
                try:
                    step = self.steps[name] = self._step(node, name)
                except Unsupported as reason:
                    self.problems.append((node, str(reason)))
                    names = [other for other in node.inputs if other and self.graph.constant(other) is None]
                    step = Step("none", tuple(self.graph.resolve(other) for other in names))
            todo += [self.graph.resolve(other) for other in step.inputs]

    def _step(self, node: Node, name: str) -> Step:
        try:
            return self._recognized(node, name)
        except WRONG as error:  # attributes of other types, inputs that are missing, lengths that do not fit
            where = f"{self.graph.label}: node {node.name!r:.60} ({node.op:.40})"
            raise FileFormatError(f"{where} is damaged: {error!s:.80}") from error

    def _recognized(self, node: Node, name: str) -> Step:
        for pattern in PATTERNS.get(node.op, ()):
            with contextlib.suppress(Unsupported):
                if (step := pattern(self, name)) is not None:
                    return step
        if node.op not in HANDLERS:
            raise Unsupported("")
        place = [self.graph.resolve(output) for output in node.outputs].index(name)
        return HANDLERS[node.op](self, node, place)

    def fail(self, reason: str) -> NoReturn:
        """Give up on a node, for this reason."""
        raise Unsupported(reason)

    def virtual(self, name: str, step: Step) -> str:
        """Add a value that the graph does not have, under a name that it does not use."""
        name = f"{name}\0{len(self.steps)}"
        self.steps[name] = step
        self.graph.shapes[name] = self.graph.shapes.get(step.inputs[0], ())
        return name

    # -- shapes --------------------------------------------------------------------------------------------------------

    def shape(self, name: str) -> Shape:
        """The shape of a value."""
        shape = self.graph.shapes.get(name)
        if shape is None:
            self.fail(f"the shape of {name!r:.40} is not known")
        return shape

    def rest(self, name: str) -> tuple[int, ...]:
        """The lengths of the axes of one row."""
        lengths = self.shape(name)[self.lead :]
        known = tuple(length for length in lengths if length is not None)
        if len(known) < len(lengths):
            self.fail(f"the number of features of {name!r:.40} is not known")
        if math.prod(known) > self.most:
            self.fail(f"{name!r:.40} has {math.prod(known)} features")
        return known

    def features(self, name: str) -> int:
        """The number of features of a value, all axes of a row together."""
        return math.prod(self.rest(name))

    def axis(self, name: str, axis: int) -> int:
        """An axis, counted from 0; it must not be one of rows."""
        rank = len(self.shape(name))
        axis = axis + rank if axis < 0 else axis
        if not self.lead <= axis < rank:
            self.fail(f"it works along axis {axis} of a value of shape {self.shape(name)}")
        return axis

    def whole_rows(self, name: str, axis: int) -> None:
        """Check that axes from this one on are all axes of a row."""
        if self.axis(name, axis) != self.lead:
            self.fail(f"it works along axis {axis} of a value of shape {self.shape(name)}")

    def per_feature(self, name: str, values: Array) -> Any:
        """A constant beside a value: a number, or one for each of its features."""
        if values.dtype.kind not in "fiu":
            self.fail(f"a constant of {values.dtype}")
        if values.size == 1 and values.ndim <= len(self.shape(name)):
            return float(values.ravel()[0])
        rest = self.rest(name)
        if values.ndim > len(rest):
            if (
                any(length != 1 for length in values.shape[: values.ndim - len(rest)])
                or values.ndim > len(rest) + self.lead
            ):
                self.fail(f"a constant of shape {values.shape} beside a value of shape {self.shape(name)}")
            values = values.reshape(values.shape[values.ndim - len(rest) :])
        try:
            return np.broadcast_to(values, rest).reshape(-1).astype("float64")
        except ValueError:
            self.fail(f"a constant of shape {values.shape} beside a value of shape {self.shape(name)}")

    # -- what several patterns look for --------------------------------------------------------------------------------

    def data(self, node: Node) -> tuple[str, Array] | None:
        """The value and the constant of a node of two inputs, in whichever order; None if both are values."""
        a, b = node.inputs
        for value, other in ((a, b), (b, a)):
            constant = self.graph.constant(other)
            if constant is not None and self.graph.constant(value) is None:
                return self.graph.resolve(value), constant
        return None

    def product(self, name: str, depth: int = 0) -> tuple[float, list[str]]:
        """A value as a number times values: a * (b / 2) is 0.5 and [a, b]."""
        node = self.graph.maker(name, "Mul", "Div", "Pow", "Neg")
        if node is not None and depth < DEEP:
            first, second = (*node.inputs, "")[:2]
            number = self.graph.scalar(second)
            if node.op == "Neg":
                factor, values = self.product(first, depth + 1)
                return -factor, values
            if node.op == "Pow" and number in (2.0, 3.0):
                factor, values = self.product(first, depth + 1)
                return factor ** int(number), values * int(number)
            if node.op == "Div" and number:
                factor, values = self.product(first, depth + 1)
                return factor / number, values
            if node.op == "Mul":
                return self._factors(first, second, depth)
        return 1.0, [self.graph.resolve(name)]

    def _factors(self, first: str, second: str, depth: int) -> tuple[float, list[str]]:
        result, values = 1.0, list[str]()
        for name in (first, second):
            number = self.graph.scalar(name)
            if number is not None:
                result *= number
                continue
            if self.graph.constant(name) is not None:
                values.append(name)
                continue
            factor, inner = self.product(name, depth + 1)
            result, values = result * factor, values + inner
        return result, values[: MOST_FACTORS + 1]

    def plus(self, name: str) -> tuple[str, float] | None:
        """A value as another plus a number; None if it is no such sum."""
        node = self.graph.maker(name, "Add", "Sub")
        if node is None:
            return None
        first, second = node.inputs
        if (number := self.graph.scalar(second)) is not None:
            return self.graph.resolve(first), -number if node.op == "Sub" else number
        if (number := self.graph.scalar(first)) is not None and node.op == "Add":
            return self.graph.resolve(second), number
        return None

    def input_of(self, name: str, *ops: str) -> str | None:
        """The first input of the node that computes a value, if it has one of these operators."""
        node = self.graph.maker(name, *ops)
        return None if node is None else self.graph.resolve(node.inputs[0])

    def columns(self, source: str, places: Array) -> Step:
        """The step that selects features of a value."""
        flat = places.reshape(-1).tolist()
        if flat == list(range(self.features(source))):
            return through(source)
        return through(source, Layer(nn.Columns, {"columns": flat}))

    def places(self, name: str) -> Array:
        """The index of each feature of a value, as an array in the shape of one row."""
        rest = self.rest(name)
        self.left -= math.prod(rest)
        if self.left < 0:
            self.fail("the selections of features before it are too large")
        return np.arange(math.prod(rest)).reshape(rest)

    def scaled(self, source: str, scale: Any = 1.0, shift: Any = 0.0) -> Step:
        """The step source * scale + shift."""
        return through(source, Affine(scale, shift))

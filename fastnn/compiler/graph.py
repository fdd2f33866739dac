"""Layers joined by sums, products, concatenations and slices: a graph of values, its operations and their gradients.

`nn/tracing` makes the graph of a module's `forward`. Layers one after the other make a chain, which is compiled as in
a network without branches: an activation is fused with the product before it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .backward import Gradient, Stage, add_gradients, backward_through
from .draft import Draft
from .joints import JOINTS, Joint


@dataclass(frozen=True)
class Value:
    """A matrix of a graph, with a row for each sample.

    Attributes
    ----------
    kind : str
        "input", "layer", or a key of `joints.JOINTS`: "add", "concat", "sum", ...
    inputs : tuple of int
        The numbers of the values that it is computed from.
    cols : int
        Its features.
    node : Node or None
        The layer that computes it.
    source : object
        Of a parameter (layer, name), of a constant its array.
    """

    kind: str
    inputs: tuple[int, ...]
    cols: int
    node: Any = None
    source: Any = None


@dataclass
class Graph:
    """The values of a `forward`, each after those it is computed from; number 0 is the input.

    `taps` has, for each module that was called, its name and the numbers of its input and its output.
    """

    values: list[Value]
    output: int = 0
    taps: list[tuple[str, int, int]] = field(default_factory=list)

    def live(self) -> list[int]:
        """The numbers of the values that the output depends on, in order, without the input."""
        wanted = {self.output}
        for number in range(self.output, 0, -1):
            if number in wanted:
                wanted.update(self.values[number].inputs)
        return sorted(wanted - {0})

    def steps(self) -> Iterator[tuple[int, ...]]:
        """The live values in the order in which they are computed; layers one after the other are one chain."""
        live = self.live()
        readers = defaultdict(list)
        for number in live:
            for i in self.values[number].inputs:
                readers[i].append(number)
        done: set[int] = set()
        for number in live:
            if number in done:
                continue
            chain = [number]
            while self.values[chain[-1]].kind == "layer" and len(after := readers[chain[-1]]) == 1:
                if self.values[after[0]].kind != "layer":
                    break
                chain.append(after[0])
            done.update(chain)
            yield tuple(chain)

    def uses(self) -> Counter[int]:
        """How often each value is read."""
        return Counter([i for number in self.live() for i in self.values[number].inputs] + [self.output])


@dataclass
class Link:
    """One step of a graph: a chain of stages of layers, or a joint of values."""

    inputs: tuple[int, ...]
    output: int
    cols: int
    stages: list[Stage] = field(default_factory=list)
    joint: Joint | None = None

    def trained(self, draft: Draft) -> bool:
        """Whether it has parameters that are trained."""
        return self.joint.trained(draft) if self.joint is not None else any(stage.trained for stage in self.stages)

    def backward(self, draft: Draft, gradient: Gradient, wanted: Sequence[bool]) -> Sequence[Gradient | None]:
        """Add the gradients of parameters, and of the inputs that are wanted."""
        if self.joint is not None:
            return self.joint.backward(draft, gradient, wanted)
        return (backward_through(draft, self.stages, gradient, wanted[0]),)


@dataclass
class GraphStage(Stage):
    """A graph of layers; `links` are its steps, which read value number `first` as input and end in number `last`."""

    links: tuple[Link, ...] = ()
    first: int = 0
    last: int = 0

    @property
    def chains(self) -> tuple[list[Stage], ...]:
        """The stages of each chain of layers."""
        return tuple(link.stages for link in self.links)

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        live = {self.first: needs_input}
        for link in self.links:
            live[link.output] = link.trained(draft) or any(live[i] for i in link.inputs)
        gradients: defaultdict[int, list[Gradient | None]] = defaultdict(list)
        gradients[self.last].append(replace(gradient, sloped=False))
        for link in reversed(self.links):
            total = add_gradients(draft, gradients.pop(link.output, []), link.cols)
            if total is None or not live[link.output]:
                continue
            wanted = [live[i] for i in link.inputs]
            for i, part in zip(link.inputs, link.backward(draft, total, wanted), strict=True):
                gradients[i].append(part if live[i] else None)
        return add_gradients(draft, gradients[self.first], self.n_in) if needs_input else None


def plan_graph(builder: Any, layer: Any, label: str, graph: Graph) -> None:
    """Add the operations of a graph to a `Builder`; its first and last chains are fused with the layers around it."""
    steps, uses, matrices = list(graph.steps()), graph.uses(), {0: (builder.current, builder.cols)}
    outside, builder.separate = builder.separate, bool(builder.kept)
    first = 0
    if steps and graph.values[steps[0][0]].kind == "layer" and uses[0] == 1:  # which reads the input, and nothing else
        _add_chain(builder, graph, steps.pop(0), matrices)
        first = max(matrices)
    ends = steps and graph.values[steps[-1][0]].kind == "layer" and len(steps) > 1
    last = steps.pop() if ends else None
    if steps:
        _add_stage(builder, layer, label, graph, steps, matrices, first)
    if last is not None:
        builder.current, builder.cols = matrices[graph.values[last[0]].inputs[0]]
        _add_chain(builder, graph, last, matrices)
    builder.separate = outside
    for name, x, y in graph.taps:
        if x in matrices and y in matrices and name:
            builder.tap(name, *matrices[x], *matrices[y])


def _add_stage(
    builder: Any,
    layer: Any,
    label: str,
    graph: Graph,
    steps: list[tuple[int, ...]],
    matrices: dict[int, tuple[Any, int]],
    first: int,
) -> None:
    """Add the stage of the steps between the first and the last chain."""
    x, n_in = matrices[first]
    outside, links = builder.stages, []
    for numbers in steps:
        value, builder.stages = graph.values[numbers[0]], []
        inputs, joint = value.inputs, None
        if value.kind == "layer":
            builder.current, builder.cols = matrices[inputs[0]]
            _add_chain(builder, graph, numbers, matrices)
        else:
            joint = JOINTS[value.kind](label, value.source, [matrices[i] for i in inputs], value.cols)
            matrices[numbers[0]] = joint.forward(builder), value.cols
        links.append(Link(inputs, numbers[-1], graph.values[numbers[-1]].cols, builder.stages, joint))
    builder.stages = outside
    y, n_out = matrices[steps[-1][-1]]
    stage = GraphStage(layer, label, n_in, n_out, x, y, links=tuple(links), first=first, last=steps[-1][-1])
    stage.trained = any(link.trained(builder) for link in links)
    builder.stages.append(stage)
    builder.current, builder.cols = y, n_out


def _add_chain(builder: Any, graph: Graph, numbers: tuple[int, ...], matrices: dict[int, tuple[Any, int]]) -> None:
    """Add layers, one after the other, that read what `builder` has as the current matrix."""
    for number in numbers:
        builder.layers([graph.values[number].node])
        matrices[number] = builder.current, builder.cols

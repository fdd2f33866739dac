"""The steps of a graph assembled into a network: chains, residual connections and concatenations.

Branches that fork at one value and join at another become `Residual` and `Concat`, also nested. For other graphs (dense
connections, for example) a chain of `Concat` layers carries every value until its last reader.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from .. import nn
from .importing import Importer, Step
from .specs import Layer, build, merge, out_features, size

DEEPEST = 40  # branches within each other
SOURCE = "\0source"
# Values of all layers together: so many, and so many for each value in the file, which several nodes may use.
SPARE, COPIES = 1 << 23, 16


class Tangled(Exception):
    """Branches are not nested: a value is read in two of them."""


class Branch(tuple[str, tuple[list[Any], ...]]):
    """A kind of step and a chain for each of its branches."""


Chain = list[Any]  # of specs and branches


class Assembler:
    """Builds the layers from the source, the concatenated inputs of the model, to the outputs."""

    def __init__(self, importer: Importer, dtype: str, outputs: list[str]) -> None:
        self.dtype, self.outputs = dtype, outputs
        self.left = SPARE + COPIES * importer.graph.values
        self.steps = dict(importer.steps)
        inputs = list(importer.graph.inputs)
        self.widths = {name: importer.features(name) for name in inputs}
        self.source = inputs[0]
        if len(inputs) > 1:
            self.source, start = SOURCE, 0
            for name in inputs:
                places = list(range(start, start + self.widths[name]))
                self.steps[name] = Step("layers", (SOURCE,), (Layer(nn.Columns, {"columns": places}),))
                start += self.widths[name]
            self.widths[SOURCE] = start
        self.depth, self.above, self.used = {self.source: 0}, dict[str, str](), set[str]()
        for name in self._order(outputs, self.source):
            self.above[name] = self._meeting(self.steps[name].inputs)
            self.depth[name] = self.depth[self.above[name]] + 1
            self.widths[name] = self._width(self.steps[name])

    def _spend(self, size: int) -> None:
        """Count values that are about to be made: a small file must not make a large network."""
        self.left -= size
        if self.left < 0:
            raise ValueError("its layers take far more memory than the file")

    def layers(self, names: list[str]) -> list[nn.Module]:
        """The layers of the network; several outputs are heads of these names at its end."""
        width = self.widths[self.source]
        if len(self.outputs) == 1:
            return self._layers(self._chain(self.outputs[0], self.source), width)
        meeting = self._meeting(tuple(self.outputs))
        layers = self._layers(self._chain(meeting, self.source), width)
        try:
            chains = [self._chain(output, meeting, 1) for output in self.outputs]
            width = self.widths[meeting]
        except Tangled:
            carrying, carried = self._carrying(self.outputs, meeting)
            layers += self._layers(carrying, self.widths[meeting])
            places, width = self._places(carried), sum(self.widths[name] for name in carried)
            chains = [[Layer(nn.Columns, {"columns": places[output]})] for output in self.outputs]
        heads = {name: self._module(chain, width) for name, chain in zip(names, chains, strict=True)}
        return [*layers, nn.Heads(**heads)]

    # -- order ---------------------------------------------------------------------------------------------------------

    def _order(self, names: list[str], start: str) -> list[str]:
        """The values between `start` and these, each after those that it comes from."""
        order, done, stack = list[str](), {start}, [(name, False) for name in reversed(names)]
        while stack:
            name, ready = stack.pop()
            if name in done:
                continue
            if ready:
                done.add(name)
                order.append(name)
                continue
            stack.append((name, True))
            stack += [(other, False) for other in self.steps[name].inputs if other not in done]
        return order

    def _meeting(self, names: tuple[str, ...]) -> str:
        """The last value through which all paths from the source to these go."""
        meeting = names[0]
        for name in names[1:]:
            while name != meeting:
                if self.depth[name] > self.depth[meeting]:
                    name = self.above[name]
                else:
                    meeting = self.above[meeting]
        return meeting

    def _width(self, step: Step) -> int:
        widths = [self.widths[other] for other in step.inputs]
        width = sum(widths) if step.kind == "concat" else widths[0]
        for spec in step.specs:
            width = out_features(spec, width)
        return width

    # -- branches within each other ------------------------------------------------------------------------------------

    def _chain(self, name: str, start: str, level: int = 0) -> Chain:
        """The specs and branches between two values, in order."""
        if level > DEEPEST:
            raise Tangled
        parts: list[Chain] = []
        while name != start:
            if (name in self.used and not self._selects(name)) or self.depth[name] <= self.depth[start]:
                raise Tangled
            step = self.steps[name]
            parts.append(list(step.specs) if step.kind == "layers" else self._branches(name, step, level))
            self.used.add(name)
            name = self.above[name]
        return [spec for part in reversed(parts) for spec in part]

    def _selects(self, name: str) -> bool:
        """Whether a value only has features of another in some order, so that it can be computed more than once."""
        step = self.steps[name]
        return step.kind == "layers" and all(isinstance(s, Layer) and s.cls is nn.Columns for s in step.specs)

    def _branches(self, name: str, step: Step, level: int) -> Chain:
        """A sum or concatenation, with a chain for each branch from the value where they fork."""
        meeting, before = self.above[name], set(self.used)
        try:
            chains = tuple(self._chain(other, meeting, level + 1) for other in step.inputs)
            return [Branch((step.kind, chains)), *step.specs]
        except Tangled:
            inside = self._order([name], meeting)
            if any(other in before and not self._selects(other) for other in inside):
                raise
            self.used = before.union(inside)
            return self._carrying([name], meeting)[0]

    # -- any other wiring ----------------------------------------------------------------------------------------------

    def _carrying(self, outputs: list[str], start: str) -> tuple[Chain, list[str]]:
        """One layer for each step, which also returns what later steps read; and the values after the last."""
        steps = self._contracted(outputs, start)
        last = dict.fromkeys(outputs, len(steps))
        for i, name in reversed(list(enumerate(steps))):
            for other in steps[name].inputs:
                last.setdefault(other, i)
        chain, carried = Chain(), [start]
        for i, (name, step) in enumerate(steps.items()):
            places, width = self._places(carried), sum(self.widths[other] for other in carried)
            self._spend(width)
            new = self._carried_step(step, places, width)
            kept = [other for other in carried if last.get(other, -1) > i]
            keep = _columns([place for other in kept for place in places[other]], width)
            chain += [Branch(("concat", (keep, new)))] if kept else new
            carried = [*kept, name]
        return chain, carried

    def _contracted(self, outputs: list[str], start: str) -> dict[str, Step]:
        """The steps from `start`, where layers are part of the step before if nothing else reads that."""
        order = self._order(outputs, start)
        readers = Counter(other for name in order for other in self.steps[name].inputs)
        steps: dict[str, Step] = {}
        for name in order:
            step = self.steps[name]
            first = step.inputs[0]
            if step.kind == "layers" and first in steps and readers[first] == 1 and first not in outputs:
                before = steps.pop(first)
                step = Step(before.kind, before.inputs, before.specs + step.specs)
            steps[name] = step
        return steps

    def _places(self, carried: list[str]) -> dict[str, list[int]]:
        """The columns in which each value is carried."""
        places, start = dict[str, list[int]](), 0
        for name in carried:
            places[name] = list(range(start, start + self.widths[name]))
            start += self.widths[name]
        return places

    def _carried_step(self, step: Step, places: dict[str, list[int]], width: int) -> Chain:
        if step.kind == "add":
            sides = tuple(_columns(places[other], width) for other in step.inputs)
            return [Branch(("add", sides)), *step.specs]
        return [*_columns([place for other in step.inputs for place in places[other]], width), *step.specs]

    # -- layers --------------------------------------------------------------------------------------------------------

    def _layers(self, chain: Chain, width: int) -> list[nn.Module]:
        merged, widths = Chain(), [width]  # the widths after each
        for spec in chain:
            spec = _selection(spec, widths[-1])
            if merged and not isinstance(spec, Branch) and (both := merge(merged[-1], spec)) is not None:
                spec = both
                merged.pop(), widths.pop()
            if not _is_all(spec, widths[-1]):
                merged.append(spec)
                widths.append(self._after(spec, widths[-1]))
        layers: list[nn.Module] = []
        for spec in merged:
            self._spend(size(spec, width))
            layer = self._branched(spec, width) if isinstance(spec, Branch) else build(spec, width, self.dtype)
            width = layer.out_features_for(width)
            layers.append(layer)
        return layers

    def _after(self, spec: Any, width: int) -> int:
        """The number of features after a part of a chain."""
        if not isinstance(spec, Branch):
            return out_features(spec, width)
        ends = []
        for chain in spec[1]:
            end = width
            for part in chain:
                end = self._after(part, end)
            ends.append(end)
        return sum(ends) if spec[0] == "concat" else ends[0]

    def _branched(self, branch: Branch, width: int) -> nn.Module:
        kind, chains = branch
        if kind == "add":
            body, shortcut = sorted(chains, key=lambda chain: not chain)[:2]
            return nn.Residual(self._module(body, width), shortcut=self._module(shortcut, width) if shortcut else None)
        return nn.Concat(*(self._module(chain, width) for chain in chains))

    def _module(self, chain: Chain, width: int) -> nn.Module:
        layers = self._layers(chain, width)
        return layers[0] if len(layers) == 1 else nn.Sequential(*layers, seed=0, dtype=self.dtype)


def _is_all(spec: Any, width: int) -> bool:
    """Whether a part of a chain is a selection of all columns in order."""
    return isinstance(spec, Layer) and spec.cls is nn.Columns and spec.arguments["columns"] == list(range(width))


def _selection(spec: Any, width: int) -> Any:
    """One selection of columns for a concatenation of selections; anything else as it is."""
    if not (isinstance(spec, Branch) and spec[0] == "concat"):
        return spec
    chosen: list[int] = []
    for chain in spec[1]:
        if len(chain) > 1 or (chain and not (isinstance(chain[0], Layer) and chain[0].cls is nn.Columns)):
            return spec
        chosen += chain[0].arguments["columns"] if chain else range(width)
    return Layer(nn.Columns, {"columns": chosen})


def _columns(places: list[int], width: int) -> Chain:
    """The selection of these columns; nothing for all of them in order."""
    return [] if places == list(range(width)) else [Layer(nn.Columns, {"columns": places})]

"""Steps between values put together as a network: chains, residual connections and concatenations.

Values that branch off and come together again, one pair within the other, become `Residual` and `Concat`. Any other
wiring becomes a chain of `Concat` layers that carry along what is needed later.
"""

from __future__ import annotations

from typing import Any

from .. import nn
from .importing import Importer, Step
from .product import Product
from .specs import Layer, build, merge

DEEPEST = 40  # branches within each other
SOURCE = "\0source"


class Tangled(Exception):
    """Branches do not lie within each other."""


class Branch(tuple[str, tuple[list[Any], ...]]):
    """A kind of step and a chain for each of its branches."""


Chain = list[Any]  # of specs and branches


class Assembler:
    """Builds the layers of values from those of the source, the inputs of the model beside each other."""

    def __init__(self, importer: Importer, dtype: str) -> None:
        self.m, self.dtype = importer, dtype
        self.steps = dict(importer.steps)
        inputs = list(importer.graph.inputs)
        self.widths = {name: importer.features(name) for name in inputs}
        self.widths[SOURCE] = sum(self.widths.values())
        if len(inputs) == 1:
            self.source = inputs[0]
        else:
            self.source, start = SOURCE, 0
            for name in inputs:
                places = list(range(start, start + self.widths[name]))
                self.steps[name] = Step("layers", (SOURCE,), (Layer(nn.Columns, {"columns": places}),))
                start += self.widths[name]

    def network(self, outputs: list[str], names: list[str]) -> list[nn.Module]:
        """The layers of a network with these outputs; those of several are heads."""
        order = self._order(outputs)
        try:
            chains = self._by_branches(outputs, order)
        except Tangled:
            chains = self._by_carrying(outputs, order)
        last, width = chains[-1] if isinstance(chains[-1], Branch) else None, self.widths[self.source]
        if len(outputs) == 1:
            return self._layers(chains, width)
        assert last is not None
        layers = self._layers(chains[:-1], width)
        for layer in layers:
            width = layer.out_features_for(width)
        heads = {name: self._module(chain, width) for name, chain in zip(names, last[1], strict=True)}
        return [*layers, nn.Heads(**heads)]

    # -- order and dominators ------------------------------------------------------------------------------------------

    def _order(self, outputs: list[str]) -> list[str]:
        """The values that the outputs need, each after those that it comes from."""
        order, done, stack = list[str](), {self.source}, [(name, False) for name in reversed(outputs)]
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

    def _dominators(self, order: list[str]) -> dict[str, tuple[str, int]]:
        """For each value the last one through which all of its paths from the source go, and its depth."""
        depth, above = {self.source: 0}, dict[str, tuple[str, int]]()
        for name in order:
            meeting = self._meeting(list(self.steps[name].inputs), above, depth)
            depth[name] = depth[meeting] + 1
            above[name] = meeting, depth[name]
        return above

    def _meeting(self, names: list[str], above: dict[str, tuple[str, int]], depth: dict[str, int]) -> str:
        meeting = names[0]
        for name in names[1:]:
            while name != meeting:
                if depth[name] > depth[meeting]:
                    name = above[name][0]
                else:
                    meeting = above[meeting][0]
        return meeting

    # -- branches within each other ------------------------------------------------------------------------------------

    def _by_branches(self, outputs: list[str], order: list[str]) -> Chain:
        above, used = self._dominators(order), set[str]()
        depth = {self.source: 0} | {name: level for name, (_, level) in above.items()}
        if len(outputs) == 1:
            return self._chain(outputs[0], self.source, above, depth, used, 0)
        meeting = self._meeting(outputs, above, depth)
        first = self._chain(meeting, self.source, above, depth, used, 0)
        return [*first, Branch(("heads", tuple(self._chain(o, meeting, above, depth, used, 1) for o in outputs)))]

    def _chain(
        self, name: str, start: str, above: dict[str, Any], depth: dict[str, int], used: set[str], level: int
    ) -> Chain:
        """What leads from `start` to a value."""
        if level > DEEPEST:
            raise Tangled
        parts: list[Chain] = []
        while name != start:
            if name in used or depth.get(name, 0) <= depth[start]:
                raise Tangled
            used.add(name)
            step = self.steps[name]
            if step.kind in ("layers", "mul"):
                parts.append(list(step.specs) if step.kind == "layers" else [Layer(Product)])
                name = step.inputs[0]
                continue
            meeting = self._meeting(list(step.inputs), above, depth)
            chains = tuple(self._chain(other, meeting, above, depth, used, level + 1) for other in step.inputs)
            parts.append([Branch((step.kind, chains))])
            name = meeting
        return [spec for part in reversed(parts) for spec in part]

    # -- any other wiring ----------------------------------------------------------------------------------------------

    def _by_carrying(self, outputs: list[str], order: list[str]) -> Chain:
        """One step after the other, beside all values that later ones need."""
        last = {name: len(order) for name in outputs}
        for i, name in reversed(list(enumerate(order))):
            for other in self.steps[name].inputs:
                last.setdefault(other, i)
        chain, carried = Chain(), [self.source]
        for i, name in enumerate(order):
            step, places = self.steps[name], self._places(carried)
            new = self._carried_step(step, places)
            self.widths[name] = self._width(step)
            kept = [other for other in carried if last.get(other, -1) > i]
            keep = [place for other in kept for place in places[other]]
            old: Chain = [Layer(nn.Columns, {"columns": keep})]
            chain.append(Branch(("concat", (old, new))) if kept else Branch(("concat", (new,))))
            carried = [*kept, name]
        places = self._places(carried)
        ends: list[Chain] = [[Layer(nn.Columns, {"columns": places[output]})] for output in outputs]
        return [*chain, *ends[0]] if len(outputs) == 1 else [*chain, Branch(("heads", tuple(ends)))]

    def _places(self, carried: list[str]) -> dict[str, list[int]]:
        places, start = dict[str, list[int]](), 0
        for name in carried:
            places[name] = list(range(start, start + self.widths[name]))
            start += self.widths[name]
        return places

    def _carried_step(self, step: Step, places: dict[str, list[int]]) -> Chain:
        if step.kind == "add":
            sides = tuple([Layer(nn.Columns, {"columns": places[other]})] for other in step.inputs)
            return [Branch(("add", sides))]
        first = Layer(nn.Columns, {"columns": [place for other in step.inputs for place in places[other]]})
        return [first, Layer(Product)] if step.kind == "mul" else [first, *step.specs]

    def _width(self, step: Step) -> int:
        widths = [self.widths[other] for other in step.inputs]
        if step.kind == "concat":
            return sum(widths)
        width = widths[0] // 2 if step.kind == "mul" else widths[0]
        for spec in step.specs:
            width = build(spec, width, self.dtype).out_features_for(width)
        return width

    # -- layers --------------------------------------------------------------------------------------------------------

    def _merged(self, chain: Chain) -> Chain:
        merged = Chain()
        for spec in chain:
            both = None if not merged or isinstance(spec, Branch) else merge(merged[-1], spec)
            if both is not None:
                merged[-1] = both
            else:
                merged.append(spec)
        return merged

    def _layers(self, chain: Chain, width: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for spec in self._merged(chain):
            layer = self._branched(spec, width) if isinstance(spec, Branch) else build(spec, width, self.dtype)
            width = layer.out_features_for(width)
            layers.append(layer)
        return layers

    def _branched(self, branch: Branch, width: int) -> nn.Module:
        kind, chains = branch
        if kind == "add":
            body, shortcut = sorted(chains, key=lambda chain: not chain)[:2]
            layers = self._layers(body, width) or [nn.Identity()]
            return nn.Residual(*layers, shortcut=self._module(shortcut, width) if shortcut else None)
        modules = [self._module(chain, width) for chain in chains]
        return modules[0] if len(modules) == 1 else nn.Concat(*modules)

    def _module(self, chain: Chain, width: int) -> nn.Module:
        layers = self._layers(chain, width)
        return layers[0] if len(layers) == 1 else nn.Sequential(*layers, seed=0, dtype=self.dtype)

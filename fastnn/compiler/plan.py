"""How a network becomes a program.

A `Plan` walks through the layers once. Each tells it in a vocabulary (vocabulary.py) what it stands for, and the plan
fuses: an activation into the product or the normalization before it, the gradient of an activation into
the operation that makes its grad_output. Every layer leaves a stage (stages.py), which knows the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.operations import LABELS, MEAN
from .meters import ACCURACY, COLUMNS, INDICES, SUMS, Counting
from .program import Buffer, Operation, Part, Program, Slot, lay_out
from .stages import Gradient, Stage
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..nn.losses import Loss
    from ..nn.structure import Node
    from ..optim import Optimizer, WeightAverage


class Plan(Vocabulary):
    """Collects stages and operations for one program, a section after the other."""

    def layers(self, nodes: tuple[Node, ...]) -> None:
        """Plan layers, one after the other."""
        for node in nodes:
            label = f"{node.name + ' ' if node.name else ''}{type(node.layer).__name__}"
            if node.branches:
                node.layer.plan_branches(self, label, node.branches)
            else:
                node.layer.plan(self, label, node.position)

    def forward(self, *, to_output: bool) -> None:
        """Close the forward section; with `to_output` its result goes to the array that the run is given."""
        if to_output:
            last = self.operations[-1] if self.operations else None
            if self.train or last is None or last.kind in ("python", "columns"):
                arrays = {"x": self.current, "y": Slot("output")}
                self.operations.append(Operation("copy", "output", arrays, self.cols))
            else:
                for role, array in last.arrays.items():
                    if array is self.current:
                        last.arrays[role] = Slot("output")
            self.operations += self.running
            self.running = []
        self.sections["forward"] = (0, len(self.operations))

    def loss(self, loss: Loss, *, gradient: bool, labels: Any) -> None:
        """Add the loss, with its gradient if asked, and its metric; with `labels` the targets are class indices."""
        start = len(self.operations)
        self.gradient = self.buffer(self.cols) if gradient else None
        loss.plan(self, labels)
        self.sections["loss"] = (start, len(self.operations))

    def targets(self, cols: int) -> Any:
        """The targets of several heads, side by side."""
        return self.in_workspace(Slot("target"), cols, "targets")

    def retarget(self, first: int, targets: Any, start: int, cols: int, labels: bool, name: str) -> None:
        """Let the operations from number `first` on read some columns of the targets; class indices are read back."""
        if labels:
            own: Any = np.zeros(self.batch_size, "int64")
            self.nbytes += own.nbytes
            arrays = {"x": Part(targets, start, 1), "y": own}
            read = Operation("labels", f"targets of {name}", arrays, 1, 0, None, (float(targets.cols),))
            self.operations.insert(first, read)
        else:
            own = self.buffer(cols)
            self.copy_columns(targets, start, own, 0, cols, f"targets of {name}")
            self.operations.insert(first, self.operations.pop())
        for operation in self.operations[first + 1 :]:
            if "target" in operation.arrays:
                operation.arrays["target"], operation.head = own, name

    def head(self, moment: str, i: int, weight: float) -> None:
        """Combine the losses of several heads: "begin", then "head" after each, then "end"."""
        arrays = {"sample_weight": Slot("sample_weight")}
        operation = Operation(f"heads_{moment}", "losses of heads", arrays, 1, 0, None, (weight,), place=SUMS + i)
        self.operations.append(operation)

    def metrics(self, counting: Counting) -> None:
        """Count for metrics."""
        start = len(self.operations)
        arrays = {"x": self.current, "target": Slot("target"), "sample_weight": Slot("sample_weight")}
        for meter, place in counting.places.items():
            if meter == ACCURACY and any(o.kind == "correct" for o in self.operations):
                continue  # the loss counts it anyway
            params = (meter.param or counting.threshold, float(counting.ignored))
            operation = Operation(meter.kind, "metrics", dict(arrays), self.cols, params=params)
            operation.flag = LABELS if counting.targets == INDICES else 0
            operation.root = counting.targets == COLUMNS
            operation.place = place.start
            self.operations.append(operation)
        self.sections["metrics"] = (start, len(self.operations))

    def backward(self, *, input_gradient: bool) -> None:
        """Add the backward pass; `input_gradient` makes it go on to the gradient of the input."""
        start = len(self.operations)
        given = self.gradient is None
        gradient = Gradient(Slot("grad_output") if given else self.gradient, owned=not given)
        last = self.through(self.stages, gradient, input_gradient)
        if input_gradient:
            assert last is not None
            arrays = {"x": last.array, "y": Slot("grad_input")}
            self.operations.append(Operation("copy", "gradient of the input", arrays, self.n_in))
        self.sections["backward"] = (start, len(self.operations))

    def through(self, stages: list[Stage], gradient: Gradient, wanted: bool) -> Gradient | None:
        """Plan the way back through a chain of stages, as far as there are parameters or, if wanted, to its input."""
        first = 0 if wanted else next((i for i, stage in enumerate(stages) if stage.trained), None)
        if first is None:
            return None
        back: Gradient | None = gradient
        for i in range(len(stages) - 1, first - 1, -1):
            assert back is not None
            back = stages[i].backward(self, back, stages[i - 1] if i > 0 else None, wanted or i > first)
        return back if wanted else None  # a layer in Python gives one, asked or not: of another width than the input's

    def update(
        self,
        optimizer: Optimizer,
        *,
        l1: float = 0.0,
        l2: float = 0.0,
        average: WeightAverage | None = None,
        mean: bool,
    ) -> None:
        """Add the update of all parameters, with penalties l1 and l2 on those that decay, then that of their average.

        `mean`, where gradients are accumulated, says that the loss is a mean: they are sums then, to be divided.
        """
        params, start = optimizer.params, len(self.operations)
        clips = {"norm": optimizer.max_grad_norm, "value": optimizer.max_grad_value}
        label = ", ".join([
            type(optimizer).__name__,
            "all parameters at once" if len(optimizer.param_groups) == 1 else f"{len(optimizer.param_groups)} groups",
            *(f"{name} to {limit:g}" for name, limit in clips.items() if limit is not None),
        ])  # fmt: skip
        arrays, flag = optimizer.arrays(l1, l2), MEAN if self.accumulate and mean else 0
        self.operations.append(
            Operation("update", label, arrays, params.data.size, kernel=optimizer.rule, flag=flag, update=optimizer)
        )
        if average is not None:
            arrays = {"weight": params.data, "s0": average.data, "hyper": average.settings, "step": average.seen}
            self.operations.append(Operation("average", type(average).__name__, arrays, params.data.size))
        self.sections["update"] = (start, len(self.operations))

    def statistics(self) -> None:
        """Add the update of running statistics. In a step it comes last: one that fails leaves them as they were."""
        start = len(self.operations)
        self.operations += self.running
        self.sections["statistics"] = (start, len(self.operations))

    def finish(self) -> Program:
        """Lay out the workspace and resolve every buffer into it."""
        nbytes = self.nbytes + lay_out(self.buffers, self.batch_size, self.dtype)
        for operation in self.operations:
            operation.arrays = {role: a.array if isinstance(a, (Buffer, Part)) else a
                                for role, a in operation.arrays.items()}  # fmt: skip
        return Program(
            self.batch_size,
            self.dtype,
            self.n_in,
            self.cols,
            self.operations,
            self.sections,
            nbytes,
            self.tick,
            self.stages,
            self.by_batch,
        )

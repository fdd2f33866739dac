"""How a network becomes a program.

A `Plan` walks through the layers once. Each tells it in the plan's vocabulary what it stands for (`linear`,
`activation`, `norm`, `batch_norm`, `rows`, `gate`, `noise`, `parametric`, `gather`, `residual`, `concat`, `python`),
and the plan fuses: an activation into the product or the normalization before it, the gradient of an activation into
the operation that makes its grad_output. Every layer leaves a stage (stages.py), which knows the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._core.normalization import COLUMN_STATISTICS, ROW_STATISTICS
from ._core.operations import ACCUMULATE, LABELS, MEAN
from ._validation import Array
from .meters import ACCURACY, COLUMNS, INDICES, SUMS, Counting
from .nn.parameters import aligned_zeros
from .program import Buffer, Operation, Part, Program, Slot, lay_out
from .stages import (
    Concat,
    Elementwise,
    Folded,
    Gate,
    Gradient,
    Linear,
    Norm,
    Parametric,
    Python,
    Stage,
    Sum,
    forward_of,
)

if TYPE_CHECKING:
    from .nn.losses import Loss
    from .nn.module import Module
    from .nn.structure import Node
    from .optim import Optimizer, WeightAverage

# Activations whose gradient is computed from the output: these two by definition, the others because their output tells
# as much as their input. Their outputs may overwrite their inputs.
FROM_OUTPUT = {"sigmoid", "tanh", "relu", "relu6", "hardtanh"}

# What is done to the gradient where there was noise; nothing where it was added.
NOISE_GRADIENTS = {
    "dropout": "dropout",
    "alpha_dropout": "alpha_dropout_backward",
    "gaussian_dropout": "gaussian_dropout",
    "gaussian_noise": None,
}

LAYER_STREAMS = 1 << 40  # random streams of dropout begin here, a block of 2^40 ticks a layer; those below shuffle


class Plan:
    """Collects stages and operations for one program."""

    def __init__(
        self,
        n_in: int,
        batch_size: int,
        dtype: str,
        *,
        train: bool,
        seed: int,
        tick: Array,
        accumulate: bool = False,
    ) -> None:
        self.n_in, self.batch_size, self.dtype, self.train = n_in, batch_size, dtype, train
        self.accumulate = accumulate  # the gradients of parameters are added to those there
        self.seed, self.tick = seed, tick
        self.stages: list[Stage] = []  # of the chain of layers that is being planned
        self.operations: list[Operation] = []
        self.sections: dict[str, tuple[int, int]] = {}
        self.buffers: list[Buffer] = []
        self.nbytes = 0  # of the workspace, besides the buffers
        self.cols = n_in
        self.current: Any = Slot("input")  # what the next layer reads
        self.gradient: Any = None  # with respect to what the last layer wrote
        self.running: list[Operation] = []  # the updates of running statistics
        self.by_batch = ""  # the first layer that normalizes by the statistics of the batch

    # -- the vocabulary of layers --------------------------------------------------------------------------------------

    def linear(self, layer: Any, label: str) -> None:
        """x W + b."""
        if layer.in_features != self.cols:
            raise ValueError(f"{label}: x has {self.cols} features, this layer takes {layer.in_features}")
        y = self.buffer(layer.out_features)
        arrays = {
            "x": self.current,
            "weight": layer.array("weight"),
            "bias": layer.array("bias"),
            "pre": y,
            "y": y,
        }
        operation = Operation("linear", label, arrays, self.cols, layer.out_features)
        self.add_stage(Linear(layer, label, self.cols, layer.out_features, self.current, y), operation)

    def activation(self, layer: Any, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An elementwise activation: part of the product or the normalization before it where there is one."""
        last = self.stages[-1] if self.stages else None
        keep_input = self.train and kernel not in FROM_OUTPUT
        backward = f"{kernel}_backward"
        if isinstance(last, (Linear, Norm)) and last.gate is None:
            operation = self.operations[-1]
            if keep_input:
                operation.arrays["y"] = last.y = self.current = self.buffer(self.cols)
            last.gate = Gate(backward, params, operation.arrays["pre" if keep_input else "y"])
            operation.kernel, operation.params = kernel, params
            last.label = operation.label = f"{operation.label} + {label}"
            return
        y = self.buffer(self.cols)
        saved = self.current if keep_input else y
        self._elementwise("activation", layer, label, y, kernel, backward, params, saved)
        self.stages[-1].gate = Gate(backward, params, saved)

    def norm(self, layer: Any, label: str, kind: str, eps: float) -> None:
        """Layer or root mean square normalization, of rows."""
        self._norm(layer, label, kind, eps, {"statistics": self.buffer(ROW_STATISTICS)} if self.train else {})

    def batch_norm(self, layer: Any, label: str, eps: float, momentum: float | None, *, by_batch: bool) -> None:
        """Batch normalization, by the statistics of the batch or by the running ones.

        The running statistics, where there are any, follow those of a training batch; without momentum, by averages.
        """
        size = (COLUMN_STATISTICS, layer.features)
        statistics = {"statistics": aligned_zeros(size, self.dtype)}
        self.nbytes += statistics["statistics"].nbytes
        running = {name: layer.buffer(name) for name in ("running_mean", "running_var") if name in layer.buffers()}
        x = self.current
        self._norm(layer, label, "batch_norm", eps, statistics if by_batch else statistics | running)
        if by_batch:
            self.by_batch = self.by_batch or label
        if by_batch and running and self.train:
            arrays = {"x": x, **statistics, **running, "step": layer.buffer("num_batches_tracked")}
            factor = -1.0 if momentum is None else momentum
            label = f"{label}, running statistics"
            self.running.append(Operation("running", label, arrays, self.cols, params=(factor,), eps=eps))

    def rows(self, layer: Any, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An operation on whole rows: softmax and log-softmax."""
        y = self.buffer(self.cols)
        self._elementwise("rows", layer, label, y, kernel, f"{kernel}_backward", params, y)

    def gate(self, layer: Module, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An operation on whole rows that makes one feature of several."""
        n_in, n_out, x, y = self._change(layer)
        saved = {"saved": x}
        stage = Folded(layer, label, n_in, n_out, x, y, False, None, "rows", f"{kernel}_backward", params, saved)
        self.add_stage(stage, Operation("rows", label, {"x": x, "y": y}, n_in, n_out, kernel, params))

    def noise(self, layer: Module, label: str, kernel: str, value: float, position: int) -> None:
        """Dropout and its kin while training, nothing otherwise; `value` is the kernel's parameter."""
        if self.train and value != 0:
            stream = (position + 1) * LAYER_STREAMS
            backward = NOISE_GRADIENTS[kernel]
            self._elementwise("noise", layer, label, self.buffer(self.cols), kernel, backward, (value,), None, stream)

    def parametric(
        self, layer: Module, label: str, kind: str, params: tuple[float, ...] = (), parameter: str = "weight"
    ) -> None:
        """A layer with one parameter, which is no product."""
        n_in, n_out, x, y = self._change(layer)
        stage = Parametric(layer, label, n_in, n_out, x, y, kind=kind, parameter=parameter, params=params)
        arrays = {"x": x, "weight": layer.array(parameter), "y": y}
        operation = Operation(kind, label, arrays, n_in, n_out, params=params, columns=self._columns_of(x))
        self.add_stage(stage, operation)

    def gather(self, layer: Module, label: str, index: Array) -> None:
        """Some columns of x."""
        n_in, n_out, x, y = self._change(layer)
        columns = self._columns_of(x)
        if columns is not None:
            y.columns = tuple(columns[i] for i in index)
        stage = Folded(layer, label, n_in, n_out, x, y, kind="gather", operands={"index": index})
        self.add_stage(stage, Operation("gather", label, {"x": x, "y": y, "index": index}, n_in, n_out))

    def python(self, layer: Module, label: str) -> None:
        """A layer whose forward and backward are Python functions of arrays."""
        n_out = layer.out_features_for(self.cols)
        x, y = self.in_workspace(self.current, self.cols, "input"), self.buffer(n_out)
        stage = Python(layer, label, self.cols, n_out, x, y, trained=bool(layer.parameter_shapes()))
        call = forward_of(layer, label, x, y, self.train)
        self.add_stage(stage, Operation("python", label, {"x": x, "y": y}, self.cols, n_out, call=call))

    def residual(self, layer: Module, label: str, body: tuple[Node, ...], shortcut: tuple[Node, ...]) -> None:
        """The sum of what two chains of layers make of x."""
        x, n_in = self.current, self.cols
        first, a = self._branch(body, x, n_in)
        second, b = self._branch(shortcut, x, n_in)
        y = self.buffer(self.cols)
        stage = Sum(layer, label, n_in, self.cols, x, y, chains=(first, second))
        stage.trained = any(s.trained for chain in stage.chains for s in chain)
        self.add_stage(stage, _sum(label, a, b, y, self.cols))

    def concat(self, layer: Module, label: str, branches: tuple[tuple[Node, ...], ...]) -> None:
        """What branches make of x, side by side."""
        x, n_in = self.current, self.cols
        chains, outputs, widths = [], [], []
        for nodes in branches:
            chain, output = self._branch(nodes, x, n_in)
            chains.append(chain)
            outputs.append(output)
            widths.append(self.cols)
        y, start = self.buffer(sum(widths)), 0
        for output, width in zip(outputs, widths, strict=True):
            self.copy_columns(output, 0, y, start, width, f"{label}, columns {start}...")
            start += width
        trained = any(s.trained for chain in chains for s in chain)
        stage = Concat(layer, label, n_in, start, x, y, trained, chains=tuple(chains), widths=tuple(widths))
        self.stages.append(stage)
        self.current, self.cols = y, start

    # -- sections ------------------------------------------------------------------------------------------------------

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

    def loss(self, loss: Loss, *, gradient: bool, labels: bool) -> None:
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
                operation.arrays["target"] = own

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

    # -- parts ---------------------------------------------------------------------------------------------------------

    def buffer(self, cols: int) -> Buffer:
        """A new matrix of the workspace."""
        self.buffers.append(Buffer(cols))
        return self.buffers[-1]

    def in_workspace(self, array: Any, cols: int, label: str) -> Any:
        """`array`, copied if its place is known only at the run: Python code and parts of matrices need a place."""
        if not isinstance(array, Slot):
            return array
        copy = self.buffer(cols)
        copy.columns = self._columns_of(array)
        self.operations.append(Operation("copy", label, {"x": array, "y": copy}, cols))
        return copy

    def add_stage(self, stage: Stage, operation: Operation) -> None:
        """Go on with what a stage wrote."""
        self.stages.append(stage)
        self.operations.append(operation)
        self.current, self.cols = stage.y, stage.n_out

    def add(self, a: Any, b: Any, y: Any, cols: int, label: str) -> None:
        """y = a + b."""
        self.operations.append(_sum(label, a, b, y, cols))

    def copy_columns(
        self,
        x: Any,
        x_start: int,
        y: Any,
        y_start: int,
        cols: int,
        label: str,
        factor: float = 1.0,
        counted: bool = False,
    ) -> None:
        """Columns of x, times a factor, become columns of y; x is a buffer or, taken as a whole, a slot.

        If `counted`, they are also multiplied by what the batch counts for: its samples, or their weights.
        """
        strides = (float(getattr(x, "cols", cols)), float(y.cols), factor)
        source = x if isinstance(x, Slot) else Part(x, x_start, cols)
        arrays = {"x": source, "y": Part(y, y_start, cols)}
        if counted:
            arrays["sample_weight"] = Slot("sample_weight")
        flag = ACCUMULATE if counted else 0
        self.operations.append(Operation("columns", label, arrays, cols, 0, None, strides, flag))

    def _norm(self, layer: Any, label: str, kind: str, eps: float, arrays: dict[str, Any]) -> None:
        if layer.in_features_hint() != self.cols:
            raise ValueError(f"{label}: x has {self.cols} features, this layer takes {layer.in_features_hint()}")
        x, y = self.current, self.buffer(self.cols)
        trained = bool(layer.parameter_shapes())
        stage = Norm(layer, label, self.cols, self.cols, x, y, trained, None, kind, eps, arrays)
        arrays = {"x": x, "weight": layer.array("weight"), "bias": layer.array("bias"), "pre": y, "y": y, **arrays}
        self.add_stage(stage, Operation(kind, label, arrays, self.cols, eps=eps))

    def _change(self, layer: Module) -> tuple[int, int, Any, Buffer]:
        """Features in and out of a layer, which may be different ones, and its matrices."""
        hint = layer.in_features_hint()
        if hint not in (None, self.cols):
            raise ValueError(f"{type(layer).__name__}: x has {self.cols} features, this layer takes {hint}")
        n_out = layer.out_features_for(self.cols)
        return self.cols, n_out, self.current, self.buffer(n_out)

    def _columns_of(self, array: Any) -> tuple[int, ...] | None:
        """Which columns of the network's input a matrix consists of; None if it is computed."""
        columns: tuple[int, ...] | None = tuple(range(self.n_in)) if isinstance(array, Slot) else array.columns
        return columns

    def _branch(self, nodes: tuple[Node, ...], x: Any, n_in: int) -> tuple[list[Stage], Any]:
        """Plan a chain of layers that reads x: its stages, none of which is fused with one outside, and its output."""
        outside, self.stages = self.stages, []
        self.current, self.cols = x, n_in
        self.layers(nodes)
        inside, self.stages = self.stages, outside
        return inside, self.current

    def _elementwise(
        self,
        kind: str,
        layer: Any,
        label: str,
        y: Any,
        kernel: str,
        backward: str | None,
        params: tuple[float, ...],
        saved: Any,
        stream: int = 0,
    ) -> None:
        x, cols = self.current, self.cols
        stage = Elementwise(layer, label, cols, cols, x, y, False, None, kind, backward, params, saved, stream)
        operation = Operation(kind, label, {"x": x, "y": y}, cols, 0, kernel, params, seed=self.seed, stream=stream)
        self.add_stage(stage, operation)


def _sum(label: str, a: Any, b: Any, y: Any, cols: int) -> Operation:
    """y = a + b, as the operation that combines two matrices by an elementwise kernel."""
    return Operation("activation_backward", label, {"grad_y": a, "saved": b, "grad_x": y}, cols, 0, "add")

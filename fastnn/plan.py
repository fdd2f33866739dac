"""How a network becomes a program.

A `Plan` walks through the layers once. Each tells it in the plan's vocabulary what it stands for (`linear`,
`activation`, `rows`, `dropout`, `python`), and the plan fuses: an activation into the product before it, the gradient
of an activation into the product that makes its grad_output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._core.operations import ACCUMULATE
from ._validation import Array
from .nn.parameters import ALIGNMENT, aligned_zeros
from .program import Buffer, Operation, Program, Slot

if TYPE_CHECKING:
    from .nn.losses import Loss
    from .nn.module import Module
    from .optim import Optimizer

# Activations whose gradient is computed from the output: these two by definition, the others because their output tells
# as much as their input. Their outputs may overwrite their inputs.
FROM_OUTPUT = {"sigmoid", "tanh", "relu", "relu6", "hardtanh"}

LAYER_STREAMS = 1 << 40  # random streams of dropout begin here, a block of 2^40 ticks a layer; those below shuffle


@dataclass
class Stage:
    """A layer's place in the plan: what its backward pass needs to know."""

    kind: str
    layer: Any
    label: str
    n_in: int
    n_out: int
    x: Any
    y: Any
    saved: Any = None
    kernel: str | None = None
    params: tuple[float, ...] = ()
    stream: int = 0
    trained: bool = False

    @property
    def gate(self) -> str | None:
        """The gradient of the elementwise activation that ends this stage."""
        return f"{self.kernel}_backward" if self.kernel and self.kind in ("linear", "activation") else None


class Plan:
    """Collects stages and operations for one program."""

    def __init__(self, n_in: int, batch_size: int, dtype: str, *, train: bool, seed: int, tick: Array) -> None:
        self.n_in, self.batch_size, self.dtype, self.train = n_in, batch_size, dtype, train
        self.seed, self.tick = seed, tick
        self.stages: list[Stage] = []
        self.operations: list[Operation] = []
        self.sections: dict[str, tuple[int, int]] = {}
        self.buffers: list[Buffer] = []
        self.nbytes = 0  # of the workspace, besides the buffers
        self.cols = n_in
        self.current: Any = Slot("input")  # what the next layer reads
        self.gradient: Any = None  # with respect to what the last layer wrote

    # -- the vocabulary of layers --------------------------------------------------------------------------------------

    def linear(self, layer: Any, label: str) -> None:
        """x W + b."""
        if layer.in_features != self.cols:
            raise ValueError(f"{label}: x has {self.cols} features, this layer takes {layer.in_features}")
        y = self.buffer(layer.out_features)
        stage = Stage("linear", layer, label, self.cols, layer.out_features, self.current, y, trained=True)
        arrays = {
            "x": self.current,
            "weight": layer.array("weight"),
            "bias": layer.array("bias"),
            "pre": y,
            "y": y,
        }
        self._add(stage, Operation("linear", label, arrays, self.cols, layer.out_features))

    def activation(self, layer: Any, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An elementwise activation: part of the product before it where there is one."""
        last = self.stages[-1] if self.stages else None
        keep_input = self.train and kernel not in FROM_OUTPUT
        if last is not None and last.kind == "linear" and last.kernel is None:
            operation = self.operations[-1]
            if keep_input:
                operation.arrays["y"] = last.y = self.current = self.buffer(self.cols)
            last.saved = operation.arrays["pre" if keep_input else "y"]
            last.kernel, last.params = kernel, params
            operation.kernel, operation.params = kernel, params
            last.label = operation.label = f"{operation.label} + {label}"
            return
        y = self.buffer(self.cols)
        saved = self.current if keep_input else y
        stage = Stage("activation", layer, label, self.cols, self.cols, self.current, y, saved, kernel, params)
        self._add(stage, Operation("activation", label, {"x": self.current, "y": y}, self.cols, 0, kernel, params))

    def rows(self, layer: Any, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An operation on whole rows: softmax and log-softmax."""
        y = self.buffer(self.cols)
        stage = Stage("rows", layer, label, self.cols, self.cols, self.current, y, y, kernel, params)
        self._add(stage, Operation("rows", label, {"x": self.current, "y": y}, self.cols, 0, kernel, params))

    def dropout(self, layer: Any, label: str, p: float, position: int) -> None:
        """Dropout while training, nothing otherwise."""
        if not self.train or p == 0:
            return
        y = self.buffer(self.cols)
        stream = (position + 1) * LAYER_STREAMS
        stage = Stage("dropout", layer, label, self.cols, self.cols, self.current, y, params=(p,), stream=stream)
        arrays = {"x": self.current, "y": y}
        self._add(
            stage,
            Operation("dropout", label, arrays, self.cols, 0, None, (p,), seed=self.seed, stream=stream),
        )

    def python(self, layer: Module, label: str) -> None:
        """A layer whose forward and backward are Python functions of arrays."""
        self._stage_input()
        n_out = layer.out_features_for(self.cols)
        x, y = self.current, self.buffer(n_out)
        stage = Stage("python", layer, label, self.cols, n_out, x, y, trained=bool(layer.parameter_shapes()))

        def call(rows: int) -> None:
            before, layer.training = layer.training, self.train
            try:
                result = np.asarray(layer.forward(read_only(x.array[:rows])))
            finally:
                layer.training = before
            if result.shape != (rows, n_out):
                raise ValueError(f"{label}: forward must return shape {(rows, n_out)}, got {result.shape}")
            y.array[:rows] = result

        self._add(stage, Operation("python", label, {"x": x, "y": y}, self.cols, n_out, call=call))

    # -- sections ------------------------------------------------------------------------------------------------------

    def forward(self, *, to_output: bool) -> None:
        """Close the forward section; with `to_output` its result goes to the array that the run is given."""
        if to_output:
            last = self.operations[-1] if self.operations else None
            if self.train or last is None or last.kind == "python":
                arrays = {"x": self.current, "y": Slot("output")}
                self.operations.append(Operation("copy", "output", arrays, self.cols))
            else:
                for role, array in last.arrays.items():
                    if array is self.current:
                        last.arrays[role] = Slot("output")
        self.sections["forward"] = (0, len(self.operations))

    def loss(self, loss: Loss, *, gradient: bool, labels: bool) -> None:
        """Add the loss, with its gradient if asked, and its metric; with `labels` the targets are class indices."""
        start = len(self.operations)
        self.gradient = self.buffer(self.cols) if gradient else None
        loss.plan(self, labels)
        self.sections["loss"] = (start, len(self.operations))

    def backward(self, *, accumulate: bool, input_gradient: bool) -> None:
        """Add the backward pass; `input_gradient` makes it go on to the gradient of the input."""
        start = len(self.operations)
        gradient = self.gradient if self.gradient is not None else Slot("grad_output")
        first = 0 if input_gradient else next((i for i, s in enumerate(self.stages) if s.trained), len(self.stages))
        gated = False
        for i in range(len(self.stages) - 1, first - 1, -1):
            wanted = i > first or input_gradient
            gradient, gated = self._stage_backward(i, gradient, gated, wanted, accumulate)
        if input_gradient:
            arrays = {"x": gradient, "y": Slot("grad_input")}
            self.operations.append(Operation("copy", "gradient of the input", arrays, self.n_in))
        self.sections["backward"] = (start, len(self.operations))

    def update(self, optimizer: Optimizer) -> None:
        """Add the update of all parameters."""
        params, start = optimizer.params, len(self.operations)
        arrays: dict[str, Any] = {
            "weight": params.data,
            "grad_weight": params.grad,
            "hyper": optimizer.hyper,
            "step": optimizer.step_count,
        }
        arrays.update(zip(("s0", "s1", "s2"), optimizer.slots(), strict=False))
        label = f"{type(optimizer).__name__}, all parameters at once"
        operation = Operation("update", label, arrays, params.data.size, kernel=optimizer.rule, update=optimizer)
        self.operations.append(operation)
        self.sections["update"] = (start, start + 1)

    def finish(self) -> Program:
        """Lay out the workspace and resolve every buffer into it."""
        itemsize = np.dtype(self.dtype).itemsize
        # An odd number of cache lines between buffers: no two rows at a distance of a power of two.
        sizes = [
            (-(-b.cols * self.batch_size * itemsize // ALIGNMENT) | 1) * ALIGNMENT // itemsize for b in self.buffers
        ]
        arena = aligned_zeros((sum(sizes),), self.dtype)
        start = 0
        for buffer, size in zip(self.buffers, sizes, strict=True):
            flat = arena[start : start + buffer.cols * self.batch_size]
            buffer.array = flat.reshape(self.batch_size, buffer.cols)
            start += size
        for operation in self.operations:
            operation.arrays = {role: getattr(a, "array", a) if isinstance(a, Buffer) else a
                                for role, a in operation.arrays.items()}  # fmt: skip
        return Program(
            self.batch_size,
            self.dtype,
            self.n_in,
            self.cols,
            self.operations,
            self.sections,
            self.nbytes + arena.nbytes,
            self.tick,
        )

    # -- parts ---------------------------------------------------------------------------------------------------------

    def buffer(self, cols: int) -> Buffer:
        """A new matrix of the workspace."""
        self.buffers.append(Buffer(cols))
        return self.buffers[-1]

    def _add(self, stage: Stage, operation: Operation) -> None:
        self.stages.append(stage)
        self.operations.append(operation)
        self.current, self.cols = stage.y, stage.n_out

    def _stage_input(self) -> None:
        """Python code wants an array: copy the input, whose place is known only at the run, into the workspace."""
        if isinstance(self.current, Slot):
            copy = self.buffer(self.cols)
            self.operations.append(Operation("copy", "input", {"x": self.current, "y": copy}, self.cols))
            self.current = copy

    def _stage_backward(self, i: int, gradient: Any, gated: bool, wanted: bool, accumulate: bool) -> tuple[Any, bool]:
        """The backward pass of stage i.

        Returns the gradient of its input, and whether the stage before is done with it.
        """
        stage = self.stages[i]
        if stage.kind in ("linear", "activation") and stage.gate and not gated:
            gradient = self._elementwise_backward("activation_backward", stage, gradient, stage.gate)
        if stage.kind == "linear":
            return self._linear_backward(i, gradient, wanted, accumulate)
        if stage.kind == "rows":
            gradient = self._elementwise_backward("rows_backward", stage, gradient, f"{stage.kernel}_backward")
        elif stage.kind == "dropout":
            gradient = self._elementwise_backward("dropout_backward", stage, gradient, None)
        elif stage.kind == "python":
            gradient = self._python_backward(stage, gradient, accumulate)
        return gradient, False

    def _elementwise_backward(self, kind: str, stage: Stage, gradient: Any, kernel: str | None) -> Any:
        # The caller's own gradient is not overwritten; ours is.
        grad_x = self.buffer(stage.n_out) if isinstance(gradient, Slot) else gradient
        arrays = {"grad_y": gradient, "saved": stage.saved, "grad_x": grad_x}
        self.operations.append(
            Operation(
                kind,
                stage.label,
                arrays,
                stage.n_out,
                0,
                kernel,
                stage.params,
                seed=self.seed,
                stream=stage.stream,
            )
        )
        return grad_x

    def _linear_backward(self, i: int, gradient: Any, wanted: bool, accumulate: bool) -> tuple[Any, bool]:
        stage, layer = self.stages[i], self.stages[i].layer
        arrays = {
            "grad_y": gradient,
            "x": stage.x,
            "grad_weight": layer.gradient("weight"),
            "grad_bias": layer.gradient("bias"),
        }
        operation = Operation("linear_backward", stage.label.split(" + ")[0], arrays, stage.n_in, stage.n_out)
        operation.flag = ACCUMULATE if accumulate else 0
        self.operations.append(operation)
        if not wanted:
            return None, False
        grad_x = self.buffer(stage.n_in)
        arrays |= {"weight": layer.array("weight"), "grad_x": grad_x}
        before = self.stages[i - 1] if i > 0 else None
        if before is not None and before.gate:
            operation.kernel, operation.params = before.gate, before.params
            arrays["saved"] = before.saved
            operation.label += f" + gradient of {before.label.split(' + ')[-1]}"
        return grad_x, before is not None and before.gate is not None

    def _python_backward(self, stage: Stage, gradient: Any, accumulate: bool) -> Any:
        if isinstance(gradient, Slot):
            copy = self.buffer(stage.n_out)
            self.operations.append(Operation("copy", "gradient", {"x": gradient, "y": copy}, stage.n_out))
            gradient = copy
        grad_x, layer = self.buffer(stage.n_in), stage.layer

        def call(rows: int) -> None:
            if not accumulate:  # the layer adds to its gradients
                for name in layer.parameter_shapes():
                    layer.gradient(name)[...] = 0
            result = np.asarray(layer.backward(read_only(gradient.array[:rows])))
            if result.shape != (rows, stage.n_in):
                raise ValueError(f"{stage.label}: backward must return shape {(rows, stage.n_in)}, got {result.shape}")
            grad_x.array[:rows] = result

        arrays = {"grad_y": gradient, "grad_x": grad_x}
        self.operations.append(Operation("python", f"{stage.label} backward", arrays, stage.n_in, call=call))
        return grad_x


def read_only(array: Array) -> Array:
    """A view of the workspace for Python code: what is written there belongs to the program."""
    view = array.view()
    view.flags.writeable = False
    return view

"""The builder that layers talk to: each of its methods adds a layer's operations, and the stage that has its gradient.

An activation is fused with the product or the normalization before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _validation as check
from .._core.int8 import weight_shape
from .._core.normalization import COLUMN_STATISTICS, ROW_STATISTICS
from .._core.operations import TRANSPOSED
from .._validation import Array
from .backward import (
    ConcatStage,
    ElementwiseStage,
    InferenceStage,
    LinearStage,
    NormStage,
    ParameterStage,
    PythonStage,
    ResizingStage,
    Slope,
    Stage,
    SumStage,
    forward_of,
)
from .draft import Draft
from .graph import Graph, plan_graph
from .interfaces import Layer, Node
from .memory import Matrix, aligned_zeros
from .operations import Operation

# Activations whose gradient is computed from their output, which may therefore overwrite their input.
FROM_OUTPUT = {"sigmoid", "tanh", "exp", "relu", "relu6", "hardtanh", "affine"}

# The kernel of the gradient of each kind of noise; None where the gradient passes unchanged.
NOISE_GRADIENTS = {
    "dropout": "dropout",
    "alpha_dropout": "alpha_dropout_backward",
    "gaussian_dropout": "gaussian_dropout",
    "gaussian_noise": None,
    "rrelu": "rrelu_backward",
}
FROM_INPUT = {"rrelu"}  # the noise whose gradient takes the input too

LAYER_STREAMS = 1 << 40  # random streams of dropout begin here, a block of 2^40 ticks a layer; those below shuffle
MOST_DRAWS = 254  # further calls of a layer in one pass: streams have 64 bits


@dataclass(frozen=True)
class Tap:
    """What a layer reads and writes: matrices with `n_in` and `n_out` columns, or arguments of the run."""

    x: Any
    n_in: int
    y: Any
    n_out: int


class Builder(Draft):
    """Adds layers, one after the other."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.stages: list[Stage] = []  # of the chain of layers that is being built
        self.running: list[Operation] = []  # the updates of running statistics
        self.kept: frozenset[str] = frozenset()  # the layers whose inputs and outputs are read after the pass
        self.reading = False  # whether the layer that is being added is one of them
        self.taps: dict[str, Tap] = {}  # what each layer reads and writes, by name
        self.by_batch = ""  # the first layer that normalizes by the statistics of the batch
        self.separate = False  # whether each layer is being read: none is fused in place
        self.position = 0  # of the layer that is being added
        self.draws: Counter[int] = Counter()  # how often the layer of each position has drawn random numbers

    def layers(self, nodes: Sequence[Node]) -> None:
        """Add layers, one after the other."""
        for node in nodes:
            label = node.title or f"{node.name + ' ' if node.name else ''}{type(node.layer).__name__}"
            x, n_in, self.reading = self.current, self.cols, self.separate or node.name in self.kept
            self.position = node.position
            if node.branches:
                node.layer.plan_branches(self, label, node.branches)
            else:
                node.layer.plan(self, label, node.position)
            self.tap(node.name, x, n_in, self.current, self.cols)

    def tap(self, name: str, x: Any, n_in: int, y: Any, n_out: int) -> None:
        """Note what the layer of a name reads and writes."""
        if name:
            self.taps[name] = Tap(x, n_in, y, n_out)

    def graph(self, layer: Layer, label: str, graph: Graph) -> None:
        """Layers, and sums and other joints of what they compute: see `graph`."""
        plan_graph(self, layer, label, graph)

    def add_stage(self, stage: Stage, operation: Operation) -> None:
        """Add a layer whose output is the next one's input."""
        self.stages.append(stage)
        self.operations.append(operation)
        self.current, self.cols = stage.y, stage.n_out

    def linear(self, layer: Any, label: str, *, transposed: bool = False) -> None:
        """x W + b; `transposed`: x W^T + b."""
        weight = layer.array("weight")
        n_in, n_out = weight.shape[::-1] if transposed else weight.shape
        if n_in != self.cols:
            raise ValueError(f"{label}: x has {self.cols} features, this layer takes {n_in}")
        y = self.matrix(n_out)
        arrays = {"x": self.current, "weight": weight, "bias": _sized(layer, "bias", n_out), "pre": y, "y": y}
        operation = Operation("linear", label, arrays, n_in, n_out, flag=TRANSPOSED if transposed else 0)
        stage = LinearStage(layer, label, n_in, n_out, self.current, y, self.trains(layer), flag=operation.flag)
        self.add_stage(stage, operation)

    def activation(self, layer: Any, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An elementwise activation: part of the product or the normalization before it where there is one."""
        last = self.stages[-1] if self.stages else None
        keep_input = self.saves and kernel not in FROM_OUTPUT
        backward = f"{kernel}_backward"
        if isinstance(last, (LinearStage, NormStage)) and last.slope is None:
            operation = self.operations[-1]
            if keep_input or self.reading or any(self.taps[name].y is last.y for name in self.kept & self.taps.keys()):
                operation.arrays["y"] = last.y = self.current = self.matrix(self.cols)
            last.slope = Slope(backward, params, operation.arrays["pre" if keep_input else "y"])
            operation.kernel, operation.params = kernel, params
            last.label = operation.label = f"{operation.label} + {label}"
            return
        y = self.matrix(self.cols)
        saved = self.current if keep_input else y
        self._elementwise("activation", layer, label, y, kernel, backward, params, saved)
        self.stages[-1].slope = Slope(backward, params, saved)

    def norm(self, layer: Any, label: str, kind: str, eps: float) -> None:
        """Layer or root mean square normalization, of rows."""
        self._norm(layer, label, kind, eps, {"statistics": self.matrix(ROW_STATISTICS)} if self.saves else {})

    def group_norm(self, layer: Any, label: str, eps: float, groups: int, channels: int) -> None:
        """Layer normalization of groups of columns; those of a channel share a number of weight and bias."""
        if not self.cols or self.cols % channels or channels % groups:
            raise ValueError(f"{label}: x has {self.cols} features, this layer takes a multiple of {channels}")
        arrays: dict[str, Any] = {"statistics": self.matrix(groups * ROW_STATISTICS)} if self.saves else {}
        length = self.cols // channels
        if length > 1:
            arrays["expanded"] = self.scratch((4, self.cols))
        self._norm(layer, label, "group_norm", eps, arrays, {"groups": groups, "length": length})

    def batch_norm(self, layer: Any, label: str, eps: float, momentum: float | None, *, by_batch: bool) -> None:
        """Batch normalization, by the statistics of the batch or by the running ones.

        The running statistics, where there are any, follow those of a training batch; without momentum, by averages.
        """
        statistics = {"statistics": aligned_zeros((COLUMN_STATISTICS, self.cols), self.dtype)}
        self.nbytes += statistics["statistics"].nbytes
        names = [name for name in ("running_mean", "running_var") if name in layer.buffers()]
        running = {name: check.check_size(f"{label}: {name}", layer.buffer(name), self.cols) for name in names}
        x = self.current
        self._norm(layer, label, "batch_norm", eps, statistics if by_batch else statistics | running)
        if by_batch:
            self.by_batch = self.by_batch or label
        if by_batch and running and self.train:
            arrays = {"x": x, **statistics, **running, "step": layer.buffer("num_batches_tracked")}
            factor = -1.0 if momentum is None else momentum
            label = f"{label}, running statistics"
            options = {"eps": eps, "momentum": factor}
            self.running.append(Operation("running", label, arrays, self.cols, options=options))

    def rows(self, layer: Any, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An operation on whole rows: softmax and log-softmax."""
        y = self.matrix(self.cols)
        self._elementwise("rows", layer, label, y, kernel, f"{kernel}_backward", params, y)

    def gate(self, layer: Layer, label: str, kernel: str, params: tuple[float, ...]) -> None:
        """An operation on whole rows that makes one feature of several."""
        n_in, n_out, x, y = self._resized(layer)
        if n_out * int(params[0] if params else 2) != n_in:
            raise ValueError(f"{label}: {n_in} features do not become {n_out}")
        saved = {"saved": x}
        stage = ResizingStage(layer, label, n_in, n_out, x, y, False, None, "rows", f"{kernel}_backward", params, saved)
        self.add_stage(stage, Operation("rows", label, {"x": x, "y": y}, n_in, n_out, kernel, params))

    def noise(self, layer: Layer, label: str, kernel: str, value: float | tuple[float, ...], position: int) -> None:
        """Dropout and its kin while training, nothing otherwise; `value` is the kernel's parameter, or has several."""
        if self.train and value != 0:
            params = value if isinstance(value, tuple) else (value,)
            saved = self.current if kernel in FROM_INPUT else None
            stream = self._stream(position)
            backward = NOISE_GRADIENTS[kernel]
            self._elementwise("noise", layer, label, self.matrix(self.cols), kernel, backward, params, saved, stream)

    def parameter(self, layer: Layer, label: str, kind: str, parameter: str = "weight", **options: float) -> None:
        """A layer with one parameter that is not multiplied as a matrix."""
        if kind.startswith("embedding"):
            self.current = self.in_workspace(self.current, self.cols, "indices")
        n_in, n_out, x, y = self._resized(layer)
        weight = layer.array(parameter)
        _check_parameter(label, kind, weight, options, n_in, n_out)
        trained = self.trains(layer)
        operands = {"per_row": self.scratch((2, len(weight)))} if kind == "embedding_bag" and weight is not None else {}
        stage = ParameterStage(
            layer, label, n_in, n_out, x, y, trained, kind=kind, parameter=parameter, options=options, operands=operands
        )
        arrays, columns = {"x": x, "weight": weight, "y": y, **operands}, self.input_columns_of(x)
        self.add_stage(stage, Operation(kind, label, arrays, n_in, n_out, options=options, input_columns=columns))

    def gather(self, layer: Layer, label: str, index: Array) -> None:
        """Some columns of x."""
        n_in, n_out, x, y = self._resized(layer)
        if len(index) != n_out or any(not 0 <= i < n_in for i in index):
            raise ValueError(f"{label}: of {n_in} features, columns {index.tolist()} are to become {n_out}")
        index.flags.writeable = False
        columns = self.input_columns_of(x)
        if columns is not None:
            y.input_columns = tuple(columns[i] for i in index)
        stage = ResizingStage(layer, label, n_in, n_out, x, y, kind="gather", operands={"index": index})
        self.add_stage(stage, Operation("gather", label, {"x": x, "y": y, "index": index}, n_in, n_out))

    def linear_int8(self, layer: Layer, label: str, weight: Array, scale: Array, bias: Array | None) -> None:
        """x W + b of a layer without gradients, whose weight is integers times a scale for each column."""
        n_in, n_out, x, y = self._resized(layer)
        _check_integers(label, weight, scale, bias, n_in, n_out, np.dtype(self.dtype))
        arrays = {"x": x, "weight": weight, "scale": scale, "bias": bias, "y": y}
        stage = InferenceStage(layer, label, n_in, n_out, x, y)
        self.add_stage(stage, Operation("linear_int8", label, arrays, n_in, n_out))

    def python(self, layer: Layer, label: str) -> None:
        """A layer whose forward and backward are Python functions of arrays."""
        n_out = layer.out_features_for(self.cols)
        x, y = self.in_workspace(self.current, self.cols, "input"), self.matrix(n_out)
        stage = PythonStage(layer, label, self.cols, n_out, x, y, trained=self.trains(layer))
        call = forward_of(layer, label, x, y, self.train, self.saves)
        self.add_stage(stage, Operation("python", label, {"x": x, "y": y}, self.cols, n_out, call=call))

    def residual(self, layer: Layer, label: str, body: Sequence[Node], shortcut: Sequence[Node]) -> None:
        """The sum of what two chains of layers make of x."""
        x, n_in = self.current, self.cols
        first, a = self._branch(body, x, n_in)
        second, b = self._branch(shortcut, x, n_in)
        y = self.matrix(self.cols)
        stage = SumStage(layer, label, n_in, self.cols, x, y, chains=(first, second))
        stage.trained = any(s.trained for chain in stage.chains for s in chain)
        self.add_stage(stage, Operation("arithmetic", label, {"x": a, "other": b, "y": y}, self.cols, kernel="add"))

    def concat(self, layer: Layer, label: str, branches: tuple[Sequence[Node], ...]) -> None:
        """What branches make of x, side by side."""
        x, n_in = self.current, self.cols
        chains, outputs, widths = [], [], []
        for nodes in branches:
            chain, output = self._branch(nodes, x, n_in)
            chains.append(chain)
            outputs.append(output)
            widths.append(self.cols)
        y, start = self.matrix(sum(widths)), 0
        for output, width in zip(outputs, widths, strict=True):
            self.copy_columns(output, 0, y, start, width, f"{label}, columns {start}...")
            start += width
        trained = any(s.trained for chain in chains for s in chain)
        stage = ConcatStage(layer, label, n_in, start, x, y, trained, chains=tuple(chains), widths=tuple(widths))
        self.stages.append(stage)
        self.current, self.cols = y, start

    def _stream(self, position: int) -> int:
        """The random stream of a layer; each further call of it in the same pass has one of its own."""
        call = self.draws[position]
        if call > MOST_DRAWS:
            raise ValueError(f"a layer draws random numbers {call + 1} times in a pass: at most {MOST_DRAWS + 1} times")
        self.draws[position] += 1
        return (position + 1 + (call << 16)) * LAYER_STREAMS

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _norm(
        self,
        layer: Any,
        label: str,
        kind: str,
        eps: float,
        arrays: dict[str, Any],
        options: dict[str, int] | None = None,
    ) -> None:
        options = options or {}
        if layer.in_features_hint() not in (None, self.cols):
            raise ValueError(f"{label}: x has {self.cols} features, this layer takes {layer.in_features_hint()}")
        x, y = self.current, self.matrix(self.cols)
        trained = self.trains(layer)
        stage = NormStage(layer, label, self.cols, self.cols, x, y, trained, None, kind, eps, arrays, options)
        size = self.cols // options.get("length", 1)
        parameters = {name: _sized(layer, name, size) for name in ("weight", "bias")}
        arrays = {"x": x, **parameters, "pre": y, "y": y, **arrays}
        self.add_stage(stage, Operation(kind, label, arrays, self.cols, options={"eps": eps, **options}))

    def _resized(self, layer: Layer) -> tuple[int, int, Any, Matrix]:
        """Features in and out of a layer, which may be different ones, and its matrices."""
        hint = layer.in_features_hint()
        if hint not in (None, self.cols):
            raise ValueError(f"{type(layer).__name__}: x has {self.cols} features, this layer takes {hint}")
        n_out = layer.out_features_for(self.cols)
        return self.cols, n_out, self.current, self.matrix(n_out)

    def _branch(self, nodes: Sequence[Node], x: Any, n_in: int) -> tuple[list[Stage], Any]:
        """Add a chain of layers that reads x; returns its stages, none fused with one outside, and its output."""
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
        stage = ElementwiseStage(layer, label, cols, cols, x, y, False, None, kind, backward, params, saved, stream)
        operation = Operation(kind, label, {"x": x, "y": y}, cols, 0, kernel, params, seed=self.seed, stream=stream)
        self.add_stage(stage, operation)


def _sized(layer: Any, name: str, size: int) -> Array | None:
    """A parameter of a layer, if it has that, which must have so many values."""
    array: Array | None = layer.array(name)
    return array if array is None else check.check_size(f"{type(layer).__name__}: {name}", array, size)


def _check_integers(
    label: str, weight: Array, scale: Array, bias: Array | None, n_in: int, n_out: int, dtype: np.dtype[Any]
) -> None:
    """Raise ValueError unless the operands of a product of integers are as the kernel reads them."""
    wanted = {
        "weight": (weight, weight_shape(n_in, n_out), np.dtype("int8")),
        "scale": (scale, (n_out,), np.dtype("float64")),
        "bias": (bias, (n_out,), dtype),
    }
    for name, (array, shape, kind) in wanted.items():
        if array is not None and (array.shape != shape or array.dtype != kind or not array.flags.c_contiguous):
            raise ValueError(f"{label}: {name} must be {kind} of shape {shape}, got {array.dtype} of {array.shape}")


def _check_parameter(
    label: str, kind: str, weight: Array | None, options: dict[str, float], n_in: int, n_out: int
) -> None:
    """Raise ValueError unless the parameter has the shape that the kernel reads, whatever the layer says."""
    shapes: dict[str, tuple[int, ...]] = {"prelu": (1 if options.get("shared") else n_in,), "temperature_scale": (1,)}
    if kind.startswith("embedding"):
        rows, padding, size = int(options["num_embeddings"]), int(options["padding"]), int(options.get("bag_size", 1))
        bags = n_in // size if size else 0
        shapes[kind] = (rows, n_out // max(1, bags))
        if n_out != bags * shapes[kind][1] or n_in != bags * size or padding >= rows:
            raise ValueError(f"{label}: {n_in} codes do not become {n_out} features")
    assert weight is not None
    check.check_shape(f"{label}: the parameter", weight, shapes[kind], "for its kernel")

"""The stages of a plan: each is a layer's place in it, made on the way forward, that knows the way back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.operations import ACCUMULATE
from .._validation import Array
from .program import Operation

if TYPE_CHECKING:
    from ..nn.module import Module
    from .plan import Plan


@dataclass(frozen=True)
class Gradient:
    """The gradient with respect to what a stage wrote."""

    array: Any
    owned: bool = True  # nobody else reads it: it may be written over
    gated: bool = False  # the gradient of the activation that ends the stage is in it already


@dataclass(frozen=True)
class Gate:
    """The elementwise gradient of the activation that ends a stage; `saved` is what it is computed from."""

    kernel: str
    params: tuple[float, ...]
    saved: Any


@dataclass
class Stage:
    """A layer of `n_in` to `n_out` features, which reads x and writes y."""

    layer: Any
    label: str
    n_in: int
    n_out: int
    x: Any
    y: Any
    trained: bool = False  # it has parameters
    gate: Gate | None = None

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        """Plan the gradients of the parameters and, if it is wanted, that of x, which `before` wrote."""
        raise NotImplementedError

    def through_gate(self, plan: Plan, gradient: Gradient) -> Gradient:
        """The gradient before the activation that ends the stage, planned unless it is there."""
        gate = self.gate
        if gate is None or gradient.gated:
            return gradient
        return elementwise_backward(plan, self, gradient, "activation_backward", gate.kernel, gate.params, gate.saved)

    def own_backward(self, plan: Plan, kind: str, arrays: dict[str, Any]) -> Operation:
        """Plan the operation that makes the gradients of the parameters from x and what is in `arrays`."""
        gradients = {f"grad_{name}": self.layer.gradient(name) for name in ("weight", "bias")}
        operation = Operation(kind, self.label.split(" + ")[0], arrays | {"x": self.x} | gradients, self.n_in)
        operation.flag = ACCUMULATE if plan.accumulate else 0
        plan.operations.append(operation)
        return operation


@dataclass
class Elementwise(Stage):
    """Activations, softmax and dropout: the gradient of x is one operation on that of y, in place where possible.

    Without a kernel it is that of y.
    """

    kind: str = "activation"
    kernel: str | None = None
    params: tuple[float, ...] = ()
    saved: Any = None
    stream: int = 0

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        if gradient.gated or self.kernel is None:
            return replace(gradient, gated=False)
        return elementwise_backward(
            plan, self, gradient, f"{self.kind}_backward", self.kernel, self.params, self.saved, self.stream
        )


@dataclass
class Linear(Stage):
    """A product, with the activation that follows it."""

    trained: bool = True

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        gradient = self.through_gate(plan, gradient)
        operation = self.own_backward(plan, "linear_backward", {"grad_y": gradient.array})
        operation.n_out = self.n_out
        if not wanted:
            return None
        operation.arrays |= {"weight": self.layer.array("weight"), "grad_x": plan.buffer(self.n_in)}
        return gated_by(before, operation)


@dataclass
class Norm(Stage):
    """A normalization, with the activation that follows it; `saved` is what else its operations take."""

    kind: str = "layer_norm"
    eps: float = 0.0
    saved: dict[str, Any] = field(default_factory=dict)

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        gradient = self.through_gate(plan, gradient)
        arrays = {"grad_y": gradient.array, "weight": self.layer.array("weight"), **self.saved}
        operation = self.own_backward(plan, f"{self.kind}_backward", arrays)
        operation.eps = self.eps
        if not wanted:
            return None
        operation.arrays["grad_x"] = gradient.array if gradient.owned else plan.buffer(self.n_in)
        return gated_by(before, operation)


@dataclass
class Folded(Stage):
    """Gates and columns, which make another number of features: the gradient of x has a place of its own."""

    kind: str = "rows"
    kernel: str | None = None
    params: tuple[float, ...] = ()
    operands: dict[str, Any] = field(default_factory=dict)

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        grad_x = plan.buffer(self.n_in)
        arrays = {"grad_y": gradient.array, "grad_x": grad_x, **self.operands}
        kind = f"{self.kind}_backward"
        plan.operations.append(Operation(kind, self.label, arrays, self.n_in, self.n_out, self.kernel, self.params))
        return Gradient(grad_x)


@dataclass
class Parametric(Stage):
    """A layer with one parameter, which is no product: a slope, a temperature, a table."""

    trained: bool = True
    kind: str = ""
    parameter: str = "weight"
    params: tuple[float, ...] = ()

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        arrays = {
            "grad_y": gradient.array,
            "x": self.x,
            "weight": self.layer.array(self.parameter),
            "grad_weight": self.layer.gradient(self.parameter),
        }
        operation = Operation(f"{self.kind}_backward", self.label, arrays, self.n_in, self.n_out, params=self.params)
        operation.flag = ACCUMULATE if plan.accumulate else 0
        plan.operations.append(operation)
        if not wanted:
            return None
        in_place = gradient.owned and self.n_in == self.n_out
        arrays["grad_x"] = gradient.array if in_place else plan.buffer(self.n_in)
        return Gradient(arrays["grad_x"])


@dataclass
class Python(Stage):
    """A layer written in Python; `plan.accumulate` or not, it adds to its gradients."""

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        grad_y = plan.in_workspace(gradient.array, self.n_out, "gradient")
        grad_x, layer, clears = plan.buffer(self.n_in), self.layer, not plan.accumulate

        def call(rows: int, staged: Any) -> None:
            if clears:
                for name in layer.parameter_shapes():
                    layer.gradient(name)[...] = 0
            result = np.asarray(layer.backward(read_only(grad_y.array[:rows])))
            if result.shape != (rows, self.n_in):
                raise ValueError(f"{self.label}: backward must return shape {(rows, self.n_in)}, got {result.shape}")
            grad_x.array[:rows] = result

        arrays = {"grad_y": grad_y, "grad_x": grad_x}
        plan.operations.append(Operation("python", f"{self.label} backward", arrays, self.n_in, call=call))
        return Gradient(grad_x)


@dataclass
class Sum(Stage):
    """A residual: the sum of what chains of stages make of one x; a chain without stages passes x on."""

    chains: tuple[list[Stage], ...] = ()

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        shared = replace(gradient, owned=False, gated=False)
        return add_gradients(plan, [plan.through(chain, shared, wanted) for chain in self.chains], self.n_in)


@dataclass
class Concat(Stage):
    """What chains of stages make of one x, side by side."""

    chains: tuple[list[Stage], ...] = ()
    widths: tuple[int, ...] = ()

    def backward(self, plan: Plan, gradient: Gradient, before: Stage | None, wanted: bool) -> Gradient | None:
        grad_y = plan.in_workspace(gradient.array, self.n_out, "gradient")
        gradients, start = [], 0
        for chain, width in zip(self.chains, self.widths, strict=True):
            if wanted or any(stage.trained for stage in chain):
                part = plan.buffer(width)
                plan.copy_columns(grad_y, start, part, 0, width, f"{self.label}, gradient of columns {start}...")
                gradients.append(plan.through(chain, Gradient(part), wanted))
            start += width
        return add_gradients(plan, gradients, self.n_in)


def elementwise_backward(
    plan: Plan,
    stage: Stage,
    gradient: Gradient,
    kind: str,
    kernel: str | None,
    params: tuple[float, ...],
    saved: Any,
    stream: int = 0,
) -> Gradient:
    """Plan the gradient of something elementwise or by rows, in place if the gradient is owned."""
    grad_x = gradient.array if gradient.owned else plan.buffer(stage.n_out)
    arrays = {"grad_y": gradient.array, "saved": saved, "grad_x": grad_x}
    operation = Operation(kind, stage.label, arrays, stage.n_out, 0, kernel, params, seed=plan.seed, stream=stream)
    plan.operations.append(operation)
    return Gradient(grad_x)


def gated_by(before: Stage | None, operation: Operation) -> Gradient:
    """Let the operation multiply the gradient of x, which it makes, by that of the activation that ends `before`."""
    gate, grad_x = before.gate if before is not None else None, operation.arrays["grad_x"]
    if before is None or gate is None:
        return Gradient(grad_x)
    operation.kernel, operation.params = gate.kernel, gate.params
    operation.arrays["saved"] = gate.saved
    operation.label += f" + gradient of {before.label.split(' + ')[-1]}"
    return Gradient(grad_x, gated=True)


def add_gradients(plan: Plan, gradients: list[Gradient | None], cols: int) -> Gradient | None:
    """The sum of what several chains say of one x; None where nobody wants it."""
    total: Gradient | None = None
    for gradient in gradients:
        if gradient is None or total is None:
            total = gradient or total
            continue
        y = next((g.array for g in (total, gradient) if g.owned), None) or plan.buffer(cols)
        plan.add(total.array, gradient.array, y, cols, "sum of gradients")
        total = Gradient(y)
    return total


def read_only(array: Array) -> Array:
    """A view of the workspace for Python code: what is written there belongs to the program."""
    view = array.view()
    view.flags.writeable = False
    return view


def forward_of(layer: Module, label: str, x: Any, y: Any, train: bool) -> Any:
    """The call that runs a Python layer's forward on the first rows of x."""

    def call(rows: int, staged: Any) -> None:
        before, layer.training = layer.training, train
        try:
            result = np.asarray(layer.forward(read_only(x.array[:rows])))
        finally:
            layer.training = before
        if result.shape != (rows, y.cols):
            raise ValueError(f"{label}: forward must return shape {(rows, y.cols)}, got {result.shape}")
        y.array[:rows] = result

    return call

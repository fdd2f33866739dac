"""The backward rules: for each layer of a program a stage, made on the way forward, that adds its gradients."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._core.operations import ACCUMULATE
from .._validation import Array
from .draft import Draft
from .interfaces import Layer
from .operations import Operation


@dataclass(frozen=True)
class Gradient:
    """The gradient with respect to what a stage wrote."""

    array: Any
    owned: bool = True  # it has no other reader and may be overwritten
    sloped: bool = False  # it is multiplied by the slope of the activation that ends the stage already


@dataclass(frozen=True)
class Slope:
    """The derivative of the activation that ends a stage: its kernel, and `saved`, which that is computed from."""

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
    slope: Slope | None = None

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        """Add the gradients of the parameters and, with `needs_input`, that of x, which `before` wrote."""
        raise NotImplementedError

    def through_activation(self, draft: Draft, gradient: Gradient) -> Gradient:
        """The gradient before the activation that ends the stage, planned unless it is there."""
        slope = self.slope
        if slope is None or gradient.sloped:
            return gradient
        return elementwise_backward(
            draft, self, gradient, "activation_backward", slope.kernel, slope.params, slope.saved
        )

    def own_backward(self, draft: Draft, kind: str, arrays: dict[str, Any]) -> Operation:
        """Add the operation that makes the gradients of the parameters from x and what is in `arrays`."""
        label, names = self.label.split(" + ")[0], self.layer.trained_names() if draft.parameters else ()
        gradients = {f"grad_{name}": self.layer.gradient(name) for name in ("weight", "bias") if name in names}
        adds = {name: draft.accumulates(gradient) for name, gradient in gradients.items() if gradient is not None}
        if adds.get("grad_bias", adds.get("grad_weight")) != adds.get("grad_weight"):  # a weight that others share
            bias, cols = gradients.pop("grad_bias"), self.n_out
            draft.sum_rows(arrays["grad_output"], bias, cols, label, accumulate=adds["grad_bias"])
        operation = Operation(kind, label, arrays | {"x": self.x} | gradients, self.n_in)
        operation.flag = ACCUMULATE if adds.get("grad_weight") else 0
        draft.operations.append(operation)
        return operation


@dataclass
class ElementwiseStage(Stage):
    """Activations, softmax and dropout: the gradient of x is one operation on that of y, in place where possible.

    Without a kernel it is that of y.
    """

    kind: str = "activation"
    kernel: str | None = None
    params: tuple[float, ...] = ()
    saved: Any = None
    stream: int = 0

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        if gradient.sloped or self.kernel is None:
            return replace(gradient, sloped=False)
        return elementwise_backward(
            draft, self, gradient, f"{self.kind}_backward", self.kernel, self.params, self.saved, self.stream
        )


@dataclass
class LinearStage(Stage):
    """A product, with the activation that follows it; `flag` is that of the operation."""

    trained: bool = True
    flag: int = 0

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        if not needs_input and not draft.trains(self.layer):
            return None
        gradient = self.through_activation(draft, gradient)
        operation = self.own_backward(draft, "linear_backward", {"grad_output": gradient.array})
        operation.n_out, operation.flag = self.n_out, operation.flag | self.flag
        if not needs_input:
            return None
        operation.arrays |= {"weight": self.layer.array("weight"), "grad_input": draft.matrix(self.n_in)}
        return with_slope_of(before, operation)


@dataclass
class NormStage(Stage):
    """A normalization, with the activation that follows it; `saved` is what else its operations take."""

    kind: str = "layer_norm"
    eps: float = 0.0
    saved: dict[str, Any] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        if not needs_input and not draft.trains(self.layer):
            return None
        gradient = self.through_activation(draft, gradient)
        arrays = {"grad_output": gradient.array, "weight": self.layer.array("weight"), **self.saved}
        operation = self.own_backward(draft, f"{self.kind}_backward", arrays)
        operation.options = {"eps": self.eps, **self.options}
        if not needs_input:
            return None
        operation.arrays["grad_input"] = gradient.array if gradient.owned else draft.matrix(self.n_in)
        return with_slope_of(before, operation)


@dataclass
class ResizingStage(Stage):
    """Gates and selected columns, which change the number of features: the gradient of x has a matrix of its own."""

    kind: str = "rows"
    kernel: str | None = None
    params: tuple[float, ...] = ()
    operands: dict[str, Any] = field(default_factory=dict)

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        grad_input = draft.matrix(self.n_in)
        arrays = {"grad_output": gradient.array, "grad_input": grad_input, **self.operands}
        kind = f"{self.kind}_backward"
        draft.operations.append(Operation(kind, self.label, arrays, self.n_in, self.n_out, self.kernel, self.params))
        return Gradient(grad_input)


@dataclass
class InferenceStage(Stage):
    """A layer that has no gradient."""

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        if needs_input:
            raise ValueError(
                f"{self.label}: {type(self.layer).__name__} is for inference and has no gradient: call net.eval(), or "
                "train the network that it was made of, and freeze that"
            )
        return None


@dataclass
class ParameterStage(Stage):
    """A layer with one parameter that is not multiplied as a matrix: a slope, a temperature, a table."""

    trained: bool = True
    kind: str = ""
    parameter: str = "weight"
    options: dict[str, float] = field(default_factory=dict)
    operands: dict[str, Any] = field(default_factory=dict)

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        trains = draft.trains(self.layer)
        if not needs_input and not trains:
            return None
        weight = self.layer.array(self.parameter)
        # Its kernels always write the gradient of the parameter.
        grad_weight = self.layer.gradient(self.parameter) if trains else draft.scratch(weight.shape)
        arrays = {"grad_output": gradient.array, "x": self.x, "weight": weight, "grad_weight": grad_weight}
        arrays |= self.operands
        options = self.options | ({"renorm": trains} if self.kind == "embedding_bag" else {})
        operation = Operation(f"{self.kind}_backward", self.label, arrays, self.n_in, self.n_out, options=options)
        operation.flag = ACCUMULATE if draft.accumulates(grad_weight) else 0
        draft.operations.append(operation)
        if not needs_input:
            return None
        in_place = gradient.owned and self.n_in == self.n_out
        arrays["grad_input"] = gradient.array if in_place else draft.matrix(self.n_in)
        return Gradient(arrays["grad_input"])


@dataclass
class PythonStage(Stage):
    """A layer written in Python; `draft.accumulate` or not, it adds to its gradients."""

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        grad_output = draft.in_workspace(gradient.array, self.n_out, "gradient")
        grad_input, layer, clears = draft.matrix(self.n_in), self.layer, not draft.accumulate
        kept = [(m, n) for m in layer.modules() for n in m.parameter_shapes()]
        cleared = [(m, n) for m, n in kept if draft.parameters and n in m.trained_names()]
        kept = [each for each in kept if each not in cleared]

        def call(rows: int, staged: Any) -> None:
            if clears:
                for module, name in cleared:
                    module.gradient(name)[...] = 0
            before = [module.gradient(name).copy() for module, name in kept]
            result = np.asarray(layer.backward(read_only(grad_output.array[:rows])))
            for (module, name), old in zip(kept, before, strict=True):
                module.gradient(name)[...] = old
            if result.shape != (rows, self.n_in):
                raise ValueError(f"{self.label}: backward must return shape {(rows, self.n_in)}, got {result.shape}")
            grad_input.array[:rows] = result

        arrays = {"grad_output": grad_output, "grad_input": grad_input}
        draft.operations.append(Operation("python", f"{self.label} backward", arrays, self.n_in, call=call))
        return Gradient(grad_input)


@dataclass
class SumStage(Stage):
    """A residual: the sum of what chains of stages make of one x; a chain without stages passes x on."""

    chains: tuple[list[Stage], ...] = ()

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        shared = replace(gradient, owned=False, sloped=False)
        return add_gradients(
            draft, [backward_through(draft, chain, shared, needs_input) for chain in self.chains], self.n_in
        )


@dataclass
class ConcatStage(Stage):
    """What chains of stages make of one x, side by side."""

    chains: tuple[list[Stage], ...] = ()
    widths: tuple[int, ...] = ()

    def backward(self, draft: Draft, gradient: Gradient, before: Stage | None, needs_input: bool) -> Gradient | None:
        grad_output = draft.in_workspace(gradient.array, self.n_out, "gradient")
        gradients, start = [], 0
        for chain, width in zip(self.chains, self.widths, strict=True):
            if needs_input or any(stage.trained for stage in chain):
                part = draft.matrix(width)
                draft.copy_columns(grad_output, start, part, 0, width, f"{self.label}, gradient of columns {start}...")
                gradients.append(backward_through(draft, chain, Gradient(part), needs_input))
            start += width
        return add_gradients(draft, gradients, self.n_in)


def backward_through(draft: Draft, stages: list[Stage], gradient: Gradient, needs_input: bool) -> Gradient | None:
    """Add the backward pass of a chain of stages, down to the first with parameters or, if requested, to its input."""
    first = 0 if needs_input else next((i for i, stage in enumerate(stages) if stage.trained), None)
    if first is None:
        return None
    back: Gradient | None = gradient
    for i in range(len(stages) - 1, first - 1, -1):
        assert back is not None
        back = stages[i].backward(draft, back, stages[i - 1] if i > 0 else None, needs_input or i > first)
    return back if needs_input else None  # a layer in Python returns one, requested or not


def elementwise_backward(
    draft: Draft,
    stage: Stage,
    gradient: Gradient,
    kind: str,
    kernel: str | None,
    params: tuple[float, ...],
    saved: Any,
    stream: int = 0,
) -> Gradient:
    """Add the gradient of something elementwise or by rows, in place if the gradient is owned."""
    grad_input = gradient.array if gradient.owned else draft.matrix(stage.n_out)
    arrays = {"grad_output": gradient.array, "saved": saved, "grad_input": grad_input}
    operation = Operation(kind, stage.label, arrays, stage.n_out, 0, kernel, params, seed=draft.seed, stream=stream)
    draft.operations.append(operation)
    return Gradient(grad_input)


def with_slope_of(before: Stage | None, operation: Operation) -> Gradient:
    """Let the operation multiply the gradient of x, which it makes, by that of the activation that ends `before`."""
    slope, grad_input = before.slope if before is not None else None, operation.arrays["grad_input"]
    if before is None or slope is None:
        return Gradient(grad_input)
    operation.kernel, operation.params = slope.kernel, slope.params
    operation.arrays["saved"] = slope.saved
    operation.label += f" + gradient of {before.label.split(' + ')[-1]}"
    return Gradient(grad_input, sloped=True)


def add_gradients(draft: Draft, gradients: list[Gradient | None], cols: int) -> Gradient | None:
    """The sum of the gradients of x from several chains; None if it is not requested."""
    total: Gradient | None = None
    for gradient in gradients:
        if gradient is None or total is None:
            total = gradient or total
            continue
        y = next((g.array for g in (total, gradient) if g.owned), None) or draft.matrix(cols)
        draft.add(total.array, gradient.array, y, cols, "sum of gradients")
        total = Gradient(y)
    return total


def read_only(array: Array) -> Array:
    """A view of the workspace for Python code: what is written there belongs to the program."""
    view = array.view()
    view.flags.writeable = False
    return view


def forward_of(layer: Layer, label: str, x: Any, y: Any, train: bool, saves: bool) -> Any:
    """The call that runs a Python layer's forward on the first rows of x, with the layers that it is made of.

    With `saves` they keep what their `backward` needs, in inference too.
    """
    states = [module.__dict__ for module in layer.modules()]

    def call(rows: int, staged: Any) -> None:
        before = [state["training"] for state in states]
        for state in states:
            state["training"], state["_saving"] = train, saves
        try:
            result = np.asarray(layer.forward(read_only(x.array[:rows])))
        finally:
            for state, training in zip(states, before, strict=True):
                state["training"], state["_saving"] = training, False
        if result.shape != (rows, y.cols):
            raise ValueError(f"{label}: forward must return shape {(rows, y.cols)}, got {result.shape}")
        y.array[:rows] = result

    return call

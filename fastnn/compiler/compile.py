"""How a network becomes a program: its sections, one after the other, over one workspace.

`compile_program` lets each layer add its operations to a builder (builder.py), which fuses an activation with the
product or normalization before it and keeps a stage for each layer; the stages then add the gradients (backward.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core.operations import EACH_OUTPUT, ELEMENTS, LABELS, MEAN, SPARSE, TRANSPOSED
from .._validation import Array
from .backward import Gradient, backward_through, read_only
from .builder import Builder, Tap
from .counters import ACCURACY, COLUMNS, INDICES, NOTHING, SUMS, Counting
from .interfaces import Average, Loss, Node, Optimizer
from .memory import Argument, Matrix, MatrixPart, lay_out
from .operations import Operation
from .program import Program


def compile_program(
    nodes: Sequence[Node],
    mode: str,
    *,
    loss: Loss | None = None,
    labels: Any = False,
    elements: bool = False,
    missing: int = 0,
    counting: Counting = NOTHING,
    optimizer: Optimizer | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    average: Average | None = None,
    accumulate: bool = False,
    readers: Sequence[Reader] = (),
    sparse: bool = False,
    **settings: Any,
) -> Program:
    """Compile a network.

    Parameters
    ----------
    nodes : sequence of Node
        The layers.
    mode : {"predict", "train", "evaluate", "step", "input_gradient", "inference_gradient"}
        Inference; forward and backward pass apart; forward pass, loss and metrics; a whole training step; inference and
        the gradient of its input; inference and all gradients.
    loss : Loss, optional
    labels : bool or object
        Whether targets are class indices; of several heads, what their loss says of theirs.
    elements : bool
        Whether sample weights are one an element, not one a row.
    missing : int
        Columns of the targets, of which those that are NaN are ignored; 0 if none may be NaN.
    counting : Counting
        What is counted for metrics.
    optimizer : Optimizer, optional
        Without one, a step does not update.
    l1, l2 : float
        Penalties on the parameters that decay.
    average : Average, optional
        Of the parameters, updated after them.
    accumulate : bool
        Whether a step adds its gradients to those there.
    readers : sequence of Reader
        Functions of what layers read and write, called at the end of the forward pass.
    sparse : bool
        Whether the input is `SparseRows`.
    **settings
        n_in, batch_size, dtype, seed and tick of `Draft`.
    """
    train, accumulate = mode in ("train", "step"), accumulate or mode in ("train", "inference_gradient")
    of_inference = mode in ("input_gradient", "inference_gradient")
    builder = ProgramBuilder(
        **settings,
        train=train,
        accumulate=accumulate,
        saves=train or of_inference,
        parameters=mode != "input_gradient",
    )
    builder.kept = frozenset(name for reader in readers for name in (reader.first, reader.last))
    builder.layers(nodes)
    builder.readers(readers)
    builder.forward(to_output=mode in ("predict", "train") or of_inference)
    if loss is not None:
        builder.loss(loss, gradient=train, labels=labels, missing=missing, elements=elements)
        builder.metrics(counting)
        if elements or missing:
            builder.weigh_elements()
    if train or of_inference:
        builder.backward(input_gradient=mode != "step")
    if optimizer is not None:
        mean = loss is not None and loss.reduction != "sum"
        builder.update(optimizer, l1=l1, l2=l2, average=average, mean=mean)
    if mode == "step":
        builder.statistics()
    if sparse:
        builder.read_sparse()
    return builder.finish()


@dataclass(frozen=True)
class Reader:
    """A function of what the layer named `first` reads and that named `last` writes, both read-only.

    A name that no layer has, "", stands for the whole network.
    """

    first: str
    last: str
    function: Callable[[Array, Array], None]


class ProgramBuilder(Builder):
    """Adds the sections of a program, in the order in which they run."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.sections: dict[str, tuple[int, int]] = {}

    def read_sparse(self) -> None:
        """Have the products that read the input take sparse rows; ValueError if something else reads it."""
        for operation in self.operations:
            roles = [role for role, array in operation.arrays.items() if getattr(array, "argument", "") == "input"]
            if not roles:
                continue
            if roles != ["x"] or operation.kind not in ("linear", "linear_backward") or operation.flag & TRANSPOSED:
                raise ValueError(f"{operation.label}: a sparse x goes to Linear layers only: give x.toarray()")
            operation.flag |= SPARSE

    def readers(self, readers: Sequence[Reader]) -> None:
        """Add the calls of functions that read what layers read and write."""
        whole = Tap(Argument("input"), self.n_in, self.current, self.cols)
        for reader in readers:
            if reader.last and reader.last not in self.taps:  # of a layer that the `forward` of a module does not call
                continue
            first, last = (self.taps.get(name, whole) for name in (reader.first, reader.last))
            x = self.in_workspace(first.x, first.n_in, "input")
            y = x if last.y is first.x else self.in_workspace(last.y, last.n_out, "input")
            call = _reading(reader.function, x, y)
            label = f"{reader.first} forward hook".strip()
            arrays = {"x": x, "y": y}
            self.operations.append(Operation("python", label, arrays, first.n_in, last.n_out, call=call))

    def forward(self, *, to_output: bool) -> None:
        """Close the forward section; with `to_output` its result is the argument "output" of the run."""
        if to_output:
            last = self.operations[-1] if self.operations else None
            if self.saves or self.kept or last is None or last.kind in ("python", "copy_columns"):
                arrays = {"x": self.current, "y": Argument("output")}
                self.operations.append(Operation("copy", "output", arrays, self.cols))
            else:
                for role, array in last.arrays.items():
                    if array is self.current:
                        last.arrays[role] = Argument("output")
            self.operations += self.running
            self.running = []
        self.sections["forward"] = (0, len(self.operations))

    def loss(self, loss: Loss, *, gradient: bool, labels: Any, missing: int, elements: bool) -> None:
        """Add the loss, with its gradient if requested, and its accuracy; `labels`: targets are class indices.

        Of `missing` columns of targets those that are NaN are ignored.
        """
        start = len(self.operations)
        if missing:
            arrays = {"target": Argument("target"), "sample_weight": Argument("sample_weight"),
                      "y": self.matrix(missing), "expanded": self.matrix(missing)}  # fmt: skip
            flag = ELEMENTS if elements else 0
            self.operations.append(Operation("present", "targets that are there", arrays, missing, flag=flag))
        self.gradient = self.matrix(self.cols) if gradient else None
        loss.plan(self, labels)
        self.sections["loss"] = (start, len(self.operations))

    # What the loss of several heads adds.

    def targets(self, cols: int) -> Any:
        """The targets of several heads, side by side."""
        return self.in_workspace(Argument("target"), cols, "targets")

    def retarget(self, first: int, targets: Any, start: int, cols: int, labels: bool, name: str) -> None:
        """Let the operations from number `first` on read some columns of the targets; class indices are read back."""
        if labels:
            own: Any = np.zeros(self.batch_size, "int64")
            self.nbytes += own.nbytes
            arrays, options = {"x": MatrixPart(targets, start, 1), "y": own}, {"x_stride": targets.cols}
            self.operations.insert(first, Operation("read_labels", f"targets of {name}", arrays, 1, options=options))
        else:
            own = self.matrix(cols)
            self.copy_columns(targets, start, own, 0, cols, f"targets of {name}")
            self.operations.insert(first, self.operations.pop())
        for operation in self.operations[first + 1 :]:
            if "target" in operation.arrays:
                operation.arrays["target"], operation.head = own, name

    def head(self, moment: str, **options: float) -> None:
        """Combine the losses of several heads: "begin", then "add" after each, then "end"."""
        arrays = {"sample_weight": Argument("sample_weight")}
        if "place" in options:
            options["place"] += SUMS
        self.operations.append(Operation(f"heads_{moment}", "losses of heads", arrays, 1, options=options))

    # The other sections.

    def metrics(self, counting: Counting) -> None:
        """Count for metrics."""
        start = len(self.operations)
        arrays = {"x": self.current, "target": Argument("target"), "sample_weight": Argument("sample_weight")}
        flag = LABELS if counting.targets == INDICES else EACH_OUTPUT if counting.targets == COLUMNS else 0
        for counter, place in counting.places.items():
            if counter.loss is not None:
                self.count_loss(counter.loss, place.start, counting.targets == INDICES)
                continue
            if counter == ACCURACY and any(o.kind == ACCURACY.kind for o in self.operations):
                continue  # the loss counts it anyway
            options = counting.options(counter, place.start)
            operation = Operation(counter.kind, "metrics", dict(arrays), self.cols, options=options, flag=flag)
            self.operations.append(operation)
        self.sections["metrics"] = (start, len(self.operations))

    def count_loss(self, loss: Loss, place: int, labels: bool) -> None:
        """Add another loss, without its gradient, whose value is added up at `place` of the sums."""
        self.operations.append(Operation("keep_loss", "metrics", {}, 1))
        gradient, self.gradient, first = self.gradient, None, len(self.operations)
        loss.plan(self, labels)
        self.gradient = gradient
        self.operations[first:] = [o for o in self.operations[first:] if o.kind != ACCURACY.kind]
        self.operations.append(Operation("count_loss", "metrics", {}, 1, options={"place": place}))

    def weigh_elements(self) -> None:
        """Let loss and metrics read a weight for each element, of targets that may be missing from "present"."""
        first = self.operations[self.sections["loss"][0]]
        read = {"target": "y", "sample_weight": "expanded"} if first.kind == "present" else {}
        for operation in self.operations[self.sections["loss"][0] :]:
            if "sample_weight" in operation.arrays and (operation is not first or not read):
                operation.flag |= ELEMENTS
                operation.arrays |= {role: first.arrays[name] for role, name in read.items()}

    def backward(self, *, input_gradient: bool) -> None:
        """Add the backward pass, with `input_gradient` as far as the gradient of the input."""
        start = len(self.operations)
        given = self.gradient is None
        gradient = Gradient(Argument("grad_output") if given else self.gradient, owned=not given)
        last = backward_through(self, self.stages, gradient, input_gradient)
        if input_gradient:
            assert last is not None
            arrays = {"x": last.array, "y": Argument("grad_input")}
            self.operations.append(Operation("copy", "gradient of the input", arrays, self.n_in))
        self.sections["backward"] = (start, len(self.operations))

    def update(self, optimizer: Optimizer, *, l1: float, l2: float, average: Average | None, mean: bool) -> None:
        """Add the update of all parameters, with penalties l1 and l2 on those that decay, then that of their average.

        `mean` says that the loss is a mean: accumulated gradients are then sums, which the update divides.
        """
        params, start = optimizer.params, len(self.operations)
        clips = {"norm": optimizer.max_grad_norm, "value": optimizer.max_grad_value}
        label = ", ".join([
            type(optimizer).__name__,
            "all parameters at once" if len(optimizer.param_groups) == 1 else f"{len(optimizer.param_groups)} groups",
            *(f"{name} to {limit:g}" for name, limit in clips.items() if limit is not None),
        ])  # fmt: skip
        arrays, flag = optimizer.arrays(l1, l2), MEAN if self.accumulate and mean else 0
        size = params.data.size
        update = Operation("update", label, arrays, size, kernel=optimizer.rule, flag=flag, optimizer=optimizer)
        self.operations.append(update)
        if average is not None:
            arrays = {"weight": params.data, "s0": average.data, "hyper": average.settings, "step": average.seen}
            self.operations.append(Operation("average", type(average).__name__, arrays, size))
        self.sections["update"] = (start, len(self.operations))

    def statistics(self) -> None:
        """Add the update of running statistics. In a step it comes last: one that fails leaves them as they were."""
        start = len(self.operations)
        self.operations += self.running
        self.sections["statistics"] = (start, len(self.operations))

    def finish(self) -> Program:
        """Check the operations, lay out the workspace and give every operand its place in it."""
        nbytes = self.nbytes + lay_out(self.matrices, self.batch_size, self.dtype)
        for operation in self.operations:
            operation.check()
            operation.arrays = {role: a.array if isinstance(a, (Matrix, MatrixPart)) else a
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


def _reading(function: Callable[[Array, Array], None], x: Any, y: Any) -> Callable[[int, Any], None]:
    """The call of a function of the first rows of x and y."""

    def call(rows: int, staged: Any) -> None:
        function(read_only(x.array[:rows]), read_only(y.array[:rows]))

    return call

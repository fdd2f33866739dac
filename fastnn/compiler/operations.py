"""The table of operations: of each kind, what it reads, writes and takes; and an operation of a program.

Both backends carry out the kinds under these names: `_core/interpreter.pyx` as functions of C structs,
`reference/operations.py` as methods on arrays. A matrix has a row for each sample of the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


def _of_elements(o: Operation, rows: int) -> int:
    return rows * o.n_in


def _of_product(o: Operation, rows: int) -> int:
    return 2 * rows * o.n_in * o.n_out


def _of_gradients(o: Operation, rows: int) -> int:
    return _of_product(o, rows) * sum(o.arrays.get(name) is not None for name in ("grad_input", "grad_weight"))


def _of_parameters(o: Operation, rows: int) -> int:
    return o.n_in


@dataclass(frozen=True)
class Kind:
    """A kind of operation.

    Attributes
    ----------
    doc : str
        What it computes.
    reads, writes : str
        Names of the operands; a question mark ends those that an operation may lack.
    options : str
        Names of the numbers that it takes.
    kernel : {"", "?", "!"}
        Whether it names a kernel: no, an elementwise one that is fused with it, or the one that it runs.
    flops : function
        Floating-point operations of an operation on so many rows: 2 for a multiply-add, 1 an element of anything else.
    """

    doc: str
    reads: str = ""
    writes: str = ""
    options: str = ""
    kernel: str = ""
    flops: Callable[[Operation, int], int] = _of_elements


PARAMETER_GRADIENTS = "grad_input? grad_weight? grad_bias?"
LOSS_READS = "x target sample_weight expanded? column_weight? extra?"
COUNTS = "x target sample_weight"
BAGS = "num_embeddings padding bag_size mode by_freq max_norm norm_type"

OPERATIONS = {
    "linear": Kind("pre = x W + b, y = activation(pre)", "x weight bias?", "pre y", kernel="?", flops=_of_product),
    "linear_int8": Kind(
        "y = x W + b, for inference: rows of x rounded to integers, W integers times a scale for each column",
        "x weight scale bias?", "y", flops=_of_product,
    ),
    "linear_backward": Kind(
        "the gradients of x, W and b, that of x times the slope of the activation before",
        "grad_output x weight? saved?", PARAMETER_GRADIENTS, kernel="?", flops=_of_gradients,
    ),
    "activation": Kind("y = f(x), element by element", "x", "y", kernel="!"),
    "activation_backward": Kind("grad_output times the slope of f", "grad_output saved", "grad_input", kernel="!"),
    "arithmetic": Kind("y = x + other, x - other, x other or x / other", "x other", "y", kernel="!"),
    "rows": Kind("y = f(x), row by row: softmax, gates", "x", "y", kernel="!"),
    "rows_backward": Kind("the gradient of f, row by row", "grad_output saved", "grad_input", kernel="!"),
    "noise": Kind("dropout and its relatives, drawn by seed, stream and tick", "x", "y", kernel="!"),
    "noise_backward": Kind("their gradient, by the same draws", "grad_output saved?", "grad_input", kernel="!"),
    **{
        name: Kind(f"pre = {formula}, y = activation(pre)", reads, "pre y statistics?", "eps", "?")
        for name, formula, reads in (
            ("layer_norm", "(x - mean) / sqrt(variance + eps) * weight + bias, by rows", "x weight? bias?"),
            ("rms_norm", "x / sqrt(mean of squares + eps) * weight, by rows", "x weight? bias?"),
            ("batch_norm", "as layer_norm, by columns, or by running statistics where those are given",
             "x weight? bias? running_mean? running_var?"),
        )
    },
    **{
        f"{name}_backward": Kind(
            "the gradients of x, weight and bias, that of x times the slope of the activation before",
            "grad_output x weight? saved? statistics? running_mean? running_var?",
            "grad_input? grad_weight? grad_bias?", "eps", "?",
        )
        for name in ("layer_norm", "rms_norm", "batch_norm")
    },
    "group_norm": Kind(
        "as layer_norm, by groups of columns", "x weight? bias?", "pre y statistics? expanded?",
        "eps groups length", "?",
    ),
    "group_norm_backward": Kind(
        "its gradients", "grad_output x weight? saved? statistics?", "grad_input? grad_weight? grad_bias? expanded?",
        "eps groups length", "?",
    ),
    "running": Kind(
        "running mean and variance move towards those of the batch", "x statistics",
        "running_mean running_var step", "eps momentum",
    ),
    "prelu": Kind("x where it is above 0, else weight * x", "x weight", "y", "shared"),
    "prelu_backward": Kind("its gradients", "grad_output x weight", "grad_input? grad_weight", "shared"),
    "temperature_scale": Kind("y = x / temperature", "x weight", "y"),
    "temperature_scale_backward": Kind("its gradients", "grad_output x weight", "grad_input? grad_weight"),
    "embedding": Kind("rows of a table by their index", "x weight", "y", "num_embeddings padding"),
    "embedding_backward": Kind(
        "the gradient of the table", "grad_output x weight", "grad_input? grad_weight", "num_embeddings padding"
    ),
    "embedding_bag": Kind("bags of rows of a table", "x weight", "y per_row", BAGS),
    "embedding_bag_backward": Kind(
        "the gradient of the table; with renorm, rows of limited norm are written back", "grad_output x",
        "weight grad_input? grad_weight per_row", f"{BAGS} renorm",
    ),
    "gather": Kind("y = x[:, index]", "x index", "y"),
    "gather_backward": Kind("grad_input[:, index] += grad_output", "grad_output index", "grad_input"),
    "sum_columns": Kind("y[r, 0] = the sum over j of x[r, j]", "x", "y"),
    "expand_columns": Kind("y[r, j] = x[r, 0]", "x", "y"),
    "expand_rows": Kind("y[r, j] = weight[j]", "weight", "y"),
    "expand_rows_backward": Kind("grad_weight = sums of the columns of grad_output", "grad_output", "grad_weight"),
    "copy": Kind("y = x", "x", "y"),
    "copy_columns": Kind(
        "y = factor * x, of some columns of each; with ACCUMULATE also times what the batch is divided by",
        "x sample_weight?", "y", "x_stride y_stride factor",
    ),
    "read_labels": Kind("the class indices in a column of numbers", "x", "y", "x_stride"),
    "heads_begin": Kind("begin the weighted sum of the losses of several heads", "sample_weight"),
    "heads_add": Kind("add the loss of a head to it", "sample_weight", options="head_weight place"),
    "heads_end": Kind("make it the loss of the batch", "sample_weight"),
    "present": Kind(
        "targets without NaN, and weights of elements that are 0 where there was one", "target sample_weight?",
        "y expanded",
    ),
    "loss": Kind("a loss of elements, and its gradient", LOSS_READS, "grad_input? grad_extra?", kernel="!"),
    "row_loss": Kind("a loss of rows, and its gradient", LOSS_READS, "grad_input? grad_extra?", "ignored", "!"),
    "count_correct": Kind("count right predictions", COUNTS, options="threshold ignored"),
    "count_classes": Kind("count predictions, labels, hits of classes", COUNTS, options="threshold ignored place"),
    "count_top": Kind("count labels among the k largest outputs", COUNTS, options="k ignored place"),
    "count_errors": Kind("add up errors and targets, and their squares", COUNTS, options="place"),
    "keep_loss": Kind("keep the loss and its sums, before another loss as a metric"),
    "count_loss": Kind("add up that loss, and put back what was kept", options="place"),
    "update": Kind(
        "one step of the optimizer on all parameters", "grad_weight spans",
        "weight hyper step clipping s0? s1? s2? scratch?", kernel="!", flops=_of_parameters,
    ),
    "average": Kind("move the average of the parameters", "weight hyper", "s0 step", flops=_of_parameters),
    "python": Kind("a Python function of rows", "x? grad_output?", "y? grad_input?"),
}  # fmt: skip


@dataclass
class Operation:
    """One step of a program.

    Attributes
    ----------
    kind : str
        A key of `OPERATIONS`.
    label : str
        The layers that it is for, and what is fused.
    arrays : dict
        The operands by name: an array, a `Matrix` or part of one, an `Argument` of the run, or None.
    n_in, n_out : int
        Columns that it reads and, if their number differs, writes.
    kernel : str or None
        Name of the kernel that it runs or that is fused with it.
    params : tuple of float
        Of the kernel.
    options : dict
        The numbers that the kind takes, by name.
    flag : int
        Bits of `_core.operations.Flag`.
    seed, stream : int
        Of random numbers.
    call : function, optional
        Python code, given the rows of the batch and, gathered, their (targets, weights, mean weight of all samples or
        0); a loss returns its value, and the sum of the weights that it is the mean over.
    loss, optimizer : object
        Of a loss and an update.
    input_columns : tuple of int, optional
        The columns of the network's input that x consists of, where it is not computed.
    head : str
        The head whose loss it is, in a network with several.
    """

    kind: str
    label: str
    arrays: dict[str, Any]
    n_in: int
    n_out: int = 0
    kernel: str | None = None
    params: tuple[float, ...] = ()
    options: dict[str, float] = field(default_factory=dict)
    flag: int = 0
    seed: int = 0
    stream: int = 0
    call: Callable[[int, Any], tuple[float, float] | None] | None = None
    loss: Any = None
    optimizer: Any = None
    input_columns: tuple[int, ...] | None = None
    head: str = ""

    def flops(self, rows: int) -> int:
        """Floating-point operations on so many rows: 2 for a multiply-add, 1 an element of anything else."""
        return OPERATIONS[self.kind].flops(self, rows)

    def check(self) -> None:
        """Raise ValueError unless operands, options and kernel are those of the table."""
        kind, names = OPERATIONS[self.kind], {name for name, array in self.arrays.items() if array is not None}
        operands = f"{kind.reads} {kind.writes}".split()
        known, needed = {name.rstrip("?") for name in operands}, {name for name in operands if name[-1] != "?"}
        if not needed <= names <= known:
            raise ValueError(f"{self.label}: {self.kind} has operands {sorted(known)}, got {sorted(names)}")
        if set(self.options) != set(kind.options.split()):
            raise ValueError(f"{self.label}: {self.kind} has options {kind.options}, got {sorted(self.options)}")
        if kind.kernel in ("!", "") and (self.kernel is not None) != (kind.kernel == "!"):
            raise ValueError(f"{self.label}: {self.kind} does not go with kernel {self.kernel}")

"""What operations of a program read and write by role, what rows count for, and the functions of their kernels."""

from typing import Any

import numpy as np

from .._core.errors import BadLabel
from .._core.operations import ACCUMULATE, BY_ROWS, CLASS_WEIGHTS, LABELS
from . import activations, gates
from .class_losses import class_share
from .elementary import Array
from .embedding import row_scales
from .interfaces import Operation
from .softmax import log_softmax, log_softmax_backward, softmax, softmax_backward, softmin, softmin_backward

SOFTMAX: dict[str | None, Any] = {
    "softmax": softmax,
    "softmax_backward": softmax_backward,
    "softmin": softmin,
    "softmin_backward": softmin_backward,
    "log_softmax": log_softmax,
    "log_softmax_backward": log_softmax_backward,
}


def limited(o: Operation, codes: Array, weight: Array) -> Array:
    """The table, with the norm of the rows among the codes limited if the operation has a limit."""
    if o.options["max_norm"] < 0:
        return weight
    return weight * row_scales(codes, weight, o.options["max_norm"], o.options["norm_type"])[:, None]


def positions(o: Operation, x: Array) -> Array:
    """Rows of features as an array of shape (rows, channels, positions)."""
    return x.reshape(len(x), -1, int(o.options["length"]))


def vector(a: dict[str, Array], name: str) -> Array | None:
    """A parameter of a normalization, which may have several axes, with a number for each feature."""
    return a[name].reshape(-1) if name in a else None


def finish(o: Operation, a: dict[str, Array]) -> None:
    """The activation that is fused with an operation."""
    if o.kernel:
        a["y"][...] = elementwise(o.kernel)(a["pre"], *o.params)


def put_gradients(
    o: Operation, a: dict[str, Array], grad_input: Array, grad_weight: Array, grad_bias: Array | None = None
) -> None:
    """Those that are wanted; that of x times the gradient of the activation before."""
    for role, gradient in (("grad_weight", grad_weight), ("grad_bias", grad_bias)):
        if role in a:
            assert gradient is not None
            gradient = gradient.reshape(a[role].shape)  # of a layer of several axes
            a[role][...] = a[role] + gradient if o.flag & ACCUMULATE else gradient
    if "grad_input" in a:
        a["grad_input"][...] = elementwise(o.kernel)(grad_input, a["saved"], *o.params) if o.kernel else grad_input


def inverse(weight_sum: float) -> float:
    """1 / weight_sum; batches whose weights are all 0 have no gradient."""
    return 1.0 / weight_sum if weight_sum else 0.0


def elementwise(kernel: str) -> Any:
    """The reference function of an elementwise kernel; gelu's approximation is a kernel, but an argument here."""
    if kernel.startswith("gelu_tanh"):
        function = activations.named(kernel.replace("gelu_tanh", "gelu"))
        return lambda *args: function(*args, approximate="tanh")
    if kernel.startswith("logit"):  # whose kernel is told apart that x is clamped
        function, arrays = activations.named(kernel), 1 + kernel.endswith("_backward")
        return lambda *args: function(*args[: arrays + 1])
    return activations.named(kernel)


def by_rows(o: Operation) -> Any:
    """The reference function of an operation on rows, of arrays."""
    if o.kernel in SOFTMAX:
        return lambda *arrays: SOFTMAX[o.kernel](*arrays, -1, 1.0 / o.params[0])
    return lambda *arrays: getattr(gates, str(o.kernel))(*arrays, *map(int, o.params))


def counts(o: Operation, a: dict[str, Array], rows: int) -> Array:
    """What each row counts in the mean of a loss."""
    counts = a.get("sample_weight", np.ones(rows))
    if o.flag & LABELS:
        counts = counts * class_share(a["target"], a["extra"] if o.flag & CLASS_WEIGHTS else None, o.options["ignored"])
    return counts * o.n_in if counts.ndim == 1 and o.kind == "loss" and not o.flag & BY_ROWS else counts


def rows_weight(a: dict[str, Array], rows: int) -> float:
    """What a batch counts for: its rows, or their weights."""
    weight = a.get("sample_weight")
    return float(rows if weight is None else weight.sum(dtype="float64"))


def check_labels(labels: Array, classes: int, ignored: int | None = None) -> None:
    """Raise BadLabel for the first label that is neither a class nor the one that is ignored."""
    bad = np.flatnonzero(((labels < 0) | (labels >= classes)) & (labels != ignored))
    if bad.size:
        raise BadLabel(int(bad[0]), int(labels[bad[0]]))

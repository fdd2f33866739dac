"""What each operation of a program does, in NumPy: one method a kind, as in _core/operations.pyx.

A method is given the operation, its operands by role, the rows of the batch, and what the program adds up: the last
loss, then summed losses, weights, right predictions and samples, then what is counted besides.
"""

from functools import partial
from typing import Any

import numpy as np

from .._core.errors import BadIndex, BadLabel, BadTarget
from .._core.losses import TARGET_KINDS, first_bad_target
from .._core.operations import ACCUMULATE, BY_ROWS, CLASS_WEIGHTS, EACH_OUTPUT, LABELS, MEAN, ROOT, TRANSPOSED
from . import (
    activations,
    binary_losses,
    class_losses,
    distribution_losses,
    elementary,
    gates,
    losses,
    metrics,
    parameters,
    parametric,
)
from .class_losses import class_share
from .dropout import (
    alpha_dropout,
    alpha_dropout_backward,
    dropout,
    gaussian_dropout,
    gaussian_noise,
    rrelu,
    rrelu_backward,
)
from .elementary import Array
from .embedding import embedding, embedding_backward
from .interfaces import Operation
from .linear import linear_backward
from .normalization import (
    batch_norm,
    batch_norm_backward,
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
)
from .softmax import log_softmax, log_softmax_backward, softmax, softmax_backward, softmin, softmin_backward
from .updates import update_parameters

NOISE: dict[str, Any] = {
    f.__name__: f for f in (dropout, alpha_dropout, alpha_dropout_backward, gaussian_dropout, gaussian_noise)
}
NOISE |= {f.__name__: partial(f, training=True) for f in (rrelu, rrelu_backward)}
SOFTMAX: dict[str | None, Any] = {
    "softmax": softmax,
    "softmax_backward": softmax_backward,
    "softmin": softmin,
    "softmin_backward": softmin_backward,
    "log_softmax": log_softmax,
    "log_softmax_backward": log_softmax_backward,
}

LOSSES = {
    name: getattr(module, name)
    for module in (losses, binary_losses, class_losses, distribution_losses)
    for name in module.__all__
}


class Operations:
    """The operations of a program; `now` is the tick that noise is drawn by in this run."""

    operations: list[Operation]
    now: int
    heads: float
    kept: Array
    kept_divisor: float
    staged: Any  # (targets, weights, mean weight) of the batch, for losses in Python
    mean_weight: float  # of the samples of all batches, if gradients are divided by it; 0: by the weights of the batch
    divisor: float  # what the gradients of a group of batches are divided by

    def _linear(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        weight = a["weight"].T if o.flag & TRANSPOSED else a["weight"]
        np.matmul(a["x"], weight, out=a["pre"])
        if "bias" in a:
            a["pre"] += a["bias"]
        _finish(o, a)

    def _linear_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        weight = a.get("weight", np.empty((o.n_in, o.n_out), a["x"].dtype))
        transposed = o.flag & TRANSPOSED and "weight" in a
        grad_x, grad_weight, grad_bias = linear_backward(a["grad_output"], a["x"], weight.T if transposed else weight)
        _put_gradients(o, a, grad_x, grad_weight.T if o.flag & TRANSPOSED else grad_weight, grad_bias)

    def _layer_norm(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["pre"][...] = layer_norm(a["x"], a.get("weight"), a.get("bias"), o.options["eps"])
        _finish(o, a)

    def _layer_norm_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        _put_gradients(o, a, *layer_norm_backward(a["grad_output"], a["x"], a.get("weight"), o.options["eps"]))

    def _rms_norm(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["pre"][...] = rms_norm(a["x"], a.get("weight"), o.options["eps"])
        _finish(o, a)

    def _rms_norm_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        _put_gradients(o, a, *rms_norm_backward(a["grad_output"], a["x"], a.get("weight"), o.options["eps"]))

    def _batch_norm(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        running = a.get("running_mean"), a.get("running_var")
        by_batch = running[0] is None
        a["pre"][...] = batch_norm(a["x"], *running, a.get("weight"), a.get("bias"), by_batch, eps=o.options["eps"])
        _finish(o, a)

    def _batch_norm_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        running = a.get("running_mean"), a.get("running_var")
        by_batch = running[0] is None
        _put_gradients(
            o, a, *batch_norm_backward(a["grad_output"], a["x"], *running, a.get("weight"), by_batch, o.options["eps"])
        )

    def _running(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        if rows > 1:
            a["step"] += 1
            momentum = o.options["momentum"] if o.options["momentum"] >= 0 else 1.0 / float(a["step"])
            batch_norm(a["x"], a["running_mean"], a["running_var"], training=True, momentum=momentum)

    def _activation(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        assert o.kernel is not None
        a["y"][...] = elementwise(o.kernel)(a["x"], *o.params)

    def _activation_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        assert o.kernel is not None
        a["grad_input"][...] = elementwise(o.kernel)(a["grad_output"], a["saved"], *o.params)

    def _arithmetic(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = getattr(elementary, str(o.kernel))(a["x"], a["other"])

    def _rows(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = _by_rows(o)(a["x"])

    def _rows_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["grad_input"][...] = _by_rows(o)(a["grad_output"], a["saved"])

    def _noise(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = NOISE[str(o.kernel)](a["x"], *o.params, seed=o.seed, stream=o.stream + self.now)

    def _noise_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        function = NOISE[str(o.kernel)]
        arrays = [a[name] for name in ("grad_output", "saved") if name in a]
        a["grad_input"][...] = function(*arrays, *o.params, seed=o.seed, stream=o.stream + self.now)

    def _parametric(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = getattr(parametric, o.kind)(a["x"], a["weight"])

    def _parametric_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        _put_gradients(o, a, *getattr(parametric, o.kind)(a["grad_output"], a["x"], a["weight"]))

    _prelu = _temperature_scale = _parametric
    _prelu_backward = _temperature_scale_backward = _parametric_backward

    def _embedding(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        codes = a["x"].copy()  # what is checked is what is used
        bad = np.argwhere(~((codes >= 0) & (codes < o.options["num_embeddings"]) & (codes == np.floor(codes))))
        if bad.size:
            row, column = map(int, bad[0])
            raise BadIndex(row, column, float(codes[row, column]), self.operations.index(o))
        a["y"][...] = embedding(codes, a["weight"]).reshape(a["y"].shape)

    def _embedding_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        codes, padding = a["x"], int(o.options["padding"])
        g = a["grad_output"].reshape(*codes.shape, -1)
        grad_weight = embedding_backward(g, codes, a["weight"], padding if padding >= 0 else None)
        _put_gradients(o, a, np.zeros_like(codes), grad_weight)

    def _gather(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = a["x"][:, a["index"]]

    def _gather_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["grad_input"][...] = 0
        for column, i in enumerate(a["index"]):
            a["grad_input"][:, i] += a["grad_output"][:, column]

    def _sum_columns(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][:, 0] = a["x"].sum(axis=1, dtype="float64")

    def _expand_columns(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = a["x"]

    def _expand_rows(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = a["weight"].ravel()

    def _expand_rows_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        total = a["grad_output"].sum(axis=0).reshape(a["grad_weight"].shape)
        a["grad_weight"][...] = a["grad_weight"] + total if o.flag & ACCUMULATE else total

    def _copy(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = a["x"]

    def _copy_columns(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = o.options["factor"] * (self._rows_divisor(a, rows) if o.flag & ACCUMULATE else 1.0) * a["x"]

    def _read_labels(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = a["x"][:, 0]

    def _heads_begin(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        self.heads, self.kept, self.kept_divisor = 0.0, sums[1:3].copy(), self.divisor

    def _heads_add(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        if sums[2] != self.kept[1]:  # something counted
            self.heads += o.options["head_weight"] * float(sums[0])
            place = int(o.options["place"])
            if sums.size > place:
                sums[place] += _rows_weight(a, rows) * sums[0]
        sums[1:3] = self.kept

    def _heads_end(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        sums[0] = self.heads
        sums[1:3] += _rows_weight(a, rows) * self.heads, _rows_weight(a, rows)
        self.divisor = self.kept_divisor + self._rows_divisor(a, rows)

    def _loss(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        assert o.loss is not None
        x, target, weight = a["x"], a["target"], a.get("sample_weight")
        if o.flag & LABELS:
            check_labels(target, o.n_in, int(o.options["ignored"]))
        elif o.kind == "loss":
            self._check_targets(o, target)
        keywords = {"reduction": o.loss.reduction, "sample_weight": weight, **o.loss.params}
        if "extra" in a:
            keywords[o.loss.extra_name] = a["extra"]
        count = float(_counts(o, a, rows).sum(dtype="float64"))
        value = float(LOSSES[o.loss.name](x, target, **keywords))
        if "grad_input" in a:
            plain = float(_counts(o, {**a, "sample_weight": np.ones(rows)}, rows).sum(dtype="float64"))
            divisor = plain * self.mean_weight if self.mean_weight else count
            self.divisor += divisor
            upstream = 1.0 if not o.flag & MEAN else count if o.flag & ACCUMULATE else count * _inverse(divisor)
            gradients = LOSSES[f"{o.loss.name}_backward"](upstream, x, target, **keywords)
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            for role, gradient in zip(("grad_input", "grad_extra"), gradients, strict=False):
                a[role][...] = gradient if count else 0  # a batch whose weights are all 0 has no gradient
        total = value * value if o.flag & ROOT else value
        sums[0] = value
        if count:
            sums[1] += total * count if o.flag & MEAN else total
        sums[2] += count

    _row_loss = _loss

    def _check_targets(self, o: Operation, target: Array) -> None:
        bad = first_bad_target(np.ascontiguousarray(target), TARGET_KINDS.get(str(o.kernel), 0))
        if bad >= 0:
            row, column = divmod(bad, o.n_in)
            raise BadTarget(row, column, float(target[row, column]), self.operations.index(o))

    def _rows_divisor(self, a: dict[str, Array], rows: int) -> float:
        """What the gradients of a batch are divided by, where it counts by its rows."""
        return rows * self.mean_weight if self.mean_weight else _rows_weight(a, rows)

    def _metric(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        x, target, weight = a["x"], a["target"].reshape(rows, -1), a.get("sample_weight")
        place = int(o.options.get("place", 0))
        weight = np.ones(rows) if weight is None else weight.astype("float64")
        if o.flag & LABELS:
            counted = target[:, 0] != o.options["ignored"]
            x, target, weight = x[counted], target[counted, 0], weight[counted]
        columns = bool(o.flag & EACH_OUTPUT) or (o.n_in == 1 and not o.flag & LABELS)
        if o.kind != "count_correct" and sums.size <= place:  # a single run: metrics are not requested
            return
        if o.kind == "count_correct":
            sums[3:5] += metrics.count_correct(x, target, weight, o.options["threshold"], columns)
        elif o.kind == "count_classes":
            counts = metrics.count_classes(x, target, weight, o.options["threshold"], columns).ravel()
            sums[place : place + counts.size] += counts
        elif o.kind == "count_top":
            sums[place : place + 2] += metrics.count_top(x, target, weight, o.options["k"])
        else:
            metrics.count_errors(sums[place : place + 2 + 4 * o.n_in], x, target, weight)

    _count_correct = _count_classes = _count_top = _count_errors = _metric

    def _update(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        assert o.optimizer is not None
        update_parameters(o.optimizer, a, _inverse(self.divisor) if o.flag & MEAN else 1.0)

    def _average(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        parameters.average(a["s0"], a["weight"], a["hyper"], a["step"])

    def _python(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        assert o.call is not None
        result = o.call(rows, self.staged)
        if result is not None:
            loss, count = result
            self.divisor += rows * self.mean_weight if self.mean_weight else count
            sums[0] = loss
            sums[1] += loss * count if count else 0  # the mean of nothing is NaN, and counts nothing
            sums[2] += count


def _finish(o: Operation, a: dict[str, Array]) -> None:
    """The activation that is fused with an operation."""
    if o.kernel:
        a["y"][...] = elementwise(o.kernel)(a["pre"], *o.params)


def _put_gradients(
    o: Operation, a: dict[str, Array], grad_input: Array, grad_weight: Array, grad_bias: Array | None = None
) -> None:
    """Those that are wanted; that of x times the gradient of the activation before."""
    for role, gradient in (("grad_weight", grad_weight), ("grad_bias", grad_bias)):
        if role in a:
            a[role][...] = a[role] + gradient if o.flag & ACCUMULATE else gradient
    if "grad_input" in a:
        a["grad_input"][...] = elementwise(o.kernel)(grad_input, a["saved"], *o.params) if o.kernel else grad_input


def _inverse(weight_sum: float) -> float:
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


def _by_rows(o: Operation) -> Any:
    """The reference function of an operation on rows, of arrays."""
    if o.kernel in SOFTMAX:
        return lambda *arrays: SOFTMAX[o.kernel](*arrays, -1, 1.0 / o.params[0])
    return lambda *arrays: getattr(gates, str(o.kernel))(*arrays, *map(int, o.params))


def _counts(o: Operation, a: dict[str, Array], rows: int) -> Array:
    """What each row counts in the mean of a loss."""
    counts = a.get("sample_weight", np.ones(rows))
    if o.flag & LABELS:
        counts = counts * class_share(a["target"], a["extra"] if o.flag & CLASS_WEIGHTS else None, o.options["ignored"])
    return counts * o.n_in if o.kind == "loss" and not o.flag & BY_ROWS else counts


def _rows_weight(a: dict[str, Array], rows: int) -> float:
    """What a batch counts for: its rows, or their weights."""
    weight = a.get("sample_weight")
    return float(rows if weight is None else weight.sum(dtype="float64"))


def check_labels(labels: Array, classes: int, ignored: int | None = None) -> None:
    bad = np.flatnonzero(((labels < 0) | (labels >= classes)) & (labels != ignored))
    if bad.size:
        raise BadLabel(int(bad[0]), int(labels[bad[0]]))

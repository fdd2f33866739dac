"""What each operation of a program does, in NumPy: one method a kind, as in _core/interpreter.pyx.

A method is given the operation, its operands by role, the rows of the batch, and what the program adds up: the last
loss, then summed losses, weights, right predictions and samples, then what is counted besides.
"""

from functools import partial
from typing import Any

import numpy as np

from .._core.errors import BadIndex, BadTarget
from .._core.operations import (
    ACCUMULATE,
    EACH_OUTPUT,
    ELEMENTS,
    LABELS,
    MEAN,
    ROOT,
    TRANSPOSED,
)
from .._core.targets import first_bad_target, target_kind
from . import (
    binary_losses,
    class_losses,
    distribution_losses,
    elementary,
    embedding_losses,
    losses,
    metrics,
    multilabel_losses,
    parameters,
    parametric,
    relative_losses,
)
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
from .embedding import embedding, embedding_backward, embedding_bag, embedding_bag_backward
from .group_norm import group_norm, group_norm_backward
from .int8 import linear_int8, unpacked
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
from .operands import (
    by_rows,
    check_labels,
    counts,
    elementwise,
    finish,
    inverse,
    limited,
    positions,
    put_gradients,
    rows_weight,
    vector,
)
from .updates import update_parameters

BAG_MODES, SINGLE = ("sum", "mean", "max", "sum"), 3  # the last one is of single rows
NOISE: dict[str, Any] = {
    f.__name__: f for f in (dropout, alpha_dropout, alpha_dropout_backward, gaussian_dropout, gaussian_noise)
}
NOISE |= {f.__name__: partial(f, training=True) for f in (rrelu, rrelu_backward)}

LOSSES = {
    name: getattr(module, name)
    for module in (
        losses,
        relative_losses,
        binary_losses,
        class_losses,
        multilabel_losses,
        embedding_losses,
        distribution_losses,
    )
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
        finish(o, a)

    def _linear_int8(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        weight = unpacked(a["weight"], o.n_in, o.n_out)
        a["y"][...] = linear_int8(a["x"], weight, a["scale"].ravel(), vector(a, "bias"))

    def _linear_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        weight = a.get("weight", np.empty((o.n_in, o.n_out), a["x"].dtype))
        transposed = o.flag & TRANSPOSED and "weight" in a
        grad_x, grad_weight, grad_bias = linear_backward(a["grad_output"], a["x"], weight.T if transposed else weight)
        put_gradients(o, a, grad_x, grad_weight.T if o.flag & TRANSPOSED else grad_weight, grad_bias)

    def _layer_norm(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["pre"][...] = layer_norm(a["x"], vector(a, "weight"), vector(a, "bias"), o.options["eps"])
        finish(o, a)

    def _layer_norm_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        put_gradients(o, a, *layer_norm_backward(a["grad_output"], a["x"], vector(a, "weight"), o.options["eps"]))

    def _rms_norm(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["pre"][...] = rms_norm(a["x"], vector(a, "weight"), o.options["eps"])
        finish(o, a)

    def _rms_norm_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        put_gradients(o, a, *rms_norm_backward(a["grad_output"], a["x"], vector(a, "weight"), o.options["eps"]))

    def _batch_norm(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        running = a.get("running_mean"), a.get("running_var")
        by_batch = running[0] is None
        a["pre"][...] = batch_norm(a["x"], *running, a.get("weight"), a.get("bias"), by_batch, eps=o.options["eps"])
        finish(o, a)

    def _batch_norm_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        running = a.get("running_mean"), a.get("running_var")
        by_batch = running[0] is None
        put_gradients(
            o, a, *batch_norm_backward(a["grad_output"], a["x"], *running, a.get("weight"), by_batch, o.options["eps"])
        )

    def _group_norm(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        groups, x = int(o.options["groups"]), positions(o, a["x"])
        y = group_norm(x, groups, a.get("weight"), a.get("bias"), o.options["eps"])
        a["pre"][...] = y.reshape(a["pre"].shape)
        finish(o, a)

    def _group_norm_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        g, x = (positions(o, a[name]) for name in ("grad_output", "x"))
        grad_x, *others = group_norm_backward(g, x, int(o.options["groups"]), a.get("weight"), o.options["eps"])
        put_gradients(o, a, grad_x.reshape(a["x"].shape), *others)

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
        a["y"][...] = by_rows(o)(a["x"])

    def _rows_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["grad_input"][...] = by_rows(o)(a["grad_output"], a["saved"])

    def _noise(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = NOISE[str(o.kernel)](a["x"], *o.params, seed=o.seed, stream=o.stream + self.now)

    def _noise_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        function = NOISE[str(o.kernel)]
        arrays = [a[name] for name in ("grad_output", "saved") if name in a]
        a["grad_input"][...] = function(*arrays, *o.params, seed=o.seed, stream=o.stream + self.now)

    def _parametric(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = getattr(parametric, o.kind)(a["x"], a["weight"])

    def _parametric_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        put_gradients(o, a, *getattr(parametric, o.kind)(a["grad_output"], a["x"], a["weight"]))

    _prelu = _temperature_scale = _parametric
    _prelu_backward = _temperature_scale_backward = _parametric_backward

    def _embedding(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        a["y"][...] = embedding(self._codes(o, a), a["weight"]).reshape(a["y"].shape)

    def _codes(self, o: Operation, a: dict[str, Array]) -> Array:
        """A copy of the codes of a table, checked: what is checked is what is used."""
        codes = a["x"].copy()
        bad = np.argwhere(~((codes >= 0) & (codes < o.options["num_embeddings"]) & (codes == np.floor(codes))))
        if bad.size:
            row, column = map(int, bad[0])
            raise BadIndex(row, column, float(codes[row, column]), self.operations.index(o))
        return codes

    def _embedding_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        codes, padding = a["x"], int(o.options["padding"])
        g = a["grad_output"].reshape(*codes.shape, -1)
        grad_weight = embedding_backward(g, codes, a["weight"], padding if padding >= 0 else None)
        put_gradients(o, a, np.zeros_like(codes), grad_weight)

    def _embedding_bag(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        codes = self._codes(o, a).reshape(-1, int(o.options["bag_size"]))
        padding = -1 if o.options["mode"] == SINGLE else int(o.options["padding"])
        options = {"mode": BAG_MODES[int(o.options["mode"])], "padding_idx": padding if padding >= 0 else None}
        a["y"][...] = embedding_bag(codes, limited(o, codes, a["weight"]), **options).reshape(a["y"].shape)  # type: ignore[arg-type]

    def _embedding_bag_backward(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        codes, padding = a["x"].reshape(-1, int(o.options["bag_size"])), int(o.options["padding"])
        weight = limited(o, codes, a["weight"])
        grad_weight = embedding_bag_backward(
            a["grad_output"].reshape(len(codes), -1), codes, weight, None, bool(o.options["by_freq"]),
            BAG_MODES[int(o.options["mode"])], padding_idx=padding if padding >= 0 else None,
        )  # fmt: skip
        if o.options["renorm"]:
            a["weight"][...] = weight
        put_gradients(o, a, np.zeros_like(a["x"]), grad_weight)  # type: ignore[arg-type]

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
                sums[place] += rows_weight(a, rows) * sums[0]
        sums[1:3] = self.kept

    def _heads_end(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        sums[0] = self.heads
        sums[1:3] += rows_weight(a, rows) * self.heads, rows_weight(a, rows)
        self.divisor = self.kept_divisor + self._rows_divisor(a, rows)

    def _present(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        there, weight = ~np.isnan(a["target"]), a.get("sample_weight", np.ones(rows))
        a["expanded"][...] = there * (weight if o.flag & ELEMENTS and weight.ndim > 1 else weight[:, None])
        a["y"][...] = np.where(there, a["target"], 1)

    def _loss(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        assert o.loss is not None
        x, target, weight = a["x"], a["target"], a.get("sample_weight")
        if o.flag & LABELS:
            check_labels(target, o.n_in, int(o.options["ignored"]))
        else:
            self._check_targets(o, target)
        keywords = {"reduction": o.loss.reduction, "sample_weight": weight, **o.loss.params}
        if "extra" in a:
            keywords[o.loss.extra_name] = a["extra"]
        if "column_weight" in a:
            keywords["weight"] = a["column_weight"]
        count = float(counts(o, a, rows).sum(dtype="float64"))
        value = float(LOSSES[o.loss.name](x, target, **keywords))
        if "grad_input" in a:
            plain = float(counts(o, {**a, "sample_weight": np.ones(rows)}, rows).sum(dtype="float64"))
            divisor = plain * self.mean_weight if self.mean_weight else count
            self.divisor += divisor
            upstream = 1.0 if not o.flag & MEAN else count if o.flag & ACCUMULATE else count * inverse(divisor)
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

    def _keep_loss(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        self.kept, self.kept_divisor = sums[:3].copy(), self.divisor
        sums[1:3] = 0

    def _count_loss(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        place = int(o.options["place"])
        if sums.size > place and sums[2]:
            sums[place : place + 2] += sums[1:3]
        sums[:3], self.divisor = self.kept, self.kept_divisor

    def _check_targets(self, o: Operation, target: Array) -> None:
        bad = first_bad_target(np.ascontiguousarray(target), target_kind(o.kernel, o.params))
        if bad >= 0:
            row, column = divmod(bad, o.n_in)
            raise BadTarget(row, column, float(target[row, column]), self.operations.index(o))

    def _rows_divisor(self, a: dict[str, Array], rows: int) -> float:
        """What the gradients of a batch are divided by, where it counts by its rows."""
        return rows * self.mean_weight if self.mean_weight else rows_weight(a, rows)

    def _metric(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        x, target, weight = a["x"], a["target"].reshape(rows, -1), a.get("sample_weight")
        place = int(o.options.get("place", 0))
        weight = np.ones(rows) if weight is None else weight.astype("float64")  # (rows,) or (rows, n_in)
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
            metrics.count_errors(sums[place : place + 2 + 5 * o.n_in], x, target, weight)

    _count_correct = _count_classes = _count_top = _count_errors = _metric

    def _update(self, o: Operation, a: dict[str, Array], rows: int, sums: Array) -> None:
        assert o.optimizer is not None
        update_parameters(o.optimizer, a, inverse(self.divisor) if o.flag & MEAN else 1.0)

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

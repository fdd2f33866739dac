"""The operations of a program for one row as calls of C functions, which are written once a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import functional as F
from .._core.operations import TRANSPOSED
from .._validation import Array
from ..compiler.operations import Operation
from ..nn.int8 import quantized
from .functions import ARITHMETIC, EXPRESSIONS, expression, number, with_type
from .memory import Memory

# Functions of C, by name; P is the prefix of the file, T the type.
FUNCTIONS = {
    "linear": """
/* y = x W + b, each number a chain of fused multiply-adds from the bias on */
static void P_linear(const T *x, const T *w, const T *b, T *y, size_t n_in, size_t n_out)
{
    size_t i, j;
    for (j = 0; j < n_out; j++)
        y[j] = b ? b[j] : 0;
    for (i = 0; i < n_in; i++)
        for (j = 0; j < n_out; j++)
            y[j] = P_FMA(x[i], w[i * n_out + j], y[j]);
}""",
    "linear_int8": """
/* y = (x W) scale + b, with weights of 8 bits and a scale for each column */
static void P_linear_int8(const T *x, const signed char *w, const T *scale, const T *b, T *y, size_t n_in,
                          size_t n_out)
{
    size_t i, j;
    for (j = 0; j < n_out; j++)
        y[j] = 0;
    for (i = 0; i < n_in; i++)
        for (j = 0; j < n_out; j++)
            y[j] += x[i] * (T)w[i * n_out + j];
    for (j = 0; j < n_out; j++)
        y[j] = y[j] * scale[j] + (b ? b[j] : 0);
}""",
    "softmax": """
/* y = softmax(x / temperature); a temperature below 0 for softmin */
static void P_softmax(const T *x, T *y, size_t n, T inverse_temperature)
{
    size_t i;
    T largest = n ? x[0] : 0, total = 0;
    for (i = 1; i < n; i++)
        largest = x[i] * inverse_temperature > largest * inverse_temperature ? x[i] : largest;
    for (i = 0; i < n; i++)
        total += y[i] = m(exp)((x[i] - largest) * inverse_temperature);
    for (i = 0; i < n; i++)
        y[i] /= total;
}""",
    "log_softmax": """
/* y = log(softmax(x / temperature)) */
static void P_log_softmax(const T *x, T *y, size_t n, T inverse_temperature)
{
    size_t i;
    T largest = n ? x[0] : 0, total = 0;
    for (i = 1; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (i = 0; i < n; i++)
        total += m(exp)((x[i] - largest) * inverse_temperature);
    total = m(log)(total);
    for (i = 0; i < n; i++)
        y[i] = (x[i] - largest) * inverse_temperature - total;
}""",
    "glu": """
/* y = a sigmoid(b), of the halves of x */
static void P_glu(const T *x, T *y, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        y[i] = x[i] / (1 + m(exp)(-x[n + i]));
}""",
    "swiglu": """
/* y = silu(a) b, of the halves of x */
static void P_swiglu(const T *x, T *y, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        y[i] = x[i] / (1 + m(exp)(-x[i])) * x[n + i];
}""",
    "maxout": """
/* y = the largest of each `pool` numbers of x */
static void P_maxout(const T *x, T *y, size_t n, size_t pool)
{
    size_t i, j;
    for (i = 0; i < n; i++, x += pool) {
        y[i] = x[0];
        for (j = 1; j < pool; j++)
            y[i] = x[j] > y[i] || x[j] != x[j] ? x[j] : y[i];
    }
}""",
    "layer_norm": """
/* y = (x - mean) / sqrt(variance + eps) w + b */
static void P_layer_norm(const T *x, const T *w, const T *b, T *y, size_t n, T eps)
{
    size_t i;
    T mean = 0, variance = 0;
    for (i = 0; i < n; i++)
        mean += x[i];
    mean /= (T)n;
    for (i = 0; i < n; i++)
        variance += (x[i] - mean) * (x[i] - mean);
    variance = 1 / m(sqrt)(variance / (T)n + eps);
    for (i = 0; i < n; i++)
        y[i] = (x[i] - mean) * variance * (w ? w[i] : 1) + (b ? b[i] : 0);
}""",
    "rms_norm": """
/* y = x / sqrt(mean of squares + eps) w */
static void P_rms_norm(const T *x, const T *w, const T *b, T *y, size_t n, T eps)
{
    size_t i;
    T squares = 0;
    for (i = 0; i < n; i++)
        squares += x[i] * x[i];
    squares = 1 / m(sqrt)(squares / (T)n + eps);
    for (i = 0; i < n; i++)
        y[i] = x[i] * squares * (w ? w[i] : 1) + (b ? b[i] : 0);
}""",
    "batch_norm": """
/* y = (x - mean) / sqrt(variance + eps) w + b, with running statistics */
static void P_batch_norm(const T *x, const T *mean, const T *variance, const T *w, const T *b, T *y, size_t n, T eps)
{
    size_t i;
    for (i = 0; i < n; i++)
        y[i] = (x[i] - mean[i]) / m(sqrt)(variance[i] + eps) * (w ? w[i] : 1) + (b ? b[i] : 0);
}""",
    "group_norm": """
/* y = (x - mean) / sqrt(variance + eps) w + b, by groups of columns; `length` columns share a number of w and b */
static void P_group_norm(const T *x, const T *w, const T *b, T *y, size_t n, size_t groups, size_t length, T eps)
{
    const size_t size = n / groups;
    size_t g, i;
    for (g = 0; g < groups; g++) {
        T mean = 0, variance = 0;
        for (i = g * size; i < (g + 1) * size; i++)
            mean += x[i];
        mean /= (T)size;
        for (i = g * size; i < (g + 1) * size; i++)
            variance += (x[i] - mean) * (x[i] - mean);
        variance = 1 / m(sqrt)(variance / (T)size + eps);
        for (i = g * size; i < (g + 1) * size; i++)
            y[i] = (x[i] - mean) * variance * (w ? w[i / length] : 1) + (b ? b[i / length] : 0);
    }
}""",
    "embedding_bag": """
/* sums (mode 0), means (1) or largest numbers (2) of `size` rows of a table, those of number `padding` aside */
static void P_embedding_bag(const T *x, const T *table, T *y, size_t bags, size_t size, size_t rows, size_t cols,
                            long padding, int mode)
{
    size_t bag, i, j;
    for (bag = 0; bag < bags; bag++, x += size, y += cols) {
        size_t count = 0;
        for (j = 0; j < cols; j++)
            y[j] = 0;
        for (i = 0; i < size; i++) {
            const T *row = table;
            if (padding >= 0 && x[i] == (T)padding)
                continue;
            if (x[i] >= 0 && x[i] < (T)rows)
                row += (size_t)x[i] * cols;
            else
                row = NULL;
            for (j = 0; j < cols; j++) {
                const T value = row ? row[j] : NAN;
                y[j] = mode < 2 ? y[j] + value : count == 0 || value > y[j] || value != value ? value : y[j];
            }
            count++;
        }
        for (j = 0; j < cols && mode == 1 && count > 1; j++)
            y[j] /= (T)count;
    }
}""",
    "embedding": """
/* rows of a table by their number; NaN for a number that is none */
static void P_embedding(const T *x, const T *table, T *y, size_t n, size_t rows, size_t cols)
{
    size_t i, j;
    for (i = 0; i < n; i++)
        for (j = 0; j < cols; j++)
            y[i * cols + j] = x[i] >= 0 && x[i] < (T)rows ? table[(size_t)x[i] * cols + j] : NAN;
}""",
}


@dataclass
class Statements:
    """The statements of a function, and what they need."""

    memory: Memory
    dtype: str
    prefix: str
    weights: str
    lines: list[str] = field(default_factory=list)
    constants: list[tuple[str, str, Array, str]] = field(default_factory=list)  # name, type, values, comment
    functions: dict[str, str] = field(default_factory=dict)
    _names: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def add(self, o: Operation) -> None:
        """Add an operation; TypeError if it has no form in C."""
        method: Callable[[Operation, dict[str, str]], None] | None = getattr(self, f"_{o.kind}", None)
        if method is None:
            raise TypeError(f"{o.label}: {o.kind} has no form in C")
        self.lines.append(f"/* {o.label} */")
        method(o, {r: self.memory.name(a) for r, a in o.arrays.items() if r in ("x", "y", "pre", "other")})

    def constant(self, o: Operation, role: str, kind: str = "T", values: Array | None = None) -> str:
        """The name of a constant array, NULL if the operation has none."""
        array = o.arrays.get(role) if values is None else values
        if array is None:
            return "NULL"
        key = role, kind, array.shape, array.tobytes()
        if key not in self._names:
            self._names[key] = f"{self.prefix}_{role}_{len(self._names)}"
            self.constants.append((self._names[key], kind, array.ravel(), o.label))
        return self._names[key]

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function, which is then part of the file."""
        self.functions[name] = FUNCTIONS[name]
        self.lines.append(f"P_{name}({', '.join(map(str, arguments))});")

    def each(self, n: int, y: str, value: str) -> None:
        """A loop over n numbers: y[i] = value."""
        self.lines.append(f"for (i = 0; i < {n}; i++)\n        {_at(y)} = {value};")

    # -- operations ----------------------------------------------------------------------------------------------------

    def _linear(self, o: Operation, a: dict[str, str]) -> None:
        weight, bias = o.arrays["weight"], self.constant(o, "bias")
        weight = weight.T if o.flag & TRANSPOSED else weight
        y = a["y"] if o.kernel is None or a["pre"] == a["y"] else a["pre"]
        if self.weights == "int8":
            integers, scale = quantize(weight)
            names = self.constant(o, "weight", "int8", integers), self.constant(o, "scale", "T", scale)
            self.call("linear_int8", a["x"], *names, bias, y, o.n_in, o.n_out)
        else:
            values = np.ascontiguousarray(weight)
            self.call("linear", a["x"], self.constant(o, "weight", "T", values), bias, y, o.n_in, o.n_out)
        self._fused(o, y, a["y"], o.n_out)

    def _fused(self, o: Operation, x: str, y: str, n: int) -> None:
        """The activation that is fused with an operation."""
        if o.kernel is not None:
            self._function(o, x, y, n)

    def _function(self, o: Operation, x: str, y: str, n: int) -> None:
        if o.kernel not in EXPRESSIONS:
            raise TypeError(f"{o.label}: {o.kernel} has no form in C")
        name = f"{o.kernel}_{len(self.functions)}"
        text = f"static T P_{name}(T x)\n{{\n    return {expression(o.kernel, o.params, self.dtype)};\n}}"
        known = next(
            (key for key, old in self.functions.items() if old.partition("(")[2] == text.partition("(")[2]), None
        )
        self.functions.setdefault(known or name, text)
        self.each(n, y, f"P_{known or name}({_at(x)})")

    def _activation(self, o: Operation, a: dict[str, str]) -> None:
        self._function(o, a["x"], a["y"], o.n_in)

    def _arithmetic(self, o: Operation, a: dict[str, str]) -> None:
        self.each(o.n_in, a["y"], f"{_at(a['x'])} {ARITHMETIC[str(o.kernel)]} {_at(a['other'])}")

    def _rows(self, o: Operation, a: dict[str, str]) -> None:
        if o.kernel in ("softmax", "softmin", "log_softmax"):
            sign = -1 if o.kernel == "softmin" else 1
            name = "log_softmax" if o.kernel == "log_softmax" else "softmax"
            self.call(name, a["x"], a["y"], o.n_in, number(sign * o.params[0], self.dtype))
        elif o.kernel in ("glu", "swiglu"):
            self.call(o.kernel, a["x"], a["y"], o.n_out)
        elif o.kernel == "maxout":
            self.call(o.kernel, a["x"], a["y"], o.n_out, int(o.params[0]))
        else:
            raise TypeError(f"{o.label}: {o.kernel} has no form in C")

    def _norm(self, o: Operation, a: dict[str, str]) -> None:
        running = [self.constant(o, role) for role in ("running_mean", "running_var")] if o.kind == "batch_norm" else []
        if "NULL" in running:
            raise TypeError(f"{o.label}: it keeps no running statistics, so one row alone has no mean")
        weight, bias = self.constant(o, "weight"), self.constant(o, "bias")
        eps = number(o.options["eps"], self.dtype)
        self.call(o.kind, a["x"], *running, weight, bias, a["pre"], o.n_in, eps)
        self._fused(o, a["pre"], a["y"], o.n_in)

    _layer_norm = _rms_norm = _batch_norm = _norm

    def _group_norm(self, o: Operation, a: dict[str, str]) -> None:
        groups, length, eps = (o.options[name] for name in ("groups", "length", "eps"))
        weight, bias = self.constant(o, "weight"), self.constant(o, "bias")
        sizes = o.n_in, int(groups), int(length), number(eps, self.dtype)
        self.call("group_norm", a["x"], weight, bias, a["pre"], *sizes)
        self._fused(o, a["pre"], a["y"], o.n_in)

    def _embedding_bag(self, o: Operation, a: dict[str, str]) -> None:
        names = "num_embeddings", "padding", "bag_size", "mode"
        rows, padding, size, mode = (int(o.options[name]) for name in names)
        table, limit = o.arrays["weight"], o.options["max_norm"]
        if 0 <= limit < np.inf:  # rows above it count as scaled to it
            table = F.embedding(np.arange(rows), table.copy(), max_norm=limit, norm_type=o.options["norm_type"])
        bags, values = o.n_in // size, self.constant(o, "weight", "T", table)
        self.call("embedding_bag", a["x"], values, a["y"], bags, size, rows, table.shape[1], padding, mode)

    def _prelu(self, o: Operation, a: dict[str, str]) -> None:
        slope = self.constant(o, "weight") + ("[0]" if o.options["shared"] else "[i]")
        self.each(o.n_in, a["y"], f"{_at(a['x'])} > 0 ? {_at(a['x'])} : {slope} * {_at(a['x'])}")

    def _temperature_scale(self, o: Operation, a: dict[str, str]) -> None:
        self.each(o.n_in, a["y"], f"{_at(a['x'])} / {self.constant(o, 'weight')}[0]")

    def _embedding(self, o: Operation, a: dict[str, str]) -> None:
        rows, cols = o.arrays["weight"].shape
        self.call("embedding", a["x"], self.constant(o, "weight"), a["y"], o.n_in, rows, cols)

    def _gather(self, o: Operation, a: dict[str, str]) -> None:
        self.each(o.n_out, a["y"], _at(a["x"], f"{self.constant(o, 'index', 'unsigned')}[i]"))

    def _sum_columns(self, o: Operation, a: dict[str, str]) -> None:
        y = _at(a["y"], "0")
        self.lines.append(f"{y} = 0;\n    for (i = 0; i < {o.n_in}; i++)\n        {y} += {_at(a['x'])};")

    def _expand_columns(self, o: Operation, a: dict[str, str]) -> None:
        self.each(o.n_out, a["y"], _at(a["x"], "0"))

    def _expand_rows(self, o: Operation, a: dict[str, str]) -> None:
        self.each(o.n_in, a["y"], f"{self.constant(o, 'weight')}[i]")

    def _copy(self, o: Operation, a: dict[str, str]) -> None:
        self.each(o.n_in, a["y"], _at(a["x"]))

    def _copy_columns(self, o: Operation, a: dict[str, str]) -> None:
        self.each(o.n_in, a["y"], _at(a["x"]))


def quantize(weight: Array) -> tuple[Array, Array]:
    """Weights of 8 bits, and the scale of each column: weight = quantized * scale, rounded."""
    integers, scale = quantized(weight, 127)
    scale[scale == 0] = 1
    return integers, scale


def _at(place: str, index: str = "i") -> str:
    """An element of an array that is a name, or a name and an offset."""
    return f"{place}[{index}]" if "+" not in place else f"({place})[{index}]"


def function_text(text: str, dtype: str, prefix: str) -> str:
    """A function of `FUNCTIONS` for a dtype and a prefix."""
    return with_type(text, dtype).replace("P_", f"{prefix}_")

"""The file: constants, functions, the network for one row and for many, and a test of itself."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from .._validation import Array
from .._version import __version__
from ..files.replace import replace
from ..nn.linear import Linear
from ..nn.module import Module
from .functions import number, with_type
from .memory import Memory
from .statements import Statements, function_text, quantize

TOLERANCE = {"float32": 1e-4, "float64": 1e-9}  # of the test in the file: another libm differs by some ULP
DRAWN_SAMPLES = 1000


@dataclass(frozen=True)
class ExportReport:
    """What `export_c` wrote.

    Attributes
    ----------
    constant_bytes : int
        Of the weights and other constants.
    static_bytes : int
        Of the memory that is written while the network runs.
    flops : int
        Floating-point operations a row.
    largest_error, mean_error : float
        Absolute difference of outputs to those of the network, on the samples: 0 with weights of the network's dtype.
    same_class : float
        Share of the samples whose largest output is the same one.
    """

    constant_bytes: int
    static_bytes: int
    flops: int
    largest_error: float
    mean_error: float
    same_class: float


@errors_of_use
def export_c(
    net: Any, path: Any, *, name: str = "model", dtype: str | None = None, weights: str = "float", samples: Any = None
) -> ExportReport:
    """Write a network as one C99 file without dependencies: no allocation, no library but math.h.

    The file defines `void NAME_predict(const float *x, float *y)` for one row, and
    `void NAME_predict_batch(const float *x, float *y, size_t rows)`; they are not reentrant, since their memory is
    static. Compiled with -DNAME_SELF_TEST it has a `main` that checks an example and returns 0 if it holds. It compiles
    with `cc -std=c99 -Wall -Wextra -pedantic -Werror`.

    Parameters
    ----------
    net : Sequential or Module
        In inference mode: dropout is left out, batch normalization takes its running statistics.
    path : str or path-like
        A file that is there is replaced.
    name : str, default "model"
        The prefix of all names in the file.
    dtype : {"float32", "float64"}, optional
        By default that of the network.
    weights : {"float", "int8"}, default "float"
        With "int8" the weights of linear layers have 8 bits, and a scale for each output.
    samples : array, shape (rows, in_features), optional
        What the loss of accuracy of "int8" is measured on; by default 1,000 rows of normal numbers. Its first row is
        the example in the file.

    Returns
    -------
    report : ExportReport

    Raises
    ------
    TypeError
        If an argument has the wrong type, or a layer has no form in C: one written in Python, for example.
    ValueError
        If the name is not one of C, the number of input features is not known, or a batch normalization keeps no
        running statistics.
    OSError
        If the file cannot be written.

    Notes
    -----
    With weights "float", networks of linear layers and piecewise linear activations (ReLU, LeakyReLU, Hardtanh, ...)
    give the bits of `predict` where the compiler does not contract (gcc -ffp-contract=off); others differ by some ULP.
    Sums are fused multiply-adds: on a processor without them -DNAME_FMA(a,b,c)=((a)*(b)+(c)) is faster.

    Examples
    --------
    >>> import os, tempfile
    >>> import fastnn
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = fastnn.export_c(net, os.path.join(folder, "model.c"))
    >>> report.constant_bytes, report.static_bytes, report.flops
    (268, 32, 112)
    """
    if not isinstance(net, Module):
        raise TypeError(f"net must be a network of fastnn.nn, got {type(net).__name__}")
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"name must be a name of C, got {name!r}")
    check.check_choice("weights", weights, ("float", "int8"))
    net = copy.deepcopy(net.as_network()).eval()
    if dtype is not None and check.check_dtype(dtype) != net.dtype:
        net.float() if dtype == "float32" else net.double()
    n_in = net.in_features
    if n_in is None and samples is None:
        raise ValueError("samples must be given: this network takes any number of features")
    rows = _samples(net, samples, n_in)
    program = net.plan_program("predict", 1, rows.shape[1])
    if program.by_batch:
        raise ValueError(f"{program.by_batch} normalizes by the statistics of a batch, and one row has none")
    memory = Memory.of(program.operations, rows.itemsize)
    statements = Statements(memory, net.dtype, name, weights)
    for operation in program.operations:
        statements.add(operation)
    expected = net.predict(rows)
    if weights == "int8":
        _round_weights(net)
    found = net.predict(rows)
    text = "\n".join(_text(statements, name, program, rows[0], found[0]))
    replace(check_path(path), text.encode())
    return _report(statements, program, expected, found)


def check_path(path: Any) -> Any:
    """`path` as a path; TypeError otherwise."""
    from pathlib import Path

    return Path(os.fspath(path))


def _samples(net: Any, samples: Any, n_in: int | None) -> Array:
    """The rows to measure on: those given, or normal numbers, with 0 where a table is read."""
    if samples is not None:
        rows = np.atleast_2d(np.asarray(samples, net.dtype))
        if not len(rows):
            raise ValueError("samples must have at least one row")
        return rows
    assert n_in is not None
    rows = np.random.default_rng(0).normal(size=(DRAWN_SAMPLES, n_in)).astype(net.dtype)
    for operation in net.plan_program("predict", 1, n_in).operations:
        if operation.kind == "embedding" and operation.input_columns is not None:
            rows[:, list(operation.input_columns)] = 0
    return rows


def _round_weights(net: Any) -> None:
    """Round the weights of linear layers to what 8 bits hold."""
    for layer in net.modules():
        if isinstance(layer, Linear):
            quantized, scale = quantize(layer.weight)
            layer.weight[...] = quantized * scale


def _report(statements: Statements, program: Any, expected: Array, found: Array) -> ExportReport:
    size = sum(values.size * _width(kind, statements.dtype) for _, kind, values, _ in statements.constants)
    difference = np.abs(expected.astype("float64") - found)
    same = float((expected.argmax(axis=1) == found.argmax(axis=1)).mean()) if expected.shape[1] else 1.0
    return ExportReport(
        int(size),
        statements.memory.size * statements.memory.itemsize,
        sum(o.flops(1) for o in program.operations),
        float(difference.max(initial=0.0)),
        float(difference.mean()) if difference.size else 0.0,
        same,
    )


def _width(kind: str, dtype: str) -> int:
    return {"int8": 1, "unsigned": 4}.get(kind, np.dtype(dtype).itemsize)


def _text(s: Statements, name: str, program: Any, x: Array, y: Array) -> Iterator[str]:
    """The lines of the file."""
    size = sum(values.size * _width(kind, s.dtype) for _, kind, values, _ in s.constants)
    static = s.memory.size * s.memory.itemsize
    body = function_text("\n    ".join(s.lines), s.dtype, name)
    yield f"/* A network of fastnn {__version__}: {program.n_in} -> {program.n_out}, {s.dtype}."
    yield f" * Constants {size:,} bytes, static memory {static:,} bytes; nothing is allocated."
    yield f" * Not reentrant. Test: cc -std=c99 -D{name.upper()}_SELF_TEST {name}.c -lm && ./a.out */"
    yield "#include <math.h>\n#include <stddef.h>\n"
    yield f"#define {name.upper()}_INPUTS {program.n_in}\n#define {name.upper()}_OUTPUTS {program.n_out}\n"
    yield with_type(f"void {name}_predict(const T *x, T *y);", s.dtype)
    yield with_type(f"void {name}_predict_batch(const T *x, T *y, size_t rows);\n", s.dtype)
    if "linear" in s.functions:
        fma = with_type("m(fma)(a, b, c)", s.dtype)
        yield f"#ifndef {name.upper()}_FMA\n#define {name.upper()}_FMA(a, b, c) {fma}\n#endif\n"
    for constant in s.constants:
        yield _constant(*constant, s.dtype)
    if s.memory.size:
        yield with_type(f"static T {name}_memory[{s.memory.size}];", s.dtype)
    for function in s.functions.values():
        yield function_text(function, s.dtype, name).replace(f"{name}_FMA", f"{name.upper()}_FMA")
    yield with_type(f"\nvoid {name}_predict(const T *x, T *y)\n{{", s.dtype)
    if re.search(r"\bi\b", body):
        yield "    size_t i;"
    yield f"    {body}\n}}\n"
    yield with_type(f"void {name}_predict_batch(const T *x, T *y, size_t rows)\n{{\n    size_t r;", s.dtype)
    yield f"    for (r = 0; r < rows; r++)\n        {name}_predict(x + r * {program.n_in}, y + r * {program.n_out});"
    yield "}"
    yield from _self_test(s, name, x, y)


def _constant(name: str, kind: str, values: Array, comment: str, dtype: str) -> str:
    """The definition of a constant array."""
    of = {"int8": "signed char", "unsigned": "unsigned"}.get(kind) or with_type("T", dtype)
    numbers = [number(float(v), dtype) for v in values] if kind == "T" else [str(int(v)) for v in values]
    lines: list[str] = []
    line = "   "
    for text in numbers or ["0"]:
        if len(line) + len(text) > 110:
            lines, line = [*lines, line], "   "
        line += f" {text},"
    return (
        f"/* {comment} */\nstatic const {of} {name}[{max(1, len(values))}] = {{\n" + "\n".join([*lines, line]) + "\n};"
    )


def _self_test(s: Statements, name: str, x: Array, y: Array) -> Iterator[str]:
    """A `main` that compares one row with what `predict` gave."""
    yield f"\n#ifdef {name.upper()}_SELF_TEST\n#include <stdio.h>\n"
    yield _constant(f"{name}_test_x", "T", x, "an example", s.dtype)
    yield _constant(f"{name}_test_y", "T", y, "what fastnn computes", s.dtype)
    yield with_type(f"int main(void)\n{{\n    T y[{max(1, len(y))}];\n    int i, bad = 0;", s.dtype)
    yield f"    {name}_predict({name}_test_x, y);\n    for (i = 0; i < {len(y)}; i++) {{"
    close = number(TOLERANCE[s.dtype], s.dtype)
    yield with_type(f"        const T right = {name}_test_y[i];", s.dtype)
    yield with_type(
        f"        bad += !(m(fabs)(y[i] - right) <= {close} * (1 + m(fabs)(right)) || right != right);", s.dtype
    )
    yield '        printf("%.9g expected %.9g\\n", (double)y[i], (double)right);\n    }'
    yield "    return bad != 0;\n}\n#endif\n"

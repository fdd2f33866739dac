"""Elementwise kernels as C expressions of x; `a` and `b` are their parameters, names in m(...) those of math.h."""

from __future__ import annotations

import re

# C has suffixes for float: m(exp) becomes expf or exp. Numbers are cast to the type T.
EXPRESSIONS = {
    "sigmoid": "x >= 0 ? 1 / (1 + m(exp)(-x)) : m(exp)(x) / (1 + m(exp)(x))",
    "tanh": "m(tanh)(x)",
    "relu": "x > 0 || x != x ? x : 0",
    "relu6": "x > 6 ? 6 : x > 0 || x != x ? x : 0",
    "leaky_relu": "x > 0 ? x : a * x",
    "elu": "x > 0 ? x : a * m(expm1)(x)",
    "selu": "(T)1.0507009873554805 * (x > 0 ? x : (T)1.6732632423543772 * m(expm1)(x))",
    "celu": "x > 0 ? x : a * m(expm1)(x / a)",
    "gelu": "x * (T)0.5 * m(erfc)(x * (T)-0.7071067811865476)",
    "gelu_tanh": "x / (1 + m(exp)((T)-1.5957691216057308 * (x + (T)0.044715 * x * x * x)))",
    "silu": "x / (1 + m(exp)(-x))",
    "mish": "x * m(tanh)(x > 30 ? x : m(log1p)(m(exp)(x)))",
    "softplus": "a * x > b ? x : m(log1p)(m(exp)(a * x)) / a",
    "softsign": "x / (1 + m(fabs)(x))",
    "hardsigmoid": "x <= -3 ? 0 : x >= 3 ? 1 : x / 6 + (T)0.5",
    "hardswish": "x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6",
    "hardtanh": "x < a ? a : x > b ? b : x",
    "affine": "a * x + b",
    "reciprocal": "a / x",
    "logit": "m(log)((b > 0 ? CLAMPED : x) / (1 - (b > 0 ? CLAMPED : x)))",
    "logsigmoid": "(x < 0 ? x : 0) - m(log1p)(m(exp)(-m(fabs)(x)))",
    "tanhshrink": "x - m(tanh)(x)",
    "threshold": "x <= a ? b : x",
    "softshrink": "m(fabs)(x) <= a ? 0 : x - m(copysign)(a, x)",
    "hardshrink": "m(fabs)(x) <= a ? 0 : x",
    "exp": "m(exp)(x)",
    "expm1": "m(expm1)(x)",
    "log": "m(log)(x)",
    "log1p": "m(log1p)(x)",
    "erf": "m(erf)(x)",
}
ARITHMETIC = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}


def expression(kernel: str, params: tuple[float, ...], dtype: str) -> str:
    """The C expression of a kernel, with its parameters as numbers; KeyError if there is none."""
    text = EXPRESSIONS[kernel].replace("CLAMPED", "(x < a ? a : x > 1 - a ? 1 - a : x)")
    for letter, value in zip("ab", (*params, 0.0, 0.0), strict=False):
        text = re.sub(rf"\b{letter}\b", number(value, dtype), text)
    return with_type(text, dtype)


def with_type(text: str, dtype: str) -> str:
    """C text for a dtype: T and the functions of math.h."""
    suffix, name = ("f", "float") if dtype == "float32" else ("", "double")
    return re.sub(r"\bT\b", name, re.sub(r"\bm\((\w+)\)", rf"\1{suffix}", text))


def number(value: float, dtype: str) -> str:
    """A C constant that is exactly this number of the dtype."""
    if value != value:
        return "NAN"
    if value in (float("inf"), float("-inf")):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = f"{value:.9g}" if dtype == "float32" else f"{value:.17g}"
    text = text if any(letter in text for letter in ".e") else text + ".0"
    return text + ("f" if dtype == "float32" else "")

"""Activations as ONNX nodes, by the names of their kernels.

float32 networks use the operator of the activation where the opset has one. float64 networks use elementary nodes
where the attributes of the operator, which are float32, would round a parameter, or the operator takes float32 only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .writer import Writer

Convert = Callable[..., str]

# By kernel: a function of the writer, the name of the input, and the parameters of the kernel in their order.
ACTIVATIONS: dict[str, Convert] = {}

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def activation(kernel: str) -> Callable[[Convert], Convert]:
    """Register the nodes of a kernel."""

    def register(convert: Convert) -> Convert:
        ACTIVATIONS[kernel] = convert
        return convert

    return register


def _operator(kernel: str, operator: str) -> None:
    ACTIVATIONS[kernel] = lambda w, x: w.node(operator, x)


_operator("relu", "Relu")
_operator("sigmoid", "Sigmoid")
_operator("tanh", "Tanh")
_operator("exp", "Exp")
_operator("log", "Log")
_operator("erf", "Erf")
_operator("abs", "Abs")
_operator("sqrt", "Sqrt")
_operator("neg", "Neg")


def _single(w: Writer) -> bool:
    return w.dtype == "float32"


def _positive(w: Writer, x: str) -> str:
    return w.node("Greater", x, w.constant(0.0))


@activation("relu6")
def _relu6(w: Writer, x: str) -> str:
    return _hardtanh(w, x, 0.0, 6.0)


@activation("hardtanh")
def _hardtanh(w: Writer, x: str, low: float, high: float) -> str:
    return w.node("Clip", x, w.constant(low), w.constant(high))


@activation("leaky_relu")
def _leaky_relu(w: Writer, x: str, slope: float) -> str:
    if _single(w):
        return w.node("LeakyRelu", x, alpha=slope)
    return w.node("Where", _positive(w, x), x, w.node("Mul", x, w.constant(slope)))


@activation("elu")
def _elu(w: Writer, x: str, alpha: float) -> str:
    if _single(w):
        return w.node("Elu", x, alpha=alpha)
    return w.node("Where", _positive(w, x), x, w.node("Mul", _expm1(w, x), w.constant(alpha)))


@activation("selu")
def _selu(w: Writer, x: str) -> str:
    if _single(w):
        return w.node("Selu", x, alpha=SELU_ALPHA, gamma=SELU_SCALE)
    return w.node("Mul", _elu(w, x, SELU_ALPHA), w.constant(SELU_SCALE))


@activation("celu")
def _celu(w: Writer, x: str, alpha: float) -> str:
    if _single(w) and alpha > 0:
        return w.node("Celu", x, alpha=alpha)
    below = w.node("Mul", _expm1(w, w.node("Div", x, w.constant(alpha))), w.constant(alpha))
    return w.node("Where", _positive(w, x), x, below)


@activation("softplus")
def _softplus(w: Writer, x: str, beta: float, threshold: float) -> str:
    scaled = x if beta == 1 else w.node("Mul", x, w.constant(beta))
    soft = _log1pexp(w, scaled)
    y = soft if beta == 1 else w.node("Div", soft, w.constant(beta))
    if threshold > 0 and math.exp(-threshold) < np.finfo(w.dtype).eps * threshold:
        return y  # rounds to the same number above the threshold
    return w.node("Where", w.node("Greater", scaled, w.constant(threshold)), x, y)


def _log1pexp(w: Writer, x: str) -> str:
    """The logarithm of 1 + exp(x): max(x, 0) + log(1 + exp(-|x|)) in float64."""
    if _single(w):
        return w.node("Softplus", x)
    small = w.node("Exp", w.node("Neg", w.node("Abs", x)))
    return w.node("Add", w.node("Relu", x), w.node("Log", w.node("Add", small, w.constant(1.0))))


@activation("softsign")
def _softsign(w: Writer, x: str) -> str:
    if _single(w):
        return w.node("Softsign", x)
    return w.node("Div", x, w.node("Add", w.node("Abs", x), w.constant(1.0)))


@activation("hardsigmoid")
def _hardsigmoid(w: Writer, x: str) -> str:
    if _single(w):
        return w.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)
    shifted = w.node("Add", x, w.constant(3.0))
    return w.node("Div", _hardtanh(w, shifted, 0.0, 6.0), w.constant(6.0))


@activation("hardswish")
def _hardswish(w: Writer, x: str) -> str:
    return w.node("HardSwish", x) if _single(w) and w.opset >= 14 else w.node("Mul", x, _hardsigmoid(w, x))


@activation("silu")
def _silu(w: Writer, x: str) -> str:
    return w.node("Mul", x, w.node("Sigmoid", x))


@activation("mish")
def _mish(w: Writer, x: str) -> str:
    if _single(w) and w.opset >= 18:
        return w.node("Mish", x)
    return w.node("Mul", x, w.node("Tanh", _log1pexp(w, x)))


@activation("gelu")
def _gelu(w: Writer, x: str) -> str:
    if _single(w) and w.opset >= 20:
        return w.node("Gelu", x)
    bell = w.node("Erf", w.node("Div", x, w.constant(math.sqrt(2))))
    return _half_gate(w, x, bell)


@activation("gelu_tanh")
def _gelu_tanh(w: Writer, x: str) -> str:
    if _single(w) and w.opset >= 20:
        return w.node("Gelu", x, approximate="tanh")
    cube = w.node("Mul", x, w.node("Mul", x, x))
    inner = w.node("Add", x, w.node("Mul", cube, w.constant(0.044715)))
    return _half_gate(w, x, w.node("Tanh", w.node("Mul", inner, w.constant(math.sqrt(2 / math.pi)))))


@activation("logsigmoid")
def _logsigmoid(w: Writer, x: str) -> str:
    return w.node("Neg", _log1pexp(w, w.node("Neg", x)))


@activation("threshold")
def _threshold(w: Writer, x: str, threshold: float, value: float) -> str:
    return w.node("Where", w.node("LessOrEqual", x, w.constant(threshold)), w.constant(value), x)  # NaN stays


@activation("tanhshrink")
def _tanhshrink(w: Writer, x: str) -> str:
    return w.node("Sub", x, w.node("Tanh", x))


@activation("softshrink")
def _softshrink(w: Writer, x: str, lambd: float) -> str:
    if _single(w):
        return w.node("Shrink", x, lambd=lambd, bias=lambd)
    return w.node("Sub", x, _hardtanh(w, x, -lambd, lambd))


@activation("hardshrink")
def _hardshrink(w: Writer, x: str, lambd: float) -> str:
    if _single(w):
        return w.node("Shrink", x, lambd=lambd, bias=0.0)
    return w.node("Where", w.node("LessOrEqual", w.node("Abs", x), w.constant(lambd)), w.constant(0.0), x)


@activation("logit")
def _logit(w: Writer, x: str, eps: float | None = None, clamped: float = 0.0) -> str:
    y = x if eps is None or not clamped else _hardtanh(w, x, eps, 1.0 - eps)
    return w.node("Log", w.node("Div", y, w.node("Sub", w.constant(1.0), y)))


@activation("affine")
def _affine(w: Writer, x: str, scale: float, shift: float) -> str:
    y = x if scale == 1 else w.node("Mul", x, w.constant(scale))
    return y if shift == 0 else w.node("Add", y, w.constant(shift))


@activation("reciprocal")
def _reciprocal(w: Writer, x: str, scale: float) -> str:
    return w.node("Div", w.constant(scale), x)


@activation("log1p")
def _log1p(w: Writer, x: str) -> str:
    return w.node("Log", w.node("Add", x, w.constant(1.0)))


@activation("expm1")
def _expm1(w: Writer, x: str) -> str:
    return w.node("Sub", w.node("Exp", x), w.constant(1.0))


def _half_gate(w: Writer, x: str, gate: str) -> str:
    """The product x * (1 + gate) / 2."""
    return w.node("Mul", w.node("Mul", x, w.node("Add", gate, w.constant(1.0))), w.constant(0.5))


def write_activation(w: Writer, kernel: str, x: str, params: Any = ()) -> str:
    """Add the nodes of an activation.

    Raises
    ------
    TypeError
        If the kernel has no converter.
    """
    if kernel not in ACTIVATIONS:
        raise TypeError(f"activation {kernel}: it has no ONNX converter")
    return ACTIVATIONS[kernel](w, x, *params)

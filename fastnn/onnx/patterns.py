"""Small graphs that exporters make of an activation, a gate or a normalization."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import nn
from .importing import Importer, Step, ends_at, through
from .specs import Affine, Layer, Normalize, Slopes, close

ROOT_HALF, ROOT_TWO_OVER_PI = math.sqrt(0.5), math.sqrt(2 / math.pi)


def _scaled(source: str, cls: type, factor: float, expected: float = 1.0, **arguments: Any) -> Step:
    """The layer times what is left of a factor."""
    layer = Layer(cls, arguments)
    return through(source, layer) if close(factor, expected) else through(source, layer, Affine(factor / expected))


# -- products ----------------------------------------------------------------------------------------------------------


@ends_at("Mul", "Div")
def _gated(m: Importer, name: str) -> Step | None:
    """An activation x * gate(x), or a gate a * gate(b), times a number."""
    factor, values = m.product(name)
    if len(values) == 1:
        return _of_one(m, factor, values[0])
    if len(values) == 2:
        for x, gate in (values, values[::-1]):
            if (step := _of_two(m, factor, x, gate)) is not None:
                return step
        for a, gate in (values, values[::-1]):
            if factor == 1 and (b := m.input_of(gate, "Sigmoid")) is not None and m.graph.constant(a) is None:
                return _gate(m, nn.GLU, a, b)
    if len(values) == 3 and factor == 1:
        for a in values:
            gates = [other for other in values if m.input_of(other, "Sigmoid") == a]
            others = [other for other in values if other != a and other not in gates]
            if len(gates) == len(others) == 1 and m.graph.constant(others[0]) is None:
                return _gate(m, nn.SwiGLU, a, others[0])
    return None


def _gate(m: Importer, cls: type, a: str, b: str) -> Step | None:
    if m.shape(a) != m.shape(b):
        return None
    joined = m.virtual(a, Step("concat", (a, b)))
    return through(joined, Layer(cls))


def _of_one(m: Importer, factor: float, value: str) -> Step | None:
    """A product of a number and an activation whose own formula has that number."""
    source = m.input_of(value, "Clip")
    if source is not None and close(factor, 1 / 6) and (x := _relu6_of_shifted(m, value)) is not None:
        return through(x, Layer(nn.Hardsigmoid))
    inner = _softplus(m, value)
    if inner is not None and factor != 1:
        beta, values = m.product(inner)
        if len(values) == 1 and close(factor * beta, 1.0):
            return through(values[0], Layer(nn.Softplus, {"beta": beta}))
    return None


def _of_two(m: Importer, factor: float, x: str, gate: str) -> Step | None:
    if m.input_of(gate, "Sigmoid") == x:
        return _scaled(x, nn.SiLU, factor)
    if (inner := m.input_of(gate, "Tanh")) is not None and _softplus(m, inner) == x:
        return _scaled(x, nn.Mish, factor)
    if (node := m.graph.maker(gate, "HardSigmoid")) is not None and m.graph.resolve(node.inputs[0]) == x:
        slope, offset = node.get("alpha", 0.2), node.get("beta", 0.5)
        return _scaled(x, nn.Hardswish, factor) if close(slope, 1 / 6) and close(offset, 0.5) else None
    if _relu6_of_shifted(m, gate) == x:
        return _scaled(x, nn.Hardswish, factor, 1 / 6)
    shifted = m.plus(gate)
    if shifted is not None and shifted[1] == 1.0:
        if _is_erf_of(m, shifted[0], x):
            return _scaled(x, nn.GELU, factor, 0.5)
        if _is_tanh_of(m, shifted[0], x):
            return _scaled(x, nn.GELU, factor, 0.5, approximate="tanh")
    return None


def _relu6_of_shifted(m: Importer, value: str) -> str | None:
    """The x of min(max(x + 3, 0), 6), as Clip or Relu and Min."""
    node = m.graph.maker(value, "Clip", "Min")
    if node is None:
        return None
    inner = node.inputs[0]
    if node.op == "Clip":
        low, high = clip_bounds(m, node)
        if low != 0 or high != 6:
            return None
    elif m.graph.scalar(node.inputs[-1]) != 6 or (below := m.input_of(inner, "Relu")) is None:
        return None
    else:
        inner = below
    shifted = m.plus(inner)
    return shifted[0] if shifted is not None and shifted[1] == 3 else None


def clip_bounds(m: Importer, node: Any) -> tuple[float | None, float | None]:
    """The bounds of a Clip: inputs, or attributes before opset 11."""
    bounds = [node.attributes.get("min"), node.attributes.get("max")]
    for i, name in enumerate(node.inputs[1:3]):
        if name:
            bounds[i] = m.graph.scalar(name)
            if bounds[i] is None:
                m.fail("its bounds are not constant numbers")
    return bounds[0], bounds[1]


def _is_erf_of(m: Importer, value: str, x: str) -> bool:
    inner = m.input_of(value, "Erf")
    return inner is not None and _is_product(m, inner, ROOT_HALF, [x])


def _is_tanh_of(m: Importer, value: str, x: str) -> bool:
    """Whether a value is tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))."""
    inner = m.input_of(value, "Tanh")
    if inner is None:
        return False
    factor, values = m.product(inner)
    node = m.graph.maker(values[0], "Add") if len(values) == 1 and close(factor, ROOT_TWO_OVER_PI) else None
    if node is None:
        return False
    pairs = (node.inputs, node.inputs[::-1])
    return any(m.graph.resolve(a) == x and _is_product(m, b, 0.044715, [x] * 3) for a, b in pairs)


def _is_product(m: Importer, name: str, factor: float, values: list[str]) -> bool:
    found, inner = m.product(name)
    return close(found, factor) and inner == values


def _softplus(m: Importer, value: str) -> str | None:
    """The x of log(1 + exp(x)), as an operator or written out in either way."""
    if (x := m.input_of(value, "Softplus")) is not None:
        return x
    if (inner := m.input_of(value, "Log")) is not None:
        shifted = m.plus(inner)
        return m.input_of(shifted[0], "Exp") if shifted is not None and shifted[1] == 1 else None
    node = m.graph.maker(value, "Add")
    if node is None:
        return None
    for a, b in (node.inputs, node.inputs[::-1]):
        x, inner = m.input_of(a, "Relu"), m.input_of(b, "Log")
        shifted = None if x is None or inner is None else m.plus(inner)
        if shifted is not None and shifted[1] == 1 and (power := m.input_of(shifted[0], "Exp")) is not None:
            factor, values = m.product(power)
            if factor == -1 and len(values) == 1 and m.input_of(values[0], "Abs") == x:
                return x
    return None


@ends_at("Log", "Add")
def _written_softplus(m: Importer, name: str) -> Step | None:
    x = _softplus(m, name)
    return None if x is None else through(x, Layer(nn.Softplus))


@ends_at("Div")
def _softsign(m: Importer, name: str) -> Step | None:
    node = m.graph.makers[name]
    x, shifted = m.graph.resolve(node.inputs[0]), m.plus(node.inputs[1])
    if shifted is not None and shifted[1] == 1 and m.input_of(shifted[0], "Abs") == x:
        return through(x, Layer(nn.Softsign))
    return None


# -- choices by sign ---------------------------------------------------------------------------------------------------


@ends_at("Where")
def _by_sign(m: Importer, name: str) -> Step | None:
    """Where(x > 0, x, another formula): a rectifier; Where(x > threshold, x, softplus)."""
    node = m.graph.makers[name]
    condition, x = m.graph.maker(node.inputs[0], "Greater"), m.graph.resolve(node.inputs[1])
    threshold = None if condition is None else m.graph.scalar(condition.inputs[1])
    if condition is None or threshold is None:
        return None
    scale, compared = m.product(condition.inputs[0])
    if compared != [x]:
        return None
    if (step := _softplus_below(m, x, node.inputs[2], scale, threshold)) is not None:
        return step
    return _below_zero(m, x, node.inputs[2]) if threshold == 0 and scale == 1 else None


@ends_at("Where")
def _replaced(m: Importer, name: str) -> Step | None:
    """Where(x <= threshold, value, x): Threshold; Where(|x| <= lambd, 0, x): Hardshrink."""
    node = m.graph.makers[name]
    condition, x = m.graph.maker(node.inputs[0], "LessOrEqual"), m.graph.resolve(node.inputs[2])
    limit = None if condition is None else m.graph.scalar(condition.inputs[1])
    value = m.graph.scalar(node.inputs[1])
    if condition is None or limit is None or value is None:
        return None
    if m.graph.resolve(condition.inputs[0]) == x:
        return through(x, Layer(nn.Threshold, {"threshold": limit, "value": value}))
    if value == 0 and limit >= 0 and m.input_of(condition.inputs[0], "Abs") == x:
        return through(x, Layer(nn.Hardshrink, {"lambd": limit}))
    return None


def _softplus_below(m: Importer, x: str, below: str, beta: float, threshold: float) -> Step | None:
    factor, values = m.product(below)
    inner = _softplus(m, values[0]) if len(values) == 1 else None
    if inner is None or not close(factor * beta, 1.0) or m.product(inner) != (beta, [x]):
        return None
    return through(x, Layer(nn.Softplus, {"beta": beta, "threshold": threshold}))


def _below_zero(m: Importer, x: str, below: str) -> Step | None:
    node = m.graph.maker(below, "Mul")
    pair = None if node is None else m.data(node)
    if pair is not None and pair[0] == x and pair[1].ndim:  # trained slopes have an axis, even if there is one
        return through(x, Slopes(np.asarray(m.per_feature(x, pair[1])).reshape(-1)))
    factor, values = m.product(below)
    if values == [x]:
        return through(x, Layer(nn.LeakyReLU, {"negative_slope": factor}))
    shifted = m.plus(values[0]) if len(values) == 1 else None
    power = m.input_of(shifted[0], "Exp") if shifted is not None and shifted[1] == -1 else None
    if power is None:
        return None
    inverse, inner = m.product(power)
    if inner != [x]:
        return None
    if inverse == 1:
        return through(x, Layer(nn.ELU, {"alpha": factor}))
    return through(x, Layer(nn.CELU, {"alpha": factor})) if close(factor * inverse, 1.0) else None


# -- normalizations ----------------------------------------------------------------------------------------------------


@ends_at("Div", "Mul")
def _normalized(m: Importer, name: str) -> Step | None:
    """The quotient d / sqrt(mean(d^2) + eps), where d is x - mean(x) or x itself."""
    node = m.graph.makers[name]
    pairs = (node.inputs,) if node.op == "Div" else (node.inputs, node.inputs[::-1])
    for d, other in pairs:
        variance = _under_root(m, other, inverse=node.op == "Mul")
        if variance is not None and (step := _norm_of(m, m.graph.resolve(d), variance)) is not None:
            return step
    return None


def _under_root(m: Importer, name: str, inverse: bool) -> str | None:
    """The v of sqrt(v), or of 1 / sqrt(v) in one of its forms."""
    power = m.graph.maker(name, "Pow")
    if power is not None and m.graph.scalar(power.inputs[1]) == (-0.5 if inverse else 0.5):
        return m.graph.resolve(power.inputs[0])
    if not inverse:
        return m.input_of(name, "Sqrt")
    if (below := m.input_of(name, "Reciprocal")) is not None:
        return m.input_of(below, "Sqrt")
    node = m.graph.maker(name, "Div")
    return m.input_of(node.inputs[1], "Sqrt") if node is not None and m.graph.scalar(node.inputs[0]) == 1 else None


def _norm_of(m: Importer, d: str, variance: str) -> Step | None:
    shifted = m.plus(variance)
    mean, eps = (variance, 0.0) if shifted is None else shifted
    axis, square = _mean(m, mean)
    if axis is None or square is None or eps < 0:
        return None
    if m.product(square) != (1.0, [d, d]):
        return None
    by_rows = m.lead
    difference = m.graph.maker(d, "Sub")
    if difference is not None and _mean(m, difference.inputs[1]) == (axis, m.graph.resolve(difference.inputs[0])):
        x = m.graph.resolve(difference.inputs[0])
        if axis == by_rows and len(m.rest(x)) == 1:
            return through(x, Normalize("layer", m.features(x), eps))
        return through(x, Normalize("batch", m.features(x), eps)) if axis == 0 and m.lead == 1 else None
    if axis == by_rows and len(m.rest(d)) == 1:
        return through(d, Normalize("rms", m.features(d), eps))
    return None


def _mean(m: Importer, name: str) -> tuple[int | None, str | None]:
    """The axis and the input of a mean over one axis that stays; (None, None) for another value."""
    node = m.graph.maker(name, "ReduceMean")
    if node is None or not node.get("keepdims", 1):
        return None, None
    axes = node.get("axes", None)
    if len(node.inputs) > 1:
        given = m.graph.constant(node.inputs[1])
        axes = None if given is None else given.ravel().tolist()
    shape = m.graph.shapes.get(node.inputs[0])
    if axes is None or len(axes) != 1 or shape is None:
        return None, None
    return int(axes[0]) % len(shape), m.graph.resolve(node.inputs[0])


# -- maxima ------------------------------------------------------------------------------------------------------------


@ends_at("ReduceMax")
def _maxout(m: Importer, name: str) -> Step | None:
    """The largest of each pool: a maximum over the last of two axes of a row."""
    node = m.graph.makers[name]
    axes = node.get("axes", None)
    if len(node.inputs) > 1 and (given := m.graph.constant(node.inputs[1])) is not None:
        axes = given.ravel().tolist()
    rest = m.rest(node.inputs[0])
    if (
        axes is None
        or len(axes) != 1
        or len(rest) < 2
        or m.axis(node.inputs[0], int(axes[0])) != m.lead + len(rest) - 1
    ):
        return None
    return through(m.graph.resolve(node.inputs[0]), Layer(nn.Maxout, {"pool_size": rest[-1]}))


@ends_at("Min")
def _relu6(m: Importer, name: str) -> Step | None:
    node = m.graph.makers[name]
    if len(node.inputs) == 2 and m.graph.scalar(node.inputs[1]) == 6:
        x = m.input_of(node.inputs[0], "Relu")
        return None if x is None else through(x, Layer(nn.ReLU6))
    return None

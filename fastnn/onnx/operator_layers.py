"""ONNX operators as layers: the handlers of `importing`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import nn
from .._validation import Array
from .formulas import Elementwise, Product, Quotient, SumFeatures
from .graph import Node
from .importing import Importer, Step, handles, through
from .patterns import clip_bounds
from .specs import Affine, Dense, Layer, Normalize, Rows, Slopes, close

# Operators without attributes, or with attributes of another name, and the layer.
SIMPLE: dict[str, tuple[type, dict[str, tuple[str, float]]]] = {
    "Relu": (nn.ReLU, {}),
    "Sigmoid": (nn.Sigmoid, {}),
    "Tanh": (nn.Tanh, {}),
    "Softsign": (nn.Softsign, {}),
    "Softplus": (nn.Softplus, {}),
    "Mish": (nn.Mish, {}),
    "HardSwish": (nn.Hardswish, {}),
    "LeakyRelu": (nn.LeakyReLU, {"negative_slope": ("alpha", 0.01)}),
    "Elu": (nn.ELU, {"alpha": ("alpha", 1.0)}),
    "Celu": (nn.CELU, {"alpha": ("alpha", 1.0)}),
}


@handles(*SIMPLE)
def _simple(m: Importer, node: Node, place: int) -> Step:
    cls, arguments = SIMPLE[node.op]
    values = {ours: float(node.get(theirs, default)) for ours, (theirs, default) in arguments.items()}
    return through(m.graph.resolve(node.inputs[0]), Layer(cls, values))


def source_of(m: Importer, node: Node, i: int = 0) -> str:
    """An input that must be a value."""
    if len(node.inputs) <= i or not node.inputs[i]:
        m.fail(f"it has no input {i}")
    if m.graph.constant(node.inputs[i]) is not None:
        m.fail(f"its input {i} is constant")
    return m.graph.resolve(node.inputs[i])


def given(m: Importer, node: Node, i: int) -> Array | None:
    """An input that must be constant if it is there."""
    if len(node.inputs) <= i or not node.inputs[i]:
        return None
    values = m.graph.constant(node.inputs[i])
    if values is None:
        m.fail(f"its input {i} is computed")
    return values


def needed(m: Importer, node: Node, i: int) -> Array:
    values = given(m, node, i)
    if values is None:
        m.fail(f"it has no input {i}")
    return values


@handles("Identity", "Cast", "CastLike")
def _same(m: Importer, node: Node, place: int) -> Step:
    return m.fail("it rounds to integers, which only the codes of an embedding are")


# -- products ----------------------------------------------------------------------------------------------------------


@handles("Gemm")
def _gemm(m: Importer, node: Node, place: int) -> Step:
    x, weight, bias = source_of(m, node), needed(m, node, 1), given(m, node, 2)
    if node.get("transA", 0) or weight.ndim != 2 or len(m.rest(node.inputs[0])) != 1:
        m.fail("it does not multiply rows by a matrix")
    weight = (weight.T if node.get("transB", 0) else weight) * weight.dtype.type(node.get("alpha", 1.0))
    _fits(m, node.inputs[0], weight)
    if bias is None:
        return through(x, Dense(weight))
    if bias.ndim > 2 or (bias.ndim == 2 and bias.shape[0] != 1) or bias.shape[-1:] not in ((), (1,), weight.shape[1:]):
        m.fail(f"its bias has shape {bias.shape}")
    return through(x, Dense(weight, np.broadcast_to(bias.reshape(-1), weight.shape[1:]) * float(node.get("beta", 1.0))))


def _fits(m: Importer, name: str, weight: Array) -> None:
    if m.rest(name)[-1] != weight.shape[0]:
        m.fail(f"it multiplies {m.rest(name)[-1]} features by a matrix of shape {weight.shape}")


@handles("MatMul")
def _matmul(m: Importer, node: Node, place: int) -> Step:
    x, weight = source_of(m, node), needed(m, node, 1)
    if weight.ndim != 2 or len(m.rest(node.inputs[0])) != 1:
        m.fail("it does not multiply rows by a matrix")
    _fits(m, node.inputs[0], weight)
    return through(x, Dense(weight))


# -- arithmetic --------------------------------------------------------------------------------------------------------


@handles("Add", "Sub", "Mul", "Div", "Sum")
def _arithmetic(m: Importer, node: Node, place: int) -> Step:
    if len(node.inputs) != 2:
        m.fail(f"it has {len(node.inputs)} inputs")
    constants = [m.graph.constant(name) for name in node.inputs]
    if constants[0] is None and constants[1] is None:
        return _of_values(m, node)
    first = constants[0] is not None
    values = constants[0] if constants[0] is not None else constants[1]
    name = node.inputs[1] if first else node.inputs[0]
    assert values is not None
    number = m.per_feature(name, values)
    if node.op == "Div" and first:
        inverse = Layer(Elementwise, {"function": "reciprocal"})
        return through(m.graph.resolve(name), inverse, Affine(number))
    return through(m.graph.resolve(name), _affine(node, number, first))


def _affine(node: Node, number: Any, first: bool) -> Affine:
    """The step for a constant operand, which is the first one or the second."""
    if node.op in ("Add", "Sum"):
        return Affine(shift=number)
    if node.op == "Mul":
        return Affine(scale=number)
    if node.op == "Sub":
        return Affine(-1.0, number) if first else Affine(shift=-number)
    with np.errstate(all="ignore"):
        return Affine(
            scale=1.0 / np.asarray(number, "float64") if np.ndim(number) else (1.0 / number if number else np.inf)
        )


def _of_values(m: Importer, node: Node) -> Step:
    names = list(node.inputs)
    rests = [m.rest(name) for name in names]
    if len({len(m.shape(name)) for name in names}) > 1:
        m.fail("its inputs have different numbers of axes")
    if rests[0] != rests[1]:
        whole = np.broadcast_shapes(*rests) if _broadcast(rests) else m.fail(f"its inputs have shapes {rests}")
        names = [
            name
            if rest == whole
            else m.virtual(name, m.columns(m.graph.resolve(name), np.broadcast_to(m.places(name), whole)))
            for name, rest in zip(names, rests, strict=True)
        ]
    a, b = (name if "\0" in name else m.graph.resolve(name) for name in names)
    if node.op in ("Mul", "Div"):
        joined = m.virtual(node.inputs[0], Step("concat", (a, b)))
        return through(joined, Layer(Product if node.op == "Mul" else Quotient))
    return Step("add", (a, m.virtual(b, m.scaled(b, -1.0)) if node.op == "Sub" else b))


def _broadcast(rests: list[tuple[int, ...]]) -> bool:
    return all(a == b or 1 in (a, b) for a, b in zip(*rests, strict=True))


@handles("Exp", "Log", "Reciprocal")
def _elementwise(m: Importer, node: Node, place: int) -> Step:
    return through(source_of(m, node), Layer(Elementwise, {"function": node.op.lower()}))


@handles("Pow")
def _pow(m: Importer, node: Node, place: int) -> Step:
    x, power = source_of(m, node), m.graph.scalar(node.inputs[1])
    if power not in (2.0, 3.0):
        m.fail("it is no square or cube")
    y = m.virtual(x, Step("concat", (x, x)))
    if power == 2:
        return through(y, Layer(Product))
    square = m.virtual(x, through(y, Layer(Product)))
    return through(m.virtual(x, Step("concat", (square, x))), Layer(Product))


@handles("ReduceSum", "ReduceMean", "ReduceMax")
def _over_features(m: Importer, node: Node, place: int) -> Step:
    axes = node.get("axes", None) if len(node.inputs) < 2 else needed(m, node, 1).ravel().tolist()
    if not axes or len(axes) != 1 or not node.get("keepdims", 1) or len(m.rest(node.inputs[0])) != 1:
        m.fail("it is not over the features, of which one stays")
    m.whole_rows(node.inputs[0], int(axes[0]))
    features = m.features(node.inputs[0])
    if node.op == "ReduceMax":
        return through(source_of(m, node), Layer(nn.Maxout, {"pool_size": features}))
    mean = (Affine(1.0 / features),) if node.op == "ReduceMean" and features else ()
    return through(source_of(m, node), Layer(SumFeatures), *mean)


@handles("Neg")
def _neg(m: Importer, node: Node, place: int) -> Step:
    return m.scaled(source_of(m, node), -1.0)


@handles("Max")
def _max(m: Importer, node: Node, place: int) -> Step:
    if len(node.inputs) == 2 and (pair := m.data(node)) is not None and not pair[1].any():
        return through(pair[0], Layer(nn.ReLU))
    return m.fail("it is not the maximum of a value and 0")


@handles("ai.onnx.ml:Scaler")
def _scaler(m: Importer, node: Node, place: int) -> Step:
    scale = m.per_feature(node.inputs[0], np.asarray(node.get("scale", [1.0]), "float64"))
    offset = m.per_feature(node.inputs[0], np.asarray(node.get("offset", [0.0]), "float64"))
    return m.scaled(source_of(m, node), scale, -np.asarray(offset) * scale)


@handles("ai.onnx.ml:LinearRegressor", "ai.onnx.ml:LinearClassifier")
def _linear_model(m: Importer, node: Node, place: int) -> Step:
    if node.op.endswith("Classifier") and place == 0:
        m.fail("it returns labels")
    features = m.features(node.inputs[0])
    weight = np.asarray(node.get("coefficients", []), "float64")
    if not features or weight.size % features or not weight.size:
        m.fail(f"it has {weight.size} coefficients for {features} features")
    weight = weight.reshape(-1, features).T
    bias = np.asarray(node.get("intercepts", np.zeros(weight.shape[1])), "float64")
    after = str(node.get("post_transform", "NONE"))
    steps: dict[str, tuple[Any, ...]] = {"NONE": (), "SOFTMAX": (Rows(),), "LOGISTIC": (Layer(nn.Sigmoid),)}
    if after not in steps or bias.shape != weight.shape[1:]:
        m.fail(f"it has post_transform {after:.20} and {bias.size} intercepts")
    if node.op.endswith("Classifier") and weight.shape[1] == 1:
        m.fail("it has one score for two classes")
    return through(source_of(m, node), Dense(weight, bias), *steps[after])


@handles("ai.onnx.ml:Normalizer")
def _normalizer(m: Importer, node: Node, place: int) -> Step:
    """The identity for probabilities, whose sum is 1 already; other inputs are refused."""
    source = source_of(m, node)
    before = m.graph.makers.get(source)
    sums_to_one = before is not None and (
        before.op == "Softmax"
        or (before.op.endswith("LinearClassifier") and before.get("post_transform", "") == "SOFTMAX")
    )
    if str(node.get("norm", "MAX")) != "L1" or not sums_to_one:
        m.fail("it does not follow a softmax")
    return through(source)


@handles("ai.onnx.ml:ZipMap")
def _zipmap(m: Importer, node: Node, place: int) -> Step:
    return through(source_of(m, node))


# -- activations with attributes ---------------------------------------------------------------------------------------


@handles("Gelu")
def _gelu(m: Importer, node: Node, place: int) -> Step:
    return through(source_of(m, node), Layer(nn.GELU, {"approximate": str(node.get("approximate", "none"))}))


@handles("Swish")
def _swish(m: Importer, node: Node, place: int) -> Step:
    alpha = float(node.get("alpha", 1.0))
    if alpha == 1:
        return through(source_of(m, node), Layer(nn.SiLU))
    return through(source_of(m, node), Affine(alpha), Layer(nn.SiLU), Affine(1.0 / alpha if alpha else np.inf))


@handles("Selu")
def _selu(m: Importer, node: Node, place: int) -> Step:
    alpha, gamma = float(node.get("alpha", 1.6732632)), float(node.get("gamma", 1.0507010))
    return through(source_of(m, node), Layer(nn.ELU, {"alpha": alpha}), Affine(gamma))


@handles("HardSigmoid")
def _hard_sigmoid(m: Importer, node: Node, place: int) -> Step:
    slope, offset = float(node.get("alpha", 0.2)), float(node.get("beta", 0.5))
    if close(slope, 1 / 6) and close(offset, 0.5):
        return through(source_of(m, node), Layer(nn.Hardsigmoid))
    bounds = Layer(nn.Hardtanh, {"min_val": 0.0, "max_val": 1.0})
    return through(source_of(m, node), Affine(slope, offset), bounds)


@handles("Shrink")
def _shrink(m: Importer, node: Node, place: int) -> Step:
    lambd, bias = float(node.get("lambd", 0.5)), float(node.get("bias", 0.0))
    if lambd < 0 or bias not in (0.0, lambd):
        m.fail(f"it has lambd {lambd} and bias {bias}")
    return through(source_of(m, node), Layer(nn.Softshrink if bias else nn.Hardshrink, {"lambd": lambd}))


@handles("ThresholdedRelu")
def _thresholded_relu(m: Importer, node: Node, place: int) -> Step:
    arguments = {"threshold": float(node.get("alpha", 1.0)), "value": 0.0}
    return through(source_of(m, node), Layer(nn.Threshold, arguments))


@handles("Clip")
def _clip(m: Importer, node: Node, place: int) -> Step:
    low, high = clip_bounds(m, node)
    if low == 0 and high in (None, math.inf):
        return through(source_of(m, node), Layer(nn.ReLU))
    if low == 0 and high == 6:
        return through(source_of(m, node), Layer(nn.ReLU6))
    if low is None or high is None or not low < high:
        m.fail(f"it has bounds {low} and {high}")
    return through(source_of(m, node), Layer(nn.Hardtanh, {"min_val": float(low), "max_val": float(high)}))


@handles("PRelu")
def _prelu(m: Importer, node: Node, place: int) -> Step:
    slopes = m.per_feature(node.inputs[0], needed(m, node, 1))
    return through(source_of(m, node), Slopes(np.asarray(slopes).reshape(-1)))


@handles("Softmax", "LogSoftmax")
def _softmax(m: Importer, node: Node, place: int) -> Step:
    source = node.inputs[0]
    if node.version >= 13:
        axis = int(node.get("axis", -1))
        m.whole_rows(source, axis)
        if len(m.rest(source)) != 1:
            m.fail(f"it works along axis {axis} of a value of shape {m.shape(source)}")
    else:  # over all axes from this one on
        m.whole_rows(source, int(node.get("axis", 1)))
    return through(source_of(m, node), Rows(log=node.op == "LogSoftmax"))


@handles("Dropout")
def _dropout(m: Importer, node: Node, place: int) -> Step:
    if place:
        m.fail("it returns its mask")
    ratio = given(m, node, 1)
    p = float(node.get("ratio", 0.5)) if ratio is None else float(ratio.ravel()[0])
    return through(source_of(m, node), Layer(nn.Dropout, {"p": min(max(p, 0.0), 1.0)}))


# -- normalization -----------------------------------------------------------------------------------------------------


@handles("LayerNormalization", "RMSNormalization")
def _row_norm(m: Importer, node: Node, place: int) -> Step:
    source = node.inputs[0]
    m.whole_rows(source, int(node.get("axis", -1)))
    if place:
        m.fail("it returns its statistics")
    kind = "rms" if node.op == "RMSNormalization" else "layer"
    weight, bias = (_per_feature(m, node, i, source) for i in (1, 2))
    spec = Normalize(kind, m.features(source), float(node.get("epsilon", 1e-5)), weight, bias)
    return through(source_of(m, node), spec)


def _per_feature(m: Importer, node: Node, i: int, source: str) -> Array | None:
    """A constant input with a number for each feature, if it is there."""
    values = given(m, node, i)
    return None if values is None else np.broadcast_to(m.per_feature(source, values), (m.features(source),))


@handles("BatchNormalization")
def _batch_norm(m: Importer, node: Node, place: int) -> Step:
    source, constants = node.inputs[0], [needed(m, node, i) for i in (1, 2, 3, 4)]
    if place or node.get("training_mode", 0) or len(m.rest(source)) != 1 or m.lead != 1:
        m.fail("it is in training mode, or not of rows of features")
    if any(values.shape != m.rest(source) for values in constants):
        m.fail("its parameters have another number of features")
    if (constants[3] < 0).any():
        m.fail("it has a negative variance")
    momentum = min(max(1.0 - float(node.get("momentum", 0.9)), 0.0), 1.0)
    eps = float(node.get("epsilon", 1e-5))
    weight, bias, mean, var = constants
    spec = Normalize("batch", m.features(source), eps, weight, bias, mean, var, momentum)
    return through(source_of(m, node), spec)

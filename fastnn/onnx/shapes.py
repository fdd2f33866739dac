"""Shapes of the outputs of nodes, as far as they follow from those of the inputs.

The inference of the onnx package is not used: a damaged model can make it end the process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .._validation import Array
from .folding import UNKNOWN

Shape = tuple[int | None, ...]  # None is a length that is not known, such as the number of rows
# A rule returns the shape of each output: it has the node, the shapes of its inputs, and its constant inputs.
Rule = Callable[[Any, list[Shape], list[Array | None]], list[Shape]]
RULES: dict[str, Rule] = {}
WRONG = ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, ZeroDivisionError


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Register the rule of operators."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register


def known(shape: Shape) -> list[int]:
    """The lengths that are known."""
    return [length for length in shape if length is not None]


def output_shapes(node: Any, shapes: list[Shape | None], constants: list[Array | None]) -> list[Shape]:
    """The shapes of the outputs of a node; empty where they are not known, and for a node that is not valid."""
    if node.op not in RULES or any(shape is None for shape in shapes):
        return []
    try:
        return RULES[node.op](node, [shape for shape in shapes if shape is not None], constants)
    except WRONG:
        return []


@rule(
    "Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu", "Celu", "Softplus", "Softsign", "HardSigmoid", "HardSwish",
    "Gelu", "Mish", "Swish", "PRelu", "Clip", "Cast", "CastLike", "Identity", "Dropout", "Erf", "Exp", "Log", "Abs",
    "Neg", "Sqrt", "Reciprocal", "Softmax", "LogSoftmax", "LayerNormalization", "BatchNormalization",
    "RMSNormalization", "ThresholdedRelu", "Shrink", "Sign", "Floor", "Ceil", "Not",
    "ai.onnx.ml:Scaler", "ai.onnx.ml:Normalizer", "ai.onnx.ml:ZipMap",
)  # fmt: skip
def _same(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    return [shapes[0], shapes[0]] if node.op == "Dropout" else [shapes[0]]


@rule(
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Max",
    "Min",
    "Sum",
    "Mean",
    "Where",
    "Greater",
    "Less",
    "Equal",
    "And",
    "Or",
    "LessOrEqual",
    "GreaterOrEqual",
)
def _broadcast(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    result: Shape = ()
    for shape in shapes:
        rank = max(len(shape), len(result))
        pairs = zip(*((1,) * (rank - len(other)) + other for other in (result, shape)), strict=True)
        result = tuple(_length(a, b) for a, b in pairs)
    return [result]


def _length(a: int | None, b: int | None) -> int | None:
    if a == 1 or a is None:
        return b if a == 1 or b != 1 else a
    if b not in (1, None, a):
        raise ValueError(f"{a} and {b}")
    return a


@rule("Gemm")
def _gemm(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    (m, k), (left, right) = shapes[0], shapes[1]
    return [(k if node.get("transA", 0) else m, left if node.get("transB", 0) else right)]


@rule("MatMul")
def _matmul(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    if min(len(shape) for shape in shapes) < 2:
        return []
    batch = _broadcast(node, [shapes[0][:-2], shapes[1][:-2]], [])[0]
    return [(*batch, shapes[0][-2], shapes[1][-1])]


def _axes(node: Any, constants: list[Array | None], place: int = 1) -> list[int] | None:
    """The axes of a node: an attribute, or an input, which must be constant; None if there are none."""
    if len(node.inputs) > place and node.inputs[place]:
        axes = constants[place]
        if axes is None:
            raise ValueError("computed axes")
        return [int(axis) for axis in axes.ravel()]
    given = node.get("axes", None)
    return None if given is None else [int(axis) for axis in given]


@rule("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2")
def _reduce(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    rank, axes = len(shapes[0]), _axes(node, constants)
    if not axes:
        return []
    gone = {axis % rank for axis in axes}
    keep = node.get("keepdims", 1)
    return [tuple(1 if i in gone else n for i, n in enumerate(shapes[0]) if keep or i not in gone)]


@rule("Concat")
def _concat(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    axis = int(node.attributes["axis"]) % len(shapes[0])
    lengths = [shape[axis] for shape in shapes]
    whole = None if None in lengths else sum(known(tuple(lengths)))
    return [(*shapes[0][:axis], whole, *shapes[0][axis + 1 :])]


@rule("Slice")
def _slice(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    starts: Any
    steps: Any
    if "starts" in node.attributes:
        starts, ends, axes = (node.get(key, None) for key in ("starts", "ends", "axes"))
        steps = [1] * len(starts)
    else:
        lists = [None if array is None else array.ravel().tolist() for array in (*constants, None, None)[1:5]]
        starts, ends, axes, steps = (*lists, None, None)[:4]
        steps = steps or [1] * len(starts)
    result = list(shapes[0])
    for i, (start, end, step) in enumerate(zip(starts, ends, steps, strict=True)):
        axis = (i if axes is None else int(axes[i])) % len(result)
        length = result[axis]
        if length is None:
            continue
        stop = None if step < 0 and end < -length else int(end)
        result[axis] = len(range(*slice(int(start), stop, int(step)).indices(length)))
    return [tuple(result)]


@rule("Gather")
def _gather(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    axis = int(node.get("axis", 0)) % len(shapes[0])
    return [shapes[0][:axis] + shapes[1] + shapes[0][axis + 1 :]]


@rule("Split")
def _split(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    axis, count = int(node.get("axis", 0)) % len(shapes[0]), len(node.outputs)
    stated = node.get("split", None) if len(node.inputs) < 2 else constants[1]
    length = shapes[0][axis]
    lengths: list[int | None] = [None] * count
    if stated is not None:
        lengths = [int(size) for size in stated]
    elif length is not None:
        each = -(-length // count)
        lengths = [min(each, length - i * each) for i in range(count)]
    return [(*shapes[0][:axis], size, *shapes[0][axis + 1 :]) for size in lengths]


@rule("Transpose")
def _transpose(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    perm = node.get("perm", None) or range(len(shapes[0]))[::-1]
    return [tuple(shapes[0][int(axis)] for axis in perm)]


@rule("Squeeze")
def _squeeze(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    axes, shape = _axes(node, constants), shapes[0]
    if axes is None:
        return [] if None in shape else [tuple(n for n in shape if n != 1)]
    gone = {axis % len(shape) for axis in axes}
    return [tuple(n for i, n in enumerate(shape) if i not in gone)]


@rule("Unsqueeze")
def _unsqueeze(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    axes = _axes(node, constants) or []
    rank = len(shapes[0]) + len(axes)
    new, old = {axis % rank for axis in axes}, iter(shapes[0])
    return [tuple(1 if i in new else next(old) for i in range(rank))]


@rule("Shape")
def _shape(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    return [(len(shapes[0][node.get("start", 0) : node.get("end", None)]),)]


@rule("Flatten")
def _flatten(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    axis = int(node.get("axis", 1))
    sides = shapes[0][:axis], shapes[0][axis:]
    return [tuple(side[0] if len(side) == 1 else None if None in side else math.prod(known(side)) for side in sides)]


@rule("Reshape")
def _reshape(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    before, target = shapes[0], constants[1]
    if target is None:
        return []
    wanted: list[int | None] = []
    for i, length in enumerate(target.ravel().tolist()):
        if length == 0 and not node.get("allowzero", 0):
            wanted.append(before[i])
        else:
            wanted.append(None if length == UNKNOWN else int(length))
    if -1 in wanted:
        place = wanted.index(-1)
        wanted[place] = _remaining(before, wanted, place)
    return [tuple(wanted)]


def _remaining(before: Shape, wanted: list[int | None], place: int) -> int | None:
    """The length that takes what the others leave, if it is known."""
    others = [length for i, length in enumerate(wanted) if i != place]
    if None in before[1:]:
        return None
    row, size = math.prod(known(before[1:])), math.prod(known(tuple(others)))
    if None not in others and before[0] is not None and size:
        return before[0] * row // size
    rows_are_kept = others.count(None) == 1 and place > 0 and wanted[0] is None and before[0] is None
    return row // size if rows_are_kept and size and row % size == 0 else None


@rule("ai.onnx.ml:LinearRegressor", "ai.onnx.ml:LinearClassifier")
def _linear_model(node: Any, shapes: list[Shape], constants: list[Array | None]) -> list[Shape]:
    scores = shapes[0][0], len(node.attributes["coefficients"]) // (shapes[0][1] or 0)
    return [(shapes[0][0],), scores] if node.op.endswith("Classifier") else [scores]

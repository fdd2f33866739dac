"""The outputs of a model as ONNX nodes: "label" and "probabilities" of classes, "variable" of numbers."""

from __future__ import annotations

import copy
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from onnx import TensorProto
from sklearn.base import is_classifier

from ... import nn
from ..._validation import Array
from ...onnx.exporting import refuse_unknown
from ...onnx.layer_nodes import write_layer
from ...onnx.writer import Value, Writer
from .outputs import members, output_network

TO = {"float32": "float", "float64": "double"}  # the methods of networks


class Output(NamedTuple):
    """An output of the graph: its name, the value, the element type, and the sizes of all axes but that of rows."""

    name: str
    value: str
    kind: int
    shape: tuple[int, ...]


def write_networks(w: Writer, nets: list[nn.Sequential], x: Value) -> list[Value]:
    """The outputs of networks, whose weights are of the writer's dtype."""
    outputs = []
    for i, net in enumerate(nets):
        scope = "" if len(nets) == 1 else f"networks.{i}"
        net = net if net.dtype == w.dtype.name else getattr(copy.deepcopy(net), TO[w.dtype.name])()
        refuse_unknown(net)
        w.register(net, scope)
        outputs.append(write_layer(w, net, scope, x))
    return outputs


def mean(w: Writer, parts: list[Value], dtype: Any = None) -> Value:
    """The mean of matrices of this dtype, by default the writer's."""
    if len(parts) == 1:
        return parts[0]
    total = reduce(lambda a, b: Value(w.node("Add", a.name, b.name), a.features), parts)
    return Value(w.node("Div", total.name, w.constant(len(parts), dtype)), total.features)


def mlp_outputs(w: Writer, model: Any, x: Value) -> list[Output]:
    """The outputs of an MLPClassifier or MLPRegressor for rows x."""
    ones = members(model)
    raw = write_networks(w, [one._current().net for one in ones], x)
    parts = []
    for i, (one, outputs) in enumerate(zip(ones, raw, strict=True)):
        after, scope = output_network(one), "output" if len(ones) == 1 else f"outputs.{i}"
        w.register(after, scope)
        parts.append(write_layer(w, after, scope, outputs))
    result = mean(w, parts)
    if not is_classifier(model):
        return [numbers_output(w, result, w.kind, flat=result.features == 1)]
    several = model._label_binarizer.y_type_.startswith("multilabel")
    if several:
        label = w.node("Cast", w.node("Greater", result.name, w.constant(0.5)), to=TensorProto.INT64)
        return [
            Output("label", label, TensorProto.INT64, (result.features,)),
            Output("probabilities", result.name, w.kind, (result.features,)),
        ]
    return label_outputs(w, model.classes_, _places(w, model, raw, result), result, w.kind)


def _places(w: Writer, model: Any, raw: list[Value], likely: Value) -> str:
    """The place of the class of each row, decided as by `predict`: by outputs, of an ensemble by probabilities."""
    if model.n_outputs_ > 1:
        return w.node("ArgMax", (raw[0] if len(raw) == 1 else likely).name, axis=1, keepdims=0)
    if len(raw) == 1:
        positive = w.node("Greater", raw[0].name, w.constant(0.0))
    else:
        positive = w.node("Greater", w.columns(likely, [1]).name, w.constant(0.5))
    return w.node("Cast", w.reshape(positive, -1), to=TensorProto.INT64)


def table_outputs(w: Writer, model: Any, x: Value) -> list[Output]:
    """The outputs of a TabularClassifier or TabularRegressor for its matrix x; they are of float64."""
    parts = []
    for raw in write_networks(w, [member.net for member in model.members_], x):
        wide = w.node("Cast", raw.name, to=TensorProto.DOUBLE)
        parts.append(Value(_likely(w, model, wide) if is_classifier(model) else _number(w, model, wide), raw.features))
    result = mean(w, parts, "float64")
    if not is_classifier(model):
        return [numbers_output(w, result, TensorProto.DOUBLE, flat=model._flat)]
    places = w.node("ArgMax", result.name, axis=1, keepdims=0)
    return label_outputs(w, model.classes_, places, result, TensorProto.DOUBLE)


def _likely(w: Writer, model: Any, outputs: str) -> str:
    """The calibrated probabilities of a network."""
    return w.node("Softmax", w.node("Div", outputs, w.constant(model.temperature_, "float64")), axis=-1)


def _number(w: Writer, model: Any, outputs: str) -> str:
    """The outputs of a network in the unit of the target, within its range."""
    scaled = w.node("Mul", outputs, w.constant(model.target_scale_, "float64"))
    numbers = w.node("Add", scaled, w.constant(model.target_mean_, "float64"))
    if not model.clip:
        return numbers
    low, high = (w.constant(end, "float64") for end in model.target_range_)
    return w.node("Min", w.node("Max", numbers, low), high)


def label_outputs(w: Writer, classes: Array, places: str, likely: Value, kind: int) -> list[Output]:
    """The label of each row, by its place among the classes, and the probabilities, of this element type."""
    values = class_values(classes)
    if len(values) < likely.features:  # of one class, which both of two outputs are
        values = np.resize(values, likely.features)
    label = w.node("Gather", w.initializer("classes", values), places, axis=0)
    of_label = TensorProto.INT64 if values.dtype == "int64" else TensorProto.STRING
    return [
        Output("label", label, of_label, ()),
        Output("probabilities", likely.name, kind, (likely.features,)),
    ]


def class_values(classes: Array) -> Array:
    """Classes as int64, or as strings; TypeError if they are neither."""
    given = np.asarray(classes)
    values = given.tolist()
    if all(isinstance(value, str) for value in values):
        return np.array(values, object)
    if all(isinstance(value, (bool, int, float)) and value == int(value) for value in values):
        return np.array([int(value) for value in values], "int64")
    raise TypeError(f"classes must be whole numbers or strings to be in an ONNX model, got {values!r:.80}")


def numbers_output(w: Writer, numbers: Value, kind: int, flat: bool) -> Output:
    """The predictions, of shape (rows,) if flat."""
    if flat:
        return Output("variable", w.reshape(numbers.name, -1), kind, ())
    return Output("variable", numbers.name, kind, (numbers.features,))

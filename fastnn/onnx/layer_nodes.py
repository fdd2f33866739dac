"""Layers as ONNX nodes: a converter for each class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import functional as F
from .. import nn
from ..nn.activations.activation import Activation
from ..nn.dropout import Noise
from ..nn.registry import LAYERS
from ..nn.structure import join
from .activation_nodes import ACTIVATIONS, write_activation
from .writer import Value, Writer

Convert = Callable[[Writer, Any, Value], Value]

CONVERTERS: dict[type, Convert] = {}

INT64 = 7  # TensorProto.INT64


def converter(*classes: type) -> Callable[[Convert], Convert]:
    """Register the ONNX converter of layer classes, those of fastnn and your own.

    Parameters
    ----------
    *classes : type
        Subclasses of `nn.Module`.

    Returns
    -------
    decorator : function
        It takes `convert(writer, layer, x)`, which adds nodes with `writer.node`, `writer.parameter` and
        `writer.constant` and returns the output; x and the output are tuples (name, number of features).

    Raises
    ------
    TypeError
        If something is not a class of layers.

    Examples
    --------
    >>> from fastnn import nn
    >>> from fastnn.onnx import converter
    >>> class Double(nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    ...
    ...     def backward(self, grad_output):
    ...         return 2 * grad_output
    >>> @converter(Double)
    ... def convert(writer, layer, x):
    ...     return writer.node("Mul", x.name, writer.constant(2.0)), x.features
    """
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
            raise TypeError(f"converter takes subclasses of nn.Module, got {cls!r:.60}")

    def register(convert: Convert) -> Convert:
        CONVERTERS.update(dict.fromkeys(classes, convert))
        return convert

    return register


def find(layer: nn.Module) -> Convert | None:
    """The converter of a layer: that of its class, or of a base class whose computation it does not change.

    A module whose forward is traced has that of its graph, which is the converter of nn.Module.
    """
    if isinstance(layer, Activation) and layer.kernel not in ACTIVATIONS:
        return None
    for cls in type(layer).__mro__:
        if cls in CONVERTERS and cls is not nn.Module:
            same = all(
                getattr(type(layer), method) is getattr(cls, method) for method in ("plan", "plan_branches", "forward")
            )
            if same:
                return CONVERTERS[cls]
            break
    return CONVERTERS[nn.Module] if layer._is_traced else None


def unknown(net: nn.Module) -> list[str]:
    """The layers that have no converter, as "name: class"."""
    missing = []
    for name, layer in net.named_modules():
        if find(layer) is None:
            missing.append(f"{name or 'the layer'}: {type(layer).__name__}")
    return missing


def write_layer(w: Writer, layer: nn.Module, name: str, x: Value) -> Value:
    """Add the nodes of a layer; names begin with `name`."""
    convert = find(layer)
    if convert is None:
        raise TypeError(f"layer {name}: {type(layer).__name__} has no ONNX converter")
    with w.within(name):
        return Value(*convert(w, layer, x))


def _child(w: Writer, layer: nn.Module, key: str, x: Value) -> Value:
    return write_layer(w, layer, join(w.scope, key), x)


# -- layers of layers --------------------------------------------------------------------------------------------------


@converter(nn.Sequential)
def _sequential(w: Writer, layer: nn.Sequential, x: Value) -> Value:
    for key, child in layer.named_children().items():
        x = _child(w, child, key, x)
    return x


@converter(nn.Residual)
def _residual(w: Writer, layer: nn.Residual, x: Value) -> Value:
    sides = [_child(w, child, key, x) for key, child in layer.named_children().items()]
    body, shortcut = (*sides, x)[:2]
    return Value(w.node("Add", body.name, shortcut.name), body.features)


@converter(nn.Concat, nn.Heads, nn.TabularInput)
def _concat(w: Writer, layer: nn.Concat, x: Value) -> Value:
    return joined(w, [_child(w, child, key, x) for key, child in layer.named_children().items()])


def joined(w: Writer, parts: list[Value]) -> Value:
    """Matrices beside each other."""
    if len(parts) == 1:
        return parts[0]
    return Value(w.node("Concat", *(part.name for part in parts), axis=1), sum(part.features for part in parts))


# -- products and parameters -------------------------------------------------------------------------------------------


@converter(nn.Linear)
def _linear(w: Writer, layer: nn.Linear, x: Value) -> Value:
    weight = w.parameter(layer, "weight")
    if layer.bias is None:
        return Value(w.node("MatMul", x.name, weight), layer.out_features)
    return Value(w.node("Gemm", x.name, weight, w.parameter(layer, "bias")), layer.out_features)


@converter(nn.PReLU)
def _prelu(w: Writer, layer: nn.PReLU, x: Value) -> Value:
    slope = w.parameter(layer, "weight")
    if w.dtype == "float32":
        return Value(w.node("PRelu", x.name, slope), x.features)
    positive = w.node("Greater", x.name, w.constant(0.0))  # ONNX Runtime has no PRelu of float64
    return Value(w.node("Where", positive, x.name, w.node("Mul", x.name, slope)), x.features)


@converter(nn.Temperature)
def _temperature(w: Writer, layer: nn.Temperature, x: Value) -> Value:
    return Value(w.node("Div", x.name, w.parameter(layer, "temperature")), x.features)


def _rows_of_table(w: Writer, layer: Any, codes: str) -> str:
    """The rows of a table for codes; rows above `max_norm` are stored as they are read, scaled to it."""
    if layer.max_norm is None:
        return w.node("Gather", w.parameter(layer, "weight"), codes, axis=0)
    every, table = np.arange(layer.num_embeddings), layer["weight"].copy()
    clipped = F.embedding(every, table, max_norm=layer.max_norm, norm_type=layer.norm_type)
    return w.node("Gather", w.constant(clipped), codes, axis=0)


@converter(nn.Embedding)
def _embedding(w: Writer, layer: nn.Embedding, x: Value) -> Value:
    codes = w.node("Cast", x.name, to=INT64)
    width = x.features * layer.embedding_dim
    return Value(w.reshape(_rows_of_table(w, layer, codes), -1, width), width)


@converter(nn.EmbeddingBag)
def _embedding_bag(w: Writer, layer: nn.EmbeddingBag, x: Value) -> Value:
    codes, one, axis = w.node("Cast", x.name, to=INT64), w.constant(1.0), w.constant([1], "int64")
    rows = _rows_of_table(w, layer, codes)
    padding = -1 if layer.padding_idx is None else layer.padding_idx % layer.num_embeddings
    skipped = w.node("Equal", codes, w.constant(padding, "int64"))
    counted = w.node("Unsqueeze", w.node("Where", skipped, w.constant(0.0), one), w.constant([2], "int64"))
    number = w.node("ReduceSum", counted, axis, keepdims=0)
    if layer.mode == "max":
        empty, low = w.node("Less", counted, one), w.constant(-np.inf)
        largest = w.reduce("ReduceMax", w.node("Where", empty, low, rows), 1, keepdims=False)
        y = w.node("Where", w.node("Less", number, one), w.constant(0.0), largest)
        return Value(y, layer.embedding_dim)
    y = w.node("ReduceSum", w.node("Mul", rows, counted), axis, keepdims=0)
    if layer.mode == "mean":
        y = w.node("Div", y, w.node("Max", number, one))
    return Value(y, layer.embedding_dim)


# -- normalization -----------------------------------------------------------------------------------------------------


def _affine(w: Writer, layer: Any, y: str) -> str:
    """The product with the weight and the sum with the bias of a normalization, where it has them."""
    if layer.weight is not None:
        y = w.node("Mul", y, w.parameter(layer, "weight"))
    return y if layer.bias is None else w.node("Add", y, w.parameter(layer, "bias"))


def _divided(w: Writer, x: str, variance: str, eps: float) -> str:
    """The quotient x / sqrt(variance + eps)."""
    return w.node("Div", x, w.node("Sqrt", w.node("Add", variance, w.constant(eps))))


@converter(nn.LayerNorm)
def _layer_norm(w: Writer, layer: nn.LayerNorm, x: Value) -> Value:
    eps = float(layer.eps or 0.0)
    if w.dtype == "float32" and w.opset >= 17:
        scale = w.constant(np.ones(x.features)) if layer.weight is None else w.parameter(layer, "weight")
        bias = [] if layer.bias is None else [w.parameter(layer, "bias")]
        return Value(w.node("LayerNormalization", x.name, scale, *bias, axis=-1, epsilon=eps), x.features)
    centered = w.node("Sub", x.name, w.reduce("ReduceMean", x.name, -1))
    variance = w.reduce("ReduceMean", w.node("Mul", centered, centered), -1)
    return Value(_affine(w, layer, _divided(w, centered, variance, eps)), x.features)


@converter(nn.RMSNorm)
def _rms_norm(w: Writer, layer: nn.RMSNorm, x: Value) -> Value:
    eps = float(np.finfo(w.dtype).eps if layer.eps is None else layer.eps)
    if w.dtype == "float32" and w.opset >= 23:
        scale = w.constant(np.ones(x.features)) if layer.weight is None else w.parameter(layer, "weight")
        return Value(w.node("RMSNormalization", x.name, scale, axis=-1, epsilon=eps), x.features)
    square = w.reduce("ReduceMean", w.node("Mul", x.name, x.name), -1)
    return Value(_affine(w, layer, _divided(w, x.name, square, eps)), x.features)


@converter(nn.GroupNorm, nn.InstanceNorm1d)
def _group_norm(w: Writer, layer: Any, x: Value) -> Value:
    channels = layer.num_channels if isinstance(layer, nn.GroupNorm) else layer.num_features
    groups = layer.num_groups if isinstance(layer, nn.GroupNorm) else channels
    parts = w.reshape(x.name, -1, groups, x.features // groups)
    centered = w.node("Sub", parts, w.reduce("ReduceMean", parts, 2))
    variance = w.reduce("ReduceMean", w.node("Mul", centered, centered), 2)
    y = _divided(w, centered, variance, float(layer.eps or 0.0))
    y = w.reshape(y, -1, channels, x.features // channels)
    for operator, key in (("Mul", "weight"), ("Add", "bias")):
        if key in layer.parameter_shapes():
            y = w.node(operator, y, w.reshape(w.parameter(layer, key), channels, 1))
    return Value(w.reshape(y, -1, x.features), x.features)


@converter(nn.BatchNorm1d)
def _batch_norm(w: Writer, layer: nn.BatchNorm1d, x: Value) -> Value:
    eps = float(layer.eps or 0.0)
    if not layer.track_running_stats:  # by the statistics of the batch
        centered = w.node("Sub", x.name, w.reduce("ReduceMean", x.name, 0))
        variance = w.reduce("ReduceMean", w.node("Mul", centered, centered), 0)
        return Value(_affine(w, layer, _divided(w, centered, variance, eps)), x.features)
    if w.dtype == "float32":
        weight = w.constant(np.ones(x.features)) if layer.weight is None else w.parameter(layer, "weight")
        bias = w.constant(np.zeros(x.features)) if layer.bias is None else w.parameter(layer, "bias")
        statistics = w.parameter(layer, "running_mean"), w.parameter(layer, "running_var")
        momentum = None if layer.momentum is None else 1.0 - layer.momentum
        y = w.node("BatchNormalization", x.name, weight, bias, *statistics, epsilon=eps, momentum=momentum)
        return Value(y, x.features)
    centered = w.node("Sub", x.name, w.parameter(layer, "running_mean"))
    return Value(_affine(w, layer, _divided(w, centered, w.parameter(layer, "running_var"), eps)), x.features)


# -- without parameters ------------------------------------------------------------------------------------------------


@converter(*(cls for cls in LAYERS.values() if issubclass(cls, Activation)))
def _activation(w: Writer, layer: Activation, x: Value) -> Value:
    return Value(write_activation(w, layer.kernel, x.name, tuple(layer.params.values())), x.features)


@converter(nn.RReLU)
def _rrelu(w: Writer, layer: nn.RReLU, x: Value) -> Value:
    return Value(write_activation(w, "leaky_relu", x.name, ((layer.lower + layer.upper) / 2,)), x.features)


@converter(nn.Softmax, nn.Softmin, nn.LogSoftmax)
def _softmax(w: Writer, layer: nn.Softmax, x: Value) -> Value:
    scale = (-1.0 if layer.kernel == "softmin" else 1.0) / layer.temperature
    name = x.name if scale == 1 else w.node("Mul", x.name, w.constant(scale))
    operator = "LogSoftmax" if layer.kernel == "log_softmax" else "Softmax"
    return Value(w.node(operator, name, axis=layer.dim), x.features)


@converter(nn.Identity, nn.Flatten, *(cls for cls in LAYERS.values() if issubclass(cls, Noise)))
def _nothing(w: Writer, layer: nn.Module, x: Value) -> Value:
    return x


@converter(nn.Columns)
def _columns(w: Writer, layer: nn.Columns, x: Value) -> Value:
    columns = layer.columns
    return w.columns(x, range(*columns.indices(x.features)) if isinstance(columns, slice) else columns)


def _halves(w: Writer, x: Value) -> tuple[Value, Value]:
    half = x.features // 2
    return w.columns(x, range(half)), w.columns(x, range(half, x.features))


@converter(nn.GLU)
def _glu(w: Writer, layer: nn.GLU, x: Value) -> Value:
    a, b = _halves(w, x)
    return Value(w.node("Mul", a.name, w.node("Sigmoid", b.name)), a.features)


@converter(nn.SwiGLU)
def _swiglu(w: Writer, layer: nn.SwiGLU, x: Value) -> Value:
    a, b = _halves(w, x)
    return Value(w.node("Mul", write_activation(w, "silu", a.name), b.name), a.features)


@converter(nn.Maxout)
def _maxout(w: Writer, layer: nn.Maxout, x: Value) -> Value:
    features = x.features // layer.pool_size
    pools = w.reshape(x.name, -1, features, layer.pool_size)
    return Value(w.reduce("ReduceMax", pools, 2, keepdims=False), features)

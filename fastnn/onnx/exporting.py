"""Networks written as ONNX models."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import GraphProto, ModelProto, helper

from .. import _validation as check
from .. import nn
from .._frames import errors_of_use
from .._version import __version__
from ..files.objects import Target, label, put
from ..files.replace import replace
from . import traced_nodes  # noqa: F401  (fills the table of converters)
from .layer_nodes import unknown, write_layer
from .writer import Value, Writer

DEFAULT_OPSET, FIRST_OPSET = 17, 13
ML, ML_VERSION = "ai.onnx.ml", 2  # the operators of tables of categories
MAX_BYTES = (1 << 31) - 1  # of a message of protobuf


@errors_of_use
def export(
    net: nn.Module,
    path_or_file: Target | None = None,
    *,
    opset: int | None = None,
    name: str | None = None,
    dynamic_batch: bool = True,
    metadata: Mapping[str, str] | None = None,
    input_shape: Sequence[int] | None = None,
) -> ModelProto:
    """Write a network as an ONNX model with the same outputs.

    Parameters
    ----------
    net : Module
        A network or a layer, of float32 or float64. Dropout and noise are left out.
    path_or_file : str, path-like or binary file object, optional
        The file at a path is replaced in one step. Without it the model is only returned.
    opset : int of at least 13, default 17
        The version of the operators. Later ones have shorter graphs: GELU is one node from 20 on.
    name : str, default "network"
        The name of the graph.
    dynamic_batch : bool, default True
        Whether the model takes any number of rows; if False it takes one.
    metadata : dict of str to str, optional
        Goes into the model's `metadata_props`.
    input_shape : sequence of int, optional
        The shape of one sample: required if the network takes any number of features, and for a network that begins
        with Flatten and whose samples are to have several axes in the model too, (1, 28, 28).

    Returns
    -------
    model : onnx.ModelProto
        Its input is "input", (batch, features); its output "output", or, for a network that ends in `nn.Heads`, one
        output for each head, by its name. Weights have the names of `net.named_parameters()`.

    Raises
    ------
    TypeError
        If something is not a layer, or layers have no ONNX converter, such as those of your own: the message names all
        of them, and `fastnn.onnx.converter` registers one.
    ValueError
        If an argument is out of its range, input_shape is required and missing, or the model takes more than 2 GiB.
    OSError
        If the file cannot be written; the old file is then still there.

    Notes
    -----
    float32 networks agree with ONNX Runtime to rounding. For float64 ones nodes are chosen so that no constant is
    rounded to float32. The model is checked by `onnx.checker.check_model(model, full_check=True)`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn.onnx
    >>> from fastnn import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1), seed=0)
    >>> model = fastnn.onnx.export(net)
    >>> [node.op_type for node in model.graph.node]
    ['Gemm', 'Relu', 'Gemm']
    >>> twin = fastnn.onnx.load(model.SerializeToString())
    >>> x = np.ones((1, 2), "float32")
    >>> bool((twin.predict(x) == net.predict(x)).all())
    True
    """
    if not isinstance(net, nn.Module):
        raise TypeError(f"net must be a network or a layer, got {type(net).__name__}")
    version = check_opset(opset)
    refuse_unknown(net)
    writer = Writer(getattr(net, "dtype", None) or net._parameter_dtype() or "float32", version)
    graph = _graph(writer, net, name or "network", check.check_flag("dynamic_batch", dynamic_batch), input_shape)
    return finish(graph, version, properties(metadata, getattr(net, "feature_names", None)), path_or_file)


def check_opset(opset: int | None) -> int:
    """The version of the operators; an error unless the installed onnx package has it."""
    version = DEFAULT_OPSET if opset is None else opset
    latest = onnx.defs.onnx_opset_version()
    return check.check_integer("opset", version, at_least=FIRST_OPSET, at_most=latest)


def refuse_unknown(net: nn.Module) -> None:
    """Raise TypeError that names all layers without a converter, if there are any."""
    if missing := unknown(net):
        raise TypeError(
            f"no ONNX converter for {'; '.join(missing)}: leave these layers out, or write their nodes and register "
            "them, fastnn.onnx.converter"
        )


def finish(graph: GraphProto, version: int, described: dict[str, str], target: Target | None) -> ModelProto:
    """The checked model of a graph, with its `metadata_props`; it is also written to `target`, if there is one."""
    model = _model(graph, version, described)
    data = _serialized(model, label(target))
    onnx.checker.check_model(model, full_check=True)
    if isinstance(target, (str, bytes, os.PathLike)):
        replace(target, data)
    elif target is not None:
        put(target, data)
    return model


def _graph(w: Writer, net: nn.Module, name: str, dynamic: bool, given: Sequence[int] | None) -> Any:
    shape, features = _sizes(net, given)
    rows = "batch" if dynamic else 1
    w.register(net, "")
    source = w.unused("input")
    x = Value(source, features)
    if len(shape) > 1:
        x = Value(w.node("Flatten", source, axis=1), features)
    ends = []
    for output, value in _outputs(w, net, x).items():
        w.finish(value.name, output)
        ends.append(helper.make_tensor_value_info(output, w.kind, [rows, value.features]))
    return w.graph(name, [helper.make_tensor_value_info(source, w.kind, [rows, *shape])], ends)


def _sizes(net: nn.Module, given: Sequence[int] | None) -> tuple[tuple[int, ...], int]:
    """The shape of one sample, and its number of features."""
    features = net.in_features_hint()
    if given is None:
        if features is None:
            raise ValueError("input_shape must be given: this network takes any number of features")
        return (features,), features
    shape = tuple(check.check_integer(f"input_shape[{i}]", size, at_least=0) for i, size in enumerate(given))
    size = 1
    for length in shape:
        size *= length
    if not shape or (features is not None and features != size):
        raise ValueError(f"input_shape must have {features} features, got {shape}")
    nodes = list(net.modules())
    leading = [layer for layer in nodes if not isinstance(layer, nn.Sequential)]
    if len(shape) > 1 and not (leading and isinstance(leading[0], nn.Flatten)):
        raise ValueError(f"input_shape {shape}: only a network that begins with Flatten takes samples of several axes")
    net.out_features_for(size)
    return shape, size


def _outputs(w: Writer, net: nn.Module, x: Value) -> dict[str, Value]:
    """The outputs of the network by name: one, or those of the heads at its end."""
    layers = dict(net.named_children()) if type(net) is nn.Sequential else {}
    last = list(layers.items())[-1:]
    if not (last and type(last[0][1]) is nn.Heads):
        return {w.unused("output"): write_layer(w, net, "", x)}
    key, heads = last[0]
    for name, layer in list(layers.items())[:-1]:
        x = write_layer(w, layer, name, x)
    names = {head: w.unused(head) for head in heads.named_children()}
    return {names[head]: write_layer(w, layer, f"{key}.{head}", x) for head, layer in heads.named_children().items()}


def properties(metadata: Mapping[str, str] | None, names: Sequence[str] | None) -> dict[str, str]:
    """The `metadata_props` of a model: those that are given, and the names of the features."""
    given = dict(metadata or {})
    for key, value in given.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"metadata must be a dict of text to text, got {key!r:.40}: {value!r:.40}")
    return ({} if names is None else {"fastnn.feature_names": json.dumps(names)}) | given


def _model(graph: GraphProto, version: int, described: dict[str, str]) -> ModelProto:
    opsets = [helper.make_opsetid("", version)]
    if any(node.domain == ML for node in graph.node):
        opsets.append(helper.make_opsetid(ML, ML_VERSION))
    model = helper.make_model(graph, opset_imports=opsets, producer_name="fastnn", producer_version=__version__)
    model.ir_version = helper.find_min_ir_version_for(opsets)
    helper.set_model_props(model, described)
    return model


def _serialized(model: ModelProto, what: Any) -> bytes:
    size = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    if size > MAX_BYTES or model.ByteSize() > MAX_BYTES:
        raise ValueError(f"{what}: the model takes {size} bytes, and an ONNX file at most {MAX_BYTES}")
    return model.SerializeToString()

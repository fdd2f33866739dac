"""ONNX files read into messages and arrays, with checks against truncated and hostile ones."""

from __future__ import annotations

import math
import os
import stat
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto, helper, numpy_helper

from .._validation import Array
from ..files.format import FileFormatError
from ..files.objects import Source, contents, label

MAX_BYTES = (1 << 31) - 1
MAX_NODES = 20_000  # after functions have been inlined
MAX_ATTRIBUTES = 64  # of a node
# Element types that are read: the fields that hold their values where there are no raw bytes.
FIELDS = {
    TensorProto.FLOAT: "float_data", TensorProto.DOUBLE: "double_data", TensorProto.INT64: "int64_data",
    TensorProto.INT32: "int32_data", TensorProto.INT16: "int32_data", TensorProto.INT8: "int32_data",
    TensorProto.UINT8: "int32_data", TensorProto.UINT16: "int32_data", TensorProto.BOOL: "int32_data",
    TensorProto.FLOAT16: "int32_data", TensorProto.BFLOAT16: "int32_data",
    TensorProto.UINT32: "uint64_data", TensorProto.UINT64: "uint64_data", TensorProto.STRING: "string_data",
}  # fmt: skip


def read_bytes(source: Source) -> bytes:
    """The content of a file, which must be a regular one."""
    if isinstance(source, (str, os.PathLike)):
        status = os.stat(source)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer
            raise FileFormatError(f"{source} is {'a folder' if stat.S_ISDIR(status.st_mode) else 'no regular file'}")
        if status.st_size > MAX_BYTES:
            raise FileFormatError(f"{source} takes {status.st_size} bytes, and an ONNX file at most {MAX_BYTES}")
        with open(source, "rb") as file:
            return file.read()
    return bytes(contents(source))


def read_model(source: Source) -> ModelProto:
    """The model of a file, whose functions are inlined.

    Raises
    ------
    FileFormatError
        If it is no ONNX model, truncated or damaged.
    """
    name, data = label(source), read_bytes(source)
    if not data:
        raise FileFormatError(f"{name} is empty")
    try:
        model = ModelProto.FromString(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{name} is no ONNX model, or truncated or damaged: {error}") from None
    if not model.HasField("graph") or not model.graph.output:
        raise FileFormatError(f"{name} is no ONNX model: it has no graph with outputs")
    if not model.opset_import:
        raise FileFormatError(f"{name} is damaged: it states no version of operators")
    _check_text(model, name)
    if _size(model) > MAX_NODES:
        raise FileFormatError(f"{name} has more than {MAX_NODES} nodes")
    return _inlined(model, name) if model.functions else model


def _inlined(model: ModelProto, name: Any) -> ModelProto:
    """The model with the nodes of its functions in place of the calls. The inliner of onnx can end the process."""
    functions = {(function.domain, function.name): function for function in model.functions}
    versions = {opset.domain: opset.version for opset in model.opset_import}
    for function in model.functions:
        for opset in function.opset_import:
            if opset.domain == "" and opset.version != versions.get("", opset.version):
                raise ValueError(f"{name}: function {function.name!r:.60} is of another opset than the model")
    nodes, todo = [], list(reversed(model.graph.node))
    while todo:
        node = todo.pop()
        called = functions.get((node.domain, node.op_type))
        if called is None:
            nodes.append(node)
        else:
            todo += reversed(_body(called, node, f"{called.name}\0{len(nodes)}\0{len(todo)}\0"))
    result = ModelProto()
    result.CopyFrom(model)
    del result.functions[:], result.graph.node[:]
    result.graph.node.extend(nodes)
    return result


def _body(function: onnx.FunctionProto, call: onnx.NodeProto, prefix: str) -> list[onnx.NodeProto]:
    """The nodes of a function for a call; values within it have names that begin with `prefix`."""
    names = {"": ""} | dict(zip(function.input, [*call.input, *[""] * len(function.input)], strict=False))
    names |= dict(zip(function.output, [*call.output, *[""] * len(function.output)], strict=False))
    given = {attribute.name: attribute for attribute in (*function.attribute_proto, *call.attribute)}
    body = []
    for inner in function.node:
        node = onnx.NodeProto(op_type=inner.op_type, domain=inner.domain, name=prefix + inner.name)
        node.input.extend(names.get(value, prefix + value) for value in inner.input)
        node.output.extend(names.get(value) or (prefix + value if value else "") for value in inner.output)
        for attribute in inner.attribute:
            stated = given.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
            if stated is not None:  # an attribute that the call does not state has the default of the operator
                node.attribute.add().CopyFrom(stated)
                node.attribute[-1].name = attribute.name
        body.append(node)
    return body


def _check_text(model: ModelProto, name: Any) -> None:
    """Check that names are text: those that are not valid UTF-8 come as bytes."""
    graph = model.graph
    words = [opset.domain for opset in model.opset_import]
    words += [item.name for item in (*graph.initializer, *graph.input, *graph.output, *graph.value_info)]
    for node in (*graph.node, *(node for function in model.functions for node in function.node)):
        words += [node.name, node.op_type, node.domain, *node.input, *node.output]
        words += [attribute.name for attribute in node.attribute]
    if not all(isinstance(word, str) for word in words):
        raise FileFormatError(f"{name} is damaged: a name in it is no text")


def _size(model: ModelProto) -> int:
    """The number of nodes with functions inlined, or more than MAX_NODES where it is larger or they call themselves."""
    functions = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}
    for _ in range(len(functions) + 1):  # a pass resolves at least one function, unless they form a circle
        for key, function in functions.items():
            called = [(node.domain, node.op_type) for node in function.node]
            if key not in sizes and all(call in sizes for call in called if call in functions):
                sizes[key] = min(MAX_NODES + 1, sum(sizes.get(call, 1) for call in called))
        if len(sizes) == len(functions):
            break
    else:
        return MAX_NODES + 1
    return sum(sizes.get((node.domain, node.op_type), 1) for node in model.graph.node)


def array(tensor: TensorProto, where: str) -> Array:
    """The values of a tensor, in a new array; its size is checked before it is allocated."""
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ValueError(
            f"{where} is stored in another file, which fastnn does not open: put all data into one file, "
            "onnx.save(onnx.load(path), new_path)"
        )
    if tensor.data_type not in FIELDS:
        kind = TensorProto.DataType.Name(tensor.data_type) if tensor.data_type in TensorProto.DataType.values() else "?"
        raise FileFormatError(f"{where} has element type {tensor.data_type} ({kind}), which is not supported")
    if any(size < 0 for size in tensor.dims) or len(tensor.dims) > 32:
        raise FileFormatError(f"{where} is damaged: its shape is {list(tensor.dims)!r:.60}")
    count = math.prod(tensor.dims)
    if tensor.HasField("raw_data"):
        width = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        given, expected = len(tensor.raw_data), count * width
    else:
        given, expected = len(getattr(tensor, FIELDS[tensor.data_type])), count
    if given != expected:
        raise FileFormatError(f"{where} is truncated or damaged: {given} of {expected}")
    try:
        values = numpy_helper.to_array(tensor)
    except Exception as error:
        raise FileFormatError(f"{where} is damaged: {error!s:.80}") from None
    if values.dtype.name in ("float16", "bfloat16"):
        values = values.astype("float32")
    return np.array(values)


def attributes(node: onnx.NodeProto, where: str) -> dict[str, Any]:
    """The attributes of a node by name: numbers, bytes, lists of them, arrays; subgraphs as they are."""
    if len(node.attribute) > MAX_ATTRIBUTES:
        raise FileFormatError(f"{where} is damaged: {len(node.attribute)} attributes")
    result: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.TENSOR:
            result[attribute.name] = array(attribute.t, f"{where}, {attribute.name}")
            continue
        try:
            result[attribute.name] = helper.get_attribute_value(attribute)
        except ValueError as error:
            raise FileFormatError(f"{where} is damaged: attribute {attribute.name!r:.40}: {error!s:.60}") from None
    return result

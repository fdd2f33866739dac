"""ONNX Runtime: prediction with the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .. import data
from ..cases import Case
from .common import Run, imported, n_threads, repeated

VERSION = f"ONNX Runtime {onnxruntime.__version__}"
OPERATORS = {"ReLU": "Relu", "Tanh": "Tanh", "Sigmoid": "Sigmoid", "ELU": "Elu", "GELU": "Gelu"}
OPSET, IR_VERSION = 20, 9  # the first opset with Gelu, and the IR version that supports it


def session(layers: list[tuple[Any, Any]], activation: str, after_last: bool) -> onnxruntime.InferenceSession:
    """A session that runs linear layers with activations between them, and optionally after the last one."""
    nodes, arrays, name = [], [], "x"
    for i, (weight, bias) in enumerate(layers):
        arrays += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"z{i}"]))
        name = f"z{i}"
        if after_last or i + 1 < len(layers):
            nodes.append(helper.make_node(OPERATORS[activation], [name], [f"y{i}"]))
            name = f"y{i}"
    kind = TensorProto.FLOAT if layers[0][0].dtype == np.float32 else TensorProto.DOUBLE
    n_in, n_out = layers[0][0].shape[0], layers[-1][0].shape[1]
    ends = [[helper.make_tensor_value_info(*end)] for end in (("x", kind, [None, n_in]), (name, kind, [None, n_out]))]
    graph = helper.make_graph(nodes, "network", *ends, arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = n_threads(), 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def predict(case: Case) -> Run | None:
    """Outputs of the network."""
    if case.dtype == "float64" and case.network.activation in ("ELU", "GELU"):
        return None
    made = session(data.weights(case.network, case.dtype), case.network.activation, after_last=False)
    x, _ = data.batches(case.network, case.dtype)
    return repeated(lambda: made.run(None, {"x": x})[0])


def linear(case: Case) -> Run:
    """Product with bias, and relu, which it fuses."""
    x, weight, bias, _ = data.product(case)
    made = session([(weight, bias)], "ReLU", after_last=True)
    return repeated(lambda: made.run(None, {"x": x})[0])


def startup(case: Case) -> Run:
    """The import."""
    return imported("onnxruntime")

"""The graph of a model: its inputs, the steps before, the network, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onnx import ModelProto, helper
from sklearn.utils.validation import check_is_fitted

from ..._validation import check_dtype
from ...files.objects import Target
from ...onnx.exporting import check_opset, finish, properties
from ...onnx.writer import Value, Writer
from ..base import BaseMLP
from .heads import mlp_outputs
from .outputs import members

ROWS = "batch"


def write(
    model: Any, target: Target | None, opset: int | None, name: str | None, metadata: Mapping[str, str] | None,
    dtype: str | None,
) -> ModelProto:  # fmt: skip
    """See `fastnn.sklearn.export_onnx`, which explains its arguments."""
    if not isinstance(model, BaseMLP):
        raise TypeError(
            f"estimator must be one of fastnn.sklearn, got {type(model).__name__}: skl2onnx converts those of "
            "scikit-learn"
        )
    check_is_fitted(model)
    w = Writer(check_dtype(dtype or members(model)[0]._current().net.dtype), check_opset(opset))
    x = Value(w.unused("X"), model.n_features_in_)
    inputs = [helper.make_tensor_value_info(x.name, w.kind, [ROWS, x.features])]
    ends = []
    for output in mlp_outputs(w, model, x):
        free = w.unused(output.name)
        w.finish(output.value, free)
        ends.append(helper.make_tensor_value_info(free, output.kind, [ROWS, *output.shape]))
    graph = w.graph(name or type(model).__name__, inputs, ends)
    names = getattr(model, "feature_names_in_", None)
    return finish(graph, w.opset, properties(metadata, None if names is None else list(names)), target)

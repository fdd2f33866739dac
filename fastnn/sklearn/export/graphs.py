"""The graph of a model: its inputs, the steps before, the network, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onnx import ModelProto, helper
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ..._validation import check_dtype
from ...files.objects import Target
from ...onnx.exporting import check_opset, finish, properties
from ...onnx.writer import Value, Writer
from ..base import BaseMLP
from .heads import mlp_outputs
from .outputs import members
from .steps import Rows, Steps, write_steps

ROWS = "batch"


def write(
    estimator: Any, target: Target | None, opset: int | None, name: str | None, metadata: Mapping[str, str] | None,
    dtype: str | None,
) -> ModelProto:  # fmt: skip
    """See `fastnn.sklearn.export_onnx`, which explains its arguments."""
    steps, model = split(estimator)
    if not isinstance(model, BaseMLP):
        raise TypeError(
            "estimator must be one of fastnn.sklearn, or a Pipeline that ends in one, got "
            f"{type(model).__name__}: skl2onnx converts those of scikit-learn"
        )
    check_is_fitted(model)
    w = Writer(check_dtype(dtype or members(model)[0]._current().net.dtype), check_opset(opset))
    first: Any = next(step for _, step in [*steps, ("", model)] if hasattr(step, "n_features_in_"))
    x = Rows(w.unused("X"), first.n_features_in_, w.dtype)
    inputs = [helper.make_tensor_value_info(x.name, w.kind, [ROWS, x.features])]
    ends = []
    for output in mlp_outputs(w, model, _prepared(w, steps, x)):
        free = w.unused(output.name)
        w.finish(output.value, free)
        ends.append(helper.make_tensor_value_info(free, output.kind, [ROWS, *output.shape]))
    graph = w.graph(name or type(estimator).__name__, inputs, ends)
    names = getattr(first, "feature_names_in_", None)
    return finish(graph, w.opset, properties(metadata, None if names is None else list(names)), target)


def split(estimator: Any) -> tuple[list[tuple[str, Any]], Any]:
    """The steps of a pipeline but the last, and the last one; pipelines at its end are taken apart too."""
    if not isinstance(estimator, Pipeline):
        return [], estimator
    before, last = split(estimator.steps[-1][1])
    return [*estimator.steps[:-1], *before], last


def _prepared(w: Writer, steps: list[tuple[str, Any]], x: Rows) -> Value:
    """The rows after the steps, as the network takes them; TypeError that names all steps that cannot be written."""
    s = Steps(w)
    rows = s.cast(write_steps(s, steps, "", x), w.dtype)
    if s.refused:
        raise TypeError(
            f"no ONNX nodes for these steps: {'; '.join(s.refused)}. Apply them to the rows before, or convert them "
            "with skl2onnx, export the rest, and join both by onnx.compose.merge_models"
        )
    return Value(rows.name, rows.features)

"""The graph of a model: its inputs, the steps before, the network, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, helper
from sklearn.utils.validation import check_is_fitted

from ..._validation import check_dtype
from ...files.objects import Target
from ...onnx.exporting import check_opset, finish, properties
from ...onnx.writer import Value, Writer
from ..base import BaseMLP
from ..tabular.base import BaseTabular
from .heads import Output, mlp_outputs, table_outputs
from .outputs import Named, members, split
from .steps import Rows, Steps, write_steps
from .tables import columns_of, is_text, matrix, own_inputs, refuse_columns

ROWS = "batch"


def write(
    estimator: Any, target: Target | None, opset: int | None, name: str | None, metadata: Mapping[str, str] | None,
    dtype: str | None,
) -> ModelProto:  # fmt: skip
    """See `fastnn.sklearn.export_onnx`, which explains its arguments."""
    steps, model = split(estimator)
    if not isinstance(model, (BaseMLP, BaseTabular)):
        raise TypeError(
            "estimator must be one of fastnn.sklearn, or a Pipeline that ends in one, got "
            f"{type(model).__name__}: skl2onnx converts those of scikit-learn"
        )
    check_is_fitted(model)
    first: Any = next(step for _, step in [*steps, ("", model)] if hasattr(step, "n_features_in_"))
    s, inputs, outputs = (_table if isinstance(model, BaseTabular) else _rows)(steps, model, first, opset, dtype)
    ends = []
    for output in outputs:
        free = s.w.unused(output.name)
        s.w.finish(output.value, free)
        ends.append(helper.make_tensor_value_info(free, output.kind, [ROWS, *output.shape]))
    begins = [
        helper.make_tensor_value_info(x.name, helper.np_dtype_to_tensor_dtype(x.dtype), [ROWS, x.features])
        for x in inputs
    ]
    graph = s.w.graph(name or type(estimator).__name__, begins, ends)
    names = getattr(first, "feature_names_in_", None)
    return finish(graph, s.w.opset, properties(metadata, None if names is None else list(names)), target)


Parts = tuple[Steps, list[Rows], list[Output]]  # what writes the nodes, the inputs, and the outputs


def _rows(steps: Named, model: Any, first: Any, opset: int | None, dtype: str | None) -> Parts:
    """The graph of an MLPClassifier or MLPRegressor, behind steps."""
    s = Steps(Writer(check_dtype(dtype or members(model)[0]._current().net.dtype), check_opset(opset)))
    x = Rows(s.w.unused("X"), first.n_features_in_, s.w.dtype)
    rows = s.cast(_prepared(s, steps, x), s.w.dtype)
    return s, [x], mlp_outputs(s.w, model, Value(rows.name, rows.features))


def _table(steps: Named, model: Any, first: Any, opset: int | None, dtype: str | None) -> Parts:
    """The graph of a TabularClassifier or TabularRegressor, behind steps; its networks are of float32."""
    s, encoder = Steps(Writer("float32", check_opset(opset))), model.encoder_
    given = np.dtype(check_dtype(dtype or "float64"))
    refuse_columns(encoder)
    if steps or not (hasattr(model, "feature_names_in_") or any(is_text(column) for column in encoder.columns)):
        x = Rows(s.w.unused("X"), first.n_features_in_, given)
        inputs, sources = [x], columns_of(s, encoder, _prepared(s, steps, x))
    else:
        inputs = sources = own_inputs(s, encoder, given)
    return s, inputs, table_outputs(s.w, model, matrix(s, encoder, sources))


def _prepared(s: Steps, steps: Named, x: Rows) -> Rows:
    """The rows after the steps; TypeError that names all steps that cannot be written."""
    rows = write_steps(s, steps, "", x)
    if s.refused:
        raise TypeError(
            f"no ONNX nodes for these steps: {'; '.join(s.refused)}. Apply them to the rows before, or convert them "
            "with skl2onnx, export the rest, and join both by onnx.compose.merge_models"
        )
    return rows

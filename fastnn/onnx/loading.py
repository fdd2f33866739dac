"""Networks made of ONNX models."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto

from .. import nn
from .._frames import errors_of_use
from ..files.format import FileFormatError
from ..files.objects import Source, label
from . import feature_moves, operator_layers  # noqa: F401  (they fill the table of handlers)
from .assembling import Assembler
from .graph import FLOATS, Graph
from .importing import Importer, Unsupported
from .reading import read_model

CODES = (TensorProto.INT64, TensorProto.INT32)


@errors_of_use
def load(path: Source, *, outputs: Sequence[str] | None = None) -> nn.Sequential:
    """Make a network of an ONNX model: layers with the weights of the model, to predict with and to train further.

    Parameters
    ----------
    path : str, path-like, binary file object or bytes
        A file object is read from where it is to its end, and stays open. Bytes are the content of a file.
    outputs : sequence of str, optional
        The names of the outputs that are to be computed; by default all of floating point. Class labels are left out:
        they are the largest of the probabilities.

    Returns
    -------
    net : Sequential
        Of float64 if the model computes in float64, else of float32. It takes the inputs of the model
        concatenated in their order, `np.concatenate(inputs, axis=-1)`, where codes of an embedding are floats too.
        Several outputs are the heads of `nn.Heads`, named like them.

    Raises
    ------
    FileFormatError
        If it is no ONNX model, truncated or damaged. No code in a file is ever run.
    ValueError
        If there are no layers for some nodes: the message names all of them. If weights are stored in other files, or
        no output has that name.
    TypeError
        If path is none of these, or a file object for text.
    OSError
        If the file cannot be read.

    Notes
    -----
    Small graphs that exporters write for one layer (GELU, SiLU, Mish, LayerNorm, ...) become that layer again. A
    product or sum with constants becomes part of the layer before it, `nn.Temperature`, or a `nn.BatchNorm1d` that is
    frozen, of mean 0 and variance 1. Weights that two nodes share are copied, so training changes each by itself. Time
    and memory are bounded in proportion to the file.

    Examples
    --------
    >>> import numpy as np
    >>> from onnx import helper, numpy_helper
    >>> import fastnn.onnx
    >>> weight = numpy_helper.from_array(np.array([[1.0], [2.0]], "float32"), "weight")
    >>> nodes = [helper.make_node("MatMul", ["x", "weight"], ["z"]), helper.make_node("Relu", ["z"], ["y"])]
    >>> ends = [helper.make_tensor_value_info(name, 1, [None, n]) for name, n in (("x", 2), ("y", 1))]
    >>> model = helper.make_model(helper.make_graph(nodes, "graph", ends[:1], ends[1:], [weight]))
    >>> net = fastnn.onnx.load(model.SerializeToString())
    >>> [type(layer).__name__ for layer in net]
    ['Linear', 'ReLU']
    >>> net.predict(np.array([[3.0, 4.0]], "float32"))
    array([[11.]], dtype=float32)
    """
    with np.errstate(all="ignore"):  # weights may be NaN, or overflow in the dtype of the network
        return _load(path, outputs)


def _load(path: Source, outputs: Sequence[str] | None) -> nn.Sequential:
    model = read_model(path)
    graph = Graph(model, label(path))
    names = _outputs(graph, outputs)
    importer = Importer(graph)
    importer.run(names)
    _refuse(graph, importer)
    dtype = _check_inputs(graph, importer)
    try:
        net = _network(graph, importer, names, dtype)
    except Unsupported as reason:
        raise ValueError(f"{label(path)}: {reason}") from None
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise FileFormatError(f"{label(path)}: its nodes do not fit together: {error!s:.200}") from error
    net.feature_names = _feature_names(model, net)
    return net.eval()


def _outputs(graph: Graph, wanted: Sequence[str] | None) -> list[str]:
    """The outputs to compute."""
    if wanted is not None:
        for name in wanted:
            if name not in graph.outputs:
                raise ValueError(f"{graph.label}: no output is called {name!r}; there are {', '.join(graph.outputs)}")
        names = list(wanted)
    else:
        names = [name for name in graph.outputs if _is_float(graph, name)]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{graph.label}: no outputs of floating point; there are {', '.join(graph.outputs)}")
    for name in names:
        if name in graph.constants:
            raise ValueError(f"{graph.label}: output {name!r:.60} is constant")
        if name not in graph.makers and name not in graph.inputs:
            raise FileFormatError(f"{graph.label} is damaged: output {name!r:.60} is not computed")
    return names


def _is_float(graph: Graph, name: str) -> bool:
    node = graph.makers.get(name)
    if node is not None and node.op == "ai.onnx.ml:ZipMap":  # probabilities as a list of dicts
        return True
    kind = graph.kinds[name]
    return kind.WhichOneof("value") in ("tensor_type", None) and kind.tensor_type.elem_type in (0, *FLOATS)


def _refuse(graph: Graph, importer: Importer) -> None:
    """Raise ValueError with all nodes that have no layer."""
    if not importer.problems:
        return
    found: dict[str, list[str]] = {}
    for node, reason in importer.problems:
        found.setdefault(node.op, []).append(repr(node.name) + (f" ({reason})" if reason else ""))
    lines = [f"{op}: {', '.join(sorted(names))}" for op, names in sorted(found.items())]
    raise ValueError(f"{graph.label}: no layers for these nodes: {'; '.join(lines)}")


def _check_inputs(graph: Graph, importer: Importer) -> str:
    """Check the inputs of the model; returns the dtype of the network, float64 if an input or the weights have it."""
    ranks = [len(graph.shapes.get(name, (None, None))) for name in graph.inputs]
    if not ranks or min(ranks) < 2:
        raise ValueError(f"{graph.label}: each input must have rows and features, (rows, ..., features)")
    if importer.lead == 1 and len(ranks) > 1 and max(ranks) > 2:
        raise ValueError(f"{graph.label}: several inputs, of which some have more than two axes, are not supported")
    kinds = set(graph.inputs.values())
    unknown = kinds - {*FLOATS, *CODES, TensorProto.BOOL}
    if unknown:
        raise ValueError(f"{graph.label}: inputs of element types {sorted(unknown)} are not supported")
    if TensorProto.DOUBLE in kinds:
        return "float64"
    weights = {values.dtype.name for values in graph.constants.values() if values.dtype.kind == "f" and values.size > 1}
    return "float64" if weights == {"float64"} else "float32"


def _network(graph: Graph, importer: Importer, names: list[str], dtype: str) -> nn.Sequential:
    ends = [graph.resolve(name) for name in names]
    layers = Assembler(importer, dtype, ends).layers(_head_names(names))
    if importer.lead == 1 and any(len(importer.shape(name)) > 2 for name in graph.inputs):
        layers.insert(0, nn.Flatten())
    return nn.Sequential(*layers, dtype=dtype, seed=0)


def _head_names(names: list[str]) -> list[str]:
    """Names of outputs as those of heads: words, each once."""
    words: list[str] = []
    for name in names:
        word = re.sub(r"\W|^(?=\d)", "_", name) or "output"
        while word in words:
            word += "_"
        words.append(word)
    return words


def _feature_names(model: ModelProto, net: nn.Sequential) -> tuple[str, ...] | None:
    """The names of the columns that `export` wrote."""
    text = next((entry.value for entry in model.metadata_props if entry.key == "fastnn.feature_names"), None)
    try:
        names: Any = None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(names, list) and all(isinstance(name, str) for name in names) and len(names) == net.in_features
    return tuple(names) if fits else None

"""The columns of a tabular estimator as ONNX nodes: inputs, and the matrix that its networks take."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from ..._validation import Array
from ...onnx.exporting import ML
from ...onnx.writer import Value
from ..tabular.columns import CLIP, Categories, Codes, Constant, Encoded, Number, OneHot, Time
from ..tabular.encoding import Encoder
from ..tabular.reading import number_key
from .steps import Rows, Steps, place_of

DOUBLE, TEXT = np.dtype("float64"), np.dtype(object)
Block = tuple[Rows, list[int]]  # columns of the matrix, and their places in it


def refuse_columns(encoder: Encoder) -> None:
    """Raise TypeError that names the columns of times, if there are any, or if no column is left."""
    times = [column.name for column in encoder.columns if isinstance(column, Time)]
    if times:
        raise TypeError(
            f"columns {times} hold times, which are no values of ONNX: fit the model on numbers made of them, such as "
            "days since a date, or leave them out"
        )
    if all(isinstance(column, Constant) for column in encoder.columns):
        raise TypeError(f"all columns are left out, since they have one value each: {encoder.dropped()}")


def is_text(column: Encoded) -> bool:
    """Whether a column takes strings: it has categories, not all of which are numbers."""
    return isinstance(column, Categories) and not all(v is None or _number(v) is not None for v in column.values)


def _number(text: str) -> float | None:
    """The number that became this category; None if it was text."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) and number_key(value) == text else None


def own_inputs(s: Steps, encoder: Encoder, dtype: Any) -> list[Rows]:
    """An input for each column that is not left out, (batch, 1), of numbers or strings.

    Their names are those of the columns; "column_3" where the columns of an array have none.
    """
    sources = []
    for column in encoder.columns:
        if not isinstance(column, Constant):
            name = column.name if isinstance(column.name, str) else f"column_{column.name}"
            sources.append(Rows(s.w.unused(name), 1, TEXT if is_text(column) else np.dtype(dtype)))
    return sources


def columns_of(s: Steps, encoder: Encoder, x: Rows) -> list[Rows]:
    """The columns of a matrix of numbers that are not left out."""
    texts = [column.name for column in encoder.columns if is_text(column)]
    if texts:
        raise TypeError(f"columns {texts} hold text, which other steps do not pass on in ONNX: export the last step")
    kept = [i for i, column in enumerate(encoder.columns) if not isinstance(column, Constant)]
    return [s.columns(x, [i]) for i in kept]


def matrix(s: Steps, encoder: Encoder, sources: list[Rows]) -> Value:
    """The matrix of the columns that are not left out, as of `encoder.transform`, of the writer's dtype."""
    used = [(c, places) for c, (places, _) in zip(encoder.columns, encoder.groups(), strict=True) if places]
    numbers = [(c, places, x) for (c, places), x in zip(used, sources, strict=True) if isinstance(c, Number)]
    blocks = _numbers(s, numbers) if numbers else []
    for (column, places), x in zip(used, sources, strict=True):
        if isinstance(column, Categories):
            blocks.append((_category(s, column, x), places))
    if not encoder.n_numbers:  # the matrix has a column of zeros then
        blocks.append((s.arithmetic("Mul", s.columns(blocks[0][0], [0]), np.zeros(1)), [0]))
    order = np.argsort([place for _, places in blocks for place in places])
    whole = s.joined([block for block, _ in blocks])
    if (order != np.arange(len(order))).any():
        whole = s.columns(whole, order)
    rows = s.cast(whole, s.w.dtype)
    return Value(rows.name, rows.features)


def _numbers(s: Steps, columns: list[tuple[Number, list[int], Rows]]) -> list[Block]:
    """All columns of numbers side by side, as `Number.numbers` has them: scaled, indicators, features."""
    w, several = s.w, [column for column, _, _ in columns]
    x = s.cast(s.joined([source for _, _, source in columns]), DOUBLE)
    absent = w.node("IsNaN", x.name)
    z = s.arithmetic("Sub", x, np.array([column.center for column in several]))
    z = s.arithmetic("Mul", z, np.array([column.factor for column in several]))
    thirds = s.arithmetic("Div", z, np.array(CLIP))
    squares = s.arithmetic("Add", thirds._replace(name=w.node("Mul", thirds.name, thirds.name)), np.array(1.0))
    clipped = w.node("Div", z.name, w.node("Sqrt", squares.name))
    scaled = x._replace(name=w.node("Where", absent, s.constant(0.0, x), clipped))
    missing = x._replace(name=w.node("Cast", absent, to=TensorProto.DOUBLE))
    blocks: list[Block] = [(scaled, [places[0] for _, places, _ in columns])]
    with_indicator = [i for i, column in enumerate(several) if column.indicator]
    if with_indicator:
        blocks.append((s.columns(missing, with_indicator), [columns[i][1][1] for i in with_indicator]))
    repeated = [i for i, (_, places, _) in enumerate(columns) for _ in _further(several[i], places)]
    if repeated:
        embedded = [column for column, places, _ in columns if _further(column, places)]
        features = (_periodic if len(embedded[0].frequencies) else _piecewise)(s, embedded, s.columns(scaled, repeated))
        present = w.node("Sub", s.constant(1.0, x), s.columns(missing, repeated).name)
        ends = [place for column, places, _ in columns for place in _further(column, places)]
        blocks.append((features._replace(name=w.node("Mul", features.name, present)), ends))
    return blocks


def _further(column: Number, places: list[int]) -> list[int]:
    """The places of the features of its embedding."""
    return places[1 + column.indicator :]


def _piecewise(s: Steps, columns: list[Number], x: Rows) -> Rows:
    low = np.concatenate([column.edges[:-1] for column in columns])
    high = np.concatenate([column.edges[1:] for column in columns])
    return s.clipped(s.arithmetic("Div", s.arithmetic("Sub", x, low), high - low), 0.0, 1.0)


def _periodic(s: Steps, columns: list[Number], x: Rows) -> Rows:
    angle = s.arithmetic("Mul", x, np.concatenate([column.frequencies for column in columns]))
    angle = s.arithmetic("Add", angle, np.concatenate([column.phases for column in columns]))
    return x._replace(name=s.w.node("Cos", angle.name))


def _category(s: Steps, column: Any, x: Rows) -> Rows:
    """The codes of an embedding, or columns of 0 and 1, or of -1 and 1, as of `Categories`."""
    places = _text_places(s, column, x) if x.dtype == TEXT else _number_places(s, column, x)
    if isinstance(column, Codes):
        return Rows(s.w.node("Cast", places, to=TensorProto.DOUBLE), 1, DOUBLE)
    rows = s.w.node("Gather", s.w.constant(_table(column), DOUBLE), places, axis=0)
    return Rows(s.w.reshape(rows, -1, column.width), column.width, DOUBLE)


def _table(column: OneHot) -> Array:
    """What each code of a column becomes, code 0 first."""
    if column.width == 1:
        return np.array([[0.0], [-1.0], [1.0]])
    return np.eye(column.width + 1, column.width, k=-1)


def _text_places(s: Steps, column: Categories, x: Rows) -> str:
    """The codes of strings; "" is a missing one, unless it is a category."""
    keys = ["" if value is None else value for value in column.values]
    if None in column.values and "" in column.values:
        keys = keys[:-1]
    codes = list(range(1, len(keys) + 1))
    return s.w.node("LabelEncoder", x.name, domain=ML, keys_strings=keys, values_int64s=codes, default_int64=0)


def _number_places(s: Steps, column: Categories, x: Rows) -> str:
    """The codes of numbers; NaN is a missing one."""
    values = np.array([np.nan if value is None else float(value) for value in column.values])
    codes = s.w.constant([*range(1, len(values) + 1), 0], "int64")
    return s.w.node("Gather", codes, place_of(s, x, values), axis=0)

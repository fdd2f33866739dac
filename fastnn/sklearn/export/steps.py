"""The steps before an estimator in a pipeline as ONNX nodes: a converter for each class of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from onnx import helper
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from ..._validation import Array
from ...nn.structure import join
from ...onnx.writer import Value, Writer


class Rows(NamedTuple):
    """A matrix of the graph: its name, its number of columns, and its dtype, that of scikit-learn's array."""

    name: str
    features: int
    dtype: np.dtype[Any]


class RefusedError(Exception):
    """A step has no form in ONNX, for this reason."""


Convert = Callable[["Steps", Any, Rows], Rows]

STEPS: dict[type, Convert] = {}


def step(*classes: type) -> Callable[[Convert], Convert]:
    """Register the converter of classes; subclasses may transform otherwise, and are not included."""

    def register(convert: Convert) -> Convert:
        STEPS.update(dict.fromkeys(classes, convert))
        return convert

    return register


class Steps:
    """Fitted transformers while they are written; those that cannot be are collected in `refused`.

    Parameters
    ----------
    w : Writer
    """

    def __init__(self, w: Writer) -> None:
        self.w = w
        self.refused: list[str] = []

    def write(self, transformer: Any, name: str, x: Rows) -> Rows:
        """The nodes of a step, whose names begin with `name`; x itself where there is none."""
        if transformer is None or isinstance(transformer, str):  # "passthrough"
            return x
        convert = STEPS.get(type(transformer), _selected if isinstance(transformer, SelectorMixin) else None)
        try:
            if convert is None:
                raise RefusedError
            check_is_fitted(transformer)
            with self.w.within(name):
                return convert(self, transformer, x)
        except RefusedError as error:
            self.refused.append(f"{name}: {type(transformer).__name__}" + (f" ({error})" if error.args else ""))
            return x

    # -- nodes ---------------------------------------------------------------------------------------------------------

    def cast(self, x: Rows, dtype: Any) -> Rows:
        """x as another dtype."""
        dtype = np.dtype(dtype)
        if x.dtype == dtype:
            return x
        return Rows(self.w.node("Cast", x.name, to=helper.np_dtype_to_tensor_dtype(dtype)), x.features, dtype)

    def constant(self, value: Any, x: Rows) -> str:
        """A constant of the dtype of x."""
        return self.w.constant(value, x.dtype)

    def arithmetic(self, operator: str, x: Rows, array: Any) -> Rows:
        """x - array and the like in place, as NumPy does it: in the wider dtype of both, rounded to that of x."""
        wide = self.cast(x, np.result_type(x.dtype, array.dtype))
        result = self.w.node(operator, wide.name, self.constant(array, wide))
        return self.cast(Rows(result, x.features, wide.dtype), x.dtype)

    def clipped(self, x: Rows, low: float, high: float) -> Rows:
        """x within two numbers."""
        above = self.w.node("Max", x.name, self.constant(low, x))
        return Rows(self.w.node("Min", above, self.constant(high, x)), x.features, x.dtype)

    def columns(self, x: Rows, places: Any) -> Rows:
        """Selected columns."""
        part = self.w.columns(Value(x.name, x.features), places)
        return Rows(part.name, part.features, x.dtype)

    def joined(self, parts: list[Rows]) -> Rows:
        """Matrices beside each other, of the widest dtype."""
        if len(parts) == 1:
            return parts[0]
        dtype = np.result_type(*(part.dtype for part in parts))
        names = [self.cast(part, dtype).name for part in parts]
        return Rows(self.w.node("Concat", *names, axis=1), sum(part.features for part in parts), dtype)

    def equals(self, x: Rows, values: Any) -> str:
        """Whether numbers of x are equal to values, NaN to NaN."""
        values = np.asarray(values, x.dtype)
        if np.isnan(values).all():
            return self.w.node("IsNaN", x.name)
        equal = self.w.node("Equal", x.name, self.constant(np.nan_to_num(values), x))
        if not np.isnan(values).any():
            return equal
        both = self.w.node("And", self.w.node("IsNaN", x.name), self.w.constant(np.isnan(values), "bool"))
        return self.w.node("Or", both, self.w.node("And", equal, self.w.constant(~np.isnan(values), "bool")))


# -- steps of steps ----------------------------------------------------------------------------------------------------


@step(Pipeline)
def _pipeline(s: Steps, pipeline: Pipeline, x: Rows) -> Rows:
    return write_steps(s, pipeline.steps, s.w.scope, x)


def write_steps(s: Steps, steps: list[tuple[str, Any]], scope: str, x: Rows) -> Rows:
    """Steps one after the other."""
    for name, transformer in steps:
        x = s.write(transformer, join(scope, name), x)
    return x


@step(FeatureUnion)
def _union(s: Steps, union: FeatureUnion, x: Rows) -> Rows:
    weights, scope = union.transformer_weights or {}, s.w.scope
    parts = []
    for name, transformer in union.transformer_list:
        if transformer == "drop":
            continue
        part = s.write(transformer, join(scope, name), x)
        parts.append(part if name not in weights else s.arithmetic("Mul", part, np.array(weights[name], part.dtype)))
    return s.joined(parts)


@step(ColumnTransformer)
def _by_columns(s: Steps, transformer: ColumnTransformer, x: Rows) -> Rows:
    scope, parts = s.w.scope, []
    for name, inner, _ in transformer.transformers_:
        places = transformer._transformer_to_input_indices[name]
        if len(places) and not (isinstance(inner, str) and inner == "drop"):
            parts.append(s.write(inner, join(scope, name), s.columns(x, places)))
    if not parts:
        raise RefusedError("it selects no columns")
    return s.joined(parts)


@step(FunctionTransformer)
def _function(s: Steps, transformer: FunctionTransformer, x: Rows) -> Rows:
    if transformer.func is not None:
        raise RefusedError("of a function of Python")
    return x


def _selected(s: Steps, selector: Any, x: Rows) -> Rows:
    return s.columns(x, selector.get_support(indices=True))


# -- scaling -----------------------------------------------------------------------------------------------------------


@step(StandardScaler)
def _standard(s: Steps, scaler: StandardScaler, x: Rows) -> Rows:
    if scaler.with_mean:
        x = s.arithmetic("Sub", x, scaler.mean_.astype(x.dtype))
    return s.arithmetic("Div", x, scaler.scale_.astype(x.dtype)) if scaler.with_std else x


@step(MinMaxScaler)
def _min_max(s: Steps, scaler: MinMaxScaler, x: Rows) -> Rows:
    x = s.arithmetic("Add", s.arithmetic("Mul", x, scaler.scale_), scaler.min_)
    return s.clipped(x, *scaler.feature_range) if scaler.clip else x


@step(MaxAbsScaler)
def _max_abs(s: Steps, scaler: MaxAbsScaler, x: Rows) -> Rows:
    x = s.arithmetic("Div", x, scaler.scale_)
    return s.clipped(x, -1.0, 1.0) if scaler.clip else x


@step(RobustScaler)
def _robust(s: Steps, scaler: RobustScaler, x: Rows) -> Rows:
    if scaler.with_centering:
        x = s.arithmetic("Sub", x, scaler.center_)
    return s.arithmetic("Div", x, scaler.scale_) if scaler.with_scaling else x


@step(Normalizer)
def _normalizer(s: Steps, normalizer: Normalizer, x: Rows) -> Rows:
    w, axis = s.w, 1
    if normalizer.norm == "l2":
        norm = w.node("Sqrt", w.node("ReduceSum", w.node("Mul", x.name, x.name), w.constant([axis], "int64")))
    elif normalizer.norm == "l1":
        norm = w.node("ReduceSum", w.node("Abs", x.name), w.constant([axis], "int64"))
    else:
        norm = w.reduce("ReduceMax", w.node("Abs", x.name), axis)
    small = w.node("Less", norm, s.constant(10 * np.finfo(x.dtype).eps, x))  # rows of zeros stay as they are
    return Rows(w.node("Div", x.name, w.node("Where", small, s.constant(1.0, x), norm)), x.features, x.dtype)


@step(PCA)
def _pca(s: Steps, pca: PCA, x: Rows) -> Rows:
    y = _projected(s, pca.components_, s.arithmetic("Sub", x, pca.mean_))
    if not pca.whiten:
        return y
    scale = np.sqrt(pca.explained_variance_)
    return s.arithmetic("Div", y, np.maximum(scale, np.finfo(scale.dtype).eps))


@step(TruncatedSVD)
def _svd(s: Steps, svd: TruncatedSVD, x: Rows) -> Rows:
    return _projected(s, svd.components_, x)


def _projected(s: Steps, components: Array, x: Rows) -> Rows:
    wide = s.cast(x, np.result_type(x.dtype, components.dtype))
    weight = s.constant(np.ascontiguousarray(components.T), wide)
    return Rows(s.w.node("MatMul", wide.name, weight), len(components), wide.dtype)


# -- missing values and categories -------------------------------------------------------------------------------------


@step(SimpleImputer)
def _imputer(s: Steps, imputer: SimpleImputer, x: Rows) -> Rows:
    if not all(isinstance(value, (int, float)) for value in [*imputer.statistics_.tolist(), imputer.missing_values]):
        raise RefusedError("of values that are not numbers")
    statistics = imputer.statistics_.astype(x.dtype)
    absent = s.equals(x, imputer.missing_values)
    y = Rows(s.w.node("Where", absent, s.constant(np.nan_to_num(statistics), x), x.name), x.features, x.dtype)
    if not imputer.keep_empty_features and np.isnan(statistics).any():
        y = s.columns(y, np.flatnonzero(~np.isnan(statistics)))
    if not imputer.add_indicator or not len(imputer.indicator_.features_):
        return y
    indicator = s.cast(Rows(absent, x.features, np.dtype(bool)), x.dtype)
    return s.joined([y, s.columns(indicator, imputer.indicator_.features_)])


def _categories(encoder: Any) -> list[Array]:
    """The categories of each column; RefusedError unless they are numbers that are not grouped."""
    if any(values.dtype.kind not in "fiub" for values in encoder.categories_):
        raise RefusedError("of categories that are not numbers")
    if encoder._infrequent_enabled:
        raise RefusedError("that groups rare categories")
    return list(encoder.categories_)


def _dtype_of(encoder: Any) -> np.dtype[Any]:
    """The dtype of what an encoder returns; integers and halves are float64 here, with the same values."""
    dtype = np.dtype(encoder.dtype)
    return dtype if dtype.kind == "f" and dtype.itemsize > 2 else np.dtype("float64")


@step(OneHotEncoder)
def _one_hot(s: Steps, encoder: OneHotEncoder, x: Rows) -> Rows:
    dropped, dtype, parts = encoder.drop_idx_, _dtype_of(encoder), []
    for column, values in enumerate(_categories(encoder)):
        drop = None if dropped is None else dropped[column]
        kept = values if drop is None else np.delete(values, int(drop))
        if len(kept):
            equal = Rows(s.equals(s.columns(x, [column]), kept), len(kept), np.dtype(bool))
            parts.append(s.cast(equal, dtype))
    if not parts:
        raise RefusedError("it has no categories left")
    return s.joined(parts)


@step(OrdinalEncoder)
def _ordinal(s: Steps, encoder: OrdinalEncoder, x: Rows) -> Rows:
    dtype, parts = _dtype_of(encoder), []
    unknown = np.nan if encoder.unknown_value is None else encoder.unknown_value
    for column, values in enumerate(_categories(encoder)):
        codes = np.arange(len(values) + 1, dtype=dtype)
        codes[-1] = unknown
        if column in encoder._missing_indices:
            codes[encoder._missing_indices[column]] = encoder.encoded_missing_value
        place = place_of(s, s.columns(x, [column]), values)
        parts.append(Rows(s.w.node("Gather", s.w.constant(codes, dtype), place, axis=0), 1, dtype))
    return s.joined(parts)


def place_of(s: Steps, x: Rows, values: Array) -> str:
    """The place of each number of one column among values, (rows, 1); their number where it is none of them."""
    number = len(values)
    places = s.w.constant(np.arange(number), "int64"), s.w.constant(number, "int64")
    return s.w.reduce("ReduceMin", s.w.node("Where", s.equals(x, values), *places), 1)

"""Descriptions of layers while a model is loaded: neighbors are merged, then the layers are made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .. import nn
from .._validation import Array
from .activation_nodes import SELU_ALPHA, SELU_SCALE


@dataclass(frozen=True)
class Dense:
    """The product with a matrix of shape (in, out), and the sum with a bias."""

    weight: Array
    bias: Array | None = None


@dataclass(frozen=True)
class Affine:
    """The product with a number for each feature, or with one for all, and the sum with another."""

    scale: Any = 1.0
    shift: Any = 0.0


@dataclass(frozen=True)
class Normalize:
    """A normalization of rows ("layer", "rms") or of features ("batch"), by running statistics if there are any."""

    kind: str
    features: int
    eps: float
    weight: Array | None = None
    bias: Array | None = None
    mean: Array | None = None
    var: Array | None = None
    momentum: float = 0.1


@dataclass(frozen=True)
class Rows:
    """Softmax or its logarithm, over all features."""

    log: bool = False
    temperature: float = 1.0


@dataclass(frozen=True)
class Table:
    """An embedding: a table of shape (codes, features)."""

    weight: Array


@dataclass(frozen=True)
class Slopes:
    """PReLU, with one slope or one for each feature."""

    weight: Array


@dataclass(frozen=True)
class Layer:
    """A layer without parameters: its class and arguments."""

    cls: type
    arguments: dict[str, Any] = field(default_factory=dict)


Spec = Any


def close(value: Any, expected: float) -> bool:
    """Whether a constant of a graph, which may be float32 or rounded by hand, is the one of a formula."""
    return bool(np.ndim(value) == 0 and abs(float(value) - expected) <= 1e-4 * abs(expected))


def _plain(value: Any, number: float) -> bool:
    return bool(np.all(np.asarray(value) == number))


def merge(first: Spec, second: Spec) -> Spec | None:
    """One description for two that follow each other; None if there is none."""
    if isinstance(second, Affine):
        no_scale, no_shift = _plain(second.scale, 1.0), _plain(second.shift, 0.0)
        if isinstance(first, Dense) and first.bias is None and no_scale:
            return replace(first, bias=np.broadcast_to(second.shift, first.weight.shape[1:]))
        if no_scale and no_shift:
            return first
        if isinstance(first, Affine):
            return Affine(first.scale * second.scale, first.shift * second.scale + second.shift)
        if isinstance(first, Normalize):
            return _merged_norm(first, second, no_scale, no_shift)
        if isinstance(first, Layer) and first.cls is nn.ELU and no_shift and close(second.scale, SELU_SCALE):
            return Layer(nn.SELU) if close(first.arguments.get("alpha", 1.0), SELU_ALPHA) else None
    if (
        isinstance(first, Affine)
        and isinstance(second, Rows)
        and _plain(first.shift, 0.0)
        and np.ndim(first.scale) == 0
    ):
        return replace(second, temperature=second.temperature / float(first.scale)) if first.scale > 0 else None
    if isinstance(first, Layer) and isinstance(second, Layer) and first.cls is nn.Columns is second.cls:
        places = first.arguments["columns"]
        return Layer(nn.Columns, {"columns": [places[i] for i in second.arguments["columns"]]})
    return None


def _merged_norm(first: Normalize, second: Affine, no_scale: bool, no_shift: bool) -> Spec | None:
    whole = (first.features,)
    if no_shift and first.weight is None and first.bias is None:
        return replace(first, weight=np.broadcast_to(second.scale, whole))
    if no_scale and first.bias is None and first.kind != "rms":
        weight = np.ones(whole) if first.weight is None else first.weight
        return replace(first, weight=weight, bias=np.broadcast_to(second.shift, whole))
    return None


def out_features(spec: Spec, features: int) -> int:
    """The number of features that a description makes of this many."""
    if isinstance(spec, Dense):
        return spec.weight.shape[1]
    if isinstance(spec, Table):
        return features * spec.weight.shape[1]
    if isinstance(spec, Layer):
        width: int = spec.cls(**spec.arguments).out_features_for(features)
        return width
    return features


def size(spec: Spec, features: int) -> int:
    """An upper bound for the number of values of the layer of a description; 0 for branches."""
    if isinstance(spec, (Dense, Table)):
        return spec.weight.size + spec.weight.shape[1]
    return 4 * features if not isinstance(spec, tuple) else 0


def build(spec: Spec, features: int, dtype: str) -> nn.Module:
    """The layer of a description, for an input with this many features."""
    if isinstance(spec, Layer):
        layer: nn.Module = spec.cls(**_shorter(spec.arguments))
        return layer
    if isinstance(spec, Rows):
        return (nn.LogSoftmax if spec.log else nn.Softmax)(temperature=spec.temperature)
    if isinstance(spec, Dense):
        linear = nn.Linear(spec.weight.shape[0], spec.weight.shape[1], bias=spec.bias is not None, seed=0, dtype=dtype)
        return _filled(linear, weight=spec.weight, bias=spec.bias)
    if isinstance(spec, Affine):
        return _affine(spec, features, dtype)
    if isinstance(spec, Table):
        return _filled(nn.Embedding(*spec.weight.shape, seed=0, dtype=dtype), weight=spec.weight)
    if isinstance(spec, Slopes):
        return _filled(nn.PReLU(spec.weight.size, dtype=dtype), weight=spec.weight)
    return _norm(spec, dtype)


def _shorter(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a layer, where columns that follow each other are a slice."""
    columns = arguments.get("columns", ())
    if len(columns) > 1 and columns == list(range(columns[0], columns[0] + len(columns))):
        return {"columns": slice(columns[0], columns[0] + len(columns))}
    return arguments


def _affine(spec: Affine, features: int, dtype: str) -> nn.Module:
    """A division by a number; otherwise a frozen batch normalization, of mean 0 and variance 1."""
    if np.ndim(spec.scale) == 0 and spec.scale > 0 and _plain(spec.shift, 0.0) and math.isfinite(1 / spec.scale):
        return nn.Temperature(1.0 / float(spec.scale), dtype=dtype)
    layer = nn.BatchNorm1d(features, eps=0.0, frozen=True, dtype=dtype)
    whole = (features,)
    return _filled(layer, weight=np.broadcast_to(spec.scale, whole), bias=np.broadcast_to(spec.shift, whole))


def _norm(spec: Normalize, dtype: str) -> nn.Module:
    affine = spec.weight is not None
    if spec.kind == "rms":
        return _filled(nn.RMSNorm(spec.features, spec.eps, affine, dtype=dtype), weight=spec.weight)
    if spec.kind == "layer":
        bias = spec.bias is not None
        layer = nn.LayerNorm(spec.features, spec.eps, affine, bias, dtype=dtype)
        return _filled(layer, weight=spec.weight, bias=spec.bias)
    track = spec.mean is not None
    batch = nn.BatchNorm1d(spec.features, spec.eps, spec.momentum, affine, track, dtype=dtype)
    if track:
        batch.buffer("running_mean")[...] = spec.mean
        batch.buffer("running_var")[...] = spec.var
    bias_values = np.zeros(spec.features) if affine and spec.bias is None else spec.bias
    return _filled(batch, weight=spec.weight, bias=bias_values)


def _filled(layer: nn.Module, **values: Array | None) -> nn.Module:
    """The layer, with these values of its parameters."""
    for name, array in values.items():
        if array is not None:
            layer[name][...] = np.asarray(array).reshape(layer[name].shape)
    return layer

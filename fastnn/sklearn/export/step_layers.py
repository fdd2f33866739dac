"""The steps before an estimator in a pipeline as layers, for C: those that scale, select or project numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectorMixin
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted

from ... import nn
from ..._validation import Array
from ...nn.module import Module


def layers_of(steps: list[tuple[str, Any]], dtype: str) -> list[Module]:
    """The layers of fitted steps.

    Parameters
    ----------
    steps : list of (name, transformer)
    dtype : {"float32", "float64"}

    Raises
    ------
    TypeError
        If steps have no layers; the message names all of them.
    """
    layers: list[Module] = []
    refused = []
    for name, step in steps:
        make = LAYERS.get(type(step), _selected if isinstance(step, SelectorMixin) else None)
        if make is not None:
            check_is_fitted(step)
            layers += make(step, dtype)
        elif step is not None and step != "passthrough":
            refused.append(f"{name}: {type(step).__name__}")
    if refused:
        raise TypeError(
            f"no layers for C of these steps: {'; '.join(refused)}. Apply them to the rows before; the file may "
            "have StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, PCA, TruncatedSVD and selected columns"
        )
    return layers


class Selected(nn.Columns):
    """Selected columns of rows with a known number of features."""

    def __init__(self, columns: list[int], features: int) -> None:
        super().__init__(columns)
        self.features = features

    def in_features_hint(self) -> int:
        return self.features


def scaled(dtype: str, center: Array, scale: Array) -> nn.BatchNorm1d:
    """(x - center) / scale, as a batch normalization that does not change."""
    layer = nn.BatchNorm1d(len(center), eps=0.0, affine=False, dtype=dtype)
    layer.buffer("running_mean")[...] = center
    layer.buffer("running_var")[...] = np.square(scale, dtype=dtype)
    return layer


def _scaled_by(step: Any, dtype: str, center: Array | None, scale: Array | None) -> list[Module]:
    """The scaling of a step, whose center or scale may be None."""
    n = int(step.n_features_in_)
    return [scaled(dtype, np.zeros(n) if center is None else center, np.ones(n) if scale is None else scale)]


def _standard(step: StandardScaler, dtype: str) -> list[Module]:
    return _scaled_by(step, dtype, step.mean_ if step.with_mean else None, step.scale_)


def _robust(step: RobustScaler, dtype: str) -> list[Module]:
    return _scaled_by(step, dtype, step.center_, step.scale_)


def _max_abs(step: MaxAbsScaler, dtype: str) -> list[Module]:
    return _scaled_by(step, dtype, None, step.scale_) + ([nn.Hardtanh(-1.0, 1.0)] if step.clip else [])


def _min_max(step: MinMaxScaler, dtype: str) -> list[Module]:
    low, high = (float(end) for end in step.feature_range)
    layer = nn.BatchNorm1d(len(step.scale_), eps=0.0, dtype=dtype)
    layer["weight"][...], layer["bias"][...] = step.scale_, step.min_
    return [layer, nn.Hardtanh(low, high)] if step.clip else [layer]


def _projected(components: Array, dtype: str) -> nn.Linear:
    layer = nn.Linear(components.shape[1], len(components), bias=False, dtype=dtype)
    layer["weight"][...] = components.T
    return layer


def _pca(step: PCA, dtype: str) -> list[Module]:
    layers: list[Module] = [*_scaled_by(step, dtype, step.mean_, None), _projected(step.components_, dtype)]
    if step.whiten:
        spread = np.sqrt(step.explained_variance_)
        layers.append(scaled(dtype, np.zeros(len(spread)), np.maximum(spread, np.finfo(spread.dtype).eps)))
    return layers


def _svd(step: TruncatedSVD, dtype: str) -> list[Module]:
    return [_projected(step.components_, dtype)]


def _selected(step: Any, dtype: str) -> list[Module]:
    return [Selected(step.get_support(indices=True).tolist(), int(step.n_features_in_))]


LAYERS: dict[type, Callable[[Any, str], list[Module]]] = {
    StandardScaler: _standard, RobustScaler: _robust, MaxAbsScaler: _max_abs, MinMaxScaler: _min_max,
    PCA: _pca, TruncatedSVD: _svd,
}  # fmt: skip

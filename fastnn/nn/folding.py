"""Batch normalization folded into the linear layers beside it, for inference."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator

import numpy as np

from .._validation import Array
from .branches import Branches
from .linear import Linear
from .module import Module
from .normalization import BatchNorm1d
from .sequential import Sequential
from .structure import leaves, release


def fold(net: Sequential) -> Sequential:
    """Return a network that predicts what `net` does, up to rounding; see `Sequential.fold`."""
    source = copy.deepcopy(net)
    names = {id(member.layer): member.name for member in leaves(source._nodes)}
    release(source)
    folded = Sequential(*_folded(source.layers, net.dtype), seed=net.seed, dtype=net.dtype, input_scale=net.input_scale)
    folded._tick[...] = net._tick
    said = [
        f"{names[id(layer)]} {layer!r} " + _why(layer)
        for layer in (member.layer for member in leaves(folded._nodes))
        if isinstance(layer, BatchNorm1d)
    ]
    if said:
        warnings.warn(f"fold: not everything can be folded: {'; '.join(said)}", UserWarning, stacklevel=3)
    return folded.eval()


def _why(layer: BatchNorm1d) -> str:
    return "has no Linear beside it" if layer.track_running_stats else "keeps no running statistics"


def _folded(layers: Iterable[Module], dtype: str) -> list[Module]:
    """The chain of layers without the normalizations that have a linear layer beside them."""
    result: list[Module] = []
    for layer in _flat(layers, dtype):
        last = result[-1] if result else None
        if _foldable(layer) and type(last) is Linear:
            result[-1] = _after(last, *_affine(layer))
            continue
        while type(layer) is Linear and result and _foldable(result[-1]):
            layer = _before(layer, *_affine(result.pop()))
        result.append(layer)
    return result


def _flat(layers: Iterable[Module], dtype: str) -> Iterator[Module]:
    """Layers, where a network is replaced by its layers; branches are folded each by itself."""
    for layer in layers:
        if isinstance(layer, Sequential):
            yield from _flat(layer.layers, dtype)
            continue
        if isinstance(layer, Branches):
            inside = layer.named_children().items()
            layer.replace({key: in_one(_folded([branch], dtype), dtype) for key, branch in inside})
        yield layer


def in_one(layers: list[Module], dtype: str) -> Module:
    """A layer that computes what these do one after the other."""
    return layers[0] if len(layers) == 1 else Sequential(*layers, seed=0, dtype=dtype)


def _foldable(layer: Module) -> bool:
    return isinstance(layer, BatchNorm1d) and layer.track_running_stats


def _affine(layer: Module) -> tuple[Array, Array]:
    """Scale and shift in float64, where the layer computes x * scale + shift in inference."""
    assert isinstance(layer, BatchNorm1d)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    scale = _double(layer.weight, 1.0) / np.sqrt(_double(layer.running_var, 1.0) + layer.eps)
    return scale, _double(layer.bias, 0.0) - _double(layer.running_mean, 0.0) * scale


def _after(layer: Linear, scale: Array, shift: Array) -> Linear:
    """(x W + b) scale + shift"""
    return _linear(layer, _double(layer.weight, 0.0) * scale, _double(layer.bias, 0.0) * scale + shift)


def _before(layer: Linear, scale: Array, shift: Array) -> Linear:
    """(x scale + shift) W + b"""
    weight = _double(layer.weight, 0.0)
    return _linear(layer, scale[:, np.newaxis] * weight, _double(layer.bias, 0.0) + shift @ weight)


def _linear(like: Linear, weight: Array, bias: Array) -> Linear:
    layer = Linear(like.in_features, like.out_features, seed=0, dtype=like["weight"].dtype.name)
    layer.weight, layer.bias = weight, bias
    return layer


def _double(array: Array | None, default: float) -> Array:
    return np.asarray(default if array is None else array, "float64")

"""Frozen networks: copies for inference alone, folded, without dropout, perhaps with integers for weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import _validation as check
from .branches import Branches
from .columns import Identity
from .dropout import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from .folding import fold, in_one
from .frozen import Frozen
from .int8 import LinearInt8
from .linear import Linear
from .module import Module
from .sequential import Sequential
from .structure import release

DTYPES = ("float32", "float64", "int8")
NOISE = (Dropout, AlphaDropout, GaussianDropout, GaussianNoise)  # the identity in inference


def freeze(net: Sequential, dtype: Any, batch_size: Any) -> Frozen:
    """See `Sequential.freeze`."""
    if dtype is not None:
        check.check_choice("dtype", dtype, DTYPES)
    rows = None if batch_size is None else check.check_integer("batch_size", batch_size, at_least=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # normalizations that are not folded stay, and are right
        folded = fold(net)
    release(folded)
    layers = frozen_layers(folded.layers, dtype == "int8", folded.dtype)
    network = Sequential(*layers, seed=net.seed, dtype=folded.dtype, input_scale=folded.input_scale)
    if dtype in ("float32", "float64"):
        network = network.float() if dtype == "float32" else network.double()
    network.eval().requires_grad_(False)
    if rows is not None and network.in_features is not None:
        network.predict(np.zeros((rows, network.in_features), network.dtype))
    return Frozen(network, net)


def frozen_layers(layers: Iterable[Module], integers: bool, dtype: str) -> list[Module]:
    """The layers without noise; with `integers` each Linear is a LinearInt8."""
    result: list[Module] = []
    for layer in layers:
        if isinstance(layer, NOISE):
            continue
        if isinstance(layer, Branches):
            inside = {k: b.layers if isinstance(b, Sequential) else [b] for k, b in layer.named_children().items()}
            layer.replace({k: in_one(frozen_layers(layers, integers, dtype), dtype) for k, layers in inside.items()})
        result.append(LinearInt8.of(layer) if integers and type(layer) is Linear else layer)
    return result or [Identity()]

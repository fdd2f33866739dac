"""Single layers: those with one name in `fastnn.nn` and `torch.nn`, and the few whose arguments differ."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from .. import nn
from ..nn.unsupported import Unsupported

# Arguments with other names here.
RENAMED = {"normalized_shape": "features", "elementwise_affine": "affine"}
# Arguments that say how a module computes or begins, not what; values are copied afterwards.
WITHOUT_MEANING = frozenset(
    ("inplace", "device", "dtype", "init", "sparse", "_weight", "_freeze", "min_value", "max_value")
)
COMPOSED = ("Module", "Sequential", "ModuleList")

# By name, the layers that both libraries have.
SHARED = {
    name: (getattr(torch.nn, name), cls)
    for name in nn.__all__
    if isinstance(cls := getattr(nn, name), type) and issubclass(cls, nn.Module)
    if hasattr(torch.nn, name) and name not in COMPOSED
}  # fmt: skip
FROM_TORCH = {theirs: (name, ours) for name, (theirs, ours) in SHARED.items()}
# Convolutional variants that are plain dropout on matrices are not among them: on (rows, features) they drop rows.


def to_layer(module: torch.nn.Module) -> nn.Module:
    """The layer for a torch module, with initial values of its own.

    Raises
    ------
    Unsupported
        If there is no such layer, or an argument means something that layers do not do.
    """
    if type(module) not in FROM_TORCH:
        raise Unsupported(type(module).__name__)
    name, cls = FROM_TORCH[type(module)]
    wanted = inspect.signature(cls.__init__).parameters
    arguments = {}
    for argument, parameter in list(inspect.signature(type(module).__init__).parameters.items())[1:]:
        if argument in WITHOUT_MEANING or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = _argument(module, argument)
        ours = RENAMED.get(argument, argument)
        if ours in wanted and not (argument == "max_norm" or (argument == "bias" and name == "BatchNorm1d")):
            arguments[ours] = value
        elif value != parameter.default and not (argument == "dim" and value in (-1, 1)):
            raise Unsupported(f"{name}({argument}={value!r})")
    return cls(**arguments)


def _argument(module: torch.nn.Module, argument: str) -> Any:
    """The value of an argument that a module was made with, from its attributes."""
    value = getattr(module, argument)
    if argument == "bias":
        affine = getattr(module, "affine", getattr(module, "elementwise_affine", True))
        return value is not None or not affine
    if argument == "normalized_shape":
        if len(value) != 1:
            raise Unsupported(f"{type(module).__name__}(normalized_shape={tuple(value)})")
        return value[0]
    if argument == "dim" and value is None:  # which PyTorch takes for the features of a matrix
        return -1
    return value


def to_module(layer: nn.Module) -> torch.nn.Module:
    """The torch module for a layer of the same name, with initial values of its own.

    Raises
    ------
    Unsupported
        If PyTorch has no such module, or an argument means something that it does not do.
    """
    name = type(layer).__name__
    if name not in SHARED or type(layer) is not SHARED[name][1]:
        raise Unsupported(name)
    cls = SHARED[name][0]
    wanted = inspect.signature(cls.__init__).parameters
    defaults = inspect.signature(type(layer).__init__).parameters
    theirs = {ours: argument for argument, ours in RENAMED.items()}
    arguments = {}
    for argument, value in layer.config().items():
        key = theirs.get(argument, argument)
        key = key if key in wanted else argument
        if key in wanted and key not in ("device", "dtype", "max_norm"):
            arguments[key] = value
        elif argument == "temperature" and value != defaults[argument].default:
            raise Unsupported(f"{name}({argument}={value!r})")
    return cls(**arguments)

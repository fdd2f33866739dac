"""Single layers of Keras, as layers of fastnn and the names of their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import nn
from ..nn.unsupported import Unsupported


class Made(NamedTuple):
    """The layer for one of Keras', the names of its values there, and its activation."""

    layer: nn.Module
    values: dict[str, str]
    activation: nn.Module | None = None


# Activations by name without underscores: "hard_sigmoid" is Hardsigmoid.
ACTIVATIONS = {
    name.lower(): cls
    for name in nn.__all__
    if isinstance(cls := getattr(nn, name), type) and issubclass(cls, nn.Module) and hasattr(cls, "kernel")
}
ALIASES = {"swish": "silu", "hardsilu": "hardswish"}
LEAKY_SLOPE = 0.2  # of the activation "leaky_relu" of Keras


def activation_of(function: Any) -> nn.Module | None:
    """The layer for an activation function of Keras; None for "linear"."""
    name = getattr(function, "__name__", type(function).__name__)
    key = name.replace("_", "").lower()
    key = ALIASES.get(key, key)
    if key == "linear":
        return None
    if key == "exponential":
        return nn.GraphModule({}, [["exp", "%0"]])
    if key not in ACTIVATIONS or "dropout" in key or key == "threshold":
        raise Unsupported(f"the activation {name}")
    return nn.LeakyReLU(LEAKY_SLOPE) if key == "leakyrelu" else ACTIVATIONS[key]()


def made(layer: Any, features: int) -> Made:
    """The layer for one of Keras' that takes so many features; Unsupported if there is none."""
    name = type(layer).__name__
    maker = MAKERS.get(name)
    if maker is None:
        raise Unsupported(name)
    result = maker(layer, features)
    return result if isinstance(result, Made) else Made(result, {})


def _dense(layer: Any, features: int) -> Made:
    l1, l2 = _penalties(layer)
    linear = nn.Linear(features, layer.units, layer.use_bias, l1=l1, l2=l2, max_norm=_max_norm(layer))
    values = {"weight": "kernel"} | ({"bias": "bias"} if layer.use_bias else {})
    return Made(linear, values, activation_of(layer.activation))


def _penalties(layer: Any) -> tuple[float, float]:
    """The penalties of a Dense: Keras adds l2 w^2 to the loss, and fastnn has l2 / 2 w^2."""
    if layer.bias_regularizer is not None or layer.activity_regularizer is not None:
        raise Unsupported("Dense with a bias_regularizer or an activity_regularizer")
    rule = layer.kernel_regularizer
    if rule is None:
        return 0.0, 0.0
    if type(rule).__name__ not in ("L1", "L2", "L1L2"):
        raise Unsupported(f"Dense(kernel_regularizer={type(rule).__name__})")
    return float(getattr(rule, "l1", 0.0)), 2.0 * float(getattr(rule, "l2", 0.0))


def _max_norm(layer: Any) -> float | None:
    rule = layer.kernel_constraint
    if layer.bias_constraint is not None or (rule is not None and type(rule).__name__ != "MaxNorm"):
        raise Unsupported("Dense with a constraint but max_norm of its kernel")
    return None if rule is None else float(rule.max_value)


def _relu(layer: Any, features: int) -> nn.Module:
    top, slope = layer.max_value, float(layer.negative_slope or 0.0)
    if layer.threshold or (slope and top is not None):
        raise Unsupported("ReLU with a threshold, or with a slope and a maximum")
    if top is not None:
        return nn.Hardtanh(0.0, float(top))
    return nn.LeakyReLU(slope) if slope else nn.ReLU()


def _batch_norm(layer: Any, features: int) -> Made:
    if layer.center != layer.scale or layer.axis not in (-1, 1):
        raise Unsupported(f"BatchNormalization(center={layer.center}, scale={layer.scale}, axis={layer.axis})")
    values = {"running_mean": "moving_mean", "running_var": "moving_variance"}
    values |= {"weight": "gamma", "bias": "beta"} if layer.scale else {}
    norm = nn.BatchNorm1d(features, layer.epsilon, 1.0 - layer.momentum, layer.scale, frozen=not layer.trainable)
    return Made(norm, values)


def _layer_norm(layer: Any, features: int) -> Made:
    axis = layer.axis if isinstance(layer.axis, int) else tuple(layer.axis)
    if axis not in (-1, 1, (-1,), (1,)) or (layer.center and not layer.scale):
        raise Unsupported(f"LayerNormalization(center={layer.center}, scale={layer.scale}, axis={axis})")
    values = ({"weight": "gamma"} if layer.scale else {}) | ({"bias": "beta"} if layer.center else {})
    return Made(nn.LayerNorm(features, layer.epsilon, layer.scale, layer.center), values)


def _softmax(layer: Any, features: int) -> nn.Module:
    if layer.axis not in (-1, 1):
        raise Unsupported(f"Softmax(axis={layer.axis})")
    return nn.Softmax()


def _embedding(layer: Any, features: int) -> Made:
    return Made(nn.Embedding(layer.input_dim, layer.output_dim), {"weight": "embeddings"})


def _rescaling(layer: Any, features: int) -> nn.Module:
    return nn.GraphModule({}, [["affine", "%0", float(layer.scale), float(layer.offset)]])


MAKERS: dict[str, Callable[[Any, int], Any]] = {
    "Dense": _dense,
    "Activation": lambda layer, features: activation_of(layer.activation) or nn.Identity(),
    "ReLU": _relu,
    "LeakyReLU": lambda layer, features: nn.LeakyReLU(float(layer.negative_slope)),
    "ELU": lambda layer, features: nn.ELU(float(layer.alpha)),
    "PReLU": lambda layer, features: Made(nn.PReLU(features), {"weight": "alpha"}),
    "Softmax": _softmax,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": lambda layer, features: Made(nn.RMSNorm(features, layer.epsilon), {"weight": "scale"}),
    "Embedding": _embedding,
    "Dropout": lambda layer, features: nn.Dropout(layer.rate),
    "AlphaDropout": lambda layer, features: nn.AlphaDropout(layer.rate),
    "GaussianDropout": lambda layer, features: nn.GaussianDropout(layer.rate),
    "GaussianNoise": lambda layer, features: nn.GaussianNoise(layer.stddev),
    "Rescaling": _rescaling,
    "Flatten": lambda layer, features: nn.Flatten(),
    "Identity": lambda layer, features: nn.Identity(),
}

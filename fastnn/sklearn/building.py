"""The network of an estimator, made of its parameters and of its `coefs_` and `intercepts_`."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from .. import nn, optim
from .._validation import Array
from ..nn.module import Module
from ..optim import Optimizer, WeightAverage
from ..optim.lr_scheduler import CosineAnnealingLR, LinearLR, OneCycleLR, Scheduler
from .constraints import ACTIVATIONS, STOCHASTIC

NORM_LAYERS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, "rms": nn.RMSNorm}


def hidden_sizes(given: Any) -> list[int]:
    """`hidden_layer_sizes` as a list; ValueError unless all are above 0."""
    sizes = list(given) if hasattr(given, "__iter__") else [given]
    if np.any(np.array(sizes) <= 0):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return sizes


def activation_layer(given: Any) -> Module:
    """A new layer for an activation given by name, as a layer, or as a class or function that returns one."""
    if isinstance(given, str):
        if given not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, got {given!r}")
        return ACTIVATIONS[given]()
    layer = copy.deepcopy(given) if isinstance(given, Module) else given()
    if not isinstance(layer, Module):
        raise TypeError(f"activation must give a layer of fastnn.nn, got {type(layer).__name__}")
    return layer


def by_layer(name: str, given: Any, layers: int) -> list[Any]:
    """A value for each hidden layer: one for all, or a list of one each."""
    if isinstance(given, str) or not isinstance(given, Iterable) or isinstance(given, Module):
        return [given] * layers
    values = list(given)
    if len(values) != layers:
        raise ValueError(f"{name} must have one value for each of {layers} hidden layers, got {len(values)}")
    return values


def build(estimator: Any, units: list[int], dtype: Any, seed: int) -> nn.Sequential:
    """The network for layers of so many units, input and output included; all weights and biases are 0."""
    n = len(units) - 2
    activations = by_layer("activation", estimator.activation, n)
    dropout = by_layer("dropout", estimator.dropout, n)
    layers: list[Module] = [nn.Dropout(estimator.input_dropout)] if estimator.input_dropout else []
    for i, (n_in, n_out) in enumerate(pairwise(units)):
        linear = nn.Linear(n_in, n_out, weight_init=0.0, bias_init=0.0, max_norm=estimator.max_norm if i < n else None)
        if i == n:
            layers.append(linear)
            break
        block: list[Module] = [linear]
        if estimator.norm is not None:
            block.append(NORM_LAYERS[estimator.norm](n_out))
        if activations[i] != "identity":
            block.append(activation_layer(activations[i]))
        if dropout[i]:
            block.append(nn.Dropout(float(dropout[i])))
        layers += [nn.Residual(*block)] if estimator.residual and n_in == n_out else block
    if getattr(estimator, "output_activation", None) is not None:
        layers.append(activation_layer(estimator.output_activation))
    return nn.Sequential(*layers, seed=seed, dtype=np.dtype(dtype).name)


def linear_layers(net: nn.Sequential) -> list[nn.Linear]:
    """The layers that `coefs_` and `intercepts_` are of, in their order."""
    return [layer for layer in net.modules() if isinstance(layer, nn.Linear)]


def coefficient_views(net: nn.Sequential) -> tuple[list[Array], list[Array]]:
    """The weights, of shape (inputs, outputs), and the biases of a network, as views of its parameters."""
    layers = linear_layers(net)
    return [layer["weight"] for layer in layers], [layer["bias"] for layer in layers]


def make_optimizer(estimator: Any, net: nn.Sequential) -> Optimizer:
    """The optimizer of the solver, or the one that `optimizer` gives.

    Raises
    ------
    TypeError, ValueError
        If `optimizer` is no optimizer of the package, or one that searches along lines.
    """
    params, lr = net.parameters(), float(estimator.learning_rate_init)
    clips = {"max_grad_norm": estimator.clip_norm, "max_grad_value": estimator.clip_value}
    given = estimator.optimizer
    if given is None:
        # The L2 term is on weights alone, and its factor differs from batch to batch: it is the weight decay.
        plain = [p.name for p in params if not p.settings["decay"][0]]
        more: dict[str, Any] = {"groups": [{"params": plain, "weight_decay": 0.0}], "compat": "sklearn"} | clips
        if estimator.solver == "adam":
            betas = float(estimator.beta_1), float(estimator.beta_2)
            return optim.Adam(params, lr, betas, float(estimator.epsilon), **more)
        momentum = float(estimator.momentum)
        return optim.SGD(params, lr, momentum, nesterov=bool(estimator.nesterovs_momentum and momentum), **more)
    if estimator.solver not in STOCHASTIC:
        raise ValueError(f"optimizer is for solver='adam' or 'sgd', got solver={estimator.solver!r}")
    if isinstance(given, str):
        names = {name.lower(): name for name in optim.__all__}
        if given.lower() not in names:
            raise ValueError(f"optimizer must be the name of one of fastnn.optim, got {given!r}")
        given = getattr(optim, names[given.lower()])
    if isinstance(given, type) and issubclass(given, Optimizer) and not given.searches:
        return given(params, lr=lr, **clips)
    optimizer = None if isinstance(given, type) else given(params)
    if not isinstance(optimizer, Optimizer) or optimizer.searches:
        example = "such as AdamW, not LBFGS"
        raise TypeError(f"optimizer must give an optimizer of fastnn.optim that takes batches, {example}")
    return optimizer


def make_scheduler(estimator: Any, optimizer: Optimizer, updates: int) -> Scheduler | None:
    """The scheduler of the rate: by name, over all `updates` of `max_iter` epochs, or what `scheduler` returns."""
    given, lr = estimator.scheduler, float(estimator.learning_rate_init)
    if given is None:
        return None
    if given == "cosine":
        return CosineAnnealingLR(optimizer, T_max=updates, by="batch")
    if given == "linear":
        return LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=updates, by="batch")
    if given == "one_cycle":
        return OneCycleLR(optimizer, max_lr=lr, total_steps=updates)
    scheduler = given(optimizer)
    if not isinstance(scheduler, Scheduler):
        raise TypeError(f"scheduler must give one of optim.lr_scheduler, got {type(scheduler).__name__}")
    return scheduler


def make_average(estimator: Any, net: nn.Sequential) -> WeightAverage | None:
    """The average of the weights over updates, if `averaging` asks for one; a number is the decay of "ema"."""
    given = estimator.averaging
    if given is None:
        return None
    if given == "swa":
        return optim.SWA(net.parameters())
    return optim.ExponentialMovingAverage(net.parameters(), decay=0.99 if given == "ema" else float(given))

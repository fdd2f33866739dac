"""How a network is doing: what its units, gradients and updates look like on some samples, with plain advice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..compiler.program import Buffer
from ..compiler.stages import Stage
from ..reference.operations import elementwise

if TYPE_CHECKING:
    from .._validation import Array
    from ..nn.parameters import Parameters
    from .data import Data
    from .trainer import Trainer

HALF_FLAT = "relu_backward", "relu6_backward"  # of the inputs of a healthy layer, half: that says nothing
FLAT = 0.01  # a slope below this is saturation: a sigmoid beyond 4.6, tanh beyond 3
MANY = 0.5  # the share of dead or saturated units that is worth a word
VANISHED = 1e-4  # of the largest gradient norm of a layer
GOOD_RATIO = 1e-5, 1e-1  # update / weight; about 1e-3 is usual


@dataclass(frozen=True)
class LayerHealth:
    """A layer on the samples given.

    Attributes
    ----------
    name : str
        Its name, and what it was fused with.
    mean, std : float
        Of its outputs.
    dead : float
        Share of units whose activation has slope 0 for every sample: nothing can teach them. NaN without activation.
    saturated : float
        Share of outputs at which the slope of the activation is below 0.01. NaN without activation, and with ReLU and
        ReLU6, whose slope is 0 for half of what they get: of those `dead` tells.
    grad_norm : float
        2-norm of the gradient of its parameters. NaN without parameters.
    update_ratio : float
        2-norm of the next update of its parameters, divided by that of the parameters. NaN without parameters.
    """

    name: str
    mean: float
    std: float
    dead: float
    saturated: float
    grad_norm: float
    update_ratio: float


@dataclass(frozen=True)
class Health:
    """What `Trainer.health` found; print it.

    Attributes
    ----------
    loss : float
    layers : tuple of LayerHealth
    advice : tuple of str
        A sentence for each thing that looks wrong; empty if nothing does.
    """

    loss: float
    layers: tuple[LayerHealth, ...]
    advice: tuple[str, ...]

    def __str__(self) -> str:
        width = max([5, *(len(layer.name) for layer in self.layers)])
        lines = [f"{'layer':<{width}}  {'mean':>9} {'std':>9} {'dead':>6} {'flat':>6} {'gradient':>9} {'update':>9}"]
        for h in self.layers:
            shares = "".join(f" {'' if math.isnan(v) else f'{v:.0%}':>6}" for v in (h.dead, h.saturated))
            norms = "".join(f" {'' if math.isnan(v) else f'{v:.2g}':>9}" for v in (h.grad_norm, h.update_ratio))
            lines.append(f"{h.name:<{width}}  {h.mean:>9.2g} {h.std:>9.2g}{shares}{norms}".rstrip())
        return "\n".join([*lines, *(self.advice or ("nothing looks wrong",))])


def examine(trainer: Trainer, data: Data) -> Health:
    """The health of a trainer's network on data: a step is taken, looked at, and taken back."""
    optimizer, rows = trainer.optimizer, len(data)
    params, sums = trainer.net.parameters(), trainer._programs.new_sums(data)
    arrays, state = trainer._programs.changed(), optimizer.state_dict()
    before = [array.copy() for array in arrays]
    try:
        program = trainer._programs.run("step", data, None, 0, rows, rows, sums)
        updates, gradients = params.data - before[0], params.grad.copy()
    finally:
        for array, old in zip(arrays, before, strict=True):
            array[...] = old
        optimizer.load_state_dict(state)
    layers = tuple(_layer(stage, data.x, params, updates, gradients) for stage in _leaves(program.stages))
    return Health(float(sums[0]), layers, tuple(_advice(float(sums[0]), layers)))


def _leaves(stages: list[Stage]) -> Iterator[Stage]:
    """All stages, those of branches before the one that joins them."""
    for stage in stages:
        for branch in getattr(stage, "chains", ()):
            yield from _leaves(branch)
        yield stage


def _layer(stage: Stage, x: Array, params: Parameters, updates: Array, gradients: Array) -> LayerHealth:
    rows = x.shape[0]
    y = stage.y.array[:rows].astype("float64")
    dead = saturated = grad_norm = ratio = math.nan
    if stage.gate is not None:
        saved = stage.gate.saved.array[:rows] if isinstance(stage.gate.saved, Buffer) else x
        slope = np.abs(elementwise(stage.gate.kernel)(np.ones_like(saved), saved, *stage.gate.params))
        dead = float((slope == 0).all(axis=0).mean())
        saturated = math.nan if stage.gate.kernel in HALF_FLAT else float((slope < FLAT).mean())
    places = [params.place(stage.layer.array(name)) for name in stage.layer.parameter_shapes()]
    if places:
        grad_norm, update, size = (
            math.sqrt(sum(float(np.square(flat[place], dtype="float64").sum()) for place in places))
            for flat in (gradients, updates, params.data)
        )
        ratio = update / size if size else math.inf
    return LayerHealth(stage.label, float(y.mean()), float(y.std()), dead, saturated, grad_norm, ratio)


def _advice(loss: float, layers: tuple[LayerHealth, ...]) -> Iterator[str]:
    if not math.isfinite(loss):
        yield f"the loss is {loss}: look for NaN in the data, lower the learning rate, or clip gradients"
    largest = max((h.grad_norm for h in layers if math.isfinite(h.grad_norm)), default=0.0)
    for h in layers:
        if not math.isfinite(h.mean):
            yield f"{h.name}: its outputs are not finite, the first such layer is where it begins"
            return
        if h.dead > MANY:
            yield (
                f"{h.name}: {h.dead:.0%} of its units are dead, no sample teaches them: "
                "try a lower learning rate, LeakyReLU, or kaiming initialization"
            )
        elif h.saturated > MANY and not h.dead > 0:
            yield (
                f"{h.name}: {h.saturated:.0%} of its outputs are saturated: "
                "scale the inputs, start with smaller weights, or normalize before it"
            )
        if h.grad_norm < VANISHED * largest:
            yield f"{h.name}: its gradient is {h.grad_norm / largest:.1g} of the largest one: it hardly learns"
        if h.update_ratio > GOOD_RATIO[1]:
            yield f"{h.name}: an update changes its weights by {h.update_ratio:.0%}: lower the learning rate"
        elif 0 < h.update_ratio < GOOD_RATIO[0]:
            yield f"{h.name}: an update changes its weights by {h.update_ratio:.1g}: the learning rate may be too low"

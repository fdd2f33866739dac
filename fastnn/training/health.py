"""The health of a network: its activations, gradients and updates on some samples, with advice in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import functional
from .._html import table
from ..compiler.backward import Slope, Stage
from ..compiler.memory import Matrix
from ..nn.inputs import converted

if TYPE_CHECKING:
    from .._validation import Array
    from ..nn.parameters import Parameters
    from .data import Data
    from .engine import Engine

HALF_FLAT = "relu_backward", "relu6_backward"  # kernels with slope 0 for half of the inputs of a healthy layer
FLAT = 0.01  # a slope below this is saturation: a sigmoid beyond 4.6, tanh beyond 3
MANY_DEAD = 0.5  # above this share of dead units, advice is given,
MANY_FLAT = 0.3  # and above this share of saturated outputs
UNEVEN = 1e-2  # an update ratio below this share of the largest one: the layer hardly learns beside that
VANISHED = 1e-4  # a gradient norm below this share of the largest one has vanished
GOOD_RATIO = 1e-5, 1e-1  # update / weight; about 1e-3 is usual
FINE = "nothing looks wrong"


@dataclass(frozen=True)
class LayerHealth:
    """The numbers of one layer, on the samples given.

    Attributes
    ----------
    name : str
        Its name, and those of the layers that it was fused with.
    mean, std : float
        Mean and standard deviation of its outputs, over samples and units.
    dead : float
        Share of units whose activation has slope 0 for every sample, so that no gradient reaches them. NaN without an
        activation.
    saturated : float
        Share of outputs at which the slope of the activation is below 0.01: a sigmoid beyond 4.6, a tanh beyond 3. NaN
        without an activation, and for ReLU and ReLU6, whose slope is 0 for half of the inputs of a healthy layer.
    grad_norm : float
        2-norm of the gradient of its parameters. NaN without parameters.
    update_ratio : float
        2-norm of the next update of its parameters, divided by the 2-norm of the parameters; about 1e-3 is usual. NaN
        without parameters, infinity if they are all 0.
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
    """The result of `Trainer.health`; print it to see a table with a line for each layer.

    Attributes
    ----------
    loss : float
        The loss on the samples.
    layers : tuple of LayerHealth
        In the order of the network; the layers of branches come before the layer that joins them.
    advice : tuple of str
        A sentence for each problem found; empty if there is none.

    Notes
    -----
    Advice is given for a loss or output that is not finite, for more than half of the units dead or 30 % of the outputs
    saturated, for a gradient norm below 1e-4 of the largest, and for an update ratio outside 1e-5 .. 1e-1, or below
    1e-2 of the largest. In the printed table "flat" is `saturated`, and shares are blank where they are NaN.

    Examples
    --------
    >>> import fastnn
    >>> import numpy as np
    >>> from fastnn import nn, optim
    >>> net = nn.Sequential(nn.Linear(1, 2, weight_init=-1.0, bias_init=0.0), nn.ReLU(), nn.Linear(2, 1))
    >>> trainer = fastnn.Trainer(net, nn.MSELoss(), optim.SGD(net.parameters(), lr=0.1))
    >>> x, y = np.array([[1], [3]], "float32"), np.array([[3], [5]], "float32")
    >>> health = trainer.health(x, y)
    >>> [layer.dead for layer in health.layers], health.layers[0].grad_norm
    ([1.0, nan], 0.0)
    >>> "of its units are dead" in health.advice[0]
    True
    """

    loss: float
    layers: tuple[LayerHealth, ...]
    advice: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Health(loss={self.loss:.4g}, {len(self.layers)} layers, {len(self.advice)} pieces of advice)"

    def _repr_html_(self) -> str:
        header = "layer", "mean", "std", "dead", "flat", "gradient", "update"
        cells = [
            (
                *(h.name, f"{h.mean:.2g}", f"{h.std:.2g}"),
                *_blank("{:.0%}", h.dead, h.saturated),
                *_blank("{:.2g}", h.grad_norm, h.update_ratio),
            )
            for h in self.layers
        ]
        return table(f"loss {self.loss:.4g}", header, cells, self.advice or (FINE,))

    def __str__(self) -> str:
        width = max([5, *(len(layer.name) for layer in self.layers)])
        lines = [f"{'layer':<{width}}  {'mean':>9} {'std':>9} {'dead':>6} {'flat':>6} {'gradient':>9} {'update':>9}"]
        for h in self.layers:
            shares = "".join(f" {text:>6}" for text in _blank("{:.0%}", h.dead, h.saturated))
            norms = "".join(f" {text:>9}" for text in _blank("{:.2g}", h.grad_norm, h.update_ratio))
            lines.append(f"{h.name:<{width}}  {h.mean:>9.2g} {h.std:>9.2g}{shares}{norms}".rstrip())
        return "\n".join([*lines, *(self.advice or (FINE,))])


def _blank(form: str, *values: float) -> tuple[str, ...]:
    """Numbers as text, NaN as nothing."""
    return tuple("" if math.isnan(value) else form.format(value) for value in values)


def examine(engine: Engine, data: Data) -> Health:
    """The health of an engine's network on data; `Trainer.health` calls this.

    One training step is done and then undone: parameters, statistics and the state of the optimizer are as before.

    Parameters
    ----------
    engine : Engine
    data : Data
        One row or more, all of them one batch.

    Returns
    -------
    Health

    Raises
    ------
    ValueError
        If a class index is out of range, or a target is one that the loss does not take.
    """
    optimizer, rows = engine.optimizer, len(data)
    params, sums = engine.net.parameters(), engine.scoring.new_sums(data)
    arrays, state = engine.changed_by_step(), optimizer.state_dict()
    before = [array.copy() for array in arrays]
    try:
        program = engine.run("step", data, None, 0, rows, rows, sums)
        updates, gradients = params.data - before[0], params.grad.copy()
    finally:
        for array, old in zip(arrays, before, strict=True):
            array[...] = old
        optimizer.load_state_dict(state)
    x = converted(engine.net, data.x)
    layers = tuple(_layer(stage, x, params, updates, gradients) for stage in _leaves(program.stages))
    return Health(float(sums[0]), layers, tuple(_advice(float(sums[0]), layers)))


def _leaves(stages: list[Stage]) -> Iterator[Stage]:
    """Generate all stages; those of branches come before the one that joins them."""
    for stage in stages:
        for branch in getattr(stage, "chains", ()):
            yield from _leaves(branch)
        yield stage


def _layer(stage: Stage, x: Array, params: Parameters, updates: Array, gradients: Array) -> LayerHealth:
    rows = x.shape[0]
    y = stage.y.array[:rows].astype("float64")
    dead = saturated = grad_norm = ratio = math.nan
    if stage.slope is not None:
        slope = _slope(stage.slope, stage.slope.saved.array[:rows] if isinstance(stage.slope.saved, Matrix) else x)
        dead = float((slope == 0).all(axis=0).mean())
        saturated = math.nan if stage.slope.kernel in HALF_FLAT else float((slope < FLAT).mean())
    places = [params.place(stage.layer.array(name)) for name in stage.layer.parameter_shapes()]
    if places and stage.trained:
        grad_norm, update, size = (
            math.sqrt(sum(float(np.square(flat[place], dtype="float64").sum()) for place in places))
            for flat in (gradients, updates, params.data)
        )
        ratio = update / size if size else math.inf
    return LayerHealth(stage.label, float(y.mean()), float(y.std()), dead, saturated, grad_norm, ratio)


def _slope(of: Slope, saved: Array) -> Array:
    """The absolute slope of an activation, from what its gradient is computed from: its input, or its output."""
    more = {"approximate": "tanh"} if of.kernel.startswith("gelu_tanh") else {}
    function = getattr(functional, of.kernel.replace("gelu_tanh", "gelu"))
    return np.abs(function(np.ones_like(saved), saved, *of.params, **more))


def _advice(loss: float, layers: tuple[LayerHealth, ...]) -> Iterator[str]:
    if not math.isfinite(loss):
        yield f"the loss is {loss}: look for NaN in the data, lower the learning rate, or clip gradients"
    largest = max((h.grad_norm for h in layers if math.isfinite(h.grad_norm)), default=0.0)
    moved = [h for h in layers if 0 < h.update_ratio < math.inf]
    fastest = max(moved, key=lambda h: h.update_ratio, default=None)
    for h in layers:
        if not math.isfinite(h.mean):
            yield f"{h.name}: its outputs are not finite, the first such layer is where it begins"
            return
        if h.dead > MANY_DEAD:
            yield (
                f"{h.name}: {h.dead:.0%} of its units are dead, no sample teaches them: "
                "try a lower learning rate, LeakyReLU, or kaiming initialization"
            )
        elif h.saturated > MANY_FLAT and not h.dead > 0:
            yield (
                f"{h.name}: {h.saturated:.0%} of its outputs are saturated: "
                "scale the inputs, start with smaller weights, or normalize before it"
            )
        if h.grad_norm < VANISHED * largest:
            yield f"{h.name}: its gradient is {h.grad_norm / largest:.1g} of the largest one: it hardly learns"
        if h.update_ratio > GOOD_RATIO[1]:
            yield f"{h.name}: an update changes its weights by {h.update_ratio:.0%}: lower the learning rate"
        elif fastest is not None and 0 < h.update_ratio < UNEVEN * fastest.update_ratio:
            yield (
                f"{h.name}: an update changes its weights by {h.update_ratio:.1g}, those of {fastest.name} by "
                f"{fastest.update_ratio:.1g}: its gradient vanishes on the way: start with smaller weights (xavier, "
                "kaiming), take ReLU, normalize between layers, or use Adam"
            )
        elif 0 < h.update_ratio < GOOD_RATIO[0]:
            yield f"{h.name}: an update changes its weights by {h.update_ratio:.1g}: the learning rate may be too low"

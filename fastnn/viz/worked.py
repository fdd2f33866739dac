"""A small network with every number of one step of training: values forward, gradients backward, new weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _validation as check
from .. import nn
from .._frames import errors_of_use
from ..nn.python_loss import as_loss
from .models import network_of
from .panels import Canvas, canvas, finished

Array = check.Array
MOST = 6  # units of a layer
SHARES = 0.36, 0.5, 0.3, 0.62, 0.42, 0.56, 0.68  # of the way along an edge, where its text may stand
COURSE = {"x": (0.1, 0.2), "target": (0.4, 0.6)}


def worked_network() -> Any:
    """The network of the course: two layers of two sigmoid units without biases.

    Examples
    --------
    >>> from fastnn.viz.worked import worked_network
    >>> worked_network().predict([[0.1, 0.2]]).round(8).tolist()
    [[0.609446, 0.66384491]]
    """
    return nn.Sequential(
        nn.Linear(2, 2, bias=False, weight_init=[[0.3, 0.4], [0.25, 0.35]]),
        nn.Sigmoid(),
        nn.Linear(2, 2, bias=False, weight_init=[[0.45, 0.7], [0.4, 0.6]]),
        nn.Sigmoid(),
        dtype="float64",
        seed=0,
    )


def half_squared_error(y_pred: Array, y: Array) -> tuple[float, Array]:
    """E = sum of (y_pred - y)^2 / 2, and its gradient."""
    return 0.5 * float(((y_pred - y) ** 2).sum()), y_pred - y


@dataclass(frozen=True)
class Level:
    """One layer of units: a Linear, and the activation after it."""

    name: str
    act: str
    z: Array
    h: Array
    grad_z: Array
    grad_h: Array
    weight: Array
    grad_weight: Array
    bias: Array | None
    grad_bias: Array | None


@errors_of_use
def backpropagation(
    model: Any = None,
    x: Any = None,
    target: Any = None,
    *,
    loss: Any = None,
    lr: float = 0.5,
    digits: int = 5,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw a small network with every number of a step of gradient descent: forward above, backward below.

    Parameters
    ----------
    model : network or Trainer, optional
        Linear layers, each with an activation after it or none, of at most 6 units. By default the worked example of
        the course: 2-2-2 units, sigmoid, without biases.
    x, target : array of shape (features,) and (outputs,), optional
        One sample; by default that of the worked example.
    loss : loss, or function (y_pred, y) -> (value, gradient), optional
        By default the trainer's, or E = sum of (y_pred - y)^2 / 2.
    lr : float, default 0.5
        Of the step: w' = w - lr dE/dw.
    digits : int, default 5
        After the decimal point.
    ax : Axes, or list of 2 of them, optional
    return_data : bool, default False

    Returns
    -------
    figure : Figure
    data : dict, with `return_data=True`
        "x", "output", "loss"; for each Linear by name, as ("0", "z"), its "z" and "h", the gradients "grad_z" and
        "grad_h", "weight", "grad_weight", "new_weight", and the same for "bias" where there is one.

    Raises
    ------
    TypeError, ValueError
        If the network has other layers, is too wide to draw, or the sample does not fit.

    Examples
    --------
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> figure, data = viz.backpropagation(return_data=True)
    >>> round(data["loss"], 8), round(float(data["2", "grad_weight"][0, 0]), 8)
    (0.0239719, 0.02592286)
    >>> round(float(data["2", "new_weight"][0, 0]), 8)
    0.43703857
    >>> plt.close("all")
    """
    given = worked_network() if model is None else model
    loss = as_loss(getattr(given, "loss", half_squared_error) if loss is None else loss)
    net = copy.deepcopy(network_of(given))
    if model is None:
        x = COURSE["x"] if x is None else x
        target = COURSE["target"] if target is None else target
    if x is None or target is None:
        raise ValueError("x and target are needed: one sample of your network")
    row = np.atleast_2d(np.asarray(x, net.dtype))
    wanted = np.asarray(target)
    wanted = wanted.reshape(1) if loss.classes else np.atleast_2d(wanted.astype(net.dtype))
    lr = check.check_number("lr", lr, at_least=0.0)
    digits = check.check_integer("digits", digits, at_least=1, at_most=12)
    outputs = net.out_features_for(row.shape[1])
    if not loss.classes and wanted.shape != (1, outputs):
        raise ValueError(f"target must have {outputs} numbers, one for each output, got {wanted.size}")
    levels, output, value = _levels(net, row, wanted, loss)
    data: dict[Any, Any] = {"x": row[0], "output": output, "loss": value}
    for level in levels:
        found = {k: getattr(level, k) for k in ("z", "h", "grad_z", "grad_h", "weight", "grad_weight")}
        found["new_weight"] = level.weight - lr * level.grad_weight
        if level.bias is not None and level.grad_bias is not None:
            found |= {"bias": level.bias, "grad_bias": level.grad_bias}
            found["new_bias"] = level.bias - lr * level.grad_bias
        data |= {(level.name, key): array for key, array in found.items()}
    with canvas(ax, 2, 1, (min(11.0, 3.4 + 3.2 * len(levels)), 7.6)) as c:
        _draw(c, 0, row[0], levels, wanted, value, lr, digits)
        _draw(c, 1, row[0], levels, wanted, value, lr, digits)
    return finished(c.figure, data, return_data)


def _levels(net: Any, x: Array, target: Array, loss: Any) -> tuple[list[Level], Array, float]:
    """What each pair of a Linear and its activation computes, forward and backward, by the kernels that train."""
    pairs = _pairs(net)
    if x.shape[1] > MOST or any(net.layers[i].weight.shape[1] > MOST for i, _ in pairs):
        raise ValueError(f"a network of more than {MOST} units in a layer is too wide to draw with its numbers")
    net.zero_grad()
    output = net(x)
    value, grad = loss(output, target)
    net.backward(np.ascontiguousarray(grad, net.dtype))
    gradients, after = dict(net.named_gradients()), net.activations(x)
    levels = []
    for i, j in pairs:
        name, layer = str(i), net.layers[i]
        z, h = after[name], after[str(j)]
        grad_h = net[j + 1 :].input_gradient(h, grad) if j + 1 < len(net.layers) else grad
        grad_z = net[j:].input_gradient(z, grad) if j > i else grad_h
        bias = None if layer.bias is None else layer.bias.copy()
        act = type(net.layers[j]).__name__ if j > i else "no activation"
        weight, grad_bias = layer.weight.copy(), None if bias is None else gradients[f"{name}.bias"].copy()
        rows = z[0], h[0], grad_z[0], grad_h[0]
        levels.append(Level(name, act, *rows, weight, gradients[f"{name}.weight"].copy(), bias, grad_bias))
    return levels, output[0], float(value)


def _pairs(net: Any) -> list[tuple[int, int]]:
    """The places of each Linear and of what comes last before the next one."""
    layers = list(getattr(net, "layers", ()))
    places = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Linear)]
    ends = [k - 1 for k in places[1:]] + [len(layers) - 1]
    plain = all(not dict(layer.named_parameters()) for i, layer in enumerate(layers) if i not in places)
    if not places or places[0] != 0 or any(j - i > 1 for i, j in zip(places, ends, strict=True)) or not plain:
        raise ValueError("model must be Linear layers, each with an activation after it or none")
    return list(zip(places, ends, strict=True))


def _heights(count: int) -> Array:
    return np.zeros(1) if count == 1 else np.linspace(1, -1, count)


def _draw(
    c: Canvas, panel: int, x: Array, levels: list[Level], target: Array, value: float, lr: float, digits: int
) -> None:
    """One panel: values forward (0), or gradients and new weights (1)."""
    ax, theme, backward = c.axes[panel], c.theme, panel == 1
    ax.set_axis_off()
    color = theme.color(1) if backward else theme.color(0)
    positions = [_heights(len(x)), *(_heights(len(level.h)) for level in levels)]

    def number(value: float) -> str:
        return f"{value:.{digits}f}"

    for k, y in enumerate(positions[0]):
        _node(ax, theme, 0.0, y, f"x{k + 1}", number(x[k]), theme.faint)
    for place, level in enumerate(levels, 1):
        placed: list[tuple[float, float]] = []
        for i, y0 in enumerate(positions[place - 1]):
            for j, y1 in enumerate(positions[place]):
                w, g = level.weight[i, j], level.grad_weight[i, j]
                text = f"{number(g)}\nw' = {number(w - lr * g)}" if backward else number(w)
                _edge(ax, theme, place, y0, y1, text, placed)
        for j, y in enumerate(positions[place]):
            z, h = (level.grad_z[j], level.grad_h[j]) if backward else (level.z[j], level.h[j])
            prefix = ("dE/dz", "dE/dh") if backward else ("z", "h")
            text = f"{prefix[0]} = {number(z)}\n{prefix[1]} = {number(h)}"
            if level.bias is not None and level.grad_bias is not None:
                text += f"\n{'dE/db' if backward else 'b'} = {number((level.grad_bias if backward else level.bias)[j])}"
            _node(ax, theme, place, y, level.act, text, color)
    end = len(levels) + 0.62
    told = np.ravel(target)
    shown = ", ".join(number(t) for t in told) if told.dtype.kind == "f" else f"class {told[0]}"
    ax.text(end, 0, f"target\n{shown}\n\nloss E\n{value:.{max(digits, 6)}f}", ha="center", va="center", fontsize=9)
    ax.set(xlim=(-0.35, len(levels) + 0.95), ylim=(-1.6, 1.6))
    ax.set_title(
        f"backward: at each edge dE/dw and the new weight, w' = w - {lr:g} dE/dw" if backward
        else "forward: weights at the edges, z = sum of weights times inputs, h = activation of z"
    )  # fmt: skip


def _node(ax: Any, theme: Any, x: float, y: float, head: str, text: str, color: str) -> None:
    ax.text(
        x, y, f"{head}\n{text}", ha="center", va="center", fontsize=8.5, color=theme.ink, zorder=4,
        bbox={"boxstyle": "round,pad=0.45", "facecolor": theme.paper, "edgecolor": color, "linewidth": 1.6},
    )  # fmt: skip


def _edge(ax: Any, theme: Any, place: int, y0: float, y1: float, text: str, placed: list[tuple[float, float]]) -> None:
    """A line between two units, with its text where none of those `placed` before is near."""
    ax.plot([place - 1, place], [y0, y1], color=theme.faint, linewidth=0.9, zorder=1)

    def clearance(share: float) -> float:
        distances = (max(abs(share - s) / 0.24, abs(y0 + share * (y1 - y0) - y) / 0.26) for s, y in placed)
        return min(1.0, min(distances, default=1.0))

    share = max(SHARES if y0 != y1 else (0.5, *SHARES), key=clearance)
    y = y0 + share * (y1 - y0)
    placed.append((share, y))
    ax.text(
        place - 1 + share, y, text, ha="center", va="center", fontsize=7.5, color=theme.ink, zorder=3,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": theme.paper, "edgecolor": "none", "alpha": 0.9},
    )  # fmt: skip

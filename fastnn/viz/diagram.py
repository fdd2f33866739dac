"""The architecture of a network, and its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _validation as check
from .. import nn
from .._frames import errors_of_use
from .models import network_of
from .panels import Canvas, canvas, finished, no_ticks

Array = check.Array
# Layers with parameters that belong to the units before them.
BESIDE = "BatchNorm1d", "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm1d", "PReLU", "Temperature"


@errors_of_use
def network(model: Any, *, most: int = 12, ax: Any = None, return_data: bool = False) -> Any:
    """Draw the architecture of a network: its units, what is between them, and its weights as lines.

    Parameters
    ----------
    model : network, Trainer, or estimator of `fastnn.sklearn`
    most : int, default 12
        Units of a layer that are drawn, 2 or more; of more the first and the last ones.
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
        Lines are the weights of Linear layers, wider the larger they are within their layer, in one colour above 0 and
        in another, dashed, below. Other layers with units are a band.
    data : dict, with `return_data=True`
        "widths", the number of units of each column; "labels", the text between columns.

    Raises
    ------
    ValueError
        If the network takes any number of features.

    Examples
    --------
    >>> from fastnn import nn, viz
    >>> import matplotlib.pyplot as plt
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid(), seed=0)
    >>> ax, data = viz.network(net, return_data=True)
    >>> data["widths"], [label.replace("\\n", ", ") for label in data["labels"]]
    ([2, 4, 1], ['Linear, Tanh', 'Linear, Sigmoid'])
    >>> plt.close("all")
    """
    net = network_of(model)
    most = check.check_integer("most", most, at_least=2, at_most=100)
    columns = _columns(net)
    widths = [columns[0][1], *(width for _, width, _ in columns[1:])]
    labels = ["\n".join(names) for names, _, _ in columns[1:]]
    with canvas(ax, size=(min(11.0, 1.8 + 1.9 * len(widths)), 4.4)) as c:
        one = c.axes[0]
        one.set_axis_off()
        shown = [_shown(width, most) for width in widths]
        for i, (_, _, weight) in enumerate(columns[1:], 1):
            _between(c, i, shown[i - 1], shown[i], weight)
        for i, (width, places) in enumerate(zip(widths, shown, strict=True)):
            _units(c, i, width, places)
            head = "input" if i == 0 else "output" if i == len(widths) - 1 else f"hidden {i}"
            one.text(i, -1.28, f"{head}\n{width}", ha="center", va="top", fontsize=9)
        for i, label in enumerate(labels):
            one.text(i + 0.5, 1.2, label, ha="center", va="bottom", fontsize=8, color=c.theme.faint)
        lines = 1 + max((label.count("\n") for label in labels), default=0)
        one.set(xlim=(-0.4, len(widths) - 0.6), ylim=(-1.62, 1.2 + 0.16 * lines))
        one.set_title(f"{net.parameters().numel():,} parameters")
    return finished(one, {"widths": widths, "labels": labels}, return_data)


def _columns(net: Any) -> list[tuple[list[str], int, Array | None]]:
    """The columns of units: what leads to each (names of layers), its width, and the weight where it is one Linear."""
    if net.in_features is None:
        raise ValueError("this network takes any number of features: give it a first layer that has a number of them")
    columns: list[tuple[list[str], int, Array | None]] = [([], net.in_features, None)]
    kinds = dict(net.named_modules())
    for row in net.summary().layers:
        if row.depth:
            continue
        layer = kinds[row.name]
        opens = row.in_features != row.out_features or bool(dict(layer.named_parameters()))
        if (opens and row.layer not in BESIDE) or len(columns) == 1:
            weight = layer.weight.copy() if isinstance(layer, nn.Linear) else None
            columns.append(([row.layer], row.out_features, weight))
        else:
            columns[-1][0].append(row.layer)
    return columns


def _shown(width: int, most: int) -> list[tuple[int, float]]:
    """(unit, height) of the units that are drawn, from 1 down to -1; a gap where some are left out."""
    if width <= most:
        heights = [0.0] if width == 1 else np.linspace(1, -1, width).tolist()
        return list(zip(range(width), heights, strict=True))
    first = -(-most // 2)
    heights = np.linspace(1, -1, most + 1).tolist()
    kept = [*range(first), *range(width - (most - first), width)]
    return list(zip(kept, heights[:first] + heights[first + 1 :], strict=True))


def _units(c: Canvas, i: int, width: int, places: list[tuple[int, float]]) -> None:
    heights = [height for _, height in places]
    c.axes[0].scatter([i] * len(heights), heights, s=150 if len(heights) < 9 else 80, color=c.theme.paper,
                      edgecolors=c.theme.ink, linewidths=1.2, zorder=3)  # fmt: skip
    if len(places) < width:
        gap = next(k for k in range(len(places)) if places[k][0] != k)
        middle = (heights[gap - 1] + heights[gap]) / 2
        c.axes[0].text(i, middle, "...", rotation=90, ha="center", va="center", fontsize=11)


def _between(c: Canvas, i: int, left: list[tuple[int, float]], right: list[tuple[int, float]], weight: Any) -> None:
    """The weights between two columns as lines, or a band."""
    from matplotlib.collections import LineCollection

    ax, theme = c.axes[0], c.theme
    if weight is None:
        corners = [(i - 1, left[0][1]), (i, right[0][1]), (i, right[-1][1]), (i - 1, left[-1][1])]
        ax.fill(*np.array(corners).T, color=theme.lines, zorder=1)
        return
    largest = float(np.abs(weight).max()) or 1.0
    lines, widths, colors, dashes = [], [], [], []
    for unit, y0 in left:
        for other, y1 in right:
            w = float(weight[unit, other])
            lines.append([(i - 1, y0), (i, y1)])
            widths.append(0.25 + 2.2 * abs(w) / largest)
            colors.append(theme.color(1 if w > 0 else 0))
            dashes.append("-" if w > 0 else "--")
    alpha = 0.8 if len(lines) < 60 else 0.45
    ax.add_collection(LineCollection(lines, linewidths=widths, colors=colors, linestyles=dashes, alpha=alpha, zorder=2))


@errors_of_use
def weights(
    model: Any, *, shape: Sequence[int] | None = None, most: int = 16, ax: Any = None, return_data: bool = False
) -> Any:
    """Draw the weights of a network as colours: each matrix, or what goes into each unit of the first layer, a picture.

    Parameters
    ----------
    model : network, Trainer, or estimator of `fastnn.sklearn`
    shape : (int, int), optional
        Of the picture that the input features are, as (8, 8) for digits: then each unit of the first layer is drawn as
        one.
    most : int, default 16
        Matrices, or pictures, that are drawn.
    ax : Axes, or list of them, optional
    return_data : bool, default False

    Returns
    -------
    drawn : Figure, or Axes of one matrix
        One colour above 0 and one below, on one scale.
    data : dict, with `return_data=True`
        Each matrix by name, shape (in, out); or "units", shape (units, *shape).

    Raises
    ------
    ValueError
        If there are no matrices, or the features do not fit `shape`.

    Examples
    --------
    >>> from fastnn import nn, viz
    >>> import matplotlib.pyplot as plt
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), seed=0)
    >>> figure, data = viz.weights(net, return_data=True)
    >>> {name: matrix.shape for name, matrix in data.items()}
    {'0.weight': (2, 4), '2.weight': (4, 1)}
    >>> plt.close("all")
    """
    net, most = network_of(model), check.check_integer("most", most, at_least=1, at_most=400)
    matrices = {name: w.astype("float64") for name, w in net.named_parameters() if w.ndim == 2}
    if not matrices:
        raise ValueError("this network has no matrices of weights")
    if shape is not None:
        return _pictures(next(iter(matrices.values())), tuple(shape), most, ax, return_data)
    names = list(matrices)[:most]
    with canvas(ax, len(names), min(4, len(names)), (5, 4) if len(names) == 1 else None) as c:
        top = max(float(np.abs(w).max()) for w in matrices.values()) or 1.0
        for one, name in zip(c.axes, names, strict=True):
            drawn = one.imshow(matrices[name], cmap=c.theme.signed, vmin=-top, vmax=top, aspect="auto")
            one.set_title(f"{name} {matrices[name].shape[0]} x {matrices[name].shape[1]}", fontsize=9)
            one.set(xlabel="unit", ylabel="input")
            _whole_ticks(one, matrices[name].shape)
        _scale(c, drawn)
    return finished(c.figure if len(names) > 1 else c.axes[0], matrices, return_data)


def _pictures(first: Array, shape: tuple[int, ...], most: int, ax: Any, return_data: bool) -> Any:
    if len(shape) != 2 or shape[0] * shape[1] != first.shape[0]:
        raise ValueError(f"shape must be (rows, columns) of {first.shape[0]} features, got {shape}")
    pictures = first.T.reshape(-1, *shape)
    count = min(most, len(pictures))
    with canvas(ax, count, min(8, count), (min(9.0, 1.15 * min(8, count) + 0.8), 1.3 * (-(-count // 8)) + 0.2)) as c:
        top = float(np.abs(pictures).max()) or 1.0
        for k, one in enumerate(c.axes):
            drawn = one.imshow(pictures[k], cmap=c.theme.signed, vmin=-top, vmax=top)
            one.set_title(f"unit {k + 1}", fontsize=8)
            no_ticks(one)
        _scale(c, drawn)
    return finished(c.figure if count > 1 else c.axes[0], {"units": pictures}, return_data)


def _scale(c: Canvas, drawn: Any) -> None:
    bar = c.figure.colorbar(drawn, ax=c.axes, label="weight", fraction=0.05, pad=0.02)
    bar.ax.tick_params(colors=c.theme.faint)


def _whole_ticks(ax: Any, shape: tuple[int, ...]) -> None:
    """Five indices of rows and of columns at most."""
    for axis, size in zip((ax.yaxis, ax.xaxis), shape, strict=True):
        axis.set_ticks(np.unique(np.linspace(0, size - 1, min(size, 5)).round().astype(int)))

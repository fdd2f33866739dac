"""How layers bend space: the grid of the plane after each layer, and single affine maps beside activations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import _validation as check
from .. import functional as F
from .._frames import errors_of_use
from ..functional.rectifiers import relu
from ..functional.sigmoids import tanh
from .boundary import scatter_classes
from .models import are_labels, as_classes, as_samples, network_of
from .panels import Canvas, canvas, finished
from .planes import Plane, around, plane_of, principal
from .theme import MARKERS

Array = check.Array
LINES, ALONG = 17, 81  # lines of the grid each way, and points along a line


@errors_of_use
def warp_grid(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    features: Any = None,
    lines: int = LINES,
    columns: int = 4,
    directions: Mapping[str, Any] | None = None,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw the plane's grid and the samples as they are after each layer, affine maps and activations apart.

    Parameters
    ----------
    model : network, Trainer, or estimator of `fastnn.sklearn`
    X : array of shape (rows, features)
    y : array of shape (rows,), optional
        Class labels, for the colours of the samples.
    features
        As for `decision_boundary`: with more than two features the grid is that of a plane through them, and the
        samples are taken where they project to it.
    lines : int, default 17
        Lines of the grid in each direction.
    columns : int, default 4
        Panels in a row.
    directions : dict of str to array of shape (2, units), optional
        From where layers of three units and more are seen, by name; by default as the notes say. An animation keeps
        those of its last frame.
    ax : Axes, or list of them, optional
        One for the input and each of the outermost layers.
    return_data : bool, default False

    Returns
    -------
    figure : Figure
    data : dict, with `return_data=True`
        "grid" of shape (2 * lines, 81, 2), the lines in the plane; for each layer by name (grid, samples), what it
        makes of them: arrays of shape (2 * lines, 81, units) and (rows, units); and "directions", a dict.

    Notes
    -----
    One unit is drawn as a line, along which the samples of each class have a height of their own. Three units and more
    are seen from the two directions in which the samples vary most, which the titles say with the share of the
    variance that they keep.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, viz
    >>> import matplotlib.pyplot as plt
    >>> X, y = fastnn.data.make_circles(40, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), seed=0)
    >>> figure, data = viz.warp_grid(net, X, y, return_data=True)
    >>> {name: data[name][0].shape for name in "012"}, data["directions"]["1"].shape
    ({'0': (34, 81, 4), '1': (34, 81, 4), '2': (34, 81, 1)}, (2, 4))
    >>> plt.close("all")
    """
    net, x = network_of(model), as_samples(X)
    lines = check.check_integer("lines", lines, at_least=2, at_most=200)
    columns = check.check_integer("columns", columns, at_least=1)
    plane = plane_of(x, features)
    samples = plane.coordinates(x)
    grid = _grid(around(samples, 0.05), lines)
    names = [name for name, _ in net.named_modules() if name and "." not in name]
    after = _outputs(net, plane, grid, samples, names)
    kinds = {name: repr(layer).split("(")[0] for name, layer in net.named_modules()}
    seen = _directions(after, directions or {})
    with canvas(ax, len(names) + 1, columns) as c:
        _draw(c, 0, grid, samples, y, "input")
        for i, name in enumerate(names):
            units = after[name][1].shape[1]
            title = f"{name}: {kinds[name]}, {units} unit{'s' * (units > 1)}"
            _draw(c, i + 1, *after[name], y, title, seen.get(name))
    return finished(c.figure, {"grid": grid, **after, "directions": seen}, return_data)


def _directions(after: Mapping[str, tuple[Array, Array]], given: Mapping[str, Any]) -> dict[str, Array]:
    """The two directions from which layers of three units and more are seen."""
    for name in given:
        if name not in after:
            raise ValueError(f"directions has {name!r}, but the layers are {', '.join(after)}")
    found = {}
    for name, (_, samples) in after.items():
        units = samples.shape[1]
        if units > 2:
            found[name] = np.asarray(given[name], "float64") if name in given else principal(samples)[1][:2]
            if found[name].shape != (2, units):
                raise ValueError(f"directions[{name!r}] must have shape (2, {units}), got {found[name].shape}")
    return found


def _outputs(net: Any, plane: Plane, grid: Array, samples: Array, names: list[str]) -> dict[str, tuple[Array, Array]]:
    """What each layer makes of the grid and of the samples, in one pass."""
    n = len(grid) * grid.shape[1]
    rows = plane.samples(np.concatenate([grid.reshape(-1, 2), samples]))
    after = net.activations(np.ascontiguousarray(rows, net.dtype), names)
    return {
        name: (
            after[name][:n].reshape(*grid.shape[:2], -1).astype("float64"),
            after[name][n:].astype("float64"),
        )
        for name in names
    }


def _grid(limits: tuple[tuple[float, float], ...], lines: int, along: int = ALONG) -> Array:
    """Lines of constant v, then of constant u, each with points along it: shape (2 * lines, along, 2)."""
    (u0, u1), (v0, v1) = limits
    flat = [np.stack([np.linspace(u0, u1, along), np.full(along, v)], 1) for v in np.linspace(v0, v1, lines)]
    steep = [np.stack([np.full(along, u), np.linspace(v0, v1, along)], 1) for u in np.linspace(u0, u1, lines)]
    return np.array(flat + steep)


def _draw(c: Canvas, i: int, grid: Array, samples: Array, y: Any, title: str, seen: Array | None = None) -> None:
    """One panel: the grid's lines, those of both directions in two tones, and the samples."""
    ax, units = c.axes[i], samples.shape[1]
    if units == 1:
        _number_line(c, ax, samples[:, 0], y, title)
        return
    names = [f"unit {k + 1}" for k in range(2)] if i else ["feature 0", "feature 1"]
    if seen is not None:
        center, total = samples.mean(0), samples.var(0).sum() or 1.0
        grid, samples = (grid - center) @ seen.T, (samples - center) @ seen.T
        title = f"{title}\nseen from 2 directions, {samples.var(0).sum() / total:.0%}"
        names = ["direction 1", "direction 2"]
    _lines(ax, grid, c.theme)
    scatter_classes(ax, samples, y, c.theme, size=9, legend=i == 0)
    ax.set_title(title, fontsize=9)
    ax.set_xlabel(names[0], fontsize=8)
    ax.set_ylabel(names[1], fontsize=8)
    ax.tick_params(labelsize=7)


def _lines(ax: Any, grid: Array, theme: Any) -> None:
    from matplotlib.collections import LineCollection

    half = len(grid) // 2
    for part, alpha in ((grid[:half], 0.75), (grid[half:], 0.4)):
        ax.add_collection(LineCollection(list(part), colors=theme.faint, linewidths=0.7, alpha=alpha))
    ax.autoscale_view()


def _number_line(c: Canvas, ax: Any, values: Array, y: Any, title: str) -> None:
    """Outputs of one unit along a line; each class has a height of its own."""
    y = y if y is None or are_labels(y) else None
    index, found = (np.zeros(len(values), int), np.array([""])) if y is None else as_classes(y, len(values))
    for k in range(len(found)):
        color = c.theme.faint if y is None else c.theme.color(k)
        ax.scatter(
            values[index == k], np.full((index == k).sum(), k), s=12, color=color, marker=MARKERS[k % 8], alpha=0.6
        )
    ax.set_title(title, fontsize=9)
    ax.set_xlabel("unit 1", fontsize=8)
    ax.set_yticks(range(len(found)), [f"class {label}" for label in found] if y is not None else [""])
    ax.set_ylim(-0.8, len(found) - 0.2)
    ax.tick_params(labelsize=7)


ANGLE, FACTORS, SHEAR, SHIFT = 30.0, (1.5, 0.6), 0.8, (0.8, 0.5)


@errors_of_use
def affine_maps(
    *,
    angle: float = ANGLE,
    factors: tuple[float, float] = FACTORS,
    shear: float = SHEAR,
    shift: tuple[float, float] = SHIFT,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw what affine maps do to a grid (rotation, dilation, shear, translation), alone and followed by tanh and ReLU.

    y = act(x W + b)

    Parameters
    ----------
    angle : float, default 30
        Of the rotation, anticlockwise, in degrees.
    factors : (float, float), default (1.5, 0.6)
        Of the dilation, along x and y.
    shear : float, default 0.8
        By how much x grows with y.
    shift : (float, float), default (0.8, 0.5)
        Of the translation.
    ax : Axes, or list of 15 of them, optional
    return_data : bool, default False

    Returns
    -------
    figure : Figure
        A row for the maps alone, one with tanh and one with ReLU after them.
    data : dict, with `return_data=True`
        "grid", shape (18, 81, 2), and for each pair of a map and an activation, as ("rotation", "tanh"), its image.

    Examples
    --------
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> figure, data = viz.affine_maps(shift=(1, 0), return_data=True)
    >>> (data["translation", "alone"] - data["grid"])[0, 0].tolist()
    [1.0, 0.0]
    >>> plt.close("all")
    """
    turn = math.radians(check.check_number("angle", angle, above=-math.inf, below=math.inf))
    cos, sin = math.cos(turn), math.sin(turn)
    fx, fy = _pair("factors", factors)
    dx, dy = _pair("shift", shift)
    slant = check.check_number("shear", shear, above=-math.inf, below=math.inf)
    maps = {  # W is (in, out): the images of the unit vectors are its rows
        "identity": ([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]),
        "rotation": ([[cos, sin], [-sin, cos]], [0.0, 0.0]),
        "dilation": ([[fx, 0.0], [0.0, fy]], [0.0, 0.0]),
        "shear": ([[1.0, 0.0], [slant, 1.0]], [0.0, 0.0]),
        "translation": ([[1.0, 0.0], [0.0, 1.0]], [dx, dy]),
    }
    after: dict[str, Any] = {"alone": lambda y: y, "tanh": tanh, "ReLU": relu}
    grid = _grid(((-1.5, 1.5), (-1.5, 1.5)), 9)
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    along = np.linspace(0, 1, 20)[:, None]
    square = np.concatenate([a + along * (b - a) for a, b in itertools.pairwise(square)])
    data: dict[Any, Array] = {"grid": grid}
    with canvas(ax, 15, 5, (11.0, 6.9)) as c:
        for i, (act, function) in enumerate(after.items()):
            for j, (name, (weight, bias)) in enumerate(maps.items()):
                one = c.axes[5 * i + j]
                image, corner = (
                    function(F.linear(points, np.array(weight), np.array(bias))) for points in (grid, square)
                )
                data[name, act] = image
                _lines(one, image, c.theme)
                one.fill(*corner.T, color=c.theme.color(1), alpha=0.55, label="unit square")
                one.set(xlim=(-2.7, 2.7), ylim=(-2.7, 2.7), aspect="equal")
                one.set_title(name if act == "alone" else f"{name}, then {act}", fontsize=9)
                one.tick_params(labelsize=7)
        c.axes[0].legend(loc="lower right", fontsize=7)
    return finished(c.figure, data, return_data)


def _pair(name: str, value: Any) -> tuple[float, float]:
    """Two finite numbers."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{name} must be two numbers, got {value!r}")
    x, y = (check.check_number(f"{name}[{i}]", v, above=-math.inf, below=math.inf) for i, v in enumerate(value))
    return x, y

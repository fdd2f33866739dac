"""What a model says over the plane: the regions of classes, surfaces of regression, and what each hidden unit sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from .models import Outputs, are_labels, as_classes, as_samples, network_of, outputs_of
from .panels import Canvas, canvas, finished, no_ticks
from .planes import around, lattice, limits_of, plane_of
from .theme import MARKERS, Theme, mixed

Array = check.Array
SURFACE = "cividis"  # the colour map of numbers
SHADE = 0.62  # opacity of a class where it is certain


@errors_of_use
def decision_boundary(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    features: Any = None,
    kind: str = "auto",
    points: int = 200,
    limits: Any = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw what a model says over the plane of its data: classes with their probabilities as shades, or a surface.

    Parameters
    ----------
    model : network, Trainer, estimator, or function of an array (rows, features)
        A trainer's loss says whether outputs are logits. Of a network alone, with whole numbers as y, several outputs
        are logits, and one output is a class from 0.5 on.
    X : array of shape (rows, features)
        The samples, which are drawn too and give the limits. With one feature a curve is drawn.
    y : array of shape (rows,), optional
        Class labels, or numbers for regression.
    features : (int, int) or "pca", optional
        With more than two features: two of them, the others at their means, or the plane through the mean in the two
        directions in which X varies most, the default. Samples are then drawn where they project to.
    kind : {"auto", "classes", "numbers"}
        What the outputs are, where that is not plain; of several numbers the first is drawn.
    points : int, default 200
        In each direction of the grid.
    limits : ((float, float), (float, float)), optional
        Of the plane; by default around the samples.
    feature_names, class_names : sequence of str, optional
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
    data : dict, with `return_data=True`
        "u", "v" (points,), the coordinates of the grid; "outputs" (points, points, classes or 1), the first axis along
        v; "samples" (rows, 2).

    Raises
    ------
    TypeError, ValueError
        If the model or X is none of these, or a shape does not fit.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, viz
    >>> import matplotlib.pyplot as plt
    >>> X, y = fastnn.data.make_moons(60, noise=0.1, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 2, weight_init=[[1, 0], [0, 1]], bias_init=0.0), seed=0)
    >>> ax, data = viz.decision_boundary(net, X, y, points=5, return_data=True)
    >>> data["outputs"].shape, bool((data["outputs"].sum(-1).round(6) == 1).all())
    ((5, 5, 2), True)
    >>> plt.close("all")
    """
    x = as_samples(X)
    outputs = outputs_of(model, y, kind)
    points = check.check_integer("points", points, at_least=2, at_most=2000)
    if x.shape[1] == 1:
        return _curve(outputs, x, y, points, feature_names, class_names, ax, return_data)
    plane = plane_of(x, features, feature_names)
    samples = plane.coordinates(x)
    limits = around(samples) if limits is None else limits_of(limits)
    u, v, grid = lattice(limits, points)
    values = outputs(plane.samples(grid)).reshape(points, points, -1)
    with canvas(ax, size=(5.6, 4.6)) as c:
        one = c.axes[0]
        one.set(xlabel=plane.names[0], ylabel=plane.names[1], xlim=limits[0], ylim=limits[1])
        if outputs.classes:
            shade_classes(one, values, u, v, c.theme)
            labels = getattr(model, "classes_", None)
            if labels is None and _are_indices(y, values.shape[-1]):
                labels = np.arange(values.shape[-1])
            scatter_classes(one, samples, y, c.theme, class_names, known=labels)
        else:
            _surface(c, values[..., 0], u, v, samples, y)
    return finished(one, {"u": u, "v": v, "outputs": values, "samples": samples}, return_data)


def _are_indices(y: Any, classes: int) -> bool:
    """Whether all labels are class indices of a model with so many classes."""
    y = np.asarray(0 if y is None else y)
    return y.dtype.kind in "iub" and bool((y >= 0).all() and (y < classes).all())


def shade_classes(ax: Any, p: Array, u: Array, v: Array, theme: Theme) -> None:
    """Colour the plane by the most probable class, the lighter the less certain, and draw where classes meet.

    p has shape (len(v), len(u), classes).
    """
    classes = p.shape[-1]
    best = p.argmax(-1)
    certain = (p.max(-1) - 1 / classes) / (1 - 1 / classes) if classes > 1 else p[..., 0]
    image = np.empty((*best.shape, 3))
    for k in range(classes):
        image[best == k] = mixed(theme.color(k), theme.paper, 0.12 + (SHADE - 0.12) * certain[best == k])
    _image(ax, image, u, v)
    for k in range(classes):
        others = np.delete(p, k, axis=-1)
        if others.size and (ahead := p[..., k] - others.max(-1)).max() > 0 and ahead.min() < 0:
            ax.contour(u, v, ahead, levels=[0], colors=[theme.ink], linewidths=1.2)


def scatter_classes(
    ax: Any,
    samples: Array,
    y: Any,
    theme: Theme,
    names: Sequence[str] | None = None,
    size: float = 22,
    legend: bool = True,
    known: Any = None,
) -> None:
    """Draw samples with the colour and the marker of their class; by their numbers, or grey without any."""
    if y is None or not are_labels(y):
        colors: dict[str, Any] = {"color": theme.faint} if y is None else {"c": np.ravel(y), "cmap": SURFACE}
        ax.scatter(*samples.T, s=size, edgecolors=theme.paper, linewidths=0.5, zorder=3, **colors)
        return
    index, found = as_classes(y, len(samples), known)
    labels = [f"class {label}" for label in found] if names is None else [str(name) for name in names]
    if len(labels) != len(found):
        raise ValueError(f"class_names must have {len(found)} names, one for each class, got {len(labels)}")
    for k in np.unique(index):
        ax.scatter(
            *samples[index == k].T, s=size, color=theme.color(k), marker=MARKERS[k % len(MARKERS)],
            edgecolors=theme.paper, linewidths=0.6, label=labels[k], zorder=3,
        )  # fmt: skip
    if legend:
        beside = len(labels) > 4
        ax.legend(**({"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if beside else {"loc": "best"}),
                  frameon=True, facecolor=theme.paper, edgecolor=theme.lines, framealpha=0.9)  # fmt: skip


def _image(ax: Any, image: Array, u: Array, v: Array, **options: Any) -> Any:
    """An image whose pixels are centred on a grid."""
    du, dv = (u[1] - u[0]) / 2, (v[1] - v[0]) / 2
    extent = (u[0] - du, u[-1] + du, v[0] - dv, v[-1] + dv)
    return ax.imshow(image, origin="lower", extent=extent, aspect="auto", interpolation="bilinear", **options)


def _surface(c: Canvas, values: Array, u: Array, v: Array, samples: Array, y: Any) -> None:
    """A surface of numbers as filled contours, and samples in the colours of their targets."""
    from matplotlib.ticker import MaxNLocator

    ax, targets = c.axes[0], None if y is None else np.asarray(y, "float64").reshape(len(samples), -1)[:, 0]
    both = values if targets is None else np.concatenate([values.ravel(), targets])
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    high = high if high > low else low + 1
    cmap, levels = SURFACE, MaxNLocator(14).tick_values(low, high)
    drawn = ax.contourf(u, v, values, levels=levels, cmap=cmap)
    bar = ax.figure.colorbar(drawn, ax=ax, label="output")
    bar.ax.tick_params(colors=c.theme.faint)
    if targets is not None:
        ax.scatter(
            *samples.T, c=targets, cmap=cmap, norm=drawn.norm, s=24, edgecolors="#ffffff", linewidths=0.8, zorder=3
        )


def _curve(
    outputs: Outputs, x: Array, y: Any, points: int, names: Any, class_names: Any, ax: Any, return_data: bool
) -> Any:
    """The outputs of a model of one feature: a curve with the targets, or the probabilities of the classes."""
    (limits,) = around(x)
    u = np.linspace(*limits, points)
    values = outputs(u[:, None])
    with canvas(ax, size=(5.6, 3.8)) as c:
        one = c.axes[0]
        one.set(xlabel="feature 0" if names is None else str(names[0]), xlim=limits)
        one.set_ylabel("probability" if outputs.classes else "output")
        one.grid(True)
        if outputs.classes:
            labels = [f"class {k}" for k in range(values.shape[1])] if class_names is None else list(class_names)
            for k, label in enumerate(labels):
                one.plot(u, values[:, k], color=c.theme.color(k), linestyle=c.theme.dash(k), label=label)
        else:
            if y is not None:
                one.scatter(x[:, 0], np.asarray(y).reshape(len(x), -1)[:, 0], s=16, color=c.theme.faint, label="target")
            one.plot(u, values[:, 0], color=c.theme.color(1), label="output")
        one.legend()
    return finished(one, {"u": u, "outputs": values, "samples": x}, return_data)


@errors_of_use
def units(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    layers: Sequence[str] | None = None,
    most: int = 8,
    features: Any = None,
    points: int = 80,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw what each unit sees: its output over the plane, a row of panels for each layer.

    Parameters
    ----------
    model : network, Trainer, or estimator of `fastnn.sklearn`
    X : array of shape (rows, features)
    y : array of shape (rows,), optional
        Class labels, to draw the samples.
    layers : sequence of str, optional
        Names of layers as `net.named_modules()` has them; by default those after an activation: every layer without
        parameters, and the last one.
    most : int, default 8
        Units of a layer that are drawn: the first ones.
    features
        As for `decision_boundary`.
    points : int, default 80
    ax : Axes, or list of them, optional
    return_data : bool, default False

    Returns
    -------
    figure : Figure
    data : dict, with `return_data=True`
        "u", "v" (points,), and for each layer by name its outputs, shape (points, points, units).

    Raises
    ------
    TypeError, ValueError, KeyError
        If the model, X or a layer is none of these.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, viz
    >>> import matplotlib.pyplot as plt
    >>> X, y = fastnn.data.make_moons(60, noise=0.1, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), seed=0)
    >>> figure, data = viz.units(net, X, y, points=10, return_data=True)
    >>> {name: values.shape for name, values in data.items() if name not in "uv"}
    {'1': (10, 10, 3), '2': (10, 10, 1)}
    >>> plt.close("all")
    """
    net, x = network_of(model), as_samples(X)
    points = check.check_integer("points", points, at_least=2, at_most=1000)
    most = check.check_integer("most", most, at_least=1, at_most=64)
    plane = plane_of(x, features)
    samples = plane.coordinates(x)
    limits = around(samples)
    u, v, grid = lattice(limits, points)
    chosen = _unit_layers(net) if layers is None else [layers] if isinstance(layers, str) else list(layers)
    rows = net.activations(np.ascontiguousarray(plane.samples(grid), net.dtype), chosen)
    fields = {name: rows[name].reshape(points, points, -1).astype("float64") for name in chosen}
    shown = [(name, k) for name in chosen for k in range(min(most, fields[name].shape[-1]))]
    columns = max(k for _, k in shown) + 1
    with _rows_of(ax, shown, chosen, columns) as (c, places):
        for one, (name, k) in places:
            _field(one, fields[name][..., k], u, v, c.theme)
            scatter_classes(one, samples, y, c.theme, size=5, legend=False)
            one.set(xlim=limits[0], ylim=limits[1])
            no_ticks(one)
            total = fields[name].shape[-1]
            one.set_title(f"unit {k + 1}" + (f" of {total}" if k == most - 1 < total - 1 else ""), fontsize=9)
            if k == 0:
                one.set_ylabel(f"{name}: {_class_name(net, name)}")
    return finished(c.figure, {"u": u, "v": v, **fields}, return_data)


def _rows_of(ax: Any, shown: list[tuple[str, int]], layers: list[str], columns: int) -> Any:
    """A canvas with a row of panels for each layer; panels of shorter rows stay away."""
    from contextlib import contextmanager

    @contextmanager
    def context() -> Any:
        if ax is not None and len(np.ravel(ax)) == len(shown) > 1:
            with canvas(ax, len(shown)) as c:
                yield c, list(zip(c.axes, shown, strict=True))
            return
        size = (min(11.0, 1.45 * columns + 0.6), 1.55 * len(layers) + 0.2)
        with canvas(ax, columns * len(layers), columns, size) as c:
            places = {(name, k): c.axes[i * columns + k] for i, name in enumerate(layers) for k in range(columns)}
            for place, one in places.items():
                if place not in shown:
                    one.set_axis_off()
            yield c, [(places[place], place) for place in shown]

    return context()


def _field(ax: Any, values: Array, u: Array, v: Array, theme: Theme) -> None:
    """A unit's output: 0 has the colour of the background; a line where it is 0."""
    top = float(np.abs(values).max()) or 1.0
    _image(ax, values, u, v, cmap=theme.signed, vmin=-top, vmax=top)
    if values.min() < 0 < values.max():
        ax.contour(u, v, values, levels=[0], colors=[theme.faint], linewidths=0.8)


def _unit_layers(net: Any) -> list[str]:
    """The outermost layers whose outputs are drawn: those without parameters, and the last one."""
    top = [(name, layer) for name, layer in net.named_modules() if name and "." not in name]
    plain = [name for name, layer in top[:-1] if not dict(layer.named_parameters())]
    return [*plain, top[-1][0]]


def _class_name(net: Any, name: str) -> str:
    return type(dict(net.named_modules())[name]).__name__

"""The loss over a plane through the parameters of a network, with the paths that training took."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..training.trainer import Trainer
from .panels import canvas, finished
from .paths import trace
from .planes import around
from .recorder import Recorder

Array = check.Array


@errors_of_use
def loss_landscape(
    trainer: Trainer,
    X: Any,
    y: Any,
    *,
    paths: Any = None,
    directions: Any = None,
    span: float | None = None,
    points: int = 51,
    seed: int = 0,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw the loss on a plane through the parameters: loss(theta + a d1 + b d2).

    Parameters
    ----------
    trainer : Trainer
        Its network's present parameters are the point (0, 0). It is not changed: a copy computes.
    X, y
        The data of the loss, as for `Trainer.evaluate`; all rows are one batch.
    paths : Recorder, or dict of str to Recorder or array, optional
        What `Recorder` kept of training, by name: drawn where it projects to. Arrays have a row for each
        step, laid out as `net.parameters().data`.
    directions : {"random", "pca"} or (d1, d2), optional
        "random" draws two and normalizes them by unit [1]: the weights into each unit have the length of the network's
        own, biases and normalizations stay. "pca", the default with paths, takes the two directions in which the paths
        vary most. Or two arrays laid out as
        `net.parameters().data`.
    span : float, optional
        a and b go from -span to span: by default 1, and with paths as far as they go.
    points : int, default 51
        In each direction.
    seed : int, default 0
        Of random directions.
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
    data : dict, with `return_data=True`
        "a", "b" (points,); "loss" (points, points), the first axis along b; "directions" (2, parameters); "paths", a
        dict of arrays (steps, 2).

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit the network, or the two directions are parallel.

    Notes
    -----
    Each point is one compiled pass over the data: 51 x 51 points of a 2-16-2 network on 200 rows take about 0.1 s. A
    loss that is not finite is left white.

    References
    ----------
    [1] H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim, viz
    >>> import matplotlib.pyplot as plt
    >>> X, y = fastnn.data.make_moons(60, noise=0.1, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    >>> ax, data = viz.loss_landscape(trainer, X, y, points=5, return_data=True)
    >>> data["loss"].shape, bool(abs(data["loss"][2, 2] - trainer.evaluate(X, y)["loss"]) < 1e-6)
    ((5, 5), True)
    >>> plt.close("all")
    """
    if not isinstance(trainer, Trainer):
        raise TypeError(f"trainer must be a Trainer, which has the loss, got {type(trainer).__name__}")
    points = check.check_integer("points", points, at_least=2, at_most=1001)
    center = trainer.net.parameters().data.astype("float64")
    walked = {name: snapshots_of(name, path, center.size) for name, path in _named(paths).items()}
    d = _directions(directions, trainer.net, walked, center, seed)
    found = {name: np.linalg.lstsq(d.T, (path - center).T)[0].T for name, path in walked.items()}
    if span is not None:
        span = check.check_number("span", span, above=0.0, below=math.inf)
        limits: Any = ((-span, span), (-span, span))
    else:
        limits = around(np.concatenate([*found.values(), np.zeros((1, 2))]), 0.25) if found else ((-1, 1), (-1, 1))
    a, b = (np.linspace(low, high, points) for low, high in limits)
    loss = losses_over(trainer, X, y, center, d, a, b)
    here = float(losses_over(trainer, X, y, center, d, np.zeros(1), np.zeros(1))[0, 0])
    with canvas(ax, size=(6.0, 4.8)) as c:
        one = c.axes[0]
        _draw(one, a, b, loss, c.theme)
        for i, (name, path) in enumerate(found.items()):
            trace(one, path, c.theme, i, name)
        one.plot(0, 0, marker="+", markersize=11, markeredgewidth=2, color=c.theme.ink, linestyle="", label="network")
        one.set(xlabel="a, along direction 1", ylabel="b, along direction 2", xlim=limits[0], ylim=limits[1])
        one.set_title(f"loss: {here:.3g} at +, {np.nanmin(loss):.3g} to {np.nanmax(loss):.3g}")
        one.legend(frameon=True, facecolor=c.theme.paper, edgecolor=c.theme.lines, framealpha=0.9)
    return finished(one, {"a": a, "b": b, "loss": loss, "directions": d, "paths": found}, return_data)


def losses_over(trainer: Trainer, X: Any, y: Any, center: Array, d: Array, a: Array, b: Array) -> Array:
    """The loss at center + a d[0] + b d[1], shape (len(b), len(a)), each by one pass of a copy; NaN if not finite."""
    engine = copy.deepcopy(trainer.engine)
    data = engine.data(X, y).not_empty()
    parameters, rows = engine.net.parameters().data, len(data)
    loss = np.empty((len(b), len(a)))
    for j, up in enumerate(b):
        base = center + up * d[1]
        for i, along in enumerate(a):
            with np.errstate(over="ignore"):
                parameters[...] = base + along * d[0]
            sums = engine.scoring.new_sums(data)
            engine.run("evaluate", data, None, 0, rows, rows, sums)
            loss[j, i] = engine.scoring.scores(sums, None)["loss"]
    return np.where(np.isfinite(loss), loss, np.nan)


def filter_normalized(net: Any, seed: int) -> Array:
    """Two random directions, laid out as `net.parameters().data`, normalized by unit; 0 for what is no matrix."""
    random = np.random.default_rng(check.check_seed(seed))
    d = np.zeros((2, net.parameters().data.size))
    for parameter in net.parameters():
        if parameter.ndim < 2:
            continue
        own = parameter.data.astype("float64")
        for k in range(2):
            drawn = random.standard_normal(own.shape)
            lengths = np.linalg.norm(drawn, axis=0)
            scaled = drawn * (np.linalg.norm(own, axis=0) / np.where(lengths > 0, lengths, 1))
            d[k, parameter.start : parameter.start + own.size] = scaled.ravel()
    return d


def _directions(directions: Any, net: Any, walked: Mapping[str, Array], center: Array, seed: int) -> Array:
    if directions is None:
        directions = "pca" if walked else "random"
    if isinstance(directions, str):
        check.check_choice("directions", directions, ("random", "pca"))
        if directions == "random":
            d = filter_normalized(net, seed)
        elif not walked:
            raise ValueError('directions="pca" needs paths, whose directions they are')
        else:
            moved = np.concatenate(list(walked.values())) - center
            d = np.linalg.svd(moved, full_matrices=False)[2][:2]
    else:
        d = np.asarray(directions, "float64")
    if d.shape != (2, center.size):
        raise ValueError(f"directions must be two arrays of {center.size} numbers, got shape {d.shape}")
    lengths = np.linalg.norm(d, axis=1)
    if not lengths.all() or abs(d[0] @ d[1]) > (1 - 1e-9) * lengths.prod():
        raise ValueError("the two directions must not be 0 or parallel")
    return d


def _named(paths: Any) -> dict[str, Any]:
    if paths is None:
        return {}
    return dict(paths) if isinstance(paths, Mapping) else {"path": paths}


def snapshots_of(name: str, path: Any, size: int) -> Array:
    """The parameters along a path as float64, shape (steps, parameters)."""
    array = np.asarray(path.parameters if isinstance(path, Recorder) else path, "float64")
    if array.ndim != 2 or array.shape[1] != size or not len(array):
        raise ValueError(f"paths[{name!r}] must have shape (steps, {size}), like the network, got {array.shape}")
    return array


def _draw(ax: Any, a: Array, b: Array, loss: Array, theme: Any) -> None:
    """Contours at equal ratios, or equal distances where the loss is not above 0."""
    low, high = float(np.nanmin(loss)), float(np.nanmax(loss))
    high = high if high > low else low + 1
    levels = np.geomspace(low, high, 24) if low > 0 and high / low > 3 else np.linspace(low, high, 24)
    from matplotlib.colors import BoundaryNorm
    from matplotlib.ticker import FormatStrFormatter

    cmap = theme.between(*(("#9cc4dd", theme.paper) if theme.name == "light" else ("#1b5273", theme.paper)))
    drawn = ax.contourf(a, b, loss, levels=levels, cmap=cmap, norm=BoundaryNorm(levels, cmap.N))
    ax.contour(a, b, loss, levels=levels, colors=[theme.faint], linewidths=0.5, linestyles="solid", alpha=0.6)
    bar = ax.figure.colorbar(drawn, ax=ax, label="loss", ticks=levels[::4], format=FormatStrFormatter("%.3g"))
    bar.ax.tick_params(colors=theme.faint)

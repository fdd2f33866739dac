"""The paths of optimizers over a surface, walked by the optimizers of `fastnn.optim`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import _validation as check
from .. import optim
from .._frames import errors_of_use
from .panels import as_list, canvas, finished
from .planes import around, lattice, limits_of
from .theme import MARKERS

Array = check.Array
Rule = Callable[[list[Array]], Any]  # makes an optimizer of a list of arrays
Surface = Callable[[Array], tuple[Array, Array]]  # points (..., 2) -> values (...), gradients (..., 2)


def _ravine(p: Array) -> tuple[Array, Array]:
    """(x^2 + 15 y^2) / 2: fifteen times steeper across than along."""
    curvature = np.array([1.0, 15.0])
    return 0.5 * (curvature * p**2).sum(-1), curvature * p


def _valleys(p: Array) -> tuple[Array, Array]:
    """x^4 / 8 - x^2 + 0.4 x + y^2: the global minimum at x = -2.09, a local one at x = 1.89."""
    x, y = p[..., 0], p[..., 1]
    return x**4 / 8 - x**2 + 0.4 * x + y**2, np.stack([x**3 / 2 - 2 * x + 0.4, 2 * y], -1)


def _rosenbrock(p: Array) -> tuple[Array, Array]:
    """(1 - x)^2 + 10 (y - x^2)^2: a curved valley to the minimum at (1, 1)."""
    x, y = p[..., 0], p[..., 1]
    bend = y - x**2
    return (1 - x) ** 2 + 10 * bend**2, np.stack([-2 * (1 - x) - 40 * x * bend, 20 * bend], -1)


SURFACES: dict[str, Surface] = {"ravine": _ravine, "valleys": _valleys, "rosenbrock": _rosenbrock}
STARTS = {"ravine": (-4.0, 1.2), "valleys": (3.2, 1.2), "rosenbrock": (-1.2, 1.2)}
LIMITS = {
    "ravine": ((-4.6, 2.2), (-2.0, 2.0)),
    "valleys": ((-3.6, 3.6), (-1.8, 1.8)),
    "rosenbrock": ((-1.8, 1.8), (-0.8, 2.2)),
}
RATES = {"ravine": 0.1, "valleys": 0.1, "rosenbrock": 0.02}  # of gradient descent
TITLES = {"ravine": "a ravine", "valleys": "two valleys", "rosenbrock": "Rosenbrock's valley"}


def _rules(rate: float) -> dict[str, Rule]:
    """The rules of the course, with a rate for plain gradients."""
    return {
        "SGD": lambda p: optim.SGD(p, lr=rate),
        "momentum": lambda p: optim.SGD(p, lr=0.3 * rate, momentum=0.9),
        "AdaGrad": lambda p: optim.Adagrad(p, lr=0.5),
        "RMSProp": lambda p: optim.RMSprop(p, lr=0.05, alpha=0.9),
        "Adam": lambda p: optim.Adam(p, lr=0.3),
    }


def _all_rules(rate: float) -> dict[str, Rule]:
    """All optimizers but Muon, which is for matrices, each with a rate that suits the surfaces here."""
    return _rules(rate) | {
        "Nesterov": lambda p: optim.SGD(p, lr=0.3 * rate, momentum=0.9, nesterov=True),
        "ASGD": lambda p: optim.ASGD(p, lr=rate),
        "Adadelta": lambda p: optim.Adadelta(p, lr=5.0),
        "Adafactor": lambda p: optim.Adafactor(p, lr=0.3),
        "Adamax": lambda p: optim.Adamax(p, lr=0.4),
        "AdamW": lambda p: optim.AdamW(p, lr=0.3),
        "L-BFGS": lambda p: optim.LBFGS(p, max_iter=1, max_eval=25, line_search_fn="strong_wolfe"),
        "Lion": lambda p: optim.Lion(p, lr=0.08),
        "NAdam": lambda p: optim.NAdam(p, lr=0.3),
        "RAdam": lambda p: optim.RAdam(p, lr=rate),
        "Rprop": lambda p: optim.Rprop(p, lr=0.1),
        "ScheduleFreeAdamW": lambda p: optim.ScheduleFreeAdamW(p, lr=0.3),
    }


@errors_of_use
def optimizer_paths(
    surface: str | Surface = "ravine",
    rules: str | Mapping[str, Rule] | None = None,
    *,
    start: Any = None,
    steps: int = 60,
    limits: Any = None,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw the paths of optimizers over one surface, from one start or several.

    Parameters
    ----------
    surface : {"ravine", "valleys", "rosenbrock"} or function
        A function takes points of shape (..., 2) and returns their values (...) and gradients (..., 2).
    rules : "all" or dict of str to function, optional
        By name, a function that makes an optimizer of a list of arrays, as `lambda p: optim.SGD(p, lr=0.1)`. By default
        SGD, momentum, AdaGrad, RMSProp and Adam; "all" are those of `fastnn.optim` but Muon, which is for matrices.
    start : array of shape (2,), or dict of rule to such an array, optional
    steps : int, default 60
    limits : ((float, float), (float, float)), optional
        What is shown of the plane. A path that leaves it goes on unseen.
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
    data : dict, with `return_data=True`
        "u", "v", "surface" (v, u), and for each rule (path, values), shapes (steps + 1, 2) and (steps + 1,). After a
        value that is not finite a path is NaN.

    Raises
    ------
    ValueError, TypeError
        If the surface is not known, or does not return values and gradients.

    Examples
    --------
    >>> from fastnn import optim, viz
    >>> import matplotlib.pyplot as plt
    >>> rules = {"SGD": lambda p: optim.SGD(p, lr=0.1)}
    >>> ax, data = viz.optimizer_paths("ravine", rules, start=(1, 0), steps=2, return_data=True)
    >>> data["SGD"][0].round(3).tolist()
    [[1.0, 0.0], [0.9, 0.0], [0.81, 0.0]]
    >>> plt.close("all")
    """
    function = _surface(surface)
    known = surface if isinstance(surface, str) else None
    steps = check.check_integer("steps", steps, at_least=1, at_most=100_000)
    if rules is None or (isinstance(rules, str) and rules == "all"):
        rules = (_rules if rules is None else _all_rules)(RATES.get(known or "", 0.05))
    if not isinstance(rules, Mapping) or not rules or not all(map(callable, rules.values())):
        raise TypeError(
            "rules must be a dict of names to functions that make optimizers: lambda p: optim.SGD(p, lr=0.1)"
        )
    starts = start if isinstance(start, Mapping) else dict.fromkeys(rules, start)
    walked = {}
    for name, make in rules.items():
        first = starts.get(name)
        first = STARTS[known or "ravine"] if first is None else first
        walked[name] = walk(function, make, first, steps)
    limits = (LIMITS[known] if known else _around(walked)) if limits is None else limits_of(limits)
    u, v, grid = lattice(limits, 160)
    values = np.asarray(function(grid)[0], "float64").reshape(160, 160)
    with canvas(ax, size=(6.4, 4.4)) as c:
        one = c.axes[0]
        contours(one, u, v, values, c.theme)
        for i, (name, (path, _)) in enumerate(walked.items()):
            trace(one, path, c.theme, i, name)
        one.set(xlim=limits[0], ylim=limits[1], xlabel="x", ylabel="y")
        one.set_title(f"{steps} steps" + (f" over {TITLES[known]}" if known else ""))
        _legend(one, c.theme, len(walked))
    return finished(one, {"u": u, "v": v, "surface": values, **walked}, return_data)


def _surface(surface: Any) -> Surface:
    if isinstance(surface, str):
        check.check_choice("surface", surface, tuple(SURFACES))
        return SURFACES[surface]
    if not callable(surface):
        raise TypeError(f"surface must be a name or a function, got {type(surface).__name__}")
    returned = surface(np.zeros((3, 2)))
    if not isinstance(returned, tuple) or [np.shape(r) for r in returned] != [(3,), (3, 2)]:
        raise ValueError("surface must return (values, gradients) of shapes (n,) and (n, 2) for points of shape (n, 2)")
    return surface


def walk(surface: Surface, make: Rule, start: Any, steps: int) -> tuple[Array, Array]:
    """The points that an optimizer comes to, shape (steps + 1, 2), and their values; NaN from where it explodes."""
    point = np.array(start, "float64")
    if point.shape != (2,):
        raise ValueError(f"start must be two numbers, got shape {point.shape}")
    optimizer = make([point])
    path, values = np.full((steps + 1, 2), np.nan), np.full(steps + 1, np.nan)
    for i in range(steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient = surface(point[None])
        if not (np.isfinite(value).all() and np.isfinite(gradient).all()):
            break
        path[i], values[i] = point, value[0]
        if i == steps:
            break
        if optimizer.searches:
            optimizer.step(lambda: _at(surface, point))
        else:
            optimizer.step(grads=[gradient[0]])
    return path, values


def _at(surface: Surface, point: Array) -> tuple[float, list[Array]]:
    """The value and the gradients at a point, as the closures of optimizers return them."""
    value, gradient = surface(point[None])
    return float(value[0]), [gradient[0]]


def contours(ax: Any, u: Array, v: Array, values: Array, theme: Any) -> None:
    """A surface as contours whose distances grow with the height, darker below."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(np.quantile(finite, 0.995))
    levels = low + (high - low if high > low else 1.0) * np.linspace(0, 1, 18) ** 2
    ax.contourf(u, v, values, levels=levels, cmap=theme.between(theme.lines, theme.paper), extend="max")
    ax.contour(u, v, values, levels=levels[1:], colors=[theme.faint], linewidths=0.5, linestyles="solid", alpha=0.7)


def trace(ax: Any, path: Array, theme: Any, i: int, label: str) -> None:
    """A path with dots, a ring where it begins and a large marker where it ends."""
    color, seen = theme.color(i), path[np.isfinite(path).all(1)]
    marker = MARKERS[i % len(MARKERS)]
    often = max(1, len(seen) // 30)
    ax.plot(*seen.T, color=color, linestyle=theme.dash(i), marker=marker, markersize=3, markevery=often,
            linewidth=1.4, label=label)  # fmt: skip
    ax.plot(*seen[0], marker="o", markersize=8, markerfacecolor="none", color=theme.ink)
    ax.plot(*seen[-1], marker=marker, markersize=9, color=color, markeredgecolor=theme.paper, zorder=4)


def _around(walked: Mapping[str, tuple[Array, Array]]) -> Any:
    points = np.concatenate([path for path, _ in walked.values()])
    return around(points[np.isfinite(points).all(1)], 0.3)


def _legend(ax: Any, theme: Any, count: int) -> None:
    place: dict[str, Any] = {} if count < 8 else {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    ax.legend(**place, frameon=True, facecolor=theme.paper, edgecolor=theme.lines, framealpha=0.9)


@errors_of_use
def learning_rates(
    rates: Any = (0.004, 0.1, 0.134),
    surface: str | Surface = "ravine",
    *,
    start: Any = None,
    steps: int = 30,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw gradient descent at several learning rates: too small, right and too large, a panel for each.

    Parameters
    ----------
    rates : iterable of float, default (0.004, 0.1, 0.134)
    surface, start, steps
        As for `optimizer_paths`; 30 steps by default.
    ax : Axes, or list of them, optional
    return_data : bool, default False

    Returns
    -------
    figure : Figure
    data : dict, with `return_data=True`
        For each rate (path, values), as `optimizer_paths` has them.

    Examples
    --------
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> figure, data = viz.learning_rates(return_data=True)
    >>> bool(data[0.134][1][-1] > data[0.134][1][0] > data[0.004][1][-1] > data[0.1][1][-1])
    True
    >>> plt.close("all")
    """
    chosen = [check.check_number("rates", rate, above=0.0) for rate in as_list(rates)]
    if not chosen:
        raise ValueError("rates must have at least one number")
    data: dict[Any, Any] = {}
    with canvas(ax, len(chosen), min(3, len(chosen)), (min(11.0, 3.7 * len(chosen)), 3.1)) as c:
        for one, rate in zip(c.axes, chosen, strict=True):
            rule = {f"lr = {rate:g}": lambda p, rate=rate: optim.SGD(p, lr=rate)}
            _, found = optimizer_paths(surface, rule, start=start, steps=steps, ax=one, return_data=True)
            data[rate] = found[f"lr = {rate:g}"]
            values = data[rate][1]
            last = values[np.isfinite(values)][-1]
            one.set_title(f"lr = {rate:g}: from {values[0]:.3g} to {last:.3g}")
            one.get_legend().remove()
    return finished(c.figure if len(chosen) > 1 else c.axes[0], data, return_data)

"""Activations with their derivatives, and softmax at several temperatures, drawn from the kernels that run."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import _validation as check
from .. import functional as F
from .._frames import errors_of_use
from .panels import as_list, canvas, finished, grid_lines

Array = check.Array
COURSE = "sigmoid", "tanh", "relu", "leaky_relu", "elu"
HIDDEN = {"training", "seed", "stream", "start", "inplace"}  # arguments that do not shape a curve


@errors_of_use
def activation_curves(
    names: Iterable[str] | None = None,
    *,
    params: Mapping[str, Mapping[str, float]] | None = None,
    xlim: tuple[float, float] = (-4.0, 4.0),
    points: int = 401,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw activations f and their derivatives f', a panel for each.

    Parameters
    ----------
    names : iterable of str, optional
        Functions of `fastnn.functional` that `F.derivative` knows; by default all activations, those of the course
        first (and not "logit", which is defined between 0 and 1 only).
    params : dict of str to dict, optional
        Their parameters, as {"elu": {"alpha": 0.5}}; the title of a panel has those in force.
    xlim : (float, float), default (-4, 4)
    points : int, default 401
        At which they are computed, 2 or more.
    ax : Axes, or list of them, optional
        One Axes, which is divided into panels, or one for each name.
    return_data : bool, default False
        Also return the arrays.

    Returns
    -------
    drawn : Axes of one activation, or Figure
    data : dict, with `return_data=True`
        "x" of shape (points,), and for each name "name" and "name'", the values and the derivatives.

    Raises
    ------
    ValueError, TypeError
        If there is no such activation, or it takes no such parameter.

    Examples
    --------
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> ax, data = viz.activation_curves(["elu"], params={"elu": {"alpha": 0.5}}, points=3, return_data=True)
    >>> data["x"].tolist(), data["elu"].round(3).tolist()
    ([-4.0, 0.0, 4.0], [-0.491, 0.0, 4.0])
    >>> plt.close("all")
    """
    chosen = _all_names() if names is None else as_list(names)
    if not chosen or not all(isinstance(name, str) for name in chosen):
        raise ValueError(f"names must have at least one activation, by name, such as 'tanh', got {chosen!r:.60}")
    given = {name: dict(values) for name, values in (params or {}).items()}
    for name in given.keys() - set(chosen):
        raise ValueError(f"params has {name!r}, which is not among names: {', '.join(chosen)}")
    low, high = _limits("xlim", xlim)
    x = np.linspace(low, high, check.check_integer("points", points, at_least=2))
    data: dict[str, Array] = {"x": x}
    for name in chosen:  # before anything is drawn: a name that is wrong leaves no empty figure
        slope = F.derivative(name, x, **given.get(name, {}))
        data |= {name: _values(name, x, given.get(name, {})), f"{name}'": slope}
    columns = min(5, len(chosen))
    with canvas(ax, len(chosen), columns, (6, 3.6) if len(chosen) == 1 else None) as c:
        for i, (one, name) in enumerate(zip(c.axes, chosen, strict=True)):
            grid_lines(one)
            one.axhline(0, color=c.theme.faint, linewidth=0.8)
            one.axvline(0, color=c.theme.faint, linewidth=0.8)
            one.plot(x, data[name], color=c.theme.color(0), label="f(x)")
            one.plot(x, data[f"{name}'"], color=c.theme.color(1), linestyle="--", label="f'(x)")
            one.set_title(_title(name, given.get(name, {})), fontsize=9 if len(chosen) > 1 else 11)
            one.set_xlim(low, high)
            if i + columns >= len(chosen):
                one.set_xlabel("x")
            if not i:
                one.legend(loc="upper left")
    return finished(c.axes[0] if len(chosen) == 1 else c.figure, data, return_data)


def _all_names() -> list[str]:
    """All activations; the elementary functions among what has a derivative are left out."""
    from ..functional import activations, elementary
    from ..functional.derivative import NAMES

    known = [name for name in NAMES if name not in elementary.__all__ or name in activations.__all__]
    return [*COURSE, *(name for name in known if name not in (*COURSE, "logit"))]


def _values(name: str, x: Array, given: Mapping[str, float]) -> Array:
    """f(x), with a slope of a number for prelu and the slope of evaluation for rrelu."""
    if name == "prelu":
        return F.prelu(x, np.atleast_1d(np.asarray(given.get("weight", 0.25), x.dtype)))
    result: Array = getattr(F, name)(x, **given)
    return result


def _title(name: str, given: Mapping[str, float]) -> str:
    """The name with the values of all parameters, those by default too."""
    signature = inspect.signature(getattr(F, name)).parameters
    shown = {
        key: given.get(key, p.default) for key, p in signature.items() if key not in ("x", "out") and key not in HIDDEN
    }
    if name == "prelu":
        shown = {"weight": given.get("weight", 0.25)}
    values = ", ".join(f"{k}={v:.3g}" if isinstance(v, (int, float)) else f"{k}={v}" for k, v in shown.items())
    return f"{name}\n{values}" if values else name


def _limits(name: str, limits: Any) -> tuple[float, float]:
    """Two finite numbers in ascending order."""
    if not isinstance(limits, (tuple, list)) or len(limits) != 2:
        raise ValueError(f"{name} must be (low, high), got {limits!r}")
    low = check.check_number(f"{name}[0]", limits[0], above=-np.inf)
    return low, check.check_number(f"{name}[1]", limits[1], above=low, below=np.inf)


@errors_of_use
def softmax_temperature(
    logits: Any,
    temperatures: Iterable[float] = (0.01, 1.0, 5.0),
    *,
    labels: Iterable[str] | None = None,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw softmax of some logits at several temperatures, with the entropy of each.

    p_i = exp(x_i / T) / sum_j exp(x_j / T)          H = -sum_i p_i log p_i

    Parameters
    ----------
    logits : array of shape (classes,)
    temperatures : iterable of float, default (0.01, 1, 5)
        Above 0.
    labels : iterable of str, optional
        Names of the classes; by default their indices.
    ax : Axes, or list of them, optional
        One Axes, which is divided into panels, or one for each temperature.
    return_data : bool, default False

    Returns
    -------
    drawn : Figure, or Axes of one temperature
    data : dict, with `return_data=True`
        "temperatures" (n,), "probabilities" (n, classes) and "entropies" (n,).

    Raises
    ------
    ValueError, TypeError
        If logits are not numbers of one axis, or a temperature is not above 0.

    Examples
    --------
    >>> from fastnn import viz
    >>> import matplotlib.pyplot as plt
    >>> figure, data = viz.softmax_temperature([2.0, 1.0, 0.0], (0.01, 1, 100), return_data=True)
    >>> data["entropies"].round(3).tolist()
    [0.0, 0.832, 1.099]
    >>> plt.close("all")
    """
    row = check.from_any("logits", logits)
    if row.ndim != 1 or row.dtype.kind not in "fiu" or not row.size or not np.isfinite(row).all():
        raise ValueError(f"logits must be finite numbers of shape (classes,), got shape {row.shape} of {row.dtype}")
    row = row.astype("float64")
    scales = [check.check_number("temperatures", t, above=0.0) for t in as_list(temperatures)]
    if not scales:
        raise ValueError("temperatures must have at least one number")
    names = [str(i) for i in range(row.size)] if labels is None else [str(label) for label in labels]
    if len(names) != row.size:
        raise ValueError(f"labels must have {row.size} names, one for each logit, got {len(names)}")
    p = np.array([F.softmax(row, temperature=t) for t in scales])
    entropies = np.array([float(F.entropy(q)) for q in p])
    with canvas(ax, len(scales), min(4, len(scales)), (max(4.0, min(11.0, 3.4 * len(scales))), 3.0)) as c:
        for i, one in enumerate(c.axes):
            one.bar(range(row.size), p[i], color=c.theme.color(0))
            one.set_title(f"T = {scales[i]:g}: entropy {_short(entropies[i])}")
            one.set_ylim(0, 1.05)
            one.set_xticks(range(row.size), names)
            one.set_xlabel("class")
            one.grid(True, axis="y")
        c.axes[0].set_ylabel("probability")
    data = {"temperatures": np.array(scales), "probabilities": p, "entropies": entropies}
    return finished(c.axes[0] if len(scales) == 1 else c.figure, data, return_data)


def _short(number: float) -> str:
    return f"{number:.3f}" if number >= 1e-3 or number == 0 else f"{number:.1e}"

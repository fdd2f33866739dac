"""Runs as curves: histories, the health of layers over epochs, range tests and schedules of rates."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..optim.lr_scheduler import ReduceLROnPlateau
from ..optim.lr_scheduler.base import Scheduler
from ..training.callback import Callback
from ..training.health import Health
from ..training.history import History
from ..training.lr_finder import LRFinder
from ..training.trainer import Trainer
from .panels import canvas, finished, grid_lines

if TYPE_CHECKING:
    from ..training.run import Run

Array = check.Array
MEASURES = {
    "dead": "dead units",
    "saturated": "saturated outputs",
    "grad_norm": "gradient norm",
    "update_ratio": "update / weight",
}


@errors_of_use
def history(runs: Any, names: Sequence[str] | None = None, *, ax: Any = None, return_data: bool = False) -> Any:
    """Draw the records of training over epochs, a panel for each; those of validation dashed.

    Parameters
    ----------
    runs : History, Trainer, or dict of str to one
        Several are compared, by name.
    names : sequence of str, optional
        Records, without "val_"; by default all but "seconds" and those that are NaN throughout.
    ax : Axes, or list of them, one for each name, optional
    return_data : bool, default False

    Returns
    -------
    drawn : Axes of one record, or Figure
    data : dict, with `return_data=True`
        (run, record) to (epochs, values); the name of a single run is "".

    Raises
    ------
    TypeError, ValueError
        If there is no history, no epoch, or no such record.

    Examples
    --------
    >>> from fastnn import History, viz
    >>> import matplotlib.pyplot as plt
    >>> records = History([{"loss": 2.0, "val_loss": 3.0}, {"loss": 1.0, "val_loss": 2.5}])
    >>> ax, data = viz.history(records, return_data=True)
    >>> data["", "val_loss"][1].tolist(), [line.get_label() for line in ax.get_lines()]
    ([3.0, 2.5], ['training', 'validation'])
    >>> plt.close("all")
    """
    found = {name: _history(run) for name, run in (runs.items() if _is_dict(runs) else {"": runs}.items())}
    if not any(one.epochs for one in found.values()):
        raise ValueError("no epoch is recorded: train first")
    known = dict.fromkeys(n.removeprefix("val_") for one in found.values() for n in one if n != "seconds")
    chosen = list(known) if names is None else [names] if isinstance(names, str) else list(names)
    for name in chosen:
        if name not in known and name != "seconds":
            raise ValueError(f"no record {name!r}; there are {', '.join(known) or 'none'}")
    data: dict[Any, Any] = {
        (run, record): (np.arange(1, one.epochs + 1) + one.initial_epoch, np.array(one[record], "float64"))
        for run, one in found.items()
        for name in chosen
        for record in (name, f"val_{name}")
        if record in one
    }
    with canvas(ax, len(chosen), min(3, len(chosen)), _size(len(chosen))) as c:
        for one, name in zip(c.axes, chosen, strict=True):
            for i, run in enumerate(found):
                for j, record in enumerate((name, f"val_{name}")):
                    if (run, record) in data:
                        label = ("training", "validation")[j] if not run else run if j == 0 else f"{run}, validation"
                        color = c.theme.color(i if len(found) > 1 else j)
                        marker = "o" if len(data[run, record][0]) == 1 else ""
                        one.plot(
                            *data[run, record], color=color, linestyle="--" if j else "-", marker=marker, label=label
                        )
            one.set(title=name, xlabel="epoch")
            if name == "lr":
                one.set_yscale("log")
            grid_lines(one)
            _whole_epochs(one)
        _, labels = c.axes[0].get_legend_handles_labels()
        if len(labels) > 1:
            c.axes[0].legend()
    return finished(c.figure if len(chosen) > 1 else c.axes[0], data, return_data)


def _is_dict(runs: Any) -> bool:
    return isinstance(runs, Mapping) and not isinstance(runs, History)


def _history(run: Any) -> History:
    if isinstance(run, Trainer):
        return run.history
    if isinstance(run, History):
        return run
    curve = getattr(run, "loss_curve_", None)
    if curve is not None:
        return History([{"loss": float(value)} for value in curve])
    raise TypeError(f"runs must be a History, a Trainer or a dict of them, got {type(run).__name__}")


def _size(panels: int) -> tuple[float, float]:
    return (5.6, 3.6) if panels == 1 else (min(11.0, 3.7 * min(3, panels)), 3.0 * -(-panels // 3))


def _whole_epochs(ax: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


class HealthRecorder(Callback):
    """Keeps `trainer.health(X, y)` of every k-th epoch, and of the beginning, for `health`.

    Parameters
    ----------
    X, y
        Samples to look at: some hundreds are enough. Each look costs about as much as a training step on them.
    epochs : int, default 1
        Between two looks.

    Attributes
    ----------
    records : dict of int to Health
        By epoch; 0 is the beginning.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim, viz
    >>> X, y = fastnn.data.make_moons(64, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    >>> recorder = viz.HealthRecorder(X, y)
    >>> history = trainer.fit(X, y, epochs=2, callbacks=[recorder])
    >>> list(recorder.records)
    [0, 1, 2]
    """

    in_checkpoints = False

    def __init__(self, X: Any, y: Any, epochs: int = 1) -> None:
        self.X, self.y = X, y
        self.epochs = check.check_integer("epochs", epochs, at_least=1)
        self.records: dict[int, Health] = {}

    def on_train_begin(self, run: Run) -> None:
        if not self.records:
            self.records[run.epoch] = run.trainer.health(self.X, self.y)

    def on_epoch_end(self, run: Run) -> None:
        if run.epoch % self.epochs == 0:
            self.records[run.epoch] = run.trainer.health(self.X, self.y)

    def __repr__(self) -> str:
        return f"HealthRecorder({len(self.records)} records)"


@errors_of_use
def health(records: Any, *, ax: Any = None, return_data: bool = False) -> Any:
    """Draw the health of layers: dead units, saturated outputs, gradient norms and update ratios, over epochs.

    Parameters
    ----------
    records : Health, HealthRecorder, or dict of epoch to Health
        One Health is drawn layer by layer.
    ax : Axes, or list of 4 of them, optional
    return_data : bool, default False

    Returns
    -------
    figure : Figure
    data : dict, with `return_data=True`
        "epochs" (n,), "layers", their names, and "dead", "saturated", "grad_norm" and "update_ratio", shape
        (n, layers): NaN where a layer has none.

    Raises
    ------
    TypeError, ValueError
        If there is no Health, or they are not of one network.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim, viz
    >>> import matplotlib.pyplot as plt
    >>> X, y = fastnn.data.make_moons(64, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters()))
    >>> figure, data = viz.health(trainer.health(X, y), return_data=True)
    >>> data["layers"], data["dead"].shape
    (['0 Linear + 1 Tanh', '2 Linear'], (1, 2))
    >>> plt.close("all")
    """
    found = records.records if isinstance(records, HealthRecorder) else records
    found = {0: found} if isinstance(found, Health) else found
    if not isinstance(found, Mapping) or not all(isinstance(one, Health) for one in found.values()):
        raise TypeError(f"records must be a Health, a HealthRecorder or a dict of them, got {type(records).__name__}")
    if not found:
        raise ValueError("there are no records yet: give the HealthRecorder to fit(..., callbacks=[...])")
    layers = [layer.name for layer in next(iter(found.values())).layers]
    if any([layer.name for layer in one.layers] != layers for one in found.values()):
        raise ValueError("records must be of one network: their layers differ")
    values = {m: np.array([[getattr(layer, m) for layer in one.layers] for one in found.values()]) for m in MEASURES}
    epochs = np.array(list(found))
    with canvas(ax, 4, 2, (9.0, 6.0)) as c:
        for one, (measure, title) in zip(c.axes, MEASURES.items(), strict=True):
            _measure(c, one, measure, epochs, layers, values[measure])
            one.set_title(title)
        _shared_legend(c)
    return finished(c.figure, {"epochs": epochs, "layers": layers, **values}, return_data)


def _measure(c: Any, ax: Any, measure: str, epochs: Array, layers: list[str], values: Array) -> None:
    """Lines over epochs, or bars of one epoch; layers are shaded from the first to the last."""
    shades = _shades(c.theme, len(layers))
    shares = measure in ("dead", "saturated")
    if len(epochs) == 1:
        bars = ax.bar(range(len(layers)), values[0], color=shades)
        ax.bar_label(bars, [_bar_text(v, shares) for v in values[0]], fontsize=8, padding=1)
        ax.set_xticks(range(len(layers)), [name.replace(" + ", "\n") for name in layers], fontsize=7)
        ax.set_xlim(-0.6, len(layers) - 0.4)
    else:
        for k, layer in enumerate(layers):
            if np.isfinite(values[:, k]).any():
                ax.plot(epochs, values[:, k], color=shades[k], marker=".", label=layer)
        ax.set_xlabel("epoch")
        _whole_epochs(ax)
    if shares:
        ax.set_ylim(-0.03, 1.1)
        ax.yaxis.set_major_formatter("{x:.0%}")
    elif (values[np.isfinite(values)] > 0).any():
        ax.set_yscale("log")
    if measure == "update_ratio":
        ax.axhline(1e-3, color=c.theme.faint, linestyle=":", linewidth=1.2)
        ax.annotate("usual", (0.99, 1e-3), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8)
    if not np.isfinite(values).any():
        ax.text(0.5, 0.5, "no layer has it", ha="center", transform=ax.transAxes, color=c.theme.faint)
    grid_lines(ax)


def _bar_text(value: float, share: bool) -> str:
    return "none" if np.isnan(value) else f"{value:.0%}" if share else f"{value:.2g}"


def _shades(theme: Any, count: int) -> Any:
    """Colours from the first layer to the last."""
    cmap = theme.between(theme.colors[0], theme.colors[1])
    return [cmap(k / max(1, count - 1)) for k in range(count)]


def _shared_legend(c: Any) -> None:
    from matplotlib.patches import Patch

    lines = {label: line for ax in c.axes for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    if lines and not isinstance(next(iter(lines.values())), Patch):
        c.axes[0].legend(lines.values(), lines.keys(), fontsize=8)


@errors_of_use
def lr_finder(
    result: Any, X: Any = None, y: Any = None, *, ax: Any = None, return_data: bool = False, **options: Any
) -> Any:
    """Draw a range test: losses against the learning rate, smoothed, with the suggestion.

    Parameters
    ----------
    result : LRFinder, or Trainer with X and y
        Of a trainer, `trainer.find_lr(X, y, **options)` is drawn.
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
    data : dict, with `return_data=True`
        "lrs", "losses", "smoothed", each of shape (n,).

    Raises
    ------
    TypeError, ValueError
        If `result` is neither, or data are missing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import LRFinder, viz
    >>> import matplotlib.pyplot as plt
    >>> rates, losses = 2.0 ** np.arange(-8, 0), np.array([8.0, 8.0, 8.0, 7.5, 4.0, 2.0, 2.0, 3.0])
    >>> ax = viz.lr_finder(LRFinder(rates, losses, smoothed=losses, smoothing=0.0))
    >>> [line.get_label() for line in ax.get_lines()]
    ['loss', 'smoothed', 'suggestion 0.062']
    >>> plt.close("all")
    """
    if isinstance(result, Trainer):
        if X is None or y is None:
            raise ValueError("a trainer needs X and y to test rates with")
        result = result.find_lr(X, y, **options)
    if not isinstance(result, LRFinder):
        raise TypeError(f"result must be an LRFinder or a Trainer, got {type(result).__name__}")
    with canvas(ax, size=(5.6, 3.6)) as c:
        one = c.axes[0]
        result.plot(one)
        one.set_title("learning rate range test")
        grid_lines(one)
    data = {"lrs": result.lrs, "losses": result.losses, "smoothed": result.smoothed}
    return finished(one, data, return_data)


@errors_of_use
def schedule(
    schedulers: Any,
    steps: int = 100,
    *,
    values: Iterable[float] | None = None,
    log: bool = False,
    ax: Any = None,
    return_data: bool = False,
) -> Any:
    """Draw the learning rates of schedules, step by step; the schedulers stay where they are.

    Parameters
    ----------
    schedulers : Scheduler, or dict of str to Scheduler
        Of `optim.lr_scheduler`; the rate is that of the first parameter group.
    steps : int, default 100
        Epochs or batches, as the scheduler counts.
    values : iterable of float, optional
        The metric at each step, which ReduceLROnPlateau needs.
    log : bool, default False
        Whether the axis of rates is logarithmic.
    ax : Axes, optional
    return_data : bool, default False

    Returns
    -------
    ax : Axes
    data : dict, with `return_data=True`
        The rates of each, shape (steps + 1,); the name of a single one is its class.

    Raises
    ------
    TypeError, ValueError
        If a scheduler is none, or `values` are missing or too few.

    Examples
    --------
    >>> from fastnn import nn, optim, viz
    >>> import matplotlib.pyplot as plt
    >>> optimizer = optim.SGD(nn.Sequential(nn.Linear(1, 1)).parameters(), lr=1.0)
    >>> halving = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> ax, data = viz.schedule(halving, 4, return_data=True)
    >>> data["StepLR"].tolist(), optimizer.lr
    ([1.0, 1.0, 0.5, 0.5, 0.25], 1.0)
    >>> plt.close("all")
    """
    found = dict(schedulers) if isinstance(schedulers, Mapping) else {type(schedulers).__name__: schedulers}
    steps = check.check_integer("steps", steps, at_least=1, at_most=10**6)
    given = None if values is None else [float(value) for value in values]
    data = {name: _rates(name, one, steps, given) for name, one in found.items()}
    units = {one.by for one in found.values()}
    with canvas(ax, size=(6.0, 3.6)) as c:
        one = c.axes[0]
        for i, (name, rates) in enumerate(data.items()):
            one.plot(rates, color=c.theme.color(i), linestyle=c.theme.dash(i), label=name)
        one.set(xlabel=units.pop() if len(units) == 1 else "step", ylabel="learning rate", title="schedule of the rate")
        if log:
            one.set_yscale("log")
        else:
            one.set_ylim(bottom=0)
        one.legend()
        grid_lines(one)
    return finished(one, data, return_data)


def _rates(name: str, scheduler: Any, steps: int, values: list[float] | None) -> Array:
    if not isinstance(scheduler, Scheduler):
        raise TypeError(f"{name} must be a scheduler of fastnn.optim.lr_scheduler, got {type(scheduler).__name__}")
    plateau = isinstance(scheduler, ReduceLROnPlateau)
    if plateau and (values is None or len(values) < steps):
        raise ValueError(f"ReduceLROnPlateau needs values, the metric at each of {steps} steps")
    scheduler = copy.deepcopy(scheduler)
    rates = [scheduler.get_last_lr()[0]]
    for i in range(steps):
        scheduler.step(*([values[i]] if plateau and values is not None else []))
        rates.append(scheduler.get_last_lr()[0])
    return np.array(rates)

"""Histories of training as curves over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._frames import errors_of_use
from ..training.history import History
from ..training.trainer import Trainer
from .panels import Canvas, canvas, finished, grid_lines, whole_epochs


@errors_of_use
def history(
    runs: Any, names: Sequence[str] | None = None, *, log: bool = False, ax: Any = None, return_data: bool = False
) -> Any:
    """Draw the records of training over epochs, a panel for each; those of validation dashed.

    Parameters
    ----------
    runs : History, Trainer, or dict of str to one
        Several are compared, by name.
    names : sequence of str, optional
        Records, without "val_"; by default all but "seconds" and those that are NaN throughout.
    log : bool, default False
        Whether the axes of values are logarithmic; that of "lr" always is.
    ax : Axes, or list of them, one for each name, optional
    return_data : bool, default False

    Returns
    -------
    drawn : Axes of one record, or Figure
        Epochs without a value, or with one that is not finite, are left out: lines go from the one before to the next.
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
                _lines(c, one, name, run, i if len(found) > 1 else None, data)
            one.set(title=name, xlabel="epoch")
            if log or name == "lr":
                one.set_yscale("log")
            grid_lines(one)
            whole_epochs(one)
        _, labels = c.axes[0].get_legend_handles_labels()
        if len(labels) > 1:
            c.axes[0].legend()
    return finished(c.figure if len(chosen) > 1 else c.axes[0], data, return_data)


def _lines(c: Canvas, ax: Any, name: str, run: str, place: int | None, data: dict[Any, Any]) -> None:
    """The lines of a record, training and validation, of run number `place`, or of the only one."""
    for j, record in enumerate((name, f"val_{name}")):
        if (run, record) not in data:
            continue
        epochs, values = data[run, record]
        there = np.isfinite(values)
        label = ("training", "validation")[j] if place is None else f"{run}, validation" if j else run
        ax.plot(
            epochs[there], values[there], color=c.theme.color(j if place is None else place),
            linestyle="--" if j else "-", marker="o" if there.sum() == 1 else "", label=label,
        )  # fmt: skip


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

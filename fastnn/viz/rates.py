"""Learning rates: range tests, and schedules step by step."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..optim.lr_scheduler import ReduceLROnPlateau
from ..optim.lr_scheduler.base import Scheduler
from ..training.lr_finder import LRFinder
from ..training.trainer import Trainer
from .panels import canvas, finished, grid_lines

Array = check.Array


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
        if len(result.smoothed):  # what the test ended with is far above the rest
            low, high = float(result.smoothed.min()), float(result.smoothed.max())
            one.set_ylim(low - 0.15 * (high - low or 1.0), high + 0.15 * (high - low or 1.0))
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
        raise TypeError(
            f"schedulers: {name} must be a scheduler of fastnn.optim.lr_scheduler, got {type(scheduler).__name__}"
        )
    plateau = isinstance(scheduler, ReduceLROnPlateau)
    if plateau and (values is None or len(values) < steps):
        raise ValueError(f"ReduceLROnPlateau needs values, the metric at each of {steps} steps")
    scheduler = copy.deepcopy(scheduler)
    rates = [scheduler.get_last_lr()[0]]
    for i in range(steps):
        scheduler.step(*([values[i]] if plateau and values is not None else []))
        rates.append(scheduler.get_last_lr()[0])
    return np.array(rates)

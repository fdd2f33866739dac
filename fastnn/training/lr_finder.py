"""The learning rate range test: at which learning rates a network can be trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .. import _validation as check
from .._core.errors import NonFinite
from .._frames import errors_of_use
from ..optim.lr_scheduler.base import group_count, place_of
from .data import Array, Data
from .engine import Engine, HasEngine
from .nonfinite import check_data

AT_ONCE = 8  # batches in one call of the compiled loop, between two checks of the losses
MIN_POINTS = 5  # batches that a suggestion needs


@dataclass(frozen=True)
class LRFinder:
    """The curve of a range test, from `lr_finder` or `Trainer.find_lr`.

    Attributes
    ----------
    lrs, losses : ndarray of float64, shape (n,)
        The learning rate of each batch, and its loss before the update with that rate.
    smoothed : ndarray of float64, shape (n,)
        The exponential moving average of the losses, corrected for its start at 0.
    mode : str, default "exponential"
        "exponential" or "linear": how the rates grow.
    diverged : bool, default False
        Whether the test ended early, because the loss was too large or not finite.
    smoothing : float, default 0.9
        The weight of the previous average in the moving average.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import LRFinder
    >>> rates = 2.0 ** np.arange(-8, 0)
    >>> losses = np.array([8.0, 8.0, 8.0, 7.5, 4.0, 2.0, 2.0, 3.0])
    >>> result = LRFinder(rates, losses, smoothed=losses, smoothing=0.0)
    >>> result
    LRFinder(8 batches, lr 0.00391 to 0.5)
    >>> result.suggestion()
    0.0625
    """

    lrs: Array
    losses: Array
    smoothed: Array
    mode: str = "exponential"
    diverged: bool = False
    smoothing: float = 0.9

    def suggestion(self, skip: int | None = None) -> float:
        """The learning rate at which the smoothed loss falls most steeply, before its minimum.

            lr = argmin d(smoothed loss) / d(log lr)          # d(lr) in mode "linear"

        Parameters
        ----------
        skip : int, optional
            Number of batches at the beginning that do not count, 0 to n - 2, because the average has few values there.
            By default a fifth of the batches, at most 10.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If the loss does not fall by more than its noise, there are fewer than five batches, or `skip` is out of
            range.
        TypeError
            If `skip` is not an integer.

        Notes
        -----
        The average is smoothed a second time, backwards, so that it does not lag behind the losses. The suggestion is
        unreliable if batches are few or small: look at the curve with `plot`.
        """
        n = len(self.lrs)
        if n < MIN_POINTS:
            raise ValueError(f"only {n} batches were finite: begin with a smaller rate or take more steps")
        skip = min(n // 5, 10) if skip is None else check.check_integer("skip", skip, at_least=0, at_most=n - 2)
        axis = np.log(self.lrs) if self.mode == "exponential" else self.lrs
        bottom = skip + int(np.argmin(self.smoothed[skip:]))
        # The average lags behind the losses; averaged backwards too, it does not.
        curve = _smooth(self.smoothed[bottom::-1], self.smoothing)[::-1]
        noise = np.std((self.losses - self.smoothed)[skip : bottom + 1])
        if bottom == skip or curve[skip] - curve[-1] <= noise:
            raise ValueError(
                f"the loss does not fall by more than its noise between {self.lrs[skip]:g} and {self.lrs[-1]:g}"
            )
        slope = np.gradient(curve, axis[: bottom + 1])[skip:]
        return float(self.lrs[skip + int(np.argmin(slope))])

    def plot(self, ax: Any = None) -> Any:
        """Plot losses, smoothed losses and the suggestion against the learning rate.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            The axes to plot into; by default those of a new figure.

        Returns
        -------
        ax : matplotlib.axes.Axes

        Raises
        ------
        ImportError
            If no axes are given and matplotlib is not installed.
        """
        if ax is None:
            try:
                pyplot = import_module("matplotlib.pyplot")
            except ImportError:
                raise ImportError("LRFinder.plot needs matplotlib: pip install matplotlib") from None
            ax = pyplot.subplots()[1]
        ax.plot(self.lrs, self.losses, alpha=0.3, label="loss")
        ax.plot(self.lrs, self.smoothed, label="smoothed")
        try:
            rate = self.suggestion()
            ax.axvline(rate, linestyle="--", color="gray", label=f"suggestion {rate:.2g}")
        except ValueError:  # no suggestion: plot the curve alone
            pass
        ax.set_xscale("log" if self.mode == "exponential" else "linear")
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        if not len(self.lrs):
            return "LRFinder(no batches)"
        end = ", diverged" if self.diverged else ""
        return f"LRFinder({len(self.lrs)} batches, lr {self.lrs[0]:.3g} to {self.lrs[-1]:.3g}{end})"


@errors_of_use
def lr_finder(
    trainer: HasEngine,
    x: Any,
    y: Any,
    *,
    start: float = 1e-7,
    stop: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    mode: str = "exponential",
    smoothing: float = 0.9,
    diverge: float = 4.0,
    seed: int | None = None,
    sample_weight: Any = None,
) -> LRFinder:
    """Learning rate range test: train a copy for some batches while the learning rate grows, and record the losses.

        lr_i = start * (stop / start)^(i / (steps - 1))          # "exponential", i = 0 .. steps - 1
        lr_i = start + (stop - start) * i / (steps - 1)          # "linear"

    The trainer, its network, optimizer, scheduler and random numbers do not change. A good rate is where the loss falls
    fast (`result.suggestion()`), below the rate where it begins to rise (`result.plot()`).

    Parameters
    ----------
    trainer : Trainer
    x, y, sample_weight
        As for `Trainer.fit`; whole batches of them are taken in shuffled order, as often as needed.
    start, stop : float, default 1e-7 and 10.0
        The first and the last rate, 0 < start < stop < infinity. Parameter groups keep the ratios of their rates to the
        rate of the first group.
    steps : int, default 100
        Number of batches, from 2 to 2**24.
    batch_size : int, default 32
        Rows of a batch, 1 or more; at most all samples.
    mode : {"exponential", "linear"}, default "exponential"
        Whether the rate is multiplied by the same factor after each batch, or the same number is added to it.
    smoothing : float, default 0.9
        The weight of the previous average in the moving average of the losses, in [0, 1).
    diverge : float, default 4.0
        The test ends when the smoothed loss is above `diverge` times its minimum so far, or not finite. Above 1.
    seed : int, optional
        From 0 to 2**64 - 1, for the order of the samples; by default the network's.

    Returns
    -------
    result : LRFinder

    Raises
    ------
    ValueError
        If an argument is out of range, a NaN or infinity in x or y makes a loss not finite, or the optimizer does a
        line search (`LBFGS`).
    TypeError
        If an argument has the wrong type.

    Notes
    -----
    A loss that is not finite ends the test and is not part of the curve. Of a negative minimum m, the limit is
    m + (diverge - 1) |m|. Source: L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim
    >>> X, y = fastnn.data.make_moons(200, noise=0.1, seed=0)
    >>> net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), seed=0)
    >>> trainer = fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters()))
    >>> 1e-3 < fastnn.lr_finder(trainer, X, y).suggestion() < 10
    True
    """
    check.check_choice("mode", mode, ("exponential", "linear"))
    steps = check.check_integer("steps", steps, at_least=2, at_most=2**24)
    start = check.check_number("start", start, above=0.0)
    rates = _sweep(start, check.check_number("stop", stop, above=start, below=math.inf), steps, mode)
    smoothing = check.check_number("smoothing", smoothing, at_least=0.0, below=1.0)
    diverge = check.check_number("diverge", diverge, above=1.0)
    engine = trainer.engine
    seed = engine.net.seed if seed is None else check.check_seed(seed)
    batch = check.check_integer("batch_size", batch_size, at_least=1, at_most=check.MAX_ROWS)
    engine.refresh()
    if engine.optimizer.searches:
        raise ValueError(f"{type(engine.optimizer).__name__} searches for the length of its steps: it needs no test")
    engine = copy.deepcopy(engine)  # that of the trainer does not change, even if an error is raised
    data = engine.data(x, y, sample_weight).not_empty()
    data.weigh(batch)
    slices = _slices(data, seed, min(batch, len(data)), steps)
    losses, finite = _train(engine, slices, rates, lambda losses: _within(_smooth(losses, smoothing), diverge))
    smoothed = _smooth(losses, smoothing)
    within = _within(smoothed, diverge)
    end = min(within + 1, len(losses))
    diverged = not finite or within < len(losses)
    return LRFinder(rates[:end], losses[:end], smoothed[:end], mode, diverged, smoothing)


def _sweep(start: float, stop: float, steps: int, mode: str) -> Array:
    """The learning rates, from `start` to `stop`."""
    shares = [i / (steps - 1) for i in range(steps)]
    if mode == "linear":
        return np.array([start + (stop - start) * share for share in shares])
    return np.array([math.exp((1 - share) * math.log(start) + share * math.log(stop)) for share in shares])


Slice = tuple[Data, Array | None, int, int, int]  # data, order, start, stop, and the rows of a batch


def _slices(data: Data, seed: int, batch: int, steps: int) -> Iterator[Slice]:
    """Generate ranges of a few whole batches, `steps` batches in all."""
    epoch = 0
    while steps > 0:
        for part, order, _ in data.stretches(seed, epoch, True):
            whole = len(part) // batch
            for first in range(0, whole, AT_ONCE):
                n = min(AT_ONCE, whole - first, steps)
                steps -= n
                yield part, order, first * batch, (first + n) * batch, batch
        epoch += 1


def _train(engine: Engine, slices: Iterator[Any], rates: Array, within: Callable[[Array], int]) -> tuple[Array, bool]:
    """The losses until they are no longer `within` the limits, and whether they were all finite."""
    optimizer, losses, done = engine.optimizer, np.empty(len(rates)), 0
    places = np.array([place_of(optimizer, "lr", group) for group in range(group_count(optimizer))], "int64")
    base = optimizer.hyper.reshape(-1)[places]
    table = rates[:, None] * (base / base[0] if base[0] else np.ones(len(base)))
    while done < len(rates):
        data, order, start, stop, batch = next(slices)
        tick, rates_left = int(engine.net._tick[0]), (places, table[done:])
        try:
            sums = engine.scoring.new_sums(data)
            engine.run("step", data, order, start, stop, batch, sums, True, rates_left, losses[done:])
        except NonFinite as error:
            first = error.args[0]
            check_data(data, slice(first, first + batch) if order is None else order[first : first + batch])
            return losses[: done + int(engine.net._tick[0]) - tick], False
        done += int(engine.net._tick[0]) - tick
        if within(losses[:done]) < done:
            break
    return losses[:done], True


def _smooth(losses: Array, smoothing: float) -> Array:
    """The exponential moving average, corrected for its start at 0."""
    average, weight, smoothed = 0.0, 0.0, []
    for loss in losses.tolist():
        average = smoothing * average + (1 - smoothing) * loss
        weight = smoothing * weight + (1 - smoothing)
        smoothed.append(average / weight)
    return np.array(smoothed)


def _within(smoothed: Array, diverge: float) -> int:
    """The number of losses before the first that is too large."""
    best = np.minimum.accumulate(smoothed)
    beyond = np.flatnonzero(smoothed > best + (diverge - 1) * np.abs(best))
    return int(beyond[0]) if beyond.size else len(smoothed)

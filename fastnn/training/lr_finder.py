"""The range test: which learning rates a network can be trained with."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._core.program import NonFinite
from .._frames import errors_of_use
from ..optim.lr_scheduler.base import group_count, place_of
from .data import Data
from .nonfinite import check_data
from .programs import Array

if TYPE_CHECKING:
    from .trainer import Trainer

AT_ONCE = 8  # batches between two looks at the losses
MIN_POINTS = 5  # that a slope is taken from


@dataclass(frozen=True)
class LRFinder:
    """The curve of a range test.

    Attributes
    ----------
    lrs, losses : ndarray of float64, shape (n,)
        The rate of each batch, and its loss before the update with it.
    smoothed : ndarray of float64, shape (n,)
        The exponential average of the losses, corrected for its start.
    mode : str
        "exponential" or "linear": how the rates grow.
    diverged : bool
        Whether the test ended early, because the loss was too large or not finite.
    smoothing : float
        How much of the average was kept from batch to batch.
    """

    lrs: Array
    losses: Array
    smoothed: Array
    mode: str = "exponential"
    diverged: bool = False
    smoothing: float = 0.9

    def suggestion(self, skip: int | None = None) -> float:
        """The rate at which the smoothed loss falls most steeply on its way to its minimum.

        Noise misleads it where batches are few or small: look at the curve.

        Parameters
        ----------
        skip : int, optional
            How many batches at the beginning, where the average has little to go by, do not count; by default a fifth,
            but no more than 10.

        Raises
        ------
        ValueError
            If the loss does not fall by more than its noise, or there are fewer than five batches.
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
        """Draw the curve, with the suggestion, into the axes of matplotlib that are given or made, and return them.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
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
        except ValueError:  # a curve that falls nowhere is worth a look too
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
    trainer: Trainer,
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
    """Train a copy for some batches with a growing rate, and record the losses (Smith, 2017).

    The trainer, its network, optimizer, scheduler and random numbers are not touched. A good rate is where the loss
    falls fast (`result.suggestion()`), some way before it rises (`result.plot()`).

    Parameters
    ----------
    trainer : Trainer
    x, y, sample_weight
        As for `Trainer.fit`; whole batches of them are taken in shuffled order, as often as needed.
    start, stop : float above 0, default 1e-7 and 10
        The first and the last rate. Parameter groups keep the ratios of their rates to that of the first one.
    steps : int, at least 2, default 100
        Number of batches.
    batch_size : int, default 32
    mode : {"exponential", "linear"}
        Whether the rate is multiplied by the same factor from batch to batch, or the same is added to it.
    smoothing : float in [0, 1), default 0.9
        How much of the average is kept from batch to batch.
    diverge : float above 1, default 4
        The test ends when the smoothed loss is that many times the smallest so far, or not finite.
    seed : int, optional
        Of the order, by default the network's.

    Returns
    -------
    result : LRFinder

    Notes
    -----
    L. N. Smith, "Cyclical learning rates for training neural networks", WACV 2017.

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
    seed = trainer.net.seed if seed is None else check.check_seed(seed)
    batch = check.check_integer("batch_size", batch_size, at_least=1, at_most=check.MAX_ROWS)
    trainer._check_current()
    if trainer.optimizer.searches:
        raise ValueError(f"{type(trainer.optimizer).__name__} searches for the length of its steps: it needs no test")
    trainer = copy.deepcopy(trainer)  # whatever happens, the trainer is as before
    data = Data.of(trainer.net, trainer.loss, x, y, sample_weight).not_empty()
    data.weigh(batch)
    slices = _slices(data, seed, min(batch, len(data)), steps)
    losses, finite = _train(trainer, slices, rates, lambda losses: _within(_smooth(losses, smoothing), diverge))
    smoothed = _smooth(losses, smoothing)
    within = _within(smoothed, diverge)
    end = min(within + 1, len(losses))
    diverged = not finite or within < len(losses)
    return LRFinder(rates[:end], losses[:end], smoothed[:end], mode, diverged, smoothing)


def _sweep(start: float, stop: float, steps: int, mode: str) -> Array:
    """The rates, both ends included."""
    shares = [i / (steps - 1) for i in range(steps)]
    if mode == "linear":
        return np.array([start + (stop - start) * share for share in shares])
    return np.array([math.exp((1 - share) * math.log(start) + share * math.log(stop)) for share in shares])


Slice = tuple[Data, Array | None, int, int, int]  # data, order, start, stop, and the rows of a batch


def _slices(data: Data, seed: int, batch: int, steps: int) -> Iterator[Slice]:
    """Stretches of a few whole batches, so many batches in all."""
    epoch = 0
    while steps > 0:
        for part, order, _ in data.stretches(seed, epoch, True):
            whole = len(part) // batch
            for first in range(0, whole, AT_ONCE):
                n = min(AT_ONCE, whole - first, steps)
                steps -= n
                yield part, order, first * batch, (first + n) * batch, batch
        epoch += 1


def _train(trainer: Trainer, slices: Iterator[Any], rates: Array, within: Callable[[Array], int]) -> tuple[Array, bool]:
    """The losses, until there are more than are `within` the limits; and whether they stayed finite."""
    optimizer, losses, done = trainer.optimizer, np.empty(len(rates)), 0
    places = np.array([place_of(optimizer, "lr", group) for group in range(group_count(optimizer))], "int64")
    base = optimizer.hyper.reshape(-1)[places]
    table = rates[:, None] * (base / base[0] if base[0] else np.ones(len(base)))
    while done < len(rates):
        data, order, start, stop, batch = next(slices)
        tick, rates_left = int(trainer.net._tick[0]), (places, table[done:])
        try:
            sums = trainer._programs.new_sums(data)
            trainer._programs.run("step", data, order, start, stop, batch, sums, True, rates_left, losses[done:])
        except NonFinite as error:
            first = error.args[0]
            check_data(data, slice(first, first + batch) if order is None else order[first : first + batch])
            return losses[: done + int(trainer.net._tick[0]) - tick], False
        done += int(trainer.net._tick[0]) - tick
        if within(losses[:done]) < done:
            break
    return losses[:done], True


def _smooth(losses: Array, smoothing: float) -> Array:
    average, weight, smoothed = 0.0, 0.0, []
    for loss in losses.tolist():
        average = smoothing * average + (1 - smoothing) * loss
        weight = smoothing * weight + (1 - smoothing)
        smoothed.append(average / weight)
    return np.array(smoothed)


def _within(smoothed: Array, diverge: float) -> int:
    """How many come before the first that is too large."""
    best = np.minimum.accumulate(smoothed)
    beyond = np.flatnonzero(smoothed > best + (diverge - 1) * np.abs(best))
    return int(beyond[0]) if beyond.size else len(smoothed)

"""Which networks of a search are trained further, and how."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..training import Trainer
from ..training.monitor import Monitor

TENTHS = 10  # stages of a population
FIFTH = 0.2  # share of a population that is replaced, and that is copied
FACTORS = 0.8, 1.25  # of hyperparameters of copies


@dataclass
class Candidate:
    """A network with its settings, and the records of its epochs so far."""

    setting: dict[str, Any]
    trainer: Trainer
    rows: list[dict[str, float]] = field(default_factory=list)


@dataclass
class Members:
    """Networks, and the monitored value of each."""

    items: list[Candidate]
    values: list[float]

    @classmethod
    def of(cls, make: Callable[..., Trainer], settings: list[dict[str, Any]]) -> Members:
        """New networks for settings."""
        return cls([Candidate(s, make(**s)) for s in settings], [math.nan] * len(settings))

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def some(self, places: list[int]) -> Members:
        """Those at some places."""
        return Members([self.items[i] for i in places], [self.values[i] for i in places])


@dataclass
class Fit:
    """What the strategies share.

    Attributes
    ----------
    train : function (members, start, stop, stage) -> list of float
        Trains members from epoch `start` to `stop`; returns their values.
    monitor : Monitor
    epochs : int
    factor : int
    rng : numpy.random.Generator
    """

    train: Callable[[Members, int, int, str], list[float]]
    monitor: Monitor
    epochs: int
    factor: int
    rng: np.random.Generator

    def ranked(self, values: list[float]) -> list[int]:
        """Places from the best value to the worst; NaN is the worst, and of equal ones the first is the best."""
        signs = [math.inf if math.isnan(v) else (-v if self.monitor.larger else v) for v in values]
        return sorted(range(len(values)), key=signs.__getitem__)


def successive_halving(members: Members, fit: Fit, first: int | None = None, name: str = "halving") -> None:
    """Train all members for `first` epochs, the best 1 / factor of them factor times as long, and so on.

    By default the last stage has one member, or fewer than `factor`. (Jamieson and Talwalkar, "Non-stochastic Best Arm
    Identification and Hyperparameter Optimization", AISTATS 2016.)
    """
    if first is None:
        first = max(1, fit.epochs // fit.factor ** int(math.log(max(1, len(members)), fit.factor) + 1e-9))
    places, start, stop = list(range(len(members))), 0, min(first, fit.epochs)
    stage = 0
    while True:
        values = fit.train(members.some(places), start, stop, f"{name}-{stage}")
        for place, value in zip(places, values, strict=True):
            members.values[place] = value
        if stop >= fit.epochs:
            return
        kept = max(1, len(places) // fit.factor)
        places = sorted(places[i] for i in fit.ranked(values)[:kept])
        start, stop, stage = stop, min(stop * fit.factor, fit.epochs), stage + 1


def hyperband(members: Members, fit: Fit) -> None:
    """Successive halving in several brackets, from the one that begins with the fewest epochs to one with all.

    The members are divided between the brackets in the proportions of Li et al., "Hyperband: A Novel Bandit-Based
    Approach to Hyperparameter Optimization", JMLR 2018.
    """
    most = int(math.log(fit.epochs, fit.factor) + 1e-9)
    wanted = [math.ceil((most + 1) / (s + 1) * fit.factor**s) for s in range(most, -1, -1)]
    ends = np.round(np.cumsum(wanted) / sum(wanted) * len(members)).astype(int).tolist()
    begin = 0
    for s, end in zip(range(most, -1, -1), ends, strict=True):
        bracket = members.some(list(range(begin, end)))
        if len(bracket):
            successive_halving(bracket, fit, max(1, fit.epochs // fit.factor**s), f"hyperband-{s}")
            members.values[begin:end] = bracket.values
        begin = end


def population(members: Members, fit: Fit, perturb: tuple[str, ...]) -> None:
    """Train all members; after each tenth of the epochs the worst fifth become altered copies of the best fifth.

    (Jaderberg et al., "Population Based Training of Neural Networks", 2017.)
    """
    for member in members:
        for name in perturb:
            if not isinstance(getattr(member.trainer.optimizer, name, None), float):
                raise ValueError(f"perturb: {type(member.trainer.optimizer).__name__} has no number {name!r}")
    ends = sorted({max(1, round(fit.epochs * i / TENTHS)) for i in range(1, TENTHS + 1)})
    few = max(1, int(len(members) * FIFTH)) if len(members) > 1 else 0
    start = 0
    for stage, stop in enumerate(ends):
        members.values = fit.train(members, start, stop, f"population-{stage}")
        if stop < fit.epochs:
            order = fit.ranked(members.values)
            for place in order[len(order) - few :]:
                source = members.items[order[int(fit.rng.integers(few))]]
                _copy(source, members.items[place], perturb, fit.rng)
        start = stop


def _copy(source: Candidate, target: Candidate, perturb: tuple[str, ...], rng: np.random.Generator) -> None:
    """Give a member the values of another, and hyperparameters that are a little different."""
    target.trainer.net.load_state_dict(source.trainer.net.state_dict())
    target.trainer.optimizer.load_state_dict(source.trainer.optimizer.state_dict())
    target.setting = dict(source.setting)
    for name in perturb:
        value = getattr(source.trainer.optimizer, name) * FACTORS[int(rng.integers(2))]
        setattr(target.trainer.optimizer, name, value)
        target.setting[name] = value

"""Searches for settings: networks with different ones, trained side by side."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use
from ..training import History, Trainer
from ..training.monitor import Monitor
from .fleet import fit_many
from .strategies import Fit, Members, hyperband, population, successive_halving

STRATEGIES = ("all", "halving", "hyperband", "population")


@dataclass
class Sweep:
    """What `sweep` returns: the settings that were tried, with their networks and records.

    Attributes
    ----------
    settings : list of dict
        Of each network; of strategy "population" those that it ended with.
    trainers : list of Trainer
    histories : list of History
        All epochs of each network.
    monitor : str
    values : list of float
        The monitored record of the last epoch of each network.
    """

    settings: list[dict[str, Any]]
    trainers: list[Trainer]
    histories: list[History]
    monitor: str
    values: list[float] = field(default_factory=list)
    larger: bool = False

    @property
    def best_index(self) -> int:
        """The place of the best value among networks that were trained for as many epochs as any; of the first one."""
        most = max(history.epochs for history in self.histories)
        signs = [(-v if self.larger else v) for v in self.values]
        ranked = [
            (math.inf if math.isnan(value) else value, i)
            for i, value in enumerate(signs)
            if self.histories[i].epochs == most
        ]
        return min(ranked)[1]

    @property
    def best_settings(self) -> dict[str, Any]:
        """The settings of the best network."""
        return self.settings[self.best_index]

    @property
    def best_trainer(self) -> Trainer:
        """The trainer of the best network."""
        return self.trainers[self.best_index]

    def table(self) -> dict[str, list[Any]]:
        """A row for each network: settings, epochs and last records; `pandas.DataFrame(sweep.table())`."""
        names = dict.fromkeys(name for setting in self.settings for name in setting)
        records = dict.fromkeys(name for history in self.histories for name in history.last)
        columns: dict[str, list[Any]] = {name: [setting.get(name) for setting in self.settings] for name in names}
        columns["epochs"] = [history.epochs for history in self.histories]
        return columns | {name: [h.last.get(name, math.nan) for h in self.histories] for name in records}

    def __repr__(self) -> str:
        value = self.values[self.best_index]
        return f"Sweep({len(self.trainers)} networks, best {self.monitor}={value:.4g} of {self.best_settings})"


@errors_of_use
def sweep(
    make: Callable[..., Trainer],
    space: Any,
    X: Any,
    y: Any,
    *,
    strategy: str = "all",
    n: int | None = None,
    epochs: int = 10,
    monitor: str = "val_loss",
    mode: str = "auto",
    factor: int = 3,
    perturb: Iterable[str] = ("lr",),
    seed: int = 0,
    checkpoint: Any = None,
    **fit: Any,
) -> Sweep:
    """Train networks with different settings side by side, by `fit_many`, and compare them.

    Parameters
    ----------
    make : function
        `make(**setting)` returns the trainer of a new network; for an Optuna study, `make(trial)`.
    space : mapping, list of dict, function, or optuna.Study
        A grid, {"lr": [0.1, 0.01], "width": [16, 64]}, of which all combinations are settings; a list of settings; a
        function (rng) -> setting, which draws one from a `numpy.random.Generator`; or a study, which is asked for
        trials, as many at a time as there are threads, and told their values.
    X, y
        As for `fit_many`, for all networks.
    strategy : {"all", "halving", "hyperband", "population"}, default "all"
        "all" trains each network for all epochs. "halving" (Jamieson and Talwalkar 2016) goes on with the best
        1 / factor of them after 1 / factor^k, ..., 1 / factor of the epochs. "hyperband" (Li et al. 2017) does so from
        several beginnings: many networks that begin with few epochs to few with all. "population" (Jaderberg et al.
        2017) trains all, and after every tenth of the epochs gives each of the worst fifth the weights and the
        optimizer's state of one of the best fifth, with the hyperparameters in `perturb` times 0.8 or 1.25; all must
        have one architecture.
    n : int, optional
        Settings to draw; needed for a function and for a study. Of a grid, so many are drawn without repetition.
    epochs : int, default 10
        The most of a network.
    monitor, mode : str
        The record by which networks are compared, and whether less or more is better; see `EarlyStopping`.
    factor : int of at least 2, default 3
    perturb : iterable of str, default ("lr",)
        Attributes of the optimizer.
    seed : int, default 0
        Of what is drawn here. The seeds of networks are those that `make` gives.
    checkpoint : str or path, optional
        The beginning of the names of files that `fit_many` keeps, one for each stage; with `resume=True` a sweep that
        was killed goes on, and ends with the same bits.
    **fit
        Further arguments of `fit_many`: batch_size, validation_data, validation_split, resume, progress, ...

    Returns
    -------
    result : Sweep
        `result.table()`, `result.best_settings`, `result.best_trainer`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or no network has the monitored record.

    Notes
    -----
    A network that is trained in stages has the bits of one that is trained for as many epochs at once.

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim
    >>> X, y = fastnn.data.make_moons(200, noise=0.1, seed=0)
    >>> def make(lr, width):
    ...     net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2), seed=0)
    ...     return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=lr))
    >>> result = fastnn.sweep(
    ...     make, {"lr": [1e-4, 0.05], "width": [4, 16]}, X, y, strategy="halving", epochs=30, validation_split=0.25
    ... )
    >>> result.best_settings["lr"], sorted(result.table()["epochs"])
    (0.05, [10, 10, 10, 30])
    """
    watch, rng = Monitor(monitor, mode), np.random.default_rng(check.check_seed(seed))
    check.check_choice("strategy", strategy, STRATEGIES)
    epochs = check.check_integer("epochs", epochs, at_least=1)
    factor = check.check_integer("factor", factor, at_least=2)

    def train(members: Members, start: int, stop: int, stage: str) -> list[float]:
        path = None if checkpoint is None else f"{checkpoint}-{stage}"
        fleet = fit_many([m.trainer for m in members], X, y, epochs=stop, initial_epoch=start, checkpoint=path, **fit)
        for member, history in zip(members, fleet, strict=True):
            member.rows += history.rows
        return [watch.value(history.last) if history.last else math.nan for history in fleet]

    if hasattr(space, "ask"):
        return _by_study(make, space, check.check_integer("n", n, at_least=1), epochs, watch, train)
    settings = settings_of(space, n, rng)
    members = Members.of(make, settings)
    search: Fit = Fit(train, watch, epochs, factor, rng)
    if strategy == "all":
        members.values = train(members, 0, epochs, "all")
    elif strategy == "halving":
        successive_halving(members, search)
    elif strategy == "hyperband":
        hyperband(members, search)
    else:
        population(members, search, tuple(perturb))
    return _result(members, watch)


def settings_of(space: Any, n: int | None, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The settings that are tried.

    Raises
    ------
    TypeError, ValueError
        If the space is none, or empty, or `n` is missing.
    """
    if callable(space):
        if n is None:
            raise ValueError("n must be given for a function that draws settings")
        return [dict(space(rng)) for _ in range(check.check_integer("n", n, at_least=1))]
    if isinstance(space, Mapping):
        for name, values in space.items():
            if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
                raise TypeError(f"space[{name!r}] must be a list of values, got {values!r:.40}")
        settings = [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
    elif isinstance(space, (list, tuple)) and all(isinstance(item, Mapping) for item in space):
        settings = [dict(item) for item in space]
    else:
        raise TypeError(f"space must be a grid, a list of settings or a function, got {type(space).__name__}")
    if not settings:
        raise ValueError("space must have one setting or more, got none")
    if n is not None and check.check_integer("n", n, at_least=1) < len(settings):
        settings = [settings[i] for i in sorted(rng.choice(len(settings), n, replace=False))]
    return settings


def _by_study(make: Any, study: Any, n: int, epochs: int, watch: Monitor, train: Any) -> Sweep:
    """Ask an Optuna study for trials, as many at a time as there are threads, and tell it their values."""
    from .._core.threads import get_num_threads

    everything = Members([], [])
    while len(everything) < n:
        trials = [study.ask() for _ in range(min(get_num_threads(), n - len(everything)))]
        members = Members.of(lambda trial: make(trial), [{"trial": trial} for trial in trials])
        values = train(members, 0, epochs, f"trials-{len(everything)}")
        for trial, value in zip(trials, values, strict=True):
            study.tell(trial, value) if math.isfinite(value) else study.tell(trial, state=_failed())
        for member, trial in zip(members, trials, strict=True):
            member.setting = dict(trial.params)
        everything.items += members.items
        everything.values += values
    return _result(everything, watch)


def _failed() -> Any:
    """The state of a trial without a value."""
    return import_module("optuna.trial").TrialState.FAIL


def _result(members: Members, watch: Monitor) -> Sweep:
    histories = [History(member.rows) for member in members]
    trainers, settings = [m.trainer for m in members], [m.setting for m in members]
    return Sweep(settings, trainers, histories, watch.name, members.values, watch.larger)

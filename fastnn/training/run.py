"""A run, one call of `Trainer.fit`, as callbacks see it: its settings, its place and its records."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from ..compiler.counters import SUMS
from . import nonfinite
from .data import Data
from .history import History
from .progress import bar_for
from .state import PLACE, RARE_SETTINGS, SETTINGS, STATE
from .streams import BatchStream, Source

if TYPE_CHECKING:
    from ..data import Mixup
    from ..nn.sequential import Sequential
    from ..optim import Optimizer, WeightAverage
    from .engine import Engine

Array = check.Array


class Run:
    """A run of `Trainer.fit`: what callbacks are given, and what a checkpoint keeps.

    Attributes
    ----------
    trainer : Trainer
    net : Sequential
    optimizer : Optimizer
    epochs, epoch : int
        Number of epochs asked for, and of those that are finished: 0 in the first epoch, 1 at its `on_epoch_end`; with
        `initial_epoch` both count those before the run.
    batch : int
        Batches finished in this epoch.
    batch_size, samples : int or None
        Rows of a batch, and of an epoch; None if only an iterable can tell.
    accumulate : int
        Batches of an update. Callbacks see the run between two updates.
    loss : float
        The loss of the last batch.
    logs : dict
        At the end of an epoch its values by name ("loss", "val_loss", ...), to which more can be added; between
        batches those of the epoch so far.
    history : History
        The epochs before.
    resumed : bool
        Whether the run goes on where another one stopped.
    """

    # What few runs set is of the class: an object with more than 30 attributes of its own is slower to make.
    resumed = False
    _failed: tuple[Data, int, int] | None = None  # of the first batch whose loss is not finite: data, rows, number

    # The state: with these, all that comes is decided (and the network, the optimizer and the callbacks).
    history: History
    sums: Array  # of this epoch
    first: int  # epochs trained before this run: they have had their orders
    epoch = batch = position = 0  # `position`: rows done in this epoch
    seconds = 0.0  # of this epoch
    lr = 0.0  # with which it began
    settled = True  # whether all this is that between two batches, and every callback knows of it
    paused = False  # stopped for now: a resumed run goes on

    # Arguments of `Trainer.fit` that few runs have.
    initial_epoch = 0
    drop_last = False
    validation_freq: int | frozenset[int] = 1
    validated_average: WeightAverage | None = None  # whose weights are validated instead of the network's own

    def __init__(
        self,
        trainer: Any,
        engine: Engine,
        data: Source,
        validation: Data | None,
        callbacks: list[Any],
        transform: Mixup | None,
        epochs: int,
        batch_size: int | None,
        accumulate: int,
        shuffle: bool,
        seed: int,
        first: int,
        progress: bool | str,
        initial_epoch: int = 0,
    ) -> None:
        self.trainer, self.engine, self.data, self.validation = trainer, engine, data, validation
        self.epochs, self.batch_size, self.shuffle, self.seed = epochs, batch_size, shuffle, seed
        self.accumulate = accumulate
        self.samples = None if data.samples is None else data.samples - data.dropped
        data.weigh(batch_size or 1)
        self.callbacks, self.transform = callbacks, transform
        self.bar = None if progress is False else bar_for(progress, epochs, self.samples, initial_epoch)
        self.logs: dict[str, float] = {}
        self._callback_states: dict[int, dict[str, Any]] = {}  # to be loaded when the callbacks have begun
        self.history = History()
        self.first = first
        if initial_epoch:
            self.epoch = self.initial_epoch = self.history.initial_epoch = initial_epoch
        like = data.like
        self.sums = np.zeros(SUMS) if like is None else engine.scoring.new_sums(like)

    @property
    def net(self) -> Sequential:
        """The network."""
        return self.engine.net

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer."""
        return self.engine.optimizer

    def validated(self) -> AbstractContextManager[None]:
        """A context in which the network has the weights that are validated.

        They are the averaged ones if `validate_average` is set, else those that the optimizer evaluates.
        """
        average = self.validated_average
        return self.optimizer.evaluated() if average is None else average.applied()

    @property
    def mixing(self) -> str:
        """How samples are mixed, for comparison."""
        return repr(self.transform)

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, whose counts are in the sums."""
        return [metric.name for metric in self.engine.metrics]

    @property
    def steps_per_epoch(self) -> int | None:
        """The number of batches of an epoch, where `fit` was given one."""
        return getattr(self.data, "steps", None)

    @property
    def blocks(self) -> int | None:
        """Into how many blocks ranks cut each batch; None where a process trains alone."""
        team = self.engine.team
        return None if team is None else team.blocks

    def validates(self, epoch: int) -> bool:
        """Whether epoch number `epoch`, counted from 1, is followed by validation."""
        if self.validation is None:
            return False
        often = self.validation_freq
        return epoch % often == 0 if isinstance(often, int) else epoch in often

    def validation_names(self, row: dict[str, float]) -> list[str]:
        """The records that validation adds to an epoch; `row` has those of any epoch."""
        if self.validation is None:
            return []
        own = list(row)
        whole = [metric.name for metric in self.engine.metrics if metric.counter is None]
        return [f"val_{name}" for name in (*own[: own.index("seconds")], *whole)]

    def lacks(self, name: str) -> bool:
        """Whether the epoch that has ended has no record `name`, as it was not validated; others have it."""
        return (
            name.startswith("val_")
            and name not in self.logs
            and self.validation is not None
            and (not self.validates(self.epoch))
        )

    @property
    def loss(self) -> float:
        """The loss of the last batch."""
        return float(self.sums[0])

    def stop(self, reason: str, *, pause: bool = False) -> None:
        """End the run before the next batch; `reason` becomes `history.stopped`.

        An epoch that is cut off is not recorded. Where several ask, the first one's reason counts. A run that is
        resumed from a checkpoint stays stopped, unless this was only a `pause`.
        """
        if self.history.stopped is None:
            self.history.stopped, self.paused = str(reason) or "stopped", pause

    @property
    def nonfinite_batch(self) -> int | None:
        """In `on_nonfinite` the number of the batch whose loss is not finite, counted from 1; otherwise None.

        With `accumulate` above 1 it can be greater than `batch + 1`: the batches of its group before it were undone.
        """
        return None if self._failed is None else self._failed[2]

    def first_nonfinite(self) -> str:
        """A sentence about the first parameter that is not finite; in `on_nonfinite` also about outputs of layers."""
        if self._failed is None:
            return nonfinite.first_parameter(self.net) or "all parameters are finite"
        data, rows, _ = self._failed
        program = self.engine.get("step", data, rows, self.accumulate > 1)
        return nonfinite.first_cause(self.net, program, rows)

    # -- state ---------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state between two batches: numbers, strings, arrays, and dicts and lists of them.

        With the states of network and optimizer it decides everything that comes.
        """
        return {
            **{name: getattr(self, name) for name in (*SETTINGS, *PLACE)},
            "sums": self.sums.copy(),
            "history": [dict(row) for row in self.history.rows],
            "stopped": None if self.paused else self.history.stopped,
            "callbacks": {name: self.callbacks[i].state_dict() for name, i in self._callback_names().items()},
            **{name: value for name, (_, usual) in RARE_SETTINGS.items() if (value := getattr(self, name)) != usual},
        }

    def load_state_dict(self, given: dict[str, Any]) -> None:
        """Go on where another run, with the same settings, was; nothing changes if it does not fit.

        Callbacks load their states when the run begins, after their `on_train_begin`.

        Raises
        ------
        TypeError, ValueError
            If the state is none, or of a run with other settings, other data or other callbacks.
        """
        state = STATE("run", given)
        usual = {name: default for name, (_, default) in RARE_SETTINGS.items()}
        for name in (*usual, *SETTINGS):
            mine, theirs = getattr(self, name), state[name] if name in SETTINGS else state.get(name, usual[name])
            if theirs != mine:
                raise ValueError(f"{name} must be {theirs!r} as in the run to go on with, got {mine!r}")
        names, saved = self._callback_names(), list(state["callbacks"])
        if saved != list(names):
            raise ValueError(f"callbacks must be {saved} as in the run to go on with, got {list(names)}")
        self._check_place(state)
        states = {names[name]: part for name, part in state["callbacks"].items()}
        self._check_callbacks(states)
        self.resumed, self._callback_states = True, states
        for name in PLACE:
            setattr(self, name, state[name])
        self.sums = state["sums"].copy()
        self.history.rows[:] = state["history"]
        self.history.stopped = state["stopped"]
        self.engine.epochs = max(self.engine.epochs, self.first + self.epoch)
        if isinstance(self.data, BatchStream):
            self.data.skipped = self.epoch - self.initial_epoch
        if self.bar is not None:
            self.bar.advance((self.epoch - self.initial_epoch) * (self.samples or 0) + self.position)

    def _check_callbacks(self, states: dict[int, Any]) -> None:
        """Raise TypeError or ValueError if a callback does not take its state; `states` are by their numbers."""
        for i, state in states.items():
            try:
                self.callbacks[i].check_state(state, self)
            except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
                raise ValueError(f"{type(self.callbacks[i]).__name__} does not take its state: {error}") from error

    def _check_place(self, state: dict[str, Any]) -> None:
        """Raise ValueError if a run cannot have been there: numbers that do not go together, sums of other metrics."""
        epoch, batch, position = (state[name] for name in ("epoch", "batch", "position"))
        if len(state["history"]) != epoch - self.initial_epoch:
            raise ValueError(f"history must have {epoch - self.initial_epoch} epochs, got {len(state['history'])}")
        data, size = self.data, self.batch_size
        if isinstance(data, Data) and size is not None:
            right = position == min(batch * size, data.samples - data.dropped) and batch <= data.batches(size)
        else:
            right = batch <= position <= (self.samples or position) and (batch == 0) == (position == 0)
        if not right:
            raise ValueError(f"position must be that after {batch} batches of {size} rows, got {position}")
        sums = state["sums"].size
        if sums < SUMS or (data.like is not None and sums != self.sums.size):
            raise ValueError(f"sums must have {self.sums.size} numbers for these metrics, got {sums}")

    def _callback_names(self) -> dict[str, int]:
        """Names of the callbacks that a resumed run needs again, and their places."""
        needed = [i for i, callback in enumerate(self.callbacks) if callback.in_checkpoints]
        return {f"{n}.{type(self.callbacks[i]).__name__}": i for n, i in enumerate(needed)}

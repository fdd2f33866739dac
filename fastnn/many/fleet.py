"""Many networks, trained side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from copy import deepcopy
from typing import Any

from .. import _validation as check
from .._frames import errors_of_use
from ..training import Callback, History, Trainer
from ..training.arguments import all_callbacks, new_run, rare_arguments
from .checkpoint import Checkpoints, resume_from
from .parts import Part, parts_of
from .progress import NoBar, bar_for_many
from .workers import Member, Workers, cost_of

Callbacks = Iterable[Callback] | Callable[[int], Iterable[Callback]]


class Fleet(Sequence[History]):
    """What `fit_many` returns: the histories of all members, in their order.

    Attributes
    ----------
    trainers : list of Trainer
    histories : list of History
    groups : list or None
        The value of `groups` of each member.

    Examples
    --------
    >>> import fastnn
    >>> fleet = fastnn.Fleet([], [], None)
    >>> len(fleet)
    0
    """

    def __init__(self, trainers: list[Trainer], histories: list[History], groups: list[Any] | None) -> None:
        self.trainers, self.histories, self.groups = trainers, histories, groups

    @property
    def nets(self) -> list[Any]:
        """The networks."""
        return [trainer.net for trainer in self.trainers]

    def __len__(self) -> int:
        return len(self.histories)

    def __getitem__(self, index: Any) -> Any:
        return self.histories[index]

    def table(self) -> dict[str, list[Any]]:
        """The last records of all members, a column for each record: `pandas.DataFrame(fleet.table())`."""
        names = dict.fromkeys(name for history in self.histories for name in history.last)
        columns: dict[str, list[Any]] = {} if self.groups is None else {"group": list(self.groups)}
        columns["epochs"] = [history.epochs for history in self.histories]
        columns |= {name: [history.last.get(name, float("nan")) for history in self.histories] for name in names}
        return columns | {"stopped": [history.stopped for history in self.histories]}

    def __repr__(self) -> str:
        return f"Fleet({len(self)} networks)"


@errors_of_use
def fit_many(
    trainers: Any,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    groups: Any = None,
    epochs: int = 1,
    batch_size: int | None = 32,
    seed: int | Sequence[int] | None = None,
    accumulate: int = 1,
    shuffle: bool = True,
    class_weight: Any = None,
    drop_last: bool = False,
    validation_data: Any = None,
    validation_split: float = 0.0,
    validation_freq: int | Iterable[int] = 1,
    initial_epoch: int = 0,
    callbacks: Callbacks = (),
    checkpoint: Any = None,
    checkpoint_every: float = 30.0,
    resume: bool = False,
    progress: bool | str = "auto",
) -> Fleet:
    """Train many networks at once, each as `Trainer.fit` would train it alone: with the same bits.

    Each network is trained by one thread, so that its values stay in the cache of one core; the last ones, when there
    are fewer than cores, share them. Architectures, losses, optimizers, schedules and dtypes may all differ.

    Parameters
    ----------
    trainers : sequence of Trainer, mapping, or function
        Of different networks. With `groups` a mapping has the trainer of each value, a sequence those of the sorted
        values, and a function (value) -> Trainer makes them.
    X, y, sample_weight : array, or list of arrays
        As for `Trainer.fit`, for all networks; or a list with those of each network.
    groups : array of shape (rows,), optional
        The rows of X with one value are the data of one network. Values are sorted; each needs two rows or more.
    seed : int or sequence of int, optional
        As for `fit`, for all networks, or one each.
    callbacks : iterable of Callback, or function, default ()
        Each network has copies of these; or a function (index) -> callbacks makes them. They are called by several
        threads, but those of one network never at the same time.
    validation_data : tuple, or list of tuple, optional
        As for `fit`, for all networks or one each; not with `groups`.
    checkpoint : str or path, optional
        Where to keep the states of all networks, in one file: written now and then, when all are trained, and after an
        error or Ctrl-C. What was there before is replaced at once.
    checkpoint_every : float, default 30.0
        Seconds. A network whose epochs have callbacks or validation is waited for until its epoch ends.
    resume : bool, default False
        Go on with what `checkpoint` is of, where that exists: the same call, killed and made again, ends with the same
        bits as if nothing had happened.
    progress : bool or "auto", default "auto"
        Whether to show a bar over the epochs of all networks.
    epochs, batch_size, accumulate, shuffle, class_weight, drop_last, validation_split, validation_freq, initial_epoch
        As for `fit`.

    Returns
    -------
    fleet : Fleet
        The histories; `fleet.trainers`, `fleet.nets` and `fleet.table()`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, before anything is trained; the message names the network. If one comes up in
        training (a class index out of range), all networks are as between two of their batches.
    RuntimeError
        If a trainer is within a `fit` already.
    KeyboardInterrupt
        After Ctrl-C; all networks are as between two batches, and can be trained further.

    Notes
    -----
    As many networks are trained at a time as there are threads (`fastnn.set_num_threads`).

    Examples
    --------
    >>> import fastnn
    >>> from fastnn import nn, optim
    >>> X, y = fastnn.data.make_moons(200, noise=0.1, seed=0)
    >>> def make(seed):
    ...     net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2), seed=seed)
    ...     return fastnn.Trainer(net, nn.CrossEntropyLoss(), optim.Adam(net.parameters(), lr=0.05))
    >>> trainers = [make(seed) for seed in range(4)]
    >>> fleet = fastnn.fit_many(trainers, X, y, epochs=30)
    >>> all(history["accuracy"][-1] > 0.9 for history in fleet)
    True
    """
    few = class_weight, drop_last, validation_freq, initial_epoch, None, False
    rare = rare_arguments(*few)
    _check_checkpoint(checkpoint, checkpoint_every, resume)
    parts, names = parts_of(trainers, X, y, sample_weight, groups, validation_data, seed)
    claim, claimed = object(), list[Trainer]()
    members: list[Member] = []
    try:
        for i, part in enumerate(parts):
            part.trainer.claim(claim)
            claimed.append(part.trainer)
            every = all_callbacks(_callbacks_of(callbacks, i), None, None)
            more = epochs, batch_size, accumulate, shuffle, part.seed, 0, False, rare
            members.append(_member(i, part, validation_split, every, more))
        with ExitStack() as undo:
            if resume:
                resume_from(checkpoint, members, undo)
            for member in members:
                member.begin()
        keeps = None if checkpoint is None else Checkpoints(checkpoint, checkpoint_every, members)
        if keeps is not None:  # an error in the path is one before anything is trained
            keeps.write(keeps.states())
        _train(members, bar_for_many(progress, members), keeps)
    finally:
        for trainer in claimed:
            trainer.release()
    return Fleet([part.trainer for part in parts], [member.run.history for member in members], names)


def _train(members: list[Member], bar: NoBar, checkpoints: Checkpoints | None) -> None:
    """Train all members to their ends, or until an error or Ctrl-C."""
    workers = Workers(members)

    def look() -> None:
        bar.look()
        if checkpoints is not None:
            checkpoints.look(workers)

    try:
        workers.go(look)
    finally:
        try:
            if checkpoints is not None:
                checkpoints.write(checkpoints.states())
        finally:
            for member in members:
                member.end()
            bar.close()


def _check_checkpoint(path: Any, every: Any, resume: Any) -> None:
    check.check_number("checkpoint_every", every, at_least=0.0)
    if check.check_bool("resume", resume) and path is None:
        raise ValueError("resume=True needs checkpoint=path")


def _member(index: int, part: Part, validation_split: float, callbacks: list[Callback], more: Any) -> Member:
    """A member with its run; what is wrong with its arguments is said with its place."""
    trainer = part.trainer
    try:
        run = new_run(trainer, part.data, (part.validation, validation_split), callbacks, None, *more)
    except (TypeError, ValueError) as error:
        raise type(error)(f"trainers[{index}]: {error}") from None
    return Member(index, trainer, run, cost_of(trainer, run))


def _callbacks_of(callbacks: Any, index: int) -> list[Callback]:
    """The callbacks of a member."""
    return list(callbacks(index)) if callable(callbacks) else [deepcopy(callback) for callback in callbacks]

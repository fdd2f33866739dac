"""The arguments of `Trainer.fit`: their checks, and what they say together."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .._frames import frames_to_caller
from .callback import Callback, check_callbacks
from .checkpointer import Checkpointer
from .class_weight import ClassWeight
from .data import Data, Mixed, Subset
from .loop import Loop
from .streams import BatchStream, Source, source_of, split

if TYPE_CHECKING:
    from ..nn.loss import Loss
    from ..optim import Optimizer
    from .engine import Engine, HasEngine


@dataclass(frozen=True)
class Rare:
    """The arguments of `fit` that few runs have, checked."""

    class_weight: Any = None
    drop_last: bool = False
    validation_freq: int | frozenset[int] = 1
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    validate_average: bool = False


USUAL = Rare()


def rare_arguments(
    class_weight: Any,
    drop_last: Any,
    validation_freq: Any,
    initial_epoch: Any,
    steps_per_epoch: Any,
    validate_average: Any,
) -> Rare:
    """These arguments, checked; `USUAL` if all are the defaults."""
    often = validation_freq
    defaults = class_weight is None and drop_last is validate_average is False and steps_per_epoch is None
    if defaults and type(often) is type(initial_epoch) is int and (often, initial_epoch) == (1, 0):
        return USUAL
    if not (type(often) is int and often == 1):
        if isinstance(often, Iterable) and not isinstance(often, str):
            often = frozenset(whole("an epoch of validation_freq", number, 1) for number in often)
        else:
            often = whole("validation_freq", often, 1)
    steps = None if steps_per_epoch is None else whole("steps_per_epoch", steps_per_epoch, 1)
    begin = whole("initial_epoch", initial_epoch, 0)
    check.check_bool("drop_last", drop_last)
    check.check_bool("validate_average", validate_average)
    return Rare(class_weight, drop_last, often, begin, steps, validate_average)


def new_run(
    trainer: HasEngine,
    given: tuple[Any, Any, Any],
    held: tuple[tuple[Any, ...] | None, float],
    callbacks: list[Callback],
    transform: Any,
    epochs: int,
    batch_size: int | None,
    accumulate: int,
    shuffle: bool,
    seed: int | None,
    prefetch: int,
    progress: bool | str,
    rare: Rare,
) -> Loop:
    """The run of a `fit` with these arguments, checked.

    `given` is (x, y, sample_weight), `held` is (validation_data, validation_split).
    """
    engine = trainer.engine
    if type(shuffle) is not bool:
        raise TypeError(f"shuffle must be True or False, got {shuffle!r}")
    epochs, prefetch = whole("epochs", epochs, 0), whole("prefetch", prefetch, 0)
    begin = rare.initial_epoch
    if begin > epochs:
        raise ValueError(f"initial_epoch must be at most epochs={epochs}, got {begin}")
    weights = None if rare.class_weight is None else ClassWeight(rare.class_weight, engine)
    make = engine.training_data if weights is None or given[1] is not None else weights.make
    source = source_of(make, *given, epochs - begin, prefetch, rare.steps_per_epoch)
    # Epochs are counted across calls, so that each of several short fits has other orders.
    number, first = (engine.net.seed, engine.epochs) if seed is None else (check.check_seed(seed), 0)
    data, validation = split(engine.data, source, *held, number if shuffle else None)
    if validation is None and rare.validation_freq != 1:
        raise ValueError("validation_freq needs validation_data or validation_split")
    if rare.validate_average and (validation is None or engine.average is None):
        raise ValueError(
            "validate_average needs validation data, and an average: Trainer(..., average=optim.SWA(net.parameters()))"
        )
    if weights is not None:
        weights.apply(data)
    if engine.optimizer.searches:
        check_search(engine.optimizer, data, batch_size)
    accumulate = batches_of_update(accumulate, data, engine.optimizer)
    rows = rows_of_batch(batch_size, data)
    if transform is not None:
        data = with_labels(data, engine.loss)
        check_transform(transform, data, engine)
    if rare.drop_last:
        drop_last_batch(data, batch_size, rows)
    parts = trainer, engine, data, validation, callbacks, transform
    kind: type[Loop] = Loop
    if engine.team is not None:
        from .together import TeamLoop as kind  # not needed, so not loaded, without a team
    run = kind(*parts, epochs, rows, accumulate, shuffle, number, max(0, first - begin), progress, begin)
    if rare is not USUAL:
        run.drop_last, run.validation_freq = rare.drop_last, rare.validation_freq
        run.validated_average = engine.average if rare.validate_average else None
    if not data.weighs():
        message = "sample_weight is 0 for all samples to train on: nothing is learned from them, and a mean loss is NaN"
        warnings.warn(message, RuntimeWarning, stacklevel=frames_to_caller())
    return run


def drop_last_batch(data: Source, batch_size: Any, rows: int | None) -> None:
    """Leave out batches of less than `rows` rows; ValueError if there are no others."""
    data.drop(rows or 1)
    most = 0 if data.samples is None else max(data.lengths)
    if not most or (batch_size is not None and batch_size > (rows or 0)):
        raise ValueError(f"drop_last leaves no batch: there are at most {rows} rows, and batch_size is {batch_size}")


def whole(name: str, value: Any, at_least: int, at_most: int = check.MAX_ROWS) -> int:
    """`value` as an int within bounds; TypeError or ValueError otherwise."""
    if type(value) is int and at_least <= value <= at_most:
        return value
    return check.check_integer(name, value, at_least=at_least, at_most=at_most)


def all_callbacks(callbacks: Any, checkpoint: Any, every: Any) -> list[Callback]:
    """The callbacks of a run, and last the one that writes its checkpoint, if there is one."""
    checked = check_callbacks(callbacks)
    if checkpoint is not None:
        checked.append(Checkpointer(checkpoint, every))
    elif every is not None:
        raise ValueError("checkpoint_every needs checkpoint=path")
    return checked


def check_search(optimizer: Optimizer, data: Source, batch_size: Any) -> None:
    """Raise ValueError unless all samples, which the optimizer looks at in each step, are one batch."""
    if not isinstance(data, Data) or batch_size not in (None, len(data)):
        name = type(optimizer).__name__
        raise ValueError(f"{name} looks at all samples in each step: batch_size must be None, got {batch_size!r}")


def rows_of_batch(batch_size: Any, data: Source) -> int | None:
    """Rows of a batch; None if only the batches of an iterable can tell."""
    return data.batch_size(None if batch_size is None else whole("batch_size", batch_size, 1))


def batches_of_update(accumulate: Any, data: Source, optimizer: Optimizer) -> int:
    """How many batches share an update."""
    batches = whole("accumulate", accumulate, 1, 2**31 - 1)
    if batches > 1 and isinstance(data, BatchStream):
        raise ValueError("accumulate is for arrays and shards: let the iterable give larger batches")
    if batches > 1 and optimizer.searches:
        raise ValueError(f"{type(optimizer).__name__} looks at all samples in each step: accumulate must be 1")
    return batches


def with_labels(data: Source, loss: Loss) -> Source:
    """Arrays without the samples whose class index is ignored: they cannot be mixed with others."""
    if not isinstance(data, Data) or data.labels is not True:
        return data
    rows = data.rows if isinstance(data, Subset) else np.arange(len(data))
    kept = rows[data.y[rows] != loss.ignored]
    if len(kept) == len(rows):
        return data
    if not len(kept):
        raise ValueError(f"transform: all class indices are ignore_index={loss.ignored}: there is nothing to mix")
    return Subset(data, kept)


def check_transform(transform: Any, data: Source, engine: Engine) -> None:
    """Raise TypeError or ValueError if the transform cannot be used with these data."""
    from ..data import Mixup

    if not isinstance(transform, Mixup):
        raise TypeError(f"transform must be a fastnn.data.Mixup, got {type(transform).__name__}")
    if data.like is not None:
        Mixed.check(data.like, engine.loss, engine.net.out_features_for(data.like.x.shape[1]))

"""Data that comes piece by piece: iterables of batches, and folders of shards. To a run they are what `Data` is."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Union

from .. import _validation as check
from .._core.random import permutation
from .data import Data, Stretch, exact_sum
from .prefetch import ahead

if TYPE_CHECKING:
    from ..data.shards import Shards

Array = check.Array
Make = Callable[..., Data]  # from (x, y) or (x, y, sample_weight)

Source = Union[Data, "BatchStream", "ShardStream"]  # what a run takes its stretches from

SHARD_STREAMS = 1 << 63  # random streams of the order within shards: this + (shard << 32) + epoch


def source_of(
    make: Make, x: Any, y: Any, sample_weight: Any, epochs: int, prefetch: int, steps: int | None = None
) -> Source:
    """What `Trainer.fit` trains on: arrays, or where y is not given what comes piece by piece."""
    if y is not None and steps is None:
        return make(x, y, sample_weight).not_empty()
    from ..data.shards import Shards

    if steps is not None and (y is not None or isinstance(x, Shards)):
        raise ValueError(
            "steps_per_epoch is for iterables of batches: arrays and shards have an epoch of all their samples"
        )

    if sample_weight is not None:
        raise ValueError("sample_weight must be part of the batches, or of the shards, where y is not given")
    if isinstance(x, Shards):
        return ShardStream(make, x, prefetch)
    if hasattr(x, "__array__") or hasattr(x, "__dlpack__"):
        raise ValueError("y must be given with an array x")
    return BatchStream(make, x, epochs, prefetch, steps)


def split(
    make: Make, source: Source, validation_data: tuple[Any, ...] | None, share: float, seed: int | None
) -> tuple[Source, Data | None]:
    """What to train on and what to validate with, as the arguments of `Trainer.fit` say; drawn by the seed, if any."""
    if type(share) is not float or share != 0.0:
        share = check.check_number("validation_split", share, at_least=0.0, below=1.0)
    if validation_data is None:
        if not share:
            return source, None
        if not isinstance(source, Data):
            raise ValueError("give validation_data instead of validation_split where y is not given")
        kept, held = source.split(share, seed)
        if not held.weighs():
            raise ValueError(f"sample_weight is 0 for all samples that validation_split={share} keeps for validation")
        return kept, held
    if share:
        raise ValueError("give validation_data or validation_split, not both")
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise TypeError(f"validation_data must be (x, y) or (x, y, sample_weight), got {validation_data!r:.60}")
    held = make(*validation_data)
    if not len(held):
        raise ValueError("validation_data must have at least one row, got x with none")
    if not held.weighs():
        raise ValueError("sample_weight of validation_data must be above 0 for at least one sample, got zeros only")
    return source, held


class BatchStream:
    """Batches from an iterable, or from what a function returns, each trained as it is.

    Parameters
    ----------
    make : function
        What turns (x, y) or (x, y, sample_weight) into `Data`.
    source : iterable, or function without arguments that returns one
    epochs : int
        How often it will be gone through.
    prefetch : int
        Number of batches that are made ahead.
    steps : int, optional
        Number of batches of an epoch; the next epoch continues where the last one stopped. By default an epoch is the
        whole iterable.

    Attributes
    ----------
    skipped : int
        Epochs of `steps` batches that are passed over first: a run that was resumed has trained them.
    """

    samples = None
    dropped = skipped = 0
    lengths: tuple[int, ...] = ()  # unknown
    like: Data | None = None  # the last batch
    _running: Generator[Data, None, None] | None = None  # the batches of all epochs of `steps`

    def __init__(self, make: Make, source: Any, epochs: int, prefetch: int, steps: int | None = None) -> None:
        if not callable(source) and not isinstance(source, Iterable):
            raise TypeError(f"x must be an iterable of batches where y is not given, got {type(source).__name__}")
        if epochs > 1 and steps is None and isinstance(source, Iterator):
            raise ValueError(
                f"x is a {type(source).__name__}, which gives its batches once: pass a list, or a function that makes "
                f"one, for {epochs} epochs, or steps_per_epoch"
            )
        self.make, self.source, self.prefetch = make, source, prefetch
        self.epochs, self.steps = epochs, steps

    def batch_size(self, asked: int | None) -> None:
        """No size: batches are what they are."""

    def batches(self, size: int) -> int | None:
        """The number of batches of an epoch if `steps_per_epoch` gives it; None if it is unknown."""
        return self.steps

    def drop(self, size: int) -> None:
        """Raise ValueError: what a batch is decides the iterable."""
        raise ValueError("drop_last is for arrays and shards: let the iterable leave out its last batch")

    def close(self) -> None:
        """End reading ahead."""
        if self._running is not None:
            self._running.close()

    def weigh(self, batch: int) -> None:
        """Each batch divides by its own weights: those of the others are not known."""

    def weighs(self) -> bool:
        """True: the weights of the batches to come are not known."""
        return True

    def stretches(self, seed: int, epoch: int, shuffle: bool, done: int = 0) -> Generator[Stretch, None, None]:
        """Each batch is a stretch; those of the rows that are `done` are passed over."""
        row, batches = 0, self._running
        if batches is None:
            batches = ahead(self._batches() if self.steps is None else self._endless(self.steps), self.prefetch)
        if self.steps is not None:  # the next epoch continues with these
            self._running = batches
        try:
            for data in islice(batches, self.steps):
                if row >= done:
                    yield data, None, 0
                row += len(data)
        finally:
            if self.steps is None:
                batches.close()

    def _endless(self, steps: int) -> Iterator[Data]:
        """The batches of the iterable again and again, but none that the run does not use."""
        number, first, total = 0, self.skipped * steps, self.epochs * steps
        while number < total:
            for data in self._batches():
                if number >= first:
                    yield data
                number += 1
                if number == total:
                    return
            if isinstance(self.source, Iterator):
                raise ValueError(
                    f"x ended after {number} batches: {self.epochs} epochs with steps_per_epoch={steps} take {total}"
                )

    def _batches(self) -> Iterator[Data]:
        number = -1
        for number, item in enumerate(self.source() if callable(self.source) else self.source):
            if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
                raise TypeError(f"batch {number} must be (x, y) or (x, y, sample_weight), got {item!r:.60}")
            try:
                self.like = data = self.make(*item).not_empty()
            except (TypeError, ValueError) as error:
                raise type(error)(f"batch {number}: {error}") from None
            yield data
        if number < 0:
            raise ValueError("x gave no batches")


class ShardStream:
    """The shards of a folder, each in memory while it is trained on.

    Parameters
    ----------
    make : function
        What turns (x, y) or (x, y, sample_weight) into `Data`.
    shards : fastnn.data.Shards
    prefetch : int
        Number of shards that are read ahead.
    """

    dropped = 0
    by_class = False  # whether `make` gives the samples weights of their classes
    _size = 1  # of the batches that shards consist of; a smaller one at the end of each is left out

    def __init__(self, make: Make, shards: Shards, prefetch: int) -> None:
        self.make, self.shards, self.prefetch = make, shards, prefetch
        self.samples, self.lengths = sum(shards.rows), tuple(shards.rows)
        self.mean_weight = 0.0
        self.like = self.data(0, 1)
        self.dtype = self.like.dtype

    def data(self, i: int, rows: int | None = None) -> Data:
        """Shard i, or its first rows; what is wrong with it is said with its name."""
        try:
            data = self.make(*(array[:rows] for array in self.shards.load(i, mmap=rows is not None)))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.shards.names[i]}: {error}") from None
        data.mean_weight = self.mean_weight
        data.dropped = len(data) % self._size
        return data

    def batch_size(self, asked: int | None) -> int:
        """As asked; None is a whole shard."""
        most = max(self.shards.rows)
        return most if asked is None else min(most, asked)

    def batches(self, size: int) -> int:
        """How many batches of so many rows an epoch has; they end with their shards."""
        return sum(-(-rows // size) for rows in self.lengths)

    def drop(self, size: int) -> None:
        """Leave out the last batch of each shard, where it has less than `size` rows."""
        self._size, self.lengths = size, tuple(rows - rows % size for rows in self.shards.rows)
        self.dropped = self.samples - sum(self.lengths)

    def close(self) -> None:
        """Called at the end of a run."""

    def weigh(self, batch: int) -> None:
        """Let batches be divided by the mean weight of all samples."""
        if (self.shards.weighted or self.by_class) and not (self.like.missing or self.like.by_elements):
            self.mean_weight = exact_sum(map(self._weights, range(len(self.shards)))) / self.samples
        elif self.like.missing or self.like.by_elements:
            self.mean_weight = self._mean_of_elements()

    def weighs(self) -> bool:
        """Whether any sample has a weight other than 0; known after `weigh`."""
        return not (self.shards.weighted or self.by_class or self.like.missing) or self.mean_weight > 0

    def _mean_of_elements(self) -> float:
        """The mean weight of all elements, where those missing count 0."""
        totals = [self.data(i).total_weight() for i in range(len(self.shards))]
        return math.fsum(total for total, _ in totals) / sum(count for _, count in totals)

    def _weights(self, i: int) -> Array:
        if self.by_class and (weight := self.data(i).weight) is not None:
            return weight
        try:
            return check.as_weights("sample_weight", self.shards.weight(i), self.dtype).reshape(-1)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.shards.names[i]}: {error}") from None

    def stretches(self, seed: int, epoch: int, shuffle: bool, done: int = 0) -> Generator[Stretch, None, None]:
        """Each shard is a stretch, in an order of its own; the order of the shards is the epoch's, too."""
        yield from ahead(self._stretches(seed, epoch, shuffle, done), self.prefetch)

    def _stretches(self, seed: int, epoch: int, shuffle: bool, done: int) -> Iterator[Stretch]:
        rows = self.lengths
        for i in permutation(seed, epoch, len(rows)).tolist() if shuffle else range(len(rows)):
            if done >= rows[i]:
                done -= rows[i]
                continue
            data = self.data(i)
            order = permutation(seed, SHARD_STREAMS + (i << 32) + epoch, len(data)) if shuffle else None
            yield data, order, done
            done = 0

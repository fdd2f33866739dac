"""What a network is trained on: arrays as programs read them, and the order in which an epoch takes their rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .. import _validation as check
from .._core.random import permutation
from .._core.targets import SIGNS, TARGET_KINDS
from ..nn.inputs import as_rows

if TYPE_CHECKING:
    from ..nn.loss import Loss
    from ..nn.sequential import Sequential

Array = check.Array
Stretch = tuple["Data", Array | None, int]

DTYPES = {name: np.dtype(name) for name in ("float32", "float64")}  # of networks
PIECE = 1 << 16  # numbers that become Python's at a time
SPLIT_STREAM = (1 << 63) - 1  # the random stream of a split; those of epochs are their numbers


class Data:
    """Arrays as programs read them: a row for each sample."""

    mix: tuple[Array, Array] | None = None  # partners and shares of rows that are mixed
    mean_weight = 0.0  # of all samples: gradients are divided by it; 0: by the weights of each batch
    planned: Any = None  # the program that an engine planned last for these data
    dropped = 0  # rows at the end of each epoch that are left out
    missing = False  # whether targets that are NaN are ignored

    def __init__(
        self,
        x: Any,
        y: Array,
        weight: Array | None,
        labels: Any,
        dtype: Any = None,
        scale: float = 1.0,
        y_dtype: Any = None,
    ) -> None:
        self.x, self.y, self.weight, self.labels = x, y, weight, labels
        self.samples: int = x.shape[0]  # rows of an epoch
        # `labels`: whether y consists of class indices, or of several heads how theirs stand side by side.
        # What x and y become in their batches: they stay in the dtype and layout that they have.
        self.dtype, self.scale = x.dtype if dtype is None else dtype, scale
        self.y_dtype = y.dtype if y_dtype is None else y_dtype
        self.y_shape = y.shape[1:]  # of a row of targets when they are gathered
        self._staging: tuple[Array | None, ...] | None = None

    @classmethod
    def of(cls, net: Sequential, loss: Loss, x: Any, y: Any, sample_weight: Any = None, missing: bool = False) -> Data:
        """Arguments of a user, checked and repaired for this network and this loss."""
        rows, _ = as_rows(net, x, sparse=True)
        n_out = net.out_features_for(rows.shape[1])
        dtype = DTYPES[net.dtype]
        target, labels = loss.prepare_target(y, rows.shape[0], n_out, dtype)
        elements = loss.by_elements and labels is False
        if missing and not elements:
            raise TypeError(f"missing='ignore' needs a loss of elements, such as MSELoss, got {loss!r:.60}")
        weight = None
        if sample_weight is not None:
            weight = check.as_weights("sample_weight", sample_weight, dtype)
            if not (elements and weight.shape == target.shape):
                each = f"one a sample, or {target.shape}, one a target" if elements else "one a sample"
                check.check_shape("sample_weight", weight, (rows.shape[0],), each)
            elif target.shape[1] == 1:
                weight = weight.reshape(-1)
        y_dtype = dtype if labels is False and loss.converts else target.dtype
        data = cls(rows, target, weight, labels, dtype, net.input_scale, y_dtype)
        if missing:
            data.missing = True
        return data

    @property
    def by_elements(self) -> bool:
        """Whether there is a weight for each element of the targets, not for each sample."""
        return self.weight is not None and self.weight.ndim > 1

    def not_empty(self) -> Data:
        """Itself; ValueError if it has no rows."""
        if self.samples == 0:
            raise ValueError("x must have at least one row")
        return self

    def __len__(self) -> int:
        return self.samples

    @property
    def lengths(self) -> tuple[int, ...]:
        """Rows of each stretch of an epoch."""
        return (self.samples - self.dropped,)

    def batch_size(self, asked: int | None) -> int:
        """Rows of a batch, if so many are asked for; None stands for all."""
        return self.samples if asked is None else min(self.samples, asked)

    def batches(self, size: int) -> int:
        """How many batches of so many rows an epoch has."""
        return -((self.dropped - self.samples) // size)

    def drop(self, size: int) -> None:
        """Leave out the last batch of each epoch, where it has less than `size` rows."""
        self.dropped = self.samples % size

    def close(self) -> None:
        """Called at the end of a run."""

    def weigh(self, batch: int) -> None:
        """Let batches of so many rows be divided by the mean weight of all samples; one of all divides by its own."""
        if (self.weight is not None or self.missing) and batch < self.samples:
            total, count = self.total_weight()
            self.mean_weight = total / count

    def weighs(self) -> bool:
        """Whether any sample has a weight other than 0."""
        if self.missing:
            return self.total_weight()[0] > 0
        return self.weight is None or bool(self._rows_of(self.weight).any())

    def total_weight(self) -> tuple[float, int]:
        """The sum of the weights, and their number: of samples, or of all elements, where those missing count 0."""
        if not self.missing:
            weights = self._rows_of(self.weight)
            return exact_sum([weights.reshape(-1)]), weights.size
        return exact_sum(self._present()), len(self) * self.y.shape[1]

    def _present(self) -> Iterator[Array]:
        """The weights of the elements, 0 where the target is missing, some rows at a time."""
        y, weight = self._rows_of(self.y), None if self.weight is None else self._rows_of(self.weight)
        for i in range(0, len(y), PIECE):
            there = ~np.isnan(y[i : i + PIECE])
            if weight is None:
                yield np.array([np.count_nonzero(there)])
            else:
                yield (there * weight[i : i + PIECE].reshape(len(there), -1)).reshape(-1)

    def _rows_of(self, array: Any) -> Any:
        """An array of the samples, without those that the data leave out."""
        return array

    @property
    def like(self) -> Data:
        """Data that need the same programs as those of a run, to plan before it; for arrays, themselves."""
        return self

    def explained_beyond(self, name: str, rows: slice, order: Array | None) -> ValueError:
        """The error for a number of "x" or "y", in these rows of the order, that is too large for its batch."""
        array, dtype = (self.x, self.dtype) if name == "x" else (self.y, self.y_dtype)
        numbers = np.arange(len(array))[rows] if order is None else order[rows]
        if self.mix is not None:
            numbers = np.concatenate([numbers, self.mix[0][rows]])
        with np.errstate(over="ignore"):
            for number in numbers.tolist():
                row = array[number : number + 1]
                try:
                    check.check_not_beyond(name, row, row.astype(dtype), number)
                except ValueError as error:
                    return error
        return ValueError(f"{name} has changed while it was read")

    def __getitem__(self, rows: slice | Array) -> Data:
        weight = None if self.weight is None else self.weight[rows]
        return Data(self.x[rows], self.y[rows], weight, self.labels, self.dtype, self.scale, self.y_dtype).like_of(self)

    def like_of(self, data: Data) -> Self:
        """Itself, with targets that may be missing if those of `data` may."""
        if data.missing:
            self.missing = True
        return self

    def split(self, share: float, seed: int | None) -> tuple[Data, Data]:
        """The samples to train on and those, so large a share, to validate with.

        Drawn by the seed, of class indices in the proportions of the classes where each has samples enough; without a
        seed the last ones.
        """
        from ..data._checks import count_of_share  # not needed, so not loaded, without a share
        from ..data.split import stratified

        count = count_of_share(share, len(self))
        if count >= len(self):
            raise ValueError(f"validation_split={share} leaves no sample of {len(self)} to train on")
        if seed is None:
            return self[: len(self) - count], self[len(self) - count :]
        order = permutation(seed, SPLIT_STREAM, len(self))
        held = np.arange(len(self)) < count
        if self.labels:
            with suppress(ValueError):  # of too few samples of a class: then by chance
                held = stratified(self.y[order], count)
        return Subset(self, np.sort(order[~held])), self[np.sort(order[held])]

    def stretches(self, seed: int, epoch: int, shuffle: bool, done: int = 0) -> tuple[Stretch, ...]:
        """What an epoch consists of, from its row number `done` on: for arrays in memory one stretch.

        Returns
        -------
        stretches : tuple, or generator
            Of (data, order, start): the next batches are of rows order[start], order[start + 1], ... of `data`, to its
            end; without an order, of its rows as they come. A generator must be closed.
        """
        return ((self, permutation(seed, epoch, self.samples) if shuffle else None, done),)

    @property
    def plain(self) -> bool:
        """Whether programs can read x and y in place: both have the dtypes that these become, and lie in C order."""
        x, y = self.x, self.y
        readable = self.sparse or (x.dtype == self.dtype and _is_readable(x))
        return readable and y.dtype == self.y_dtype and _is_readable(y)

    @property
    def sparse(self) -> bool:
        """Whether x is sparse rows."""
        return isinstance(self.x, check.SparseRows)

    def staging(self, batch: int) -> tuple[Array | None, ...]:
        """Room for the rows of a batch, gathered and converted, and for the partners that they are mixed with."""
        rows = batch if self.mix is None or self.plain else 2 * batch
        if self._staging is None or self._staging[1].shape[0] < rows:  # type: ignore[union-attr]
            x = None if self.sparse else np.empty((rows, self.x.shape[1]), self.dtype)
            y = np.empty((rows, *self.y_shape), self.y_dtype)
            weight = self.weight
            shape = () if weight is None else (rows, *weight.shape[1:])
            self._staging = x, y, None if weight is None else np.empty(shape, weight.dtype)
        return self._staging


def _is_readable(array: Array) -> bool:
    """Whether C can read the array as it lies there."""
    flags = array.flags
    return flags.c_contiguous and flags.aligned


def exact_sum(arrays: Iterable[Array]) -> float:
    """The sum of all numbers of some arrays, rounded once: the same whatever their order."""
    pieces = (array[i : i + PIECE].tolist() for array in arrays for i in range(0, len(array), PIECE))
    return math.fsum(chain.from_iterable(pieces))


class Subset(Data):
    """Some rows of data, which stay where they are: `rows` are their numbers, ascending."""

    def __init__(self, data: Data, rows: Array) -> None:
        super().__init__(data.x, data.y, data.weight, data.labels, data.dtype, data.scale, data.y_dtype)
        self.rows, self.samples = rows, len(rows)
        self.like_of(data)

    def stretches(self, seed: int, epoch: int, shuffle: bool, done: int = 0) -> tuple[Stretch, ...]:
        """One stretch, whose order is of these rows."""
        return ((self, self.rows[permutation(seed, epoch, self.samples)] if shuffle else self.rows, done),)

    def _rows_of(self, array: Any) -> Any:
        return array[self.rows]


class Mixed(Data):
    """Data whose rows are mixed in pairs as they are read: row i of a batch with row `partner[i]`.

    Parameters
    ----------
    data : Data
    partner : ndarray of int64
        A row of `data` for each place in the order of the epoch.
    shares : ndarray of float64
        Of the first of each pair, one a batch.
    n_out : int
        Number of outputs: class indices become so many probabilities.
    """

    def __init__(self, data: Data, partner: Array, shares: Array, n_out: int) -> None:
        super().__init__(data.x, data.y, data.weight, False, data.dtype, data.scale, data.dtype)
        self.mix, self.samples, self.mean_weight = (partner, shares), data.samples, data.mean_weight
        self.dropped = data.dropped
        self.like_of(data)
        if data.y_dtype == "int64":  # class indices become probabilities
            self.y_shape = (n_out,)

    @staticmethod
    def check(data: Data, loss: Loss, n_out: int) -> None:
        """Raise TypeError if mixtures of these targets are none that the loss takes."""
        y: Array = data.y
        if data.sparse:
            raise TypeError("transform: sparse rows cannot be mixed: give x.toarray()")
        if loss.heads:
            raise TypeError("transform: the targets of several heads cannot be mixed")
        if TARGET_KINDS.get(loss.kernel) == SIGNS:
            name = type(loss).__name__
            raise TypeError(f"transform: mixtures of targets are no targets: {name} takes targets of -1 and 1 only")
        if data.y_dtype == data.dtype:
            return
        if y.dtype != "int64" or y.ndim != 1:
            raise TypeError(f"transform: y must be class indices or {data.dtype} to be mixed, got {y.dtype}")
        rows = data.rows if isinstance(data, Subset) else slice(None)
        if data.labels is True and (y[rows] == loss.ignored).any():
            raise ValueError(
                "transform: mixed class indices are probabilities, for which "
                f"ignore_index={loss.ignored} means nothing: leave its rows out"
            )
        if data.labels is True:
            try:
                with suppress(ValueError):  # of an ignore_index of 0 or more: its rows are left out
                    loss.prepare_target(np.zeros((1, n_out), data.dtype), 1, n_out, data.dtype)
            except TypeError:
                name = type(loss).__name__
                raise TypeError(f"transform: mixed class indices are probabilities, {name} takes none") from None

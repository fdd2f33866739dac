"""Samples in a folder of .npy files, for data that is larger than memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._checks import check_integer


class Shards:
    """A folder of shards: x_000.npy, y_000.npy and perhaps weight_000.npy; x_001.npy, y_001.npy; and so on.

    What follows "x_" is the name of the shard; they are taken in the order of their names.
    `Trainer.fit(Shards(folder))` has one of them in memory, and reads the next one meanwhile. With shuffle, each epoch
    has an order of the shards, and each shard an order of its rows, drawn from (seed, epoch); batches do not reach over
    from one into the next, so the last batch of a shard may be smaller.

    Parameters
    ----------
    folder : str or path

    Attributes
    ----------
    names : list of str
        The x files, without their folder.
    rows : list of int
        The number of samples in each.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or a shard has no y.
    ValueError
        If the folder has no shards, or one does not fit: another number of rows in y or weight, another dtype or other
        features than the first one. Only the headers are read for that.

    Examples
    --------
    >>> import fastnn, tempfile
    >>> X, y = fastnn.data.make_moons(100, seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = fastnn.data.Shards.write(folder, X, y, rows=40)
    ...     print(shards.names, shards.rows)
    ['x_000.npy', 'x_001.npy', 'x_002.npy'] [40, 40, 20]
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.names = sorted(name for name in os.listdir(folder) if name.startswith("x_") and name.endswith(".npy"))
        if not self.names:
            raise ValueError(f"{folder} has no shards: files x_000.npy, y_000.npy, x_001.npy, ...")
        weighted = [self._path(i, "weight").exists() for i in range(len(self.names))]
        if any(weighted) and not all(weighted):
            raise ValueError(f"{self._path(weighted.index(False), 'weight')} is missing: some shards have weights")
        self._parts = ("x", "y", "weight") if any(weighted) else ("x", "y")
        self.rows = [self._check(i) for i in range(len(self.names))]

    def __len__(self) -> int:
        return len(self.names)

    def _path(self, i: int, part: str) -> Path:
        return self.folder / (part + self.names[i].removeprefix("x"))

    def _open(self, i: int, part: str, mmap: bool) -> NDArray[Any]:
        path = self._path(i, part)
        try:
            array = np.load(path, mmap_mode="r" if mmap else None, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path} is no .npy file of numbers: {error}") from None
        if not isinstance(array, np.ndarray) or array.ndim == 0:
            raise ValueError(f"{path} must hold an array with a row for each sample")
        return array

    def _check(self, i: int) -> int:
        """The rows of a shard, if it fits."""
        arrays = {part: self._open(i, part, mmap=True) for part in self._parts}
        rows = len(arrays["x"])
        for part, array in arrays.items():
            if len(array) != rows:
                raise ValueError(f"{self._path(i, part)} has {len(array)} rows, {self.names[i]} has {rows}")
            first = self._open(0, part, mmap=True) if i else array
            mine, its = (f"rows of shape {a.shape[1:]}, {a.dtype}" for a in (array, first))
            if mine != its:
                raise ValueError(f"{self._path(i, part)} has {mine}, {self._path(0, part).name} has {its}")
        if rows == 0:
            raise ValueError(f"{self._path(i, 'x')} has no rows")
        return rows

    def load(self, i: int, *, mmap: bool = False) -> tuple[NDArray[Any], ...]:
        """The arrays of shard number i: x, y, and weight if there is one; with `mmap` not read, but mapped."""
        return tuple(self._open(i, part, mmap) for part in self._parts)

    @classmethod
    def write(
        cls, folder: str | os.PathLike[str], x: Any, y: Any, weight: Any = None, *, rows: int = 100_000
    ) -> Shards:
        """Cut arrays into shards of so many rows in a folder, which is made if need be, and return them."""
        check_integer("rows", rows, 1)
        arrays = {"x": x, "y": y} | ({} if weight is None else {"weight": weight})
        if len({len(array) for array in arrays.values()}) > 1:
            raise ValueError(f"x and y must have one length, got {[len(array) for array in arrays.values()]}")
        os.makedirs(folder, exist_ok=True)
        for number, start in enumerate(range(0, len(x), rows)):
            for part, array in arrays.items():
                np.save(Path(folder) / f"{part}_{number:03d}.npy", np.asarray(array[start : start + rows]))
        return cls(folder)

    def __repr__(self) -> str:
        return f"Shards({str(self.folder)!r}: {sum(self.rows):,} samples in {len(self)} shards)"

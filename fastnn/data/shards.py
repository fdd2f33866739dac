"""Samples in a folder of .npy files, for data that are larger than memory."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._frames import ShortErrors
from .._validation import from_any, refuse_losses
from ._checks import check_integer


def _shard_names(folder: str | os.PathLike[str], part: str = "x") -> list[str]:
    """The file names of a part, sorted; numbers in names are compared by value."""
    names = [name for name in os.listdir(folder) if name.startswith(f"{part}_") and name.endswith(".npy")]
    return sorted(names, key=lambda name: [(int(t) if t.isdecimal() else -1, t) for t in re.split(r"(\d+)", name)])


class Shards(ShortErrors):
    """A folder of shards: x_000.npy, y_000.npy and perhaps weight_000.npy; x_001.npy, y_001.npy; and so on.

    The part after "x_" is the name of the shard. Shards are sorted by name, with numbers compared by value: x_999
    before x_1000. `Trainer.fit(Shards(folder))` has one shard in memory and reads the next one in the background. With
    `shuffle=True`, each epoch has an order of the shards and of the rows within each shard, drawn from (seed, epoch). A
    batch has rows of one shard only, so the last batch of a shard may be smaller.

    Parameters
    ----------
    folder : str or path-like

    Attributes
    ----------
    folder : pathlib.Path
    names : list of str
        The x files, without their folder.
    rows : list of int
        The number of samples in each shard. `len(shards)` is the number of shards.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or a shard has no y file.
    ValueError
        If the folder has no shards, only some shards have weights, a file is not a .npy file or has no rows, y or
        weight has another number of rows than x, or rows have another shape or dtype than in the first shard. Only the
        headers of the files are read for that.

    Notes
    -----
    Values are not checked: `Trainer.fit` raises ValueError at a NaN in x or y that makes a loss not finite.

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
        self.names = _shard_names(folder)
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
        """The number of rows of shard i, if its arrays fit; ValueError otherwise."""
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
        """The arrays of shard number i: x, y, and weight if there are weights.

        Parameters
        ----------
        i : int
            From 0 to len(self) - 1.
        mmap : bool, default False
            Map the files into memory, read-only, instead of reading them.

        Returns
        -------
        tuple of ndarray, or of numpy.memmap with `mmap`
            With the dtypes of the files.

        Raises
        ------
        IndexError
            If `i` is out of range.
        OSError, ValueError
            If a file cannot be read, or is not a .npy file.

        Examples
        --------
        >>> import fastnn, tempfile
        >>> X, y = fastnn.data.make_moons(100, seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     x_part, y_part = fastnn.data.Shards.write(folder, X, y, rows=40).load(2)
        >>> x_part.shape, y_part.shape
        ((20, 2), (20,))
        """
        return tuple(self._open(i, part, mmap) for part in self._parts)

    @property
    def weighted(self) -> bool:
        """Whether the samples have weights."""
        return "weight" in self._parts

    def weight(self, i: int) -> NDArray[Any]:
        """The weights of shard number i, shape (rows,), mapped into memory; FileNotFoundError if there are none."""
        return self._open(i, "weight", mmap=True)

    @classmethod
    def write(
        cls, folder: str | os.PathLike[str], x: Any, y: Any, weight: Any = None, *, rows: int = 100_000
    ) -> Shards:
        """Write arrays as shards of at most `rows` rows into a folder, and return the shards.

        Parameters
        ----------
        folder : str or path-like
            Made if it does not exist.
        x, y : array_like of numbers, shape (n, ...)
            Anything with a length that gives rows when it is sliced, such as a `numpy.memmap`. One slice at a time is
            read.
        weight : array_like of numbers, shape (n,), optional
            Sample weights.
        rows : int, default 100_000
            Rows of a shard, 1 or more; the last one has the rest.

        Returns
        -------
        shards : Shards

        Raises
        ------
        ValueError
            If the folder has shards already, the arrays differ in length or have no rows, or `rows` is less than 1.
        TypeError
            If one is not an array of numbers, or `rows` is not an integer.
        OSError
            If a file cannot be written.

        Notes
        -----
        Files are written to a temporary folder within `folder` and then renamed, x last: a write that is interrupted
        leaves no shards that can be read.

        Examples
        --------
        >>> import fastnn, tempfile
        >>> import numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     shards = fastnn.data.Shards.write(folder, np.ones((5, 2)), np.zeros(5), np.ones(5), rows=2)
        ...     print(shards.rows, shards.weighted)
        [2, 2, 1] True
        """
        check_integer("rows", rows, 1)
        arrays = {"x": x, "y": y} | ({} if weight is None else {"weight": weight})
        for part, array in arrays.items():
            refuse_losses(part, array)
        if len({len(array) for array in arrays.values()}) > 1:
            raise ValueError(f"x and y must have one length, got {[len(array) for array in arrays.values()]}")
        os.makedirs(folder, exist_ok=True)
        if old := [name for part in ("x", "y", "weight") for name in _shard_names(folder, part)]:
            raise ValueError(
                f"{folder} has shards already ({old[0]} and {len(old) - 1} more files): remove them or write elsewhere"
            )
        starts = range(0, len(x), rows)
        digits = max(3, len(str(len(starts) - 1)))
        with tempfile.TemporaryDirectory(dir=folder, prefix=".shards-") as aside:
            for number, start in enumerate(starts):
                for part, array in arrays.items():
                    piece = from_any(part, array[start : start + rows])
                    np.save(Path(aside) / f"{part}_{number:0{digits}d}.npy", piece)
            for part in reversed(arrays):  # x last: a shard counts as complete once its x file exists
                for name in _shard_names(aside, part):
                    os.rename(Path(aside) / name, Path(folder) / name)
        return cls(folder)

    def __repr__(self) -> str:
        return f"Shards({str(self.folder)!r}: {sum(self.rows):,} samples in {len(self)} shards)"

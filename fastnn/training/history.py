"""The records of a training run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, ClassVar, NoReturn

from .._frames import ShortErrors
from .._html import table
from .monitor import Monitor

MOST_ROWS = 10  # of a table in a notebook; of a longer one its first and last rows are shown


@dataclass
class History(ShortErrors, dict[str, list[float]]):
    """Per-epoch records of `Trainer.fit`: a read-only mapping of names to lists.

    `history["loss"]` is a list with a value for each epoch; so are "seconds" and, where they apply, "accuracy", the
    metrics, "lr", the same with "val_" for validation data, and what callbacks added. An epoch without such a value has
    NaN there; a name without any raises KeyError. Iteration gives the names. It is a dict, so that
    `pandas.DataFrame(history)` has a column for each name and a row for each epoch.

    Attributes
    ----------
    rows : list of dict
        The values of each epoch by name.
    initial_epoch : int
        The argument of `fit`: the number of epochs that were trained before the first row.
    interrupted : bool
        True if Ctrl-C ended the run, and `fit` raised KeyboardInterrupt; the epoch that it cut off is not recorded.
    stopped : str or None
        The reason why a callback ended the run; an epoch that it cut off is not recorded.

    Notes
    -----
    Training loss and metrics are computed from the predictions for each batch before its update, as exact averages over
    batches of different sizes, weighted by the sample weights; validation is computed at the end of each epoch. It is
    like `keras.callbacks.History`.

    Examples
    --------
    >>> from fastnn import History
    >>> history = History([{"loss": 2.0}, {"loss": 1.0, "lr": 0.5}])
    >>> history["loss"], history["lr"], list(history)
    ([2.0, 1.0], [nan, 0.5], ['loss', 'lr'])
    >>> len(history), "lr" in history, dict(history)
    (2, True, {'loss': [2.0, 1.0], 'lr': [nan, 0.5]})
    >>> history
    History(2 epochs: loss=1, lr=0.5)
    """

    # Rows, not columns: an append is all or nothing, but a signal between two could leave columns of different lengths.
    rows: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False
    stopped: str | None = None
    initial_epoch: int = 0

    _internal: ClassVar[tuple[str, ...]] = ("fill", "clear", "fromkeys", "pop", "popitem", "setdefault", "update")

    def __post_init__(self) -> None:
        if self.rows:
            self.fill()

    def fill(self) -> None:
        """Put the records into the dict itself, which C code reads past the methods below; called after a run."""
        records = self.records
        dict.update(self, records)  # one call into C: a signal finds all of it or nothing

    @property
    def records(self) -> dict[str, list[float]]:
        """All values by name, each a list with a value for each epoch."""
        rows = self.rows
        if len(rows) == 1:
            return {name: [value] for name, value in rows[0].items()}
        if rows and sum(map(len, rows)) == len(rows) * len(rows[0]):
            with suppress(KeyError):  # of rows with as many names, but others
                return {name: list(map(itemgetter(name), rows)) for name in rows[0]}
        return {name: [row.get(name, math.nan) for row in rows] for name in self._names()}

    @property
    def history(self) -> dict[str, list[float | None]]:
        """The records as a plain dict that JSON can have: None where an epoch has no such value, or it is not finite.

        Keras has its records under this name: `json.dumps(history.history)`.

        Examples
        --------
        >>> import json
        >>> from fastnn import History
        >>> json.dumps(History([{"loss": 2.0}, {"loss": 1.0, "val_loss": 3.0}]).history)
        '{"loss": [2.0, 1.0], "val_loss": [null, 3.0]}'
        """
        return {
            name: [value if isinstance(value, str) or math.isfinite(value) else None for value in values]
            for name, values in self.records.items()
        }

    @property
    def epochs(self) -> int:
        """Number of epochs recorded."""
        return len(self.rows)

    @property
    def last(self) -> dict[str, float]:
        """The values of the last epoch by name; empty if there is none."""
        return dict(self.rows[-1]) if self.rows else {}

    def best(self, name: str = "val_loss", mode: str = "auto") -> dict[str, float]:
        """The values of the best epoch by one record, and its number as "epoch", counted from 1.

        Parameters
        ----------
        name : str, default "val_loss"
            The record to compare.
        mode : {"auto", "min", "max"}, default "auto"
            Whether less or more is better; "auto" decides by the name.

        Returns
        -------
        dict of str to float
            Of the first epoch, if several are equal. NaN is never the best; infinity neither, if it is the worst value.

        Raises
        ------
        KeyError
            If there is no such record.
        ValueError
            If it has no number better than infinity, or `mode` is "auto" and the name is unknown.

        Examples
        --------
        >>> from fastnn import History
        >>> history = History([{"val_loss": 3.0}, {"val_loss": 0.5}, {"val_loss": 2.0}])
        >>> history.best()
        {'epoch': 2, 'val_loss': 0.5}
        """
        monitor, values = Monitor(name, mode), self[name]
        best = None
        for i, value in enumerate(values):
            if monitor.better(value, monitor.worst if best is None else values[best]):
                best = i
        if best is None:
            raise ValueError(f"no epoch has a {name} that is a number")
        return {"epoch": self.initial_epoch + best + 1, **self.rows[best]}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a CSV file: a row for each epoch, with "epoch", counted from 1, and the records as columns.

        Parameters
        ----------
        path : str or path-like
            A file that is there is overwritten. Numbers are written so that reading them gives the same bits; NaN as
            "nan".

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from fastnn import History
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "history.csv")
        ...     History([{"loss": 2.0}, {"loss": 0.1}]).to_csv(path)
        ...     print(path.read_text().splitlines())
        ['epoch,loss', '1,2.0', '2,0.1']
        """
        import csv

        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["epoch", *self])
            columns = zip(*self.records.values(), strict=True)
            writer.writerows([i, *values] for i, values in enumerate(columns, self.initial_epoch + 1))

    # -- a mapping -----------------------------------------------------------------------------------------------------

    def _names(self) -> dict[str, None]:
        return dict.fromkeys(name for row in self.rows for name in row)

    def __getitem__(self, name: str) -> list[float]:
        if name not in self:
            raise KeyError(f"no record {name!r}; there are {', '.join(self) or 'none yet'}")
        return [row.get(name, math.nan) for row in self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        return any(name in row for row in self.rows)

    def keys(self) -> Any:
        """The names of the records."""
        return self.records.keys()

    def values(self) -> Any:
        """The records, each a list with a value for each epoch."""
        return self.records.values()

    def items(self) -> Any:
        """The names and the records."""
        return self.records.items()

    def get(self, name: str, default: Any = None) -> Any:
        """The record of this name, or `default` if there is none."""
        return self.records.get(name, default)

    def copy(self) -> dict[str, list[float]]:
        """The records as a plain dict."""
        return self.records

    def __or__(self, other: Any) -> Any:
        return self.records | other

    def __ror__(self, other: Any) -> Any:
        return other | self.records

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.rows, self.interrupted, self.stopped, self.initial_epoch)

    def _read_only(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a history is read-only: dict(history) is a copy to change, callbacks add records to run.logs")

    __setitem__ = __delitem__ = __ior__ = _read_only
    clear = pop = popitem = setdefault = update = _read_only

    # -- as text -------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.4g}" for name, value in self.last.items())
        return f"History({self.epochs} epochs{': ' + values if values else ''})"

    def _repr_html_(self) -> str:
        """A table for a notebook, with a row for each epoch; of many epochs the first and the last ones."""
        cells = [
            [str(i), *(f"{value:.4g}" for value in values)]
            for i, values in enumerate(zip(*self.records.values(), strict=True), self.initial_epoch + 1)
        ]
        if len(cells) > MOST_ROWS:
            half = MOST_ROWS // 2
            cells = [*cells[:half], ["..."] * (len(self) + 1), *cells[-half:]]
        ending = "interrupted" if self.interrupted else self.stopped
        return table(f"{self.epochs} epochs{f': {ending}' if ending else ''}", ["epoch", *self], cells)

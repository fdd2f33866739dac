"""What a training run recorded."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from .monitor import Monitor


@dataclass
class History:
    """Per-epoch records of `Trainer.fit`.

    `history["loss"]` is a list with a value an epoch; likewise "seconds" and, where they apply, "accuracy", "val_loss"
    and "val_accuracy", and what callbacks added; an epoch without such a value has nan there.

    Attributes
    ----------
    rows : list of dict
        The values of each epoch by name.
    interrupted : bool
        True if Ctrl-C ended the run; the epoch that it cut off is not recorded.
    stopped : str or None
        Why a callback ended the run; an epoch that it cut off is not recorded.

    Notes
    -----
    Training loss and accuracy are averaged over the batches as they were trained, with the weights as they then were,
    exactly over batches of different sizes and weighted by the sample weights; validation is computed at the end of
    each epoch.
    """

    # A row an epoch: it is there or not, whenever a signal comes. Columns could be cut off at different lengths.
    rows: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False
    stopped: str | None = None

    @property
    def records(self) -> dict[str, list[float]]:
        """The values by name, a list with one an epoch."""
        return {name: self[name] for name in self}

    @property
    def epochs(self) -> int:
        """Number of epochs recorded."""
        return len(self.rows)

    @property
    def last(self) -> dict[str, float]:
        """The values of the last epoch, empty if there is none."""
        return dict(self.rows[-1]) if self.rows else {}

    def best(self, name: str = "val_loss", mode: str = "auto") -> dict[str, float]:
        """The values of the epoch that is best by one record, and its number as "epoch", counted from 1.

        Parameters
        ----------
        name : str, default "val_loss"
        mode : {"auto", "min", "max"}, default "auto"
            Whether less or more is better; "auto" tells by the name, and asks where it is not known. Of equal epochs
            it is the first; nan is never the best.

        Raises
        ------
        KeyError, ValueError
            If there is no such record, or only nan.
        """
        monitor, values = Monitor(name, mode), self[name]
        best = None
        for i, value in enumerate(values):
            if monitor.better(value, monitor.worst if best is None else values[best]):
                best = i
        if best is None:
            raise ValueError(f"no epoch has a {name} that is a number")
        return {"epoch": best + 1, **self.rows[best]}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a table: a row an epoch, the columns "epoch", counted from 1, and the records."""
        import csv

        with open(path, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["epoch", *self])
            table.writerows([i + 1, *values] for i, values in enumerate(zip(*self.records.values(), strict=True)))

    def __getitem__(self, name: str) -> list[float]:
        if name not in list(self):
            raise KeyError(f"no record {name!r}; there are {', '.join(self) or 'none yet'}")
        return [row.get(name, math.nan) for row in self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for row in self.rows for name in row))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.4g}" for name, value in self.last.items())
        return f"History({self.epochs} epochs{': ' + values if values else ''})"

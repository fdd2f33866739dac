"""What a training run recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class History:
    """Per-epoch records of `Trainer.fit`.

    Attributes
    ----------
    records : dict of str to list of float
        A list with a value an epoch for each of "loss", "seconds" and, where they apply, "accuracy", "val_loss" and
        "val_accuracy". `history["loss"]` is short for `history.records["loss"]`.
    interrupted : bool
        True if Ctrl-C ended the run; the epoch that it cut off is not recorded.

    Notes
    -----
    Training loss and accuracy are averaged over the batches as they were trained, with the weights as they then were,
    exactly over batches of different sizes; validation is computed at the end of each epoch.
    """

    records: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False

    def append(self, values: dict[str, float]) -> None:
        """Add the values of an epoch."""
        for name, value in values.items():
            self.records.setdefault(name, []).append(value)

    @property
    def epochs(self) -> int:
        """Number of epochs recorded."""
        return len(self.records.get("loss", ()))

    @property
    def last(self) -> dict[str, float]:
        """The values of the last epoch."""
        return {name: values[-1] for name, values in self.records.items()}

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.records:
            raise KeyError(f"no record {name!r}; there are {', '.join(self.records) or 'none yet'}")
        return self.records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:.4g}" for name, value in self.last.items()) if self.epochs else ""
        return f"History({self.epochs} epochs{': ' + values if values else ''})"

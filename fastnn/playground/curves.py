"""Losses and accuracies over the epochs, with a bounded number of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 400


class Curves:
    """Records, one for each time that was looked at; when there are `MOST`, every second one goes.

    Examples
    --------
    >>> from fastnn.playground.curves import Curves
    >>> curves = Curves()
    >>> for epoch in range(1000):
    ...     curves.add(epoch, {"loss": 1.0, "accuracy": 0.5}, {"loss": 2.0})
    >>> len(curves.array()) <= 401, curves.array()[-1].tolist()
    (True, [999.0, 1.0, 2.0, 0.5, nan])
    """

    def __init__(self) -> None:
        self.records: list[tuple[float, ...]] = []

    def add(self, epoch: int, train: dict[str, float], test: dict[str, float]) -> None:
        """Record the scores after an epoch, in the place of those of the same epoch."""
        nan = float("nan")
        record = epoch, train["loss"], test["loss"], train.get("accuracy", nan), test.get("accuracy", nan)
        if self.records and self.records[-1][0] == epoch:
            self.records.pop()
        if len(self.records) >= MOST:
            del self.records[1::2]
        self.records.append(record)

    def array(self) -> NDArray[np.float32]:
        """Columns: epoch, loss of training and test, accuracy of training and test; NaN for what there is not."""
        return np.array(self.records, "float32").reshape(-1, 5)

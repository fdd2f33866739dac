"""What is added up over the batches of a run, and the loss and metrics that it amounts to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .._validation import Array
from ..compiler.counters import ACCURACY, NOTHING, SUMS, Counting
from ..nn.loss import Loss
from .data import Data

if TYPE_CHECKING:
    from ..metrics import Metric
    from ..nn.sequential import Sequential

FEW = 8  # epochs, whose scores are not worth a call of NumPy


class Scoring:
    """What programs of a network count for a loss and metrics, and the scores of these sums."""

    def __init__(self, net: Sequential, loss: Loss, metrics: tuple[Metric, ...]) -> None:
        self.net, self.loss, self.metrics = net, loss, metrics
        self._counts = bool(metrics or loss.heads)  # whether more is added up than loss and accuracy

    def counting(self, data: Data) -> Counting:
        """What is counted for metrics."""
        if not self._counts:
            return NOTHING
        counters = (metric.counter for metric in self.metrics if metric.counter is not None)
        return Counting.of(counters, self.loss, data, self.net.out_features_for(data.x.shape[1]))

    def check_labels(self, data: Data) -> None:
        """Raise ValueError if a metric counts labels, and the targets are numbers."""
        if self.metrics:
            self.counting(data).check_labels(self.loss, data, self.net.out_features_for(data.x.shape[1]))

    def new_sums(self, data: Data) -> Array:
        """Where programs for such data add up, from the beginning."""
        return np.zeros(self.counting(data).size if self._counts else SUMS)

    def scores_of_epochs(self, sums: Array, data: Data) -> list[dict[str, float]]:
        """The scores of each row of sums."""
        samples = sums[:, 4]
        if self._counts or len(sums) < FEW or not (samples.all() or not samples.any()):
            return [self.scores(row, data) for row in sums]
        loss = sums[:, 1]
        with np.errstate(all="ignore"):
            loss = loss if self.loss.reduction == "sum" else np.where(sums[:, 2] == 0, math.nan, loss / sums[:, 2])
            columns = {"loss": np.sqrt(loss) if self.loss.root else loss}
            if samples.any():
                columns["accuracy"] = sums[:, 3] / samples
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in values]

    def scores(self, sums: Array, data: Data | None) -> dict[str, float]:
        """Loss, accuracy and metrics of what was added up over data like these; None if there were none."""
        loss = self.loss
        _, total, weight, correct, samples, *_ = sums.tolist()
        if loss.reduction != "sum":
            total = total / weight if weight else math.nan
        scores = {"loss": math.sqrt(total) if loss.root else total}
        if self._counts:
            for name, head in zip(loss.heads, sums[SUMS:], strict=False):
                scores[f"{name}_loss"] = float(head) / weight if weight else math.nan
        if samples:
            scores["accuracy"] = correct / samples
        if self.metrics and data is not None:
            counting = self.counting(data)
            for metric in self.metrics:
                if counting.places and metric.counter not in (None, ACCURACY):
                    scores[metric.name] = metric.of_counts(sums[counting.places[metric.counter]], counting.several)
        return scores

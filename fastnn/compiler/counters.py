"""What a program counts for metrics, and where in its sums that stands.

A program adds up in one flat array of float64: the loss and the accuracy (`SUMS` numbers), then the loss of each head
of a network that has several, then the counts of each counter. A run keeps nothing else of an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import Array
from .interfaces import Loss, Targets
from .operations import OPERATIONS

SUMS = 5  # the last loss; then summed losses, weights, weights of right predictions and of all predictions

# What the targets of a program are, for metrics.
INDICES, COLUMNS, ROWS = "class indices", "a label each", "rows"

# The metrics of each counter of labels, for messages.
OF_LABELS = {
    "count_correct": "accuracy",
    "count_top": "top_k_accuracy",
    "count_classes": "precision, recall, f1, jaccard, specificity, balanced_accuracy, mcc and kappa",
}
CHUNK = 1 << 16  # rows of targets that are looked at together


@dataclass(frozen=True)
class Counter:
    """Something that is counted: the kind of operation that does it, of the top k classes also k, or another loss."""

    kind: str
    k: int = 0
    loss: Any = None

    def size(self, n_out: int) -> int:
        """How many numbers it takes."""
        sizes = {"count_classes": 3 * max(2, n_out), "count_top": 2, "count_loss": 2, "count_errors": 2 + 5 * n_out}
        return sizes.get(self.kind, 0)


ACCURACY = Counter("count_correct")
CLASSES = Counter("count_classes")
ERRORS = Counter("count_errors")


def top_k(k: int) -> Counter:
    """Counts the samples whose class is among the k largest outputs."""
    return Counter("count_top", k)


@dataclass(frozen=True)
class Counting:
    """What a program counts: each counter's place in the sums, the kind of the targets, the threshold of a label.

    `several` says whether there are several outputs, each a label of its own.
    """

    places: dict[Counter, slice]
    targets: str = ROWS
    threshold: float = 0.5
    several: bool = False
    elements: bool = False  # whether sample weights are one an element, or targets may be missing
    ignored: int = -100  # the class index whose rows count nothing
    heads: int = 0

    @classmethod
    def of(cls, counters: Iterable[Counter], loss: Loss, data: Targets, n_out: int) -> Counting:
        """For these data; ValueError if nothing of the kind can be counted of such targets."""
        places, start = {}, SUMS + len(loss.heads)
        for counter in dict.fromkeys(counters):
            places[counter] = slice(start, start + counter.size(n_out))
            start = places[counter].stop
        targets = target_kind(loss, data, n_out) if places else ROWS
        if ERRORS in places and targets == INDICES:
            raise ValueError("metrics: mae, mse, rmse and r2 need targets like the outputs, got class indices")
        threshold = 0.5 if loss.threshold is None else loss.threshold
        elements = data.by_elements or data.missing
        for counter in places:
            if counter.loss is not None:
                check_loss(counter.loss, loss, targets, elements)
            elif elements and counter != ERRORS and targets != COLUMNS:
                named = OF_LABELS.get(counter.kind, counter.kind)
                raise ValueError(f"metrics: {named} count samples: missing targets and weights of elements need "
                                 "metrics of elements: 'mae', 'mse', 'rmse', 'r2', or labels of 0 and 1")  # fmt: skip
        several = targets == COLUMNS and n_out > 1
        return cls(places, targets, threshold, several, elements, loss.ignored, len(loss.heads))

    def check_labels(self, loss: Loss, data: Targets, n_out: int) -> None:
        """Raise ValueError if something counts labels, and the targets are numbers."""
        named = next((OF_LABELS[counter.kind] for counter in self.places if counter.kind in OF_LABELS), None)
        if named is not None and self.targets != INDICES:
            refuse_numbers(named, loss, data.y, n_out)

    def options(self, counter: Counter, place: int) -> dict[str, float]:
        """The options of the operation of a counter whose counts begin at `place`."""
        options: dict[str, float] = {
            "threshold": self.threshold,
            "ignored": self.ignored,
            "k": counter.k,
            "place": place,
        }
        return {name: options[name] for name in OPERATIONS[counter.kind].options.split()}

    def merge(self, sums: Array, later: Array) -> None:
        """Add what was added up over later rows, but for the last loss, to what was over earlier ones.

        All are sums but, for the errors of each column, the mean of its targets and the sum of their squared distances
        from it, which Chan, Golub and LeVeque (1979) add: with the weights v and w,

            mean = (v mean1 + w mean2) / (v + w)
            distances = distances1 + distances2 + (mean2 - mean1)^2 v w / (v + w)
        """
        place = self.places.get(ERRORS)
        if place is not None and sums.size > SUMS:
            columns = (place.stop - place.start - 2) // 5
            both = [array[place][2:].reshape(5, columns) for array in (sums, later)]
            (_, _, mean, distances, weight), (_, _, mean2, _, weight2) = both
            whole = np.where(weight + weight2 == 0, 1.0, weight + weight2)
            merged = (weight * mean + weight2 * mean2) / whole
            apart = (mean2 - mean) ** 2 * (weight * weight2 / whole)
        sums[1:] += later[1:]
        if place is not None and sums.size > SUMS:
            mean[...] = merged
            distances += apart

    @property
    def size(self) -> int:
        """How many numbers are summed up, in all."""
        return max((place.stop for place in self.places.values()), default=SUMS + self.heads)


NOTHING = Counting({})


def check_loss(metric: Loss, loss: Loss, targets: str, elements: bool) -> None:
    """Raise ValueError if another loss, as a metric, does not take the targets of the loss."""
    if loss.heads:
        raise ValueError(f"metrics: {metric!r:.60} has no one output array in a network with several heads")
    if targets == INDICES and not metric.classes:
        raise ValueError(f"metrics: {metric!r:.60} takes no class indices, which the targets are")
    if elements and not metric.by_elements:
        raise ValueError(f"metrics: {metric!r:.60} takes no weights of elements, and no missing targets")


def target_kind(loss: Loss, data: Targets, n_out: int) -> str:
    """What the targets are, to metrics; ValueError or TypeError if nothing that can be counted."""
    y: Any = data.y
    if data.mix is not None and y.dtype == "int64":
        return ROWS
    if data.labels is True or (y.ndim == 1 and y.dtype == "int64"):
        return INDICES
    if data.y_dtype != data.dtype or math.prod(y.shape[1:]) != n_out:
        raise ValueError(f"metrics: y must be class indices or have shape {(len(data), n_out)}, like the outputs, "
                         f"got {y.dtype} of shape {y.shape}")  # fmt: skip
    return COLUMNS if loss.threshold is not None or n_out == 1 else ROWS


def refuse_numbers(names: str, loss: Loss, y: Any, n_out: int) -> None:
    """Raise ValueError if targets of a loss of regression are no labels.

    Labels of one output are 0 and 1, or -1 and 1; rows of several may also be probabilities. The targets of other
    losses are labels in any case, and those of several heads are not looked at.

    Parameters
    ----------
    names : str
        The metrics that need labels, for the message.
    loss : Loss
    y : array of the targets, shape (n,) or (n, ...)
    n_out : int
        Number of outputs.
    """
    of_classes = loss.threshold is not None or getattr(loss, "classes", False) or getattr(loss, "logits", False)
    if of_classes or loss.heads or getattr(loss, "name", "") == "kl_div" or y.dtype.kind not in "biuf":
        return
    if y.ndim == 1 and y.dtype.kind != "f":  # class indices of a loss in Python
        return
    for start in range(0, len(y), CHUNK):
        rows = np.asarray(y[start : start + CHUNK], None if y.dtype.kind == "f" else "float64").reshape(-1, n_out)
        if (good := (rows == 0) | (abs(rows) == 1)).all():
            continue
        if n_out > 1:
            good |= ((rows >= 0) & (abs(rows.sum(1, keepdims=True) - 1) < 1e-3)).astype(bool)
        if not good.all():
            row, column = (int(i) for i in np.argwhere(~good)[0])
            also = ", or rows of probabilities" if n_out > 1 else ""
            raise ValueError(f"metrics: {names} need labels: targets that are class indices or 0 and 1{also}, got "
                             f"{rows[row, column]:g} in y[{start + row}]: for numbers use 'mae', 'mse', 'rmse' or 'r2'"
                            )  # fmt: skip

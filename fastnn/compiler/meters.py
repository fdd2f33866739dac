"""What the compiled loop counts for metrics, and where in the sums of a program it stands.

A program adds up in one flat array: first the loss and the accuracy (`SUMS` numbers), then the losses of several heads
of a network, one each, then what each meter counts. So
this array is all that a run has to keep of an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..nn.losses import Loss
    from ..training.data import Data

SUMS = 5  # the last loss; then summed losses, weights, weights of right predictions and of all predictions

# What the targets of a program are, for metrics.
INDICES, COLUMNS, ROWS = "class indices", "a label each", "rows"


@dataclass(frozen=True)
class Meter:
    """Something that is counted: the kind of operation that does it, its parameter, and what it needs to know."""

    kind: str
    param: float = 0.0

    def size(self, n_out: int) -> int:
        """How many numbers it takes."""
        sizes = {"count_classes": 3 * max(2, n_out), "count_top": 2, "count_errors": 2 + 4 * n_out}
        return sizes.get(self.kind, 0)


ACCURACY = Meter("correct")
CLASSES = Meter("count_classes")
ERRORS = Meter("count_errors")


def top_k(k: int) -> Meter:
    """Counts the samples whose class is among the k largest outputs."""
    return Meter("count_top", float(k))


@dataclass(frozen=True)
class Counting:
    """What a program counts: each meter's place in the sums, the kind of the targets, the threshold of a label.

    `several` says whether there are several outputs, each a label of its own.
    """

    places: dict[Meter, slice]
    targets: str = ROWS
    threshold: float = 0.5
    several: bool = False
    ignored: int = -100  # the class index whose rows count nothing
    heads: int = 0

    @classmethod
    def of(cls, meters: Iterable[Meter], loss: Loss, data: Data, n_out: int) -> Counting:
        """For these data; ValueError if nothing of the kind can be counted of such targets."""
        places, start = {}, SUMS + len(loss.heads)
        for meter in dict.fromkeys(meters):
            places[meter] = slice(start, start + meter.size(n_out))
            start = places[meter].stop
        targets = target_kind(loss, data, n_out) if places else ROWS
        if ERRORS in places and targets == INDICES:
            raise ValueError("metrics: mae, mse, rmse and r2 need targets like the outputs, got class indices")
        threshold = 0.5 if loss.threshold is None else loss.threshold
        return cls(places, targets, threshold, targets == COLUMNS and n_out > 1, loss.ignored, len(loss.heads))

    @property
    def size(self) -> int:
        """How many numbers are summed up, in all."""
        return max((place.stop for place in self.places.values()), default=SUMS + self.heads)


NOTHING = Counting({})


def target_kind(loss: Loss, data: Data, n_out: int) -> str:
    """What the targets are, to metrics; ValueError or TypeError if nothing that can be counted."""
    y: Any = data.y
    if data.mix is not None and y.dtype == "int64":
        return ROWS
    if data.labels is True or (y.ndim == 1 and y.dtype == "int64"):
        return INDICES
    if y.dtype != data.dtype or math.prod(y.shape[1:]) != n_out:
        raise ValueError(f"metrics: y must be class indices or have shape {(len(data), n_out)}, like the outputs, "
                         f"got {y.dtype} of shape {y.shape}")  # fmt: skip
    return COLUMNS if loss.threshold is not None or n_out == 1 else ROWS

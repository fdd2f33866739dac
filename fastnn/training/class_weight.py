"""The argument `class_weight` of `Trainer.fit`: weights of classes that multiply the weights of their samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _validation as check
from .data import Data, Subset
from .streams import BatchStream, ShardStream, Source

if TYPE_CHECKING:
    from ..nn.loss import Loss
    from .engine import Engine

Array = check.Array

EXPECTED = "'balanced', a dict {class: weight} or an array with a weight for each class"


class ClassWeight:
    """Weights of classes, checked with the first data.

    Parameters
    ----------
    given : "balanced", dict or array_like
        As `Trainer.fit` takes it.
    engine : Engine
        Its loss decides what the class of a sample is.

    Raises
    ------
    TypeError, ValueError
        If `given` is something else, or the targets are not one class a sample.
    """

    def __init__(self, given: Any, engine: Engine) -> None:
        if isinstance(given, str):
            if given != "balanced":
                raise ValueError(f"class_weight must be {EXPECTED}, got {given!r:.60}")
        elif not isinstance(given, (Mapping, list, tuple)) and not hasattr(given, "__array__"):
            raise TypeError(f"class_weight must be {EXPECTED}, got {type(given).__name__}")
        self.given, self.engine = given, engine
        self.table: Array | None = None  # of float64: the weight of each class

    def make(self, x: Any, y: Any, sample_weight: Any = None) -> Data:
        """A batch or a shard of a user as `Data`, weighted; balanced weights are known only after `apply`."""
        data = self.engine.training_data(x, y, sample_weight)
        if self.table is None and isinstance(self.given, str):
            return data
        self._weigh(data)
        return data

    def apply(self, source: Source) -> None:
        """Weigh all samples of arrays; for what comes piece by piece find the balanced weights.

        Raises
        ------
        ValueError
            If an iterable of batches should be balanced: the classes of the samples to come are not known; or if
            the class of each sample has the weight 0.
        """
        if isinstance(source, Data):
            weighed = source.weighs()
            self._weigh(source)
            if weighed and not source.weighs():
                raise ValueError("class_weight is 0 for the classes of all samples to train on: none would count")
        elif isinstance(self.given, str):
            if isinstance(source, BatchStream):
                raise ValueError(
                    "class_weight='balanced' needs the classes of all samples, which an iterable of batches does not "
                    "give: pass class_weight=fastnn.data.class_weights(y)"
                )
            self.table = balanced(np.sum([self._counts(source.data(i)) for i in range(len(source.shards))], axis=0))
        if isinstance(source, ShardStream):
            source.by_class = True

    def _weigh(self, data: Data) -> None:
        """Multiply the weights of these samples."""
        classes, k = classes_of(data, self.engine.loss, self._outputs(data))
        if self.table is None:
            self.table = balanced(self._counts(data)) if isinstance(self.given, str) else self._checked(k)
        known = (classes >= 0) & (classes < k)  # others are ignored, or refused when they are trained on
        weight = np.where(known, self.table[np.where(known, classes, 0)], 1.0)
        data.weight = (weight if data.weight is None else weight * data.weight).astype(data.dtype)

    def _counts(self, data: Data) -> Array:
        """How many samples each class has."""
        classes, k = classes_of(data, self.engine.loss, self._outputs(data))
        classes = classes[data.rows] if isinstance(data, Subset) else classes
        return np.bincount(classes[(classes >= 0) & (classes < k) & (classes != self.engine.loss.ignored)], minlength=k)

    def _checked(self, k: int) -> Array:
        """The weights that were given, for k classes."""
        if not isinstance(self.given, Mapping):
            weights = check.as_class_weights("class_weight", self.given, k, np.dtype("float64"))
        else:
            from ..data.weights import class_weights

            weights = class_weights(np.zeros(1, "int64"), self.given, classes=k)
        if not weights.any():
            raise ValueError(f"class_weight must be above 0 for at least one of {k} classes, got zeros only")
        return weights

    def _outputs(self, data: Data) -> int:
        return self.engine.net.out_features_for(data.x.shape[1])


def balanced(counts: Array) -> Array:
    """Weights of classes with so many samples, as `fastnn.data.class_weights` computes them; 0 for one without.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.training.class_weight import balanced
    >>> balanced(np.array([1, 0, 3])).round(4).tolist()
    [2.0, 0.0, 0.6667]
    """
    if not counts.any():
        raise ValueError("class_weight='balanced' needs at least one sample that is not ignored")
    return np.where(counts > 0, counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1)), 0.0)


def classes_of(data: Data, loss: Loss, n_out: int) -> tuple[Array, int]:
    """The class of each sample, int64 of shape (rows,), and the number of classes.

    Class indices are taken as they are; of the targets of two classes 1 is class 1, and 0 or -1 is class 0; of
    probabilities the class is the largest.

    Raises
    ------
    TypeError
        If the targets are numbers, not classes.
    ValueError
        If a sample has several classes: several columns of targets of two classes, or several heads.
    """
    y = data.y
    if loss.heads:
        raise ValueError("class_weight: samples of several heads have several classes: pass sample_weight instead")
    if data.labels is True:
        return y, n_out
    if loss.threshold is not None and y.shape[1] == 1:
        return (y[:, 0] > 0.5).astype("int64"), 2
    if loss.threshold is not None:
        raise ValueError(
            f"class_weight: samples with {y.shape[1]} targets of two classes have no one class: pass sample_weight, or "
            "pos_weight to nn.BCEWithLogitsLoss"
        )
    if not loss.classes:
        raise TypeError(f"class_weight: the targets of {loss!r:.60} are not classes: pass sample_weight instead")
    return y.argmax(1), n_out

"""A network for inference alone, and what its outputs differ by from those of the network that it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _validation as check
from .._frames import errors_of_use

Array = check.Array


@dataclass(frozen=True)
class FrozenReport:
    """What a frozen network predicts, beside the network that it was made of; print it for a sentence.

    Attributes
    ----------
    rows : int
    largest : float
        The largest difference of two outputs.
    relative : float
        The root of the mean square of the differences, over that of the outputs of the network.
    agreement : float or None
        The share of the rows whose largest output is the same; None for one output.
    accuracy, accuracy_before : float or None
        The share of the rows whose largest output is the class in y, frozen and before; None without y.
    nbytes, nbytes_before : int
        Bytes of parameters and buffers.
    """

    rows: int
    largest: float
    relative: float
    agreement: float | None
    accuracy: float | None
    accuracy_before: float | None
    nbytes: int
    nbytes_before: int

    def __str__(self) -> str:
        parts = [f"{self.rows:,} rows: outputs differ by {self.largest:.2g} at most, {self.relative:.2%} of their size"]
        if self.agreement is not None:
            parts.append(f"{self.agreement:.2%} of the rows have the same largest output")
        if self.accuracy is not None:
            parts.append(f"accuracy {self.accuracy:.4f}, before {self.accuracy_before:.4f}")
        return "; ".join([*parts, f"{self.nbytes:,} bytes, before {self.nbytes_before:,}"])


class Frozen:
    """A copy of a network for inference, as `Sequential.freeze` makes it.

    Attributes
    ----------
    network : Sequential
        The copy, in inference mode, with parameters that are not trained.
    source : Sequential
        The network that it was made of.
    """

    def __init__(self, network: Any, source: Any) -> None:
        self.network, self.source = network, source

    def predict(self, x: Any) -> Array:
        """The outputs for rows x, as `Sequential.predict`."""
        outputs: Array = self.network.predict(x)
        return outputs

    __call__ = predict

    @property
    def nbytes(self) -> int:
        """Bytes of parameters and buffers."""
        return bytes_of(self.network)

    @errors_of_use
    def report(self, x: Any, y: Any = None) -> FrozenReport:
        """What freezing changed, on rows x; with class indices y also the accuracy before and after.

        Raises
        ------
        TypeError, ValueError
            If x does not fit the network, has no rows, or y is no array of a class index for each row.
        """
        mine, theirs = self.predict(x).astype("float64"), self.source.predict(x).astype("float64")
        rows = len(theirs)
        if rows == 0:
            raise ValueError("x must have a row at least, got 0")
        labels = None if y is None else np.asarray(y)
        if labels is not None and (labels.shape != (rows,) or labels.dtype.kind not in "iub"):
            raise ValueError(
                f"y must have a class index for each of {rows} rows, got {labels.dtype} of shape {labels.shape}"
            )
        size = float(np.sqrt(np.square(theirs).mean()))
        error = float(np.sqrt(np.square(mine - theirs).mean()))
        best, before = mine.argmax(axis=1), theirs.argmax(axis=1)
        return FrozenReport(
            rows, float(np.abs(mine - theirs).max()), error / size if size else error,
            float((best == before).mean()) if theirs.shape[1] > 1 else None,
            None if labels is None else float((best == labels).mean()),
            None if labels is None else float((before == labels).mean()),
            self.nbytes, bytes_of(self.source),
        )  # fmt: skip

    def save(self, path: Any) -> None:
        """Write the frozen network to a file, which `fastnn.load` reads as a network: see `Sequential.save`."""
        self.network.save(path)

    def __repr__(self) -> str:
        return f"Frozen({self.network!r})"


def bytes_of(net: Any) -> int:
    """Bytes of the parameters and buffers of a network."""
    return sum(view.nbytes for _, view in (*net.named_parameters(), *net.named_buffers()))

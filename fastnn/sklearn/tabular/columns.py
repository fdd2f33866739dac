"""What becomes of each kind of column: numbers that a network takes, and codes of embeddings."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..._validation import Array
from .reading import Column

YEAR = 365.2425 * 86400.0  # seconds
CLIP = 3.0  # where smooth clipping ends: no number is beyond
PERIODS = {"year": YEAR, "week": 7 * 86400.0, "day": 86400.0}


def smooth_clip(x: Array) -> Array:
    """x / sqrt(1 + (x / 3)^2): close to x around 0, and never beyond 3 in size (Holzmüller et al., 2024, Section 3).

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.sklearn.tabular.columns import smooth_clip
    >>> smooth_clip(np.array([0.0, 0.3, 1e9])).round(4).tolist()
    [0.0, 0.2985, 3.0]
    """
    return x / np.sqrt(1.0 + (x / CLIP) ** 2)


class Scaled:
    """Robust scaling: (x - median) / (upper - lower quartile), then smooth clipping.

    Where the quartiles are equal, the divisor is half of the range. `center` and `factor` are numbers.
    """

    def __init__(self, values: Array) -> None:
        low, self.center, high = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
        spread = high - low
        if spread <= 0.0:
            spread = float(values.max() - values.min()) / 2.0
        self.factor = 1.0 / spread if spread > 0.0 and np.isfinite(1.0 / spread) else 1.0

    def __call__(self, values: Array) -> Array:
        return smooth_clip((values - self.center) * self.factor)


class Encoded:
    """Base of what a column becomes. `state` and `of_state` are for files.

    Attributes
    ----------
    name : str or int
    width : int
        Of its numbers in the input of the network.
    codes : int
        0, or the number of codes of its embedding.
    """

    kind: ClassVar[str] = ""
    fields: ClassVar[tuple[str, ...]] = ()
    codes = 0
    width = 0
    name: Any

    def numbers(self, column: Column) -> Array:
        """Its numbers, shape (rows, width)."""
        return np.zeros((len(column.values), 0))

    def code(self, column: Column) -> Array:
        """Its codes, shape (rows,), where it has an embedding."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What `of_state` makes it again of."""
        return {"kind": self.kind} | {name: getattr(self, name) for name in ("name", "width", "codes", *self.fields)}

    @staticmethod
    def of_state(state: dict[str, Any]) -> Encoded:
        """The encoded column of a state."""
        cls = {c.kind: c for c in (Constant, Number, OneHot, Codes, Time)}[state["kind"]]
        made = cls.__new__(cls)
        for name in ("name", "width", "codes", *cls.fields):
            setattr(made, name, state[name])
        return made


class Constant(Encoded):
    """A column that is left out: it had one value, or none, when the model was fitted."""

    kind = "constant"

    def __init__(self, column: Column) -> None:
        self.name = column.name


class Number(Encoded):
    """Numbers: scaled; 0, the median, where one is missing, with an indicator of that; perhaps features of embeddings.

    Parameters
    ----------
    column : Column
    embedding : {None, "piecewise", "periodic"}
    features : int
        Of the embedding.
    rng : RandomState
        Of the frequencies.
    """

    kind = "number"
    fields = ("center", "factor", "indicator", "edges", "frequencies", "phases")

    def __init__(self, column: Column, embedding: str | None, features: int, rng: Any) -> None:
        self.name = column.name
        absent = np.isnan(column.values)
        there = column.values[~absent]
        scale = Scaled(there)
        self.center, self.factor, self.indicator = scale.center, scale.factor, bool(absent.any())
        self.edges, self.frequencies, self.phases = np.zeros(0), np.zeros(0), np.zeros(0)
        if embedding == "piecewise":
            edges = np.unique(np.quantile(self._scaled(there), np.linspace(0.0, 1.0, features + 1)))
            self.edges = edges if len(edges) > 2 else self.edges
        elif embedding == "periodic":
            self.frequencies, self.phases = rng.normal(size=features), rng.uniform(-np.pi, np.pi, features)
        self.width = 1 + self.indicator + max(0, len(self.edges) - 1) + len(self.frequencies)

    def _scaled(self, values: Array) -> Array:
        return smooth_clip((values - self.center) * self.factor)

    def numbers(self, column: Column) -> Array:
        absent = np.isnan(column.values)
        scaled = np.where(absent, 0.0, self._scaled(column.values))
        parts = [scaled[:, None]]
        if self.indicator:
            parts.append(absent[:, None])
        if len(self.edges):
            low, high = self.edges[:-1], self.edges[1:]
            parts.append(np.clip((scaled[:, None] - low) / (high - low), 0.0, 1.0) * ~absent[:, None])
        if len(self.frequencies):
            parts.append(np.cos(scaled[:, None] * self.frequencies + self.phases) * ~absent[:, None])
        return np.concatenate(parts, axis=1)


class Categories(Encoded):
    """Base of the columns of categories: code 0 is one that was not there when the model was fitted.

    A missing value is a category of its own, None, if there was one.
    """

    fields = ("values",)

    def __init__(self, column: Column, values: list[Any]) -> None:
        self.name, self.values = column.name, values

    def places(self, column: Column) -> Array:
        """The code of each row, from 1 on; 0 for those that are not known."""
        table = {value: i for i, value in enumerate(self.values, 1)}
        return np.fromiter((table.get(v, 0) for v in column.values), "int64", len(column.values))


class OneHot(Categories):
    """Few categories: a column of 0 and 1 for each, all 0 where it is not known; of two, one column of -1 and 1."""

    kind = "onehot"

    def __init__(self, column: Column, values: list[Any]) -> None:
        super().__init__(column, values)
        self.width = 1 if len(values) == 2 else len(values)

    def numbers(self, column: Column) -> Array:
        places = self.places(column)
        if self.width == 1:
            return np.array([0.0, -1.0, 1.0])[places][:, None]
        return (places[:, None] == np.arange(1, self.width + 1)).astype("float64")


class Codes(Categories):
    """Many categories: codes of an embedding, of which the row of code 0 stays 0."""

    kind = "codes"

    def __init__(self, column: Column, values: list[Any]) -> None:
        super().__init__(column, values)
        self.codes = len(values) + 1

    def code(self, column: Column) -> Array:
        return self.places(column)


class Time(Encoded):
    """Times: scaled seconds; sine and cosine of the place in the year, week and day, where they vary; an indicator."""

    kind = "time"
    fields = ("center", "factor", "indicator", "periods")

    def __init__(self, column: Column) -> None:
        self.name = column.name
        absent = np.isnan(column.values)
        there = column.values[~absent]
        scale = Scaled(there)
        self.center, self.factor, self.indicator = scale.center, scale.factor, bool(absent.any())
        self.periods = [p for p in PERIODS.values() if np.ptp(there) > p / 2 and np.unique(there % p).size > 1]
        self.width = 1 + self.indicator + 2 * len(self.periods)

    def numbers(self, column: Column) -> Array:
        absent = np.isnan(column.values)
        seconds = np.where(absent, self.center, column.values)
        parts = [smooth_clip((seconds - self.center) * self.factor)]
        for period in self.periods:
            angle = 2.0 * np.pi * (seconds % period) / period
            parts += [np.sin(angle) * ~absent, np.cos(angle) * ~absent]
        return np.stack(parts + [absent] * self.indicator, axis=1)


def encode(column: Column, most_onehot: int, embedding: str | None, features: int, rng: Any) -> Encoded:
    """Decide what becomes of a column."""
    if column.kind == "category":
        values = sorted({v for v in column.values if v is not None})
        if any(v is None for v in column.values):
            values = [*values, None]
        if len(values) < 2:
            return Constant(column)
        return OneHot(column, values) if len(values) <= most_onehot else Codes(column, values)
    there = column.values[~np.isnan(column.values)]
    if not there.size or (there.size == len(column.values) and there.min() == there.max()):
        return Constant(column)
    return Number(column, embedding, features, rng) if column.kind == "number" else Time(column)

"""A table as the input of a network: numbers of all columns first, then the codes of embeddings."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..._validation import Array
from .columns import Constant, Encoded, encode
from .reading import Column, missing, read


class Encoder:
    """Turns tables into matrices of float32, as the first table asks for.

    Parameters
    ----------
    categorical : iterable of names or places
    most_onehot : int
        Categories that a column has at most for a column of 0 and 1 each.
    embedding, features
        Of numbers; see `columns.Number`.
    rng : RandomState

    Attributes
    ----------
    columns : list of Encoded
    kinds : dict of name to kind
    n_numbers : int
        Columns of the matrix before the codes.
    """

    def __init__(self, categorical: Any, most_onehot: int, embedding: str | None, features: int, rng: Any) -> None:
        self.categorical = set(() if categorical is None else categorical)
        self.options = most_onehot, embedding, features, rng

    def fit(self, X: Any) -> Array:
        """Decide what becomes of each column, and return the matrix of X."""
        given = read(X, self.categorical)
        names = [column.name for column in given]
        unknown = self.categorical - set(names)
        if unknown:
            raise ValueError(f"categorical_features: X has no column {sorted(unknown, key=str)[0]!r}, but {names}")
        self.kinds = {column.name: column.kind for column in given}
        self.columns: list[Encoded] = [encode(column, *self.options) for column in given]
        empty = [column.name for column in given if all(missing(v) for v in column.values)]
        if empty:
            warnings.warn(f"columns {empty} have no value in any row and are left out", UserWarning, stacklevel=4)
        return self._matrix(given)

    def transform(self, X: Any) -> Array:
        """The matrix of a table with the same columns, of shape (rows, numbers and codes)."""
        return self._matrix(read(X, self.categorical, self.kinds))

    def _matrix(self, given: list[Column]) -> Array:
        matrix = np.zeros((len(given[0].values), max(1, self.n_numbers) + len(self.tables())), "float32")
        for column, encoded, (places, _) in zip(given, self.columns, self.groups(), strict=True):
            if encoded.width:
                matrix[:, places] = encoded.numbers(column)
            elif encoded.codes:
                matrix[:, places[0]] = encoded.code(column)
        return matrix

    @property
    def n_numbers(self) -> int:
        """Columns of numbers; without any, the matrix has one of zeros."""
        return sum(column.width for column in self.columns)

    def tables(self) -> list[int]:
        """The number of codes of each embedding."""
        return [column.codes for column in self.columns if column.codes]

    def groups(self) -> list[tuple[list[int], Any]]:
        """For each column of the table its columns of the matrix, and its name."""
        groups, number, code = [], 0, max(1, self.n_numbers)
        for column in self.columns:
            places = list(range(number, number + column.width)) if column.width else [code] if column.codes else []
            groups.append((places, column.name))
            number, code = number + column.width, code + bool(column.codes)
        return groups

    def dropped(self) -> list[Any]:
        """The names of the columns that are left out."""
        return [column.name for column in self.columns if isinstance(column, Constant)]

    # -- files ---------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What `of_state` makes it again of."""
        kinds = [[name, kind] for name, kind in self.kinds.items()]
        return {"kinds": kinds, "categorical": sorted(self.categorical, key=str),
                "columns": [column.state() for column in self.columns]}  # fmt: skip

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Encoder:
        """The encoder of a state."""
        made = cls.__new__(cls)
        made.categorical, made.kinds = set(state["categorical"]), dict(state["kinds"])
        made.columns = [Encoded.of_state(column) for column in state["columns"]]
        return made

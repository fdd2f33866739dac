"""The columns of a frame or an array, each as an array of one kind: numbers, categories or times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from ..._validation import Array

SHARE_OF_NUMBERS = 0.9  # text of which so much reads as a number is an error, not categories


@dataclass
class Column:
    """A column as it was given.

    Attributes
    ----------
    name : str or int
        Its name in a frame, its place in an array.
    kind : {"number", "category", "time"}
    values : ndarray
        float64 with NaN where a number is missing; objects with None where a category is missing; float64 seconds since
        1970 with NaN where a time is missing.
    """

    name: Any
    kind: str
    values: Array

    def label(self) -> str:
        """How messages name it."""
        return f"column {self.name!r}"


class Named:
    """An array with the names that its columns had in the frame that a model was fitted with."""

    def __init__(self, array: Array, names: list[Any]) -> None:
        self.array, self.columns, self.dtypes = array, names, [array.dtype] * len(names)

    def __getitem__(self, name: Any) -> Array:
        return self.array[:, self.columns.index(name)]

    def __len__(self) -> int:
        return len(self.array)


def is_frame(X: Any) -> bool:
    """Whether X is a table with named columns, such as a DataFrame of pandas or polars."""
    return hasattr(X, "columns") and hasattr(X, "dtypes") and not isinstance(X, np.ndarray)


def names_of(X: Any) -> list[Any]:
    """The names of the columns of a frame; ValueError if one is there twice."""
    names = list(X.columns)
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"X has more than one column {name!r}: give each a name of its own")
    return names


def read(X: Any, categorical: set[Any], known: dict[Any, str] | None = None) -> list[Column]:
    """All columns of X.

    Parameters
    ----------
    X : DataFrame of pandas or polars, or array of shape (rows, columns)
    categorical : set
        Names (of an array: places) of columns that are categories whatever their dtype.
    known : dict of name to kind, optional
        Of the columns when the model was fitted: these are read, in this order.

    Raises
    ------
    ValueError
        If a column is missing, has another kind than it had, or holds what no kind has; names it, and the row.
    """
    if is_frame(X):
        names = names_of(X)
        if known is not None:
            lacking = [name for name in known if name not in names]
            if lacking:
                raise ValueError(
                    f"X lacks column {lacking[0]!r}, which the model was fitted with (lacking: {lacking}; "
                    f"X has {names})"
                )
            names = list(known)
        columns = [_of_series(name, X[name], name in categorical, _was(known, name)) for name in names]
    else:
        X = check_array(X, dtype=None, ensure_all_finite=False) if not _objects(X) else X
        if X.dtype.kind in "OUST":
            objects = X.astype(object)
            columns = [_of_objects(i, objects[:, i], i in categorical or _was(known, i)) for i in range(X.shape[1])]
        else:
            columns = [_of_series(i, X[:, i], i in categorical) for i in range(X.shape[1])]
    for column in columns:
        if known is not None and column.kind != known[column.name]:
            _adapt(column, known[column.name])
    return columns


def _objects(X: Any) -> bool:
    """Whether X is a matrix of objects, which scikit-learn's check would make numbers of."""
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "OUT" and X.shape[0] > 0 and X.shape[1] > 0


def _was(known: dict[Any, str] | None, name: Any) -> bool:
    """Whether a column held categories when the model was fitted: then text is not asked whether it is numbers."""
    return known is not None and known.get(name) == "category"


def _of_series(name: Any, series: Any, categorical: bool, was: bool = False) -> Column:
    dtype = str(series.dtype).lower()
    if dtype.startswith(("datetime", "date", "timestamp")):
        return Column(name, "time", _seconds(series))
    if dtype.startswith(("category", "categorical", "enum")):
        return Column(name, "category", _keys(_to_objects(series)))
    if dtype.startswith(("object", "str", "utf8")):
        return _of_objects(name, _to_objects(series), categorical or was)
    if not dtype.startswith(("int", "uint", "float", "bool", "decimal", "double")):
        raise ValueError(
            f"column {name!r} has dtype {series.dtype}: numbers, booleans, categories, text and dates are understood; "
            "convert it or leave it out"
        )
    numbers = _numbers(name, series)
    return Column(name, "category", _keys(numbers)) if categorical else Column(name, "number", numbers)


def _to_objects(series: Any) -> Array:
    values = series.to_list() if hasattr(series, "to_list") else series.tolist()
    out = np.empty(len(values), object)
    for row, value in enumerate(values):  # lists in it stay lists
        out[row] = value
    return out


def plain(value: Any) -> Any:
    """A NumPy scalar as the Python object that messages show."""
    return value.item() if isinstance(value, np.generic) else value


def missing(value: Any) -> bool:
    """Whether a value stands for nothing: None, NaN, NA or NaT."""
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def _numbers(name: Any, series: Any) -> Array:
    """float64 numbers with NaN where one is missing; ValueError names the first that is infinite."""
    if isinstance(series, np.ndarray):
        values = series.astype("float64")
    else:
        try:
            values = np.asarray(series.to_numpy(), "float64")
        except (TypeError, ValueError):  # pandas' NA, or None among booleans
            values = np.array([np.nan if missing(v) else float(v) for v in _to_objects(series)], "float64")
    return check_finite(name, values)


def check_finite(name: Any, values: Array) -> Array:
    """The values; ValueError names the first infinite one, or one that float32 does not hold."""
    bad = np.flatnonzero(np.abs(values) > np.finfo("float32").max)
    if bad.size:
        what = "infinity" if np.isinf(values[bad[0]]) else "too large for float32"
        raise ValueError(
            f"X contains infinity or a value too large: column {name!r}, row {bad[0]} is {values[bad[0]]} ({what}). "
            "Replace it, by NaN if it is not known"
        )
    return values


def _of_objects(name: Any, values: Array, categorical: bool) -> Column:
    """Objects are numbers if all are, times if all are; else categories."""
    there = [v for v in values if not missing(v)]
    if not categorical and there and all(isinstance(v, (int, float, np.number, np.bool_)) for v in there):
        if any(isinstance(v, (complex, np.complexfloating)) for v in there):
            raise ValueError(f"Complex data not supported: column {name!r}")
        numbers = np.array([np.nan if missing(v) else float(v) for v in values], "float64")
        return Column(name, "number", check_finite(name, numbers))
    if not categorical and there and all(hasattr(v, "toordinal") for v in there):
        return Column(name, "time", _seconds(np.array([None if missing(v) else v for v in values], "datetime64[us]")))
    for row, value in enumerate(values):
        if not missing(value) and not isinstance(value, (str, bool, int, float, np.number, np.bool_)):
            raise TypeError(
                f"column {name!r}, row {row} is a {type(value).__name__}, argument must be a string or a number"
            )
    if not categorical:
        _check_not_numbers(name, values)
    return Column(name, "category", _keys(values))


def _check_not_numbers(name: Any, values: Array) -> None:
    """Raise ValueError if (nearly) all of a column of text reads as numbers."""
    first, numbers, texts = None, 0, 0
    for row, value in enumerate(values):
        if missing(value):
            continue
        try:
            float(value)
            numbers += 1
        except ValueError:
            texts += 1
            first = row if first is None else first
    if numbers and numbers >= SHARE_OF_NUMBERS * (numbers + texts):
        row = int(np.flatnonzero([not missing(v) for v in values])[0]) if first is None else first
        what = "numbers as text" if first is None else "text, but nearly all of it are numbers"
        raise ValueError(
            f"column {name!r} is {what}: row {row} is {plain(values[row])!r}. Convert it to numbers "
            f"(pandas.to_numeric(..., errors='coerce') makes the others missing), or name it in "
            f"categorical_features=[{name!r}] if its values are names"
        )


def _keys(values: Array) -> Array:
    """Categories as strings or None: 2, 2.0 and True become "2", "2" and "1", whatever the dtype."""
    out = np.empty(len(values), object)
    for row, value in enumerate(values):
        if missing(value):
            continue
        if isinstance(value, (bool, np.bool_, int, float, np.number)):
            out[row] = number_key(float(value))
        else:
            out[row] = str(value)
    return out


def number_key(number: float) -> str:
    """The category that a number is."""
    return str(int(number)) if number.is_integer() else repr(number)


def _seconds(series: Any) -> Array:
    """Seconds since 1970 in UTC; NaN where the time is missing."""
    if getattr(getattr(series, "dtype", None), "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = np.asarray(series if isinstance(series, np.ndarray) else series.to_numpy())
    ticks = values.astype("datetime64[us]")
    seconds = ticks.astype("int64") / 1e6
    seconds[np.isnat(ticks)] = np.nan
    return seconds


def _adapt(column: Column, kind: str) -> None:
    """Make `column` of the kind that it had when the model was fitted, or raise ValueError."""
    empty = all(missing(v) for v in column.values)
    if empty and kind == "category":
        column.kind, column.values = kind, np.empty(len(column.values), object)
    elif empty:
        column.kind, column.values = kind, np.full(len(column.values), np.nan)
    else:
        row = next(i for i, v in enumerate(column.values) if not missing(v))
        words = {"number": "numbers", "category": "categories", "time": "times"}
        raise ValueError(
            f"{column.label()} had {words[kind]} when the model was fitted, and has {words[column.kind]} now: "
            f"row {row} is {plain(column.values[row])!r}. Give it the dtype that it had"
        )

"""Data of one's own: a CSV file with two features and a label."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .choices import MAX_CLASSES, ROWS
from .refusal import Refusal

MAX_BYTES = 200_000
MAX_NAME = 60  # characters of a column or a label
LARGEST = 1e30  # of a number: squares of standardized data stay within float32


@dataclass(frozen=True)
class Table:
    """Points with a label each.

    Parameters
    ----------
    columns : tuple of three str
        Names of the features and of the label.
    points : tuple of (float, float, float)
        Two features and the index of the class, or the number to predict.
    labels : tuple of str
        Names of the classes; empty if the label is a number to predict.
    """

    columns: tuple[str, str, str]
    points: tuple[tuple[float, float, float], ...]
    labels: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads."""
        rows = [[x0, x1, self.labels[int(y)] if self.labels else y] for x0, x1, y in self.points]
        return {"columns": list(self.columns), "rows": rows}

    @classmethod
    def from_json(cls, given: Any) -> Table:
        """Read what `to_json` wrote, with the checks of a file.

        Raises
        ------
        Refusal
            If it is not that, or does not pass the checks.
        """
        try:
            columns, rows = [str(name) for name in given["columns"]], [list(map(str, row)) for row in given["rows"]]
        except (TypeError, KeyError, RecursionError):
            raise Refusal("wrong_type", field="data.table", expected="columns and rows", value="...") from None
        return _table([columns, *rows], header=True)


def read_csv(text: str) -> Table:
    """The table in a text: lines of x0, x1, label, with or without a header; commas, semicolons or tabs.

    A label of at most 8 different values is a class; more must be numbers, which are predicted then.

    Raises
    ------
    Refusal
        If the text is too large, a line has another number of columns or a feature that is no finite number, a label
        is missing, there are too many classes that are no numbers, or a feature is constant. It names the line.

    Examples
    --------
    >>> from fastnn.playground.table import read_csv
    >>> text = "width,height,kind" + "".join(f"\\n{i},{i * i},{'ab'[i % 2]}" for i in range(20))
    >>> table = read_csv(text)
    >>> table.columns, table.labels, table.points[3]
    (('width', 'height', 'kind'), ('a', 'b'), (3.0, 9.0, 1.0))
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise Refusal("csv_large", limit=MAX_BYTES, what="bytes")
    text = text.removeprefix("\ufeff")
    if "\0" in text or "\ufffd" in text:
        raise Refusal("csv_text")
    try:
        lines = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)), ROWS[1] + 2))
    except csv.Error:
        raise Refusal("csv_text") from None
    if not any(map(any, lines)):
        raise Refusal("csv_empty")
    first = next(line for line in lines if any(line))
    return _table(lines, header=len(first) == 3 and _number(first[0]) is None and _number(first[1]) is None)


def _delimiter(text: str) -> str:
    """The one of `, ; tab` that the first line with something in it has most of."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max((",", ";", "\t"), key=first.count)


def _table(lines: list[list[str]], header: bool) -> Table:
    """The table of lines, counted from 1; empty lines do not count as data."""
    numbered = [(i, [cell.strip() for cell in line]) for i, line in enumerate(lines, 1) if any(map(str.strip, line))]
    for i, line in numbered:
        if len(line) != 3:
            raise Refusal("csv_columns", line=i, found=len(line))
    columns = tuple(name[:MAX_NAME] for name in numbered.pop(0)[1]) if header else ("x0", "x1", "label")
    if len(numbered) > ROWS[1]:
        raise Refusal("csv_large", limit=ROWS[1], what="rows")
    if not numbered:
        raise Refusal("csv_empty")
    features = [(_feature(i, line[0]), _feature(i, line[1])) for i, line in numbered]
    if len(numbered) < ROWS[0]:
        raise Refusal("csv_few", found=len(numbered), limit=ROWS[0])
    for j in range(2):
        if len({point[j] for point in features}) == 1:
            raise Refusal("csv_constant", column=columns[j])
    targets, labels = _targets([(i, line[2]) for i, line in numbered])
    points = tuple((*point, target) for point, target in zip(features, targets, strict=True))
    return Table((columns[0], columns[1], columns[2]), points, labels)


def _targets(cells: list[tuple[int, str]]) -> tuple[list[float], tuple[str, ...]]:
    """Class indices and names in order; or numbers, and no names."""
    for i, cell in cells:
        if not cell:
            raise Refusal("csv_label", line=i)
    different = sorted({cell[:MAX_NAME] for _, cell in cells}, key=_order)
    if len(different) == 1:
        raise Refusal("csv_one_class")
    if len(different) <= MAX_CLASSES:
        place = {label: float(c) for c, label in enumerate(different)}
        return [place[cell[:MAX_NAME]] for _, cell in cells], tuple(different)
    numbers = [_number(cell) for _, cell in cells]
    if None in numbers:
        raise Refusal("csv_classes", found=len(different), limit=MAX_CLASSES)
    return [number for number in numbers if number is not None], ()


def _order(label: str) -> tuple[bool, float, str]:
    """Numbers by size, before words by letters."""
    number = _number(label)
    return number is None, number or 0.0, label


def _feature(line: int, cell: str) -> float:
    number = _number(cell)
    if number is None:
        raise Refusal("csv_number", line=line, value=repr(cell[:MAX_NAME]))
    return number


def _number(cell: str) -> float | None:
    """A finite number that float32 can work with, or None."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= LARGEST else None

"""The chapters: files of this folder, their titles and cells, and the same as notebooks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
MARKER = re.compile(r"^# %%(?P<kind> \[markdown\])?.*$", flags=re.M)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the course.

    Attributes
    ----------
    number : int
    name : str
        Of its file, without the number.
    path : Path
    """

    number: int
    name: str
    path: Path

    @property
    def cells(self) -> list[tuple[str, str]]:
        """("markdown" or "code", text) of each cell."""
        source = self.path.read_text(encoding="utf-8")
        marks = list(MARKER.finditer(source))
        ends = [mark.start() for mark in marks[1:]] + [len(source)]
        found = []
        for mark, end in zip(marks, ends, strict=True):
            text = source[mark.end() : end].strip("\n")
            if mark["kind"]:
                found.append(("markdown", "\n".join(re.sub("^# ?", "", line) for line in text.splitlines())))
            else:
                found.append(("code", text))
        return found

    @property
    def title(self) -> str:
        """The heading of the first cell."""
        return self.cells[0][1].splitlines()[0].removeprefix("# ")

    def notebook(self) -> str:
        """The chapter as a Jupyter notebook, format 4.5."""
        cells: list[dict[str, Any]] = [
            {"cell_type": kind, "id": f"cell-{i}", "metadata": {}, "source": text.splitlines(keepends=True)}
            | ({"execution_count": None, "outputs": []} if kind == "code" else {})
            for i, (kind, text) in enumerate(self.cells)
        ]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
        book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def chapters() -> list[Chapter]:
    """All chapters in order.

    Examples
    --------
    >>> from fastnn.course import chapters
    >>> first = chapters()[0]
    >>> first.number, first.name, first.title
    (1, 'linear_layers', '1. Linear layers stay linear')
    """
    found = []
    for path in sorted(FOLDER.glob("c[0-9][0-9]_*.py")):
        number, name = path.stem[1:].split("_", 1)
        found.append(Chapter(int(number), name, path))
    return found


def find(what: str) -> Chapter:
    """The chapter of a number or a name; ValueError if there is none.

    Examples
    --------
    >>> from fastnn.course import find
    >>> find("1") == find("linear_layers")
    True
    """
    known = chapters()
    for chapter in known:
        if what == chapter.name or (what.isdigit() and int(what) == chapter.number):
            return chapter
    raise ValueError(f"there is no chapter {what!r}: `fastnn course` lists chapters 1 to {known[-1].number}")

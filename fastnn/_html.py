"""Tables in HTML, for objects that a notebook shows: escaped text, no JavaScript and no style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table(
    caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str] = (), words: int = 1
) -> str:
    """A table as HTML.

    Parameters
    ----------
    caption : str
        Shown above it.
    header : sequence of str
        The names of the columns.
    rows : iterable of sequences of str
        Each with one text a column.
    notes : iterable of str
        Lines below it.
    words : int, default 1
        How many of the first columns are words, which are aligned to the left; the others are numbers.

    Examples
    --------
    >>> from fastnn._html import table
    >>> table("a < b", ["name"], [["x"]], words=0)
    '<table><caption>a &lt; b</caption><tr><th>name</th></tr><tr><td>x</td></tr></table>'
    """
    lines = [_row("th", header, words), *(_row("td", row, words) for row in rows)]
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return f"<table><caption>{escape(caption)}</caption>{''.join(lines)}</table>{below}"


def _row(tag: str, cells: Sequence[str], words: int) -> str:
    left = f'<{tag} style="text-align: left; white-space: pre">'
    texts = (f"{left if i < words else f'<{tag}>'}{escape(cell)}</{tag}>" for i, cell in enumerate(cells))
    return f"<tr>{''.join(texts)}</tr>"

"""Markdown in the cells of a script as reStructuredText, which the gallery takes: headings, tables and signs."""

import re

CELL = re.compile(r"^# %% \[markdown\]\n((?:#.*\n)+)", flags=re.M)
TABLE = re.compile(r"^\|(.*)\|\n\|[-| ]+\|\n((?:\|.*\|\n?)+)", flags=re.M)


def table(match: re.Match[str]) -> str:
    """A list-table for a table."""
    rows = [match[1], *(line.strip("|") for line in match[2].strip().split("\n"))]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        cells = [cell.strip().replace("*", r"\*") for cell in row.split("|")]
        lines += [f"   {'  ' if i else '* '}- {cell}" for i, cell in enumerate(cells)]
    return "\n".join(lines) + "\n"


def heading(match: re.Match[str]) -> str:
    return f"{match[2]}\n{'=-~'[len(match[1]) - 1] * len(match[2])}"


def restructured(text: str) -> str:
    """The text of one cell."""
    text = re.sub(r"^(#{1,3}) (.*)$", heading, text, flags=re.M)
    parts = TABLE.split(text)  # text, first row, other rows, text, ...
    tables = [table(match) for match in TABLE.finditer(text)]
    texts = [re.sub(r"\|", r"\\|", part) for part in parts[::3]]
    return "".join(part + (tables[i] if i < len(tables) else "") for i, part in enumerate(texts))


def cells(code: str) -> str:
    """A script with all its cells of Markdown in reStructuredText."""

    def cell(match: re.Match[str]) -> str:
        text = re.sub(r"^# ?", "", match[1], flags=re.M)
        return "# %%\n" + "".join(f"# {line}".rstrip() + "\n" for line in restructured(text).strip().split("\n"))

    return CELL.sub(cell, code)

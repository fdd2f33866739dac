"""Copy measured rows into the tables of other pages: python benchmarks/tables.py PAGE...

A table of a page is one of RESULTS.md if its rows have the names of rows there; its columns are found by their titles.
Figures in sentences are not touched: read the page afterwards.
"""

import re
import sys
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
DEFAULT = "A training step inside fit"
TITLES = {"JAX jit + scan": "jax", "PyTorch fused": "torch", "scikit-learn": "sklearn", "NumPy reference": "reference"}


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def measured(text):
    """The tables of the results: rows as dicts of cells by title, by their name, by section."""
    sections = {}
    for title, body in re.findall(r"^## (.+)\n\n((?:\|.*\n)+)", text, flags=re.M):
        header, _, *rows = map(cells, body.strip().split("\n"))
        sections[title] = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    return sections


def refreshed(table, sections):
    """The lines of a table, with the cells of the results where they are measured."""
    header = cells(table[0])
    section = sections.get(header[0], sections[DEFAULT])
    titles = [TITLES.get(title, title) for title in header[1:]]
    lines = table[:2]
    for line in table[2:]:
        row = section.get(cells(line)[0])
        if row is not None and set(titles) <= row.keys():
            line = f"| {cells(line)[0]} | " + " | ".join(row[t].removesuffix(" **missed**") for t in titles) + " |"
        lines.append(line)
    return lines


def main(pages):
    sections = measured(RESULTS.read_text())
    for page in map(Path, pages):
        text = page.read_text()
        for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
            text = text.replace(table, "\n".join(refreshed(table.rstrip("\n").split("\n"), sections)) + "\n")
        page.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])

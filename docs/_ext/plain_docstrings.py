"""Docstrings, which are written as plain text, as reStructuredText: formulas are set as code, and signs stay signs.

In a docstring |x| is an absolute value, a * b a product and "he_" a name. In reStructuredText these are references and
emphasis. What stands in backticks and in examples is left as it is.
"""

import re
from collections.abc import Iterator
from typing import Any

CODE = re.compile(r"(``.*?``|`[^`]*`)", flags=re.S)
SIGNS = re.compile(r"[*|]|(?<=\w)_(?!\w)")
HEADER = re.compile(r"(.+)\n-{3,}$")
FORMULA = re.compile(r"[\w\[\]().,|^*'/ -]{1,50} [-+*/]?= ")
# Sections whose lines without indentation are names, and descriptions the indented ones.
LISTS = {"Parameters", "Attributes", "Returns", "Raises", "Warns", "Yields"}


def escaped(text: str) -> str:
    """The text with a backslash before all signs that are not in backticks."""
    parts = CODE.split(text)
    return "".join(part if i % 2 else SIGNS.sub(r"\\\g<0>", part) for i, part in enumerate(parts))


def described(paragraph: str) -> str:
    """Names with their types: numpydoc escapes the names itself."""
    lines = []
    for line in paragraph.split("\n"):
        name, colon, kind = line.partition(" : ")
        lines.append(name + colon + escaped(kind) if colon and name[:1].strip() else escaped(line))
    return "\n".join(lines)


def is_formula(paragraph: str) -> bool:
    """Whether a paragraph is indented, or each of its lines is an equation."""
    lines = paragraph.split("\n")
    return all(line.startswith("    ") for line in lines) or all(FORMULA.match(line) for line in lines)


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a docstring, set for reStructuredText."""
    section = ""
    for number, paragraph in enumerate(re.split(r"\n[ \t]*\n", text)):
        header = HEADER.match("\n".join(paragraph.split("\n")[:2]))
        section = header[1] if header else section
        if ">>> " in paragraph:
            yield paragraph
        elif section in LISTS:
            yield described(paragraph)
        elif number and is_formula(paragraph):
            yield "::\n\n" + "\n".join("    " + line for line in paragraph.split("\n"))
        else:
            yield escaped(paragraph)


def on_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = "\n\n".join(paragraphs("\n".join(lines))).split("\n")


def on_fields(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Attributes are names: numpydoc's links, which know no class, would lead to that of any class."""
    lines[:] = [re.sub(r":obj:`(\w+) <\.?\1>`", r"**\1**", line) for line in lines]


def setup(app: Any) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", on_docstring, priority=400)  # before numpydoc, which has 500
    app.connect("autodoc-process-docstring", on_fields, priority=600)
    return {"parallel_read_safe": True}

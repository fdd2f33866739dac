"""The gallery: example scripts as pages with what they print.

Examples are plain scripts that begin with a docstring. sphinx-gallery wants a heading there, and a text for the folder,
so copies with both are made beside the other generated pages, and the scripts stay as they are.
"""

import ast
import re
import shutil
from pathlib import Path

from markdown_cells import cells

# By name of the gallery: its scripts, its title and what it says.
FOLDERS = {
    "examples": ("examples/*.py", "Examples", "Scripts on real and made-up data, with what they print."),
    "course": (
        "fastnn/course/c[0-9]*.py",
        "Course",
        "A first course on fully connected networks, one script a subject.",
    ),
}


def titled(text: str, stem: str) -> str:
    """A script whose docstring begins with a heading: what stands before its first colon, or the first sentence.

    Without a docstring it is the heading of the first cell.
    """
    docstring = ast.get_docstring(ast.parse(text))
    if docstring is None:
        title, text = heading_taken(cells("\n" + text), stem)
        return f'"""\n{title}\n{"=" * len(title)}\n"""{text}'
    first, _, rest = docstring.partition("\n\n")
    first = " ".join(first.split())
    title, colon, more = first.partition(": ")
    if not colon or len(title) > 60:
        title, more = stem.replace("_", " ").capitalize(), first
    more = more[:1].upper() + more[1:]
    # Markdown's code in docstrings is reStructuredText's default role there.
    body = "\n\n".join(part for part in (more, rest) if part)
    code = text[text.index('"""', text.index('"""') + 3) + 3 :]
    return f'"""\n{title}\n{"=" * len(title)}\n\n{body}\n"""{code}'


def heading_taken(text: str, stem: str) -> tuple[str, str]:
    """The heading of the first cell, and the script without it."""
    found = re.search(r"^# %%\n# (.*)\n# =+\n(#\n)?", text, flags=re.M)
    if found is None:
        return stem.replace("_", " ").capitalize(), text
    return found[1], text.replace(found[0], "# %%\n", 1)


def runs_here(path: Path) -> bool:
    """Whether the gallery can run it: code that asks for its own file starts itself anew, which a page cannot."""
    return "__file__" not in path.read_text()


def stage(docs: Path) -> list[tuple[str, list[Path]]]:
    """Copies of all scripts, by gallery, with their paths."""
    staged = []
    for gallery, (pattern, title, text) in FOLDERS.items():
        target = docs / "generated" / "scripts" / gallery
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        (target / "GALLERY_HEADER.rst").write_text(f"{title}\n{'=' * len(title)}\n\n{text}\n")
        scripts = sorted(docs.parent.glob(pattern))
        for path in scripts:
            (target / path.name).write_text(titled(path.read_text(), path.stem))
        staged.append((gallery, scripts))
    return staged


def gallery_settings(docs: Path) -> dict[str, object]:
    """What sphinx-gallery is told: what it runs, and that a script that fails ends the build."""
    staged = stage(docs)
    galleries = [gallery for gallery, _ in staged]
    run = [path.name for _, paths in staged for path in paths if runs_here(path)]
    return {
        "examples_dirs": [str(docs / "generated" / "scripts" / gallery) for gallery in galleries],
        "gallery_dirs": [f"gallery/{gallery}" for gallery in galleries],
        "filename_pattern": rf"/({'|'.join(map(re.escape, run))})$",
        "abort_on_example_error": True,
        "download_all_examples": False,
        "capture_repr": (),  # pictures are shown, not the names of their objects
        "default_thumb_file": str(docs.parent / "fastnn" / "playground" / "static" / "icon.svg"),
        "show_signature": False,
        "show_memory": False,
        "min_reported_time": 1e9,
        "remove_config_comments": True,
        "within_subsection_order": "FileNameSortKey",
    }

"""The gallery: example scripts as pages with what they print.

Examples are plain scripts that begin with a docstring. sphinx-gallery wants a heading there, and a text for the folder,
so copies with both are made beside the other generated pages, and the scripts stay as they are.
"""

import ast
import re
import shutil
from pathlib import Path

from markdown_cells import cells

# By name of the gallery: its folder, its title and what it says. A folder that is not there is left out.
FOLDERS = {
    "examples": ("examples", "Examples", "Scripts on real and made-up data, with what they print."),
    "course": ("examples/course", "Course", "A first course on fully connected networks, one script a subject."),
    "course_package": ("fastnn/course", "Course", "A first course on fully connected networks, one script a subject."),
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


def is_script(text: str) -> bool:
    """Whether it can be run by itself, without its package."""
    return not re.search(r"^\s*from \.", text, flags=re.M)


def stage(docs: Path) -> list[tuple[str, list[Path]]]:
    """Copies of all folders that are there, by gallery, with the paths of the scripts."""
    staged = []
    for gallery, (folder, title, text) in FOLDERS.items():
        source, target = docs.parent / folder, docs / "generated" / "scripts" / gallery
        shutil.rmtree(target, ignore_errors=True)
        scripts = {path: path.read_text() for path in sorted(source.glob("*.py")) if path.stem[0] != "_"}
        scripts = {path: code for path, code in scripts.items() if is_script(code)}
        if not scripts:
            continue
        target.mkdir(parents=True)
        (target / "GALLERY_HEADER.rst").write_text(f"{title}\n{'=' * len(title)}\n\n{text}\n")
        for path, code in scripts.items():
            (target / path.name).write_text(titled(code, path.stem))
        staged.append((gallery, list(scripts)))
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
        "show_memory": False,
        "min_reported_time": 1e9,
        "remove_config_comments": True,
        "within_subsection_order": "FileNameSortKey",
    }

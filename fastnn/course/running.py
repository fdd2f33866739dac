"""Chapters as programs: their prose, their numbers, and their pictures in windows or files."""

from __future__ import annotations

import runpy
import textwrap
from pathlib import Path
from typing import Any

from .chapters import Chapter


def run(chapter: Chapter, *, folder: Any = None, prose: bool = True) -> dict[str, Any]:
    """Run a chapter.

    Parameters
    ----------
    chapter : Chapter
    folder : str or path-like, optional
        Where its pictures are written as PNG, in the order in which they are drawn; it is made if it does not exist.
        Without one they are shown in windows, where there is a display.
    prose : bool, default True
        Whether to print its text first.

    Returns
    -------
    numbers : dict
        What the chapter came to.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If a picture cannot be written.

    Notes
    -----
    Figures that were open before are left alone; those of the chapter are closed.
    """
    from matplotlib import pyplot

    from .. import viz

    before = set(pyplot.get_fignums())
    if prose:
        print("\n\n".join(wrapped(text) for kind, text in chapter.cells if kind == "markdown"), end="\n\n")
    try:
        numbers: dict[str, Any] = runpy.run_path(str(chapter.path))["numbers"]
        drawn = [number for number in pyplot.get_fignums() if number not in before]
        if folder is not None:
            place = Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            for i, number in enumerate(drawn, 1):
                path = place / f"{chapter.path.stem}_{i}.png"
                viz.save(pyplot.figure(number), path)
                print(f"wrote {path}")
        elif drawn and pyplot.get_backend().lower() != "agg":
            pyplot.show()
        elif drawn:
            print(f"{len(drawn)} pictures were drawn: `fastnn course {chapter.number} --save FOLDER` writes them")
    finally:
        for number in pyplot.get_fignums():
            if number not in before:
                pyplot.close(number)
    return numbers


def wrapped(text: str, width: int = 96) -> str:
    """Prose for a terminal; headings, lists and tables keep their lines."""
    blocks = text.split("\n\n")
    plain = [block.startswith(("#", "-", "|", "    ", "1.")) for block in blocks]
    return "\n\n".join(
        block if keep else textwrap.fill(block, width) for block, keep in zip(blocks, plain, strict=True)
    )

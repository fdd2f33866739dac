"""The command `fastnn course`: a list of the chapters, one of them or all run, or the same as notebooks."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from .chapters import chapters, find
from .running import run as run_chapter


def add_parser(commands: Any) -> None:
    """Add `course` to the commands."""
    parser = commands.add_parser("course", help="list the chapters of a course in pictures, and run them")
    parser.add_argument("chapter", nargs="*", help="numbers or names; `all` for every chapter; none lists them")
    parser.add_argument("--save", metavar="FOLDER", help="write the pictures there, as PNG, instead of showing them")
    parser.add_argument("--dark", action="store_true", help="draw on a dark background")
    parser.add_argument("--notebooks", metavar="FOLDER", help="write the chapters there as Jupyter notebooks instead")


def run(arguments: argparse.Namespace) -> int:
    """Do what the command line asks for; returns the exit code."""
    asked = arguments.chapter
    chosen = chapters() if asked == ["all"] or (not asked and arguments.notebooks) else [find(what) for what in asked]
    if arguments.notebooks:
        folder = Path(arguments.notebooks)
        folder.mkdir(parents=True, exist_ok=True)
        for chapter in chosen:
            path = folder / f"{chapter.path.stem}.ipynb"
            path.write_text(chapter.notebook(), encoding="utf-8")
            print(f"wrote {path}")
    elif not chosen:
        for chapter in chapters():
            title = re.sub(r"^\d+\. ", "", chapter.title)
            print(f"{chapter.number:>3}  {chapter.name:<16} {title}")
        print("\n`fastnn course 1` runs a chapter, `fastnn course all --save FOLDER` writes all pictures")
    else:
        from .. import viz

        with viz.style("dark" if arguments.dark else "light"):
            for chapter in chosen:
                run_chapter(chapter, folder=arguments.save)
    return 0

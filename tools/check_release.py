"""Check that the files agree on what is released.

    python tools/check_release.py

One version in fastnn/_version.py, CITATION.cff and at the top of CHANGELOG.md (under an empty unreleased heading);
nothing that is not committed. Prints what is wrong, with status 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent


def release_problems(root: Path = ROOT) -> list[str]:
    """Return what the files do not agree on, a sentence each."""
    version = re.search(r'__version__ = "(.*)"', (root / "fastnn/_version.py").read_text(encoding="utf-8"))[1]
    cited = re.search(r"^version: (.*)$", (root / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)[1]
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", changes, flags=re.MULTILINE)[1:]
    heads = [section.split("\n", 1)[0] for section in sections]
    problems = []
    if str(Version(version)) != version:
        problems.append(f"fastnn/_version.py: {version} is not the normal form, {Version(version)}")
    if cited != version:
        problems.append(f"CITATION.cff has version {cited}, fastnn/_version.py has {version}")
    if heads[0] == "Unreleased":
        unreleased, heads = sections[0].split("\n", 1)[1].strip(), heads[1:]
        if unreleased:
            problems.append(f"CHANGELOG.md: what is unreleased belongs under {version}")
    if not heads or heads[0].split()[0] != version:
        problems.append(f"CHANGELOG.md: the newest release is {heads[0] if heads else 'missing'}, not {version}")
    return problems


def uncommitted(root: Path = ROOT) -> str:
    """Return the lines of `git status` about what is not committed."""
    command = ["git", "-C", str(root), "status", "--porcelain"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    problems = release_problems()
    if uncommitted():
        problems.append(f"not committed:\n{uncommitted()}")
    print("\n".join(problems) or "the files agree")
    sys.exit(bool(problems))

"""Build the wheel twice, under other circumstances each time, and compare the bytes.

    python tools/reproducible.py

The committed files are built in folders of different names, with different umask, time zone, language, number of jobs
and hash seed of Python. Prints the SHA-256 of both; where they differ, the files that do, with status 1.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from finish_wheel import read_members
from make_wheel import ROOT, commit_time

CIRCUMSTANCES = (
    {"folder": "first", "umask": 0o022, "TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"folder": "second place", "umask": 0o077, "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
)


def build(where: Path, circumstances: dict[str, str | int]) -> Path:
    """Build the wheel of the last commit in a folder of its own; return its path."""
    words = dict(circumstances)
    source, umask = where / str(words.pop("folder")), int(words.pop("umask"))
    source.mkdir()
    archive = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(commit_time())} | {k: str(v) for k, v in words.items()}
    command = [sys.executable, source / "tools/make_wheel.py", source / "dist"]
    subprocess.run(command, check=True, cwd=source, env=environment, umask=umask, stdout=subprocess.DEVNULL)
    (wheel,) = (source / "dist").glob("*.whl")
    return wheel


def main() -> int:
    """Build, compare and say so; return the status."""
    with tempfile.TemporaryDirectory() as folder:
        first, second = (build(Path(folder), circumstances) for circumstances in CIRCUMSTANCES)
        for wheel in (first, second):
            print(f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}")
        one, other = read_members(first), read_members(second)
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                print(f"  {name} differs")
        return first.name != second.name or first.read_bytes() != second.read_bytes()


if __name__ == "__main__":
    sys.exit(main())

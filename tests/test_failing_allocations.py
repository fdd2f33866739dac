"""A sample of `make failmalloc`: every so many-th allocation of the main calls fails."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

SUPPORT = Path(__file__).parent / "support"


def test_calls_bear_allocations_that_fail(tmp_path):
    library = tmp_path / "failmalloc.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    source = str(SUPPORT / "failmalloc.c")
    subprocess.run([*compiler, "-shared", "-fPIC", "-O2", "-o", str(library), source, "-ldl"], check=True)
    run = subprocess.run(
        [sys.executable, "-P", "-m", "support.failing_allocations", "--every", "7"],
        env=os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "nothing half updated" in run.stdout

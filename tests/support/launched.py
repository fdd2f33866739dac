"""Scripts that are run on ranks of MPI."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fastnn
from fastnn import launch

HAS_MPI = importlib.util.find_spec("mpi4py") is not None and launch.find_mpiexec() is not None
needs_mpi = pytest.mark.skipif(not HAS_MPI, reason="needs mpi4py and mpiexec: make mpi-test")
SECONDS = 30  # until ranks that wait for each other would be a failure


def launched(tmp_path, script, *options, code=0, environment=None):
    """What a script printed and said, run on ranks; it must end with this exit code, soon."""
    path = tmp_path / "script.py"
    path.write_text(script)
    more = {"PYTHONPATH": os.pathsep.join([str(Path(fastnn.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "fastnn.launch", *options[:2], str(path), *options[2:]]
    began = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | more | (environment or {})
    )
    assert done.returncode == code, done.stderr
    assert time.monotonic() - began < SECONDS
    return done.stdout, done.stderr

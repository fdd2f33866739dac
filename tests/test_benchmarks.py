"""Every function and every kernel has a benchmark, and every benchmark runs."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn
import fastnn.functional as F
import fastnn.optim.functional as optim
from fastnn._core import dispatch

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def records():
    """The records of all bench_*.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        modules = [importlib.import_module(path.stem) for path in sorted(BENCHMARKS.glob("bench_*.py"))]
    return [record for module in modules for record in module.RECORDS]


def test_every_function_has_a_benchmark(records):
    assert {name for record in records for name in record.functions} == {*F.__all__, *optim.__all__}


def test_every_kernel_has_a_benchmark(records):
    assert {name for record in records for name in record.kernels} == {name for name, _ in dispatch.kernels()}


def test_functions_are_timed_beside_the_reference_in_both_dtypes(records):
    for record in records:
        if record.functions:
            assert record.contenders == ("fastnn", "reference")
            assert record.dtypes == ("float32", "float64")


def test_every_benchmark_runs(records):
    """Once, on its smallest size, untimed; in a process of its own, since it pins the threads of that process."""
    command = [sys.executable, "-m", "pytest", ".", "--tiny", "--benchmark-disable", "-p", "no:cacheprovider"]
    package = {"PYTHONPATH": str(Path(fastnn.__file__).parent.parent)}
    done = subprocess.run(command, cwd=BENCHMARKS, env=os.environ | package, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    n_cases = sum(len(record.contenders) * len(record.dtypes) for record in records)
    assert f"{n_cases} passed" in done.stdout

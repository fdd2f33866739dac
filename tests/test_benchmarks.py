"""Every function and every kernel has a benchmark, every benchmark runs, and what they measured can be written down."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn
import fastnn.functional as F
import fastnn.optim.functional as optim
from fastnn._core import dispatch
from fastnn.bench.cases import DTYPES, Case
from fastnn.bench.machine import Peak
from fastnn.bench.report import Measurement
from fastnn.bench.runner import Result
from fastnn.testing.cases.ops import BY_NAME, MEASURES

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def path():
    """Where modules of the benchmarks are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield


@pytest.fixture(scope="module")
def results(path):
    return importlib.import_module("results")


@pytest.fixture(scope="module")
def common(path):
    return importlib.import_module("common")


@pytest.fixture(scope="module")
def records(results):
    """The records of all bench_*.py."""
    return results.records()


def functions(records):
    """The function and the dtype of each record."""
    kinds = {"linear": "linear", "linear_backward": "linear_backward"}
    cases = [record.case for record in records]
    return {(kinds.get(case.kind, case.operation), case.dtype) for case in cases if case.shape}


def test_every_function_has_a_benchmark_in_both_dtypes(records):
    names = {*F.__all__, *optim.__all__} - BY_NAME
    assert functions(records) == {(name, dtype) for name in names for dtype in DTYPES}


def test_every_kernel_has_a_benchmark(records):
    covered = {name for record in records for name in record.kernels}
    assert covered | MEASURES == {name for name, _ in dispatch.kernels()}


def test_records_are_different_ones_and_stand_beside_another(records):
    assert len({str(record) for record in records}) == len(records)
    for record in records:
        assert record.contenders[0].name.startswith("native")
        assert len(set(record.contenders)) > 1


def test_records_of_functions_are_timed_beside_the_reference(records):
    beside = {record.case.operation for record in records if "reference" in {c.name for c in record.contenders}}
    assert beside >= {record.case.operation for record in records}


def pytest_in_benchmarks(*arguments):
    command = [sys.executable, "-m", "pytest", ".", "-p", "no:cacheprovider", *arguments]
    package = {"PYTHONPATH": str(Path(fastnn.__file__).parent.parent)}
    return subprocess.run(command, cwd=BENCHMARKS, env=os.environ | package, capture_output=True, text=True)


def test_every_benchmark_runs(common):
    """Each sort of record once, on its smallest size, untimed."""
    done = pytest_in_benchmarks("--tiny", "--benchmark-disable")
    assert done.returncode == 0, done.stdout + done.stderr
    modules = [importlib.import_module(path.stem) for path in BENCHMARKS.glob("bench_*.py")]
    n_turns = sum(len(common.turns(module.RECORDS, tiny=True)) for module in modules)
    assert f"{n_turns} passed in" in done.stdout


def test_measured_samples_are_those_that_pytest_benchmark_sees(tmp_path, results):
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    chosen = "log_softmax_32x10 and not float64 and (native or reference)"
    done = pytest_in_benchmarks("-k", chosen, f"--measurements={ours}", f"--benchmark-json={theirs}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "log_softmax 32x10" in done.stdout.splitlines()[-3]
    _, peaks, measured = results.load(ours)
    assert list(measured) == ["softmax and cross-entropy: log_softmax 32x10"]
    assert list(peaks) == [1]
    samples = [result.samples for m in measured.values() for result in m.results.values()]
    seen = [benchmark["stats"] for benchmark in json.loads(theirs.read_text())["benchmarks"]]
    assert [stats["rounds"] for stats in seen] == list(map(len, samples))
    assert [stats["min"] for stats in seen] == pytest.approx(list(map(min, samples)), rel=1e-3)


# -- RESULTS.md --------------------------------------------------------------------------------------------------------


def measured(record, *seconds):
    """A measurement in which the contenders of a record took so long, and the others have no result."""
    return Measurement(record.case, {c: Result([s]) for c, s in zip(record.contenders, seconds, strict=False)})


def test_aims(common):
    record = common.record(Case("function", "things", "a", work=1e3, unit="B"))
    m, peak = measured(record, 1e-6, 1e-7, 2e-6, 1.5e-6), Peak({}, {1: 2e9})  # the reference does not count
    for aim, text, reached in (
        (common.Aim(1.6), "1.6", 1.5),
        (common.Aim(2.0, ("numpy", "torch")), "2 numpy torch", 2.0),
        (common.Aim(1.0, ("jax",), slack=1e-6), "1 + 0.001 ms jax", 2.5),
        (common.Aim(share=0.85), "85% of peak", 0.5),
    ):
        assert str(aim) == text
        assert aim.reached(m, peak) == pytest.approx(reached)
        assert aim.met(aim.reached(m, peak)) == (text[0] in "2" or "jax" in text)
    assert common.Aim(1.0, ("torch",)).reached(m, peak) is None
    assert common.Aim(share=0.5).reached(m, Peak()) is None


def test_results_are_written_as_markdown(results, records):
    chosen = [record for record in records if "step inside fit: 32 x 2-4-2-1 Tanh" in str(record)]
    measurements = {str(record): measured(record, 1e-6, 2e-4, 2.5e-6, 3e-4) for record in chosen}
    peaks = {threads: Peak({"float32": threads * 1e10}, {2**18: 1e11}) for threads in (1, 2, 4)}
    text = results.Results({"date": "today", "threads": "1"}, peaks, measurements).text()
    assert "| date | today |" in text
    assert "| peak of 2 threads | 20 GFLOP/s float32, 100 GB/s copying 256 KiB |" in text
    assert "**2 of 4 aims are met.**" in text
    assert "- a training step inside fit: 32 x 2-4-2-1 Tanh MSE SGD: 2.50 of 3" in text
    assert "|  | fastnn | rate | of peak | reference | jax | torch | aim | reached |" in text
    assert (
        "| 32 x 2-4-2-1 Tanh MSE SGD | 1.00 us | 2.94 GFLOP/s | 29% | 200 | 2.50 | 300 | 3 | 2.50 **missed** |" in text
    )
    assert "## A training step inside fit, 2 threads" in text
    assert "## 4 threads against 2" in text


def test_the_peak_of_memory_of_training():
    done = subprocess.run([sys.executable, BENCHMARKS / "memory.py"], capture_output=True, text=True, check=True)
    used, needed = (json.loads(done.stdout)[name] for name in ("used", "needed"))
    assert 0.9 * needed < used < 2 * needed


def test_tables_of_pages_are_copied_from_the_results():
    import tables

    results = (
        "## A training step inside fit\n\n|  | fastnn | rate | jax | aim |\n|---|--:|--:|--:|---|\n"
        "| small | 2 us | 5 | 1.5 **missed** | 2 |\n"
    )
    sections = tables.measured(results)
    page = [
        "| rows x network | fastnn | JAX jit + scan |",
        "|---|--:|--:|",
        "| small | 9 us | 9 |",
        "| other | 1 | 2 |",
    ]
    assert tables.refreshed(page, sections) == [*page[:2], "| small | 2 us | 1.5 |", page[3]]

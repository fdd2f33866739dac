"""How benchmarks run: threads pinned before NumPy is imported, a case for each line of a table, rates at the end."""

import os
import sys

THREADS = os.environ.setdefault("FASTNN_NUM_THREADS", "1")
# NumPy's products take as many threads as fastnn, whichever BLAS they come from. It reads this once, at import.
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
PINNED = dict.fromkeys(VARIABLES, THREADS)
if "numpy" in sys.modules and not PINNED.items() <= os.environ.items():
    raise RuntimeError(
        f"NumPy was imported before its threads could be pinned: set {', '.join(VARIABLES)} to {THREADS}"
    )
os.environ.update(PINNED)

import common  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

import fastnn  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--tiny", action="store_true", help="only the smallest size of each benchmark")


def pytest_report_header():
    return f"fastnn {fastnn.__version__}: {fastnn.get_isa()}, {THREADS} thread(s), as NumPy"


def pytest_generate_tests(metafunc):
    """Run a function that takes a case once for every case of its module's RECORDS."""
    if "case" in metafunc.fixturenames:
        cases = common.cases(metafunc.module.RECORDS, metafunc.config.getoption("tiny"))
        metafunc.parametrize("case", cases, ids=str)


def pytest_benchmark_update_machine_info(machine_info):
    machine_info["fastnn"] = {"isa": fastnn.get_isa(), "threads": THREADS, "numpy": np.__version__}


@pytest.hookimpl(trylast=True)  # below the tables
def pytest_terminal_summary(terminalreporter):
    """A line for each group: median and rate of its first contender, and how much longer the others take."""
    if common.RESULTS:
        terminalreporter.section("median, rate, and the others' medians (times longer)")
        for line in common.summary():
            terminalreporter.write_line(line)

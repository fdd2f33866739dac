"""Fixtures that many tests share. Each puts back what it changes."""

import os
import random
import signal

import hypothesis
import numpy as np
import pytest

# Read when the extension is loaded. Threads that wait by spinning make tests very slow where processors are busy.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("MPLBACKEND", "agg")  # pictures need no display

import fastnn
from fastnn._core import dispatch
from fastnn._core import threads as _threads
from support import resumable

# The same examples in any order, however busy the machine is.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("suite")

# Modules that take long, measure time or memory, or run other programs.
SLOW = {
    "bench",
    "benchmarks",
    "cli",
    "config",
    "course",
    "examples",
    "format",
    "instructions",
    "kills",
    "processes",
    "viz",
}
SLOW |= {"launch", "mpi"}
# Modules about kernels, files and memory, which neither BLAS nor timing nor the order of tests can change.
STEADY = {
    "accuracy",
    "budgets",
    "elementary",
    "failing_allocations",
    "fuzz",
    "guard",
    "hostile",
    "leaks",
    "operations",
    "out",
}


def pytest_collection_modifyitems(items):
    for item in items:
        names = {item.path.stem.removeprefix("test_"), item.path.parent.name}
        if names & SLOW:
            item.add_marker("slow")
        if names & STEADY:
            item.add_marker("steady")


# A shell starts what it runs in the background with Ctrl-C ignored; tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_SEED = os.environ.get("FASTNN_TESTS_SEED", "42")
_SEEDS = {"any": [random.randrange(100)], "all": range(100)}.get(_SEED) or [int(_SEED)]


def pytest_report_header():
    """Say how the tests were run, so that a failure can be had again."""
    return f"FASTNN_TESTS_SEED={_SEEDS[0] if len(_SEEDS) == 1 else 'all'}, isa: {', '.join(dispatch.available_isas())}"


@pytest.fixture(params=_SEEDS, ids=lambda seed: f"seed{seed}")
def global_random_seed(request):
    """42, or what FASTNN_TESTS_SEED says: a number, "any" for one of 0-99, "all" for each of them."""
    return request.param


@pytest.fixture
def rng(global_random_seed):
    return np.random.default_rng(global_random_seed)


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    return np.dtype(request.param)


@pytest.fixture(params=dispatch.available_isas())
def isa(request):
    """Each instruction set of this machine in turn, in use while the test runs."""
    before = dispatch.get_isa()
    dispatch.set_isa(request.param)
    yield request.param
    dispatch.set_isa(before)


@pytest.fixture
def isas():
    """Free use of dispatch.set_isa: first the best one, whose bits all with FMA have; in the end what it was."""
    before = dispatch.get_isa()
    dispatch.set_isa(dispatch.available_isas()[0])
    yield dispatch.available_isas()
    dispatch.set_isa(before)


@pytest.fixture
def cut_small_work():
    """Make the smallest work be cut into as many parts as there are threads; the number of threads is restored too."""
    before = _threads.get_num_threads()
    _threads.set_worth(0)
    yield
    _threads.set_worth()
    _threads.set_num_threads(before)


@pytest.fixture(params=[1, 2, 3, 5])
def threads(request, cut_small_work):
    """Some numbers of threads in turn, also more than there are processors, that share even the smallest work."""
    _threads.set_num_threads(request.param)
    return request.param


@pytest.fixture
def reference_backend():
    """Single operations go to the NumPy reference while the test runs."""
    dispatch.set_reference(True)
    yield
    dispatch.set_reference(False)


@pytest.fixture(params=["native", "reference"])
def backend(request):
    """Each backend in turn."""
    with fastnn.use_backend(request.param):
        yield request.param


@pytest.fixture
def path(tmp_path):
    """The path of a file that is not there yet."""
    return tmp_path / "file"


@pytest.fixture
def shards(tmp_path):
    """The data of support/resumable.py as shards of 50 rows."""
    return fastnn.data.Shards.write(tmp_path / "shards", *resumable.data(), rows=50)


@pytest.fixture
def no_thread_is_left():
    """After the test no thread reads ahead."""
    yield
    assert not resumable.reading()

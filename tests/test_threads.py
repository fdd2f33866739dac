"""How many threads there are, and that a forked process still works."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import fastnn.functional as F
from fastnn._core import threads
from fastnn.testing.measure import assert_same_bits

TIMEOUT = 10  # seconds
own_threads = pytest.mark.skipif(threads.openmp_version() != 0, reason="a build that uses OpenMP's threads")


def write(root, files):
    """Make files below a directory, as a fake of /sys."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "400000\n"}, None),
        ({"cpu.max": "300000 100000\n", "cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
    ],
)
def test_quota_of_a_container(files, quota, tmp_path):
    write(tmp_path, files)
    assert threads._cgroup_quota(str(tmp_path)) == quota


def test_physical_cores(tmp_path):
    """Four cores with two threads each, numbered as Intel does; one processor without a topology counts as a core."""
    siblings = {cpu: f"{cpu % 4},{cpu % 4 + 4}\n" for cpu in range(8)}
    write(tmp_path, {f"cpu{cpu}/topology/thread_siblings_list": text for cpu, text in siblings.items()})
    for available, cores in ((range(8), 4), (range(4), 4), ([0, 4], 1), ([1, 4, 5], 2), ([0, 4, 9], 2), ([], 1)):
        assert threads._physical_cores(available, str(tmp_path)) == cores


def default(monkeypatch, **environment):
    for variable in ("FASTNN_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    return threads.default_num_threads()


def test_default_number(monkeypatch):
    n, reason = default(monkeypatch)
    assert 1 <= n <= len(os.sched_getaffinity(0))
    assert "physical cores" in reason or "quota" in reason
    assert default(monkeypatch, FASTNN_NUM_THREADS="3") == (3, "FASTNN_NUM_THREADS=3")
    assert default(monkeypatch, OMP_NUM_THREADS="5,2") == (5, "OMP_NUM_THREADS=5")
    assert default(monkeypatch, OMP_NUM_THREADS="5", FASTNN_NUM_THREADS="2") == (2, "FASTNN_NUM_THREADS=2")
    assert default(monkeypatch, OMP_NUM_THREADS="many") == (n, reason)
    assert default(monkeypatch, FASTNN_NUM_THREADS="", OMP_NUM_THREADS="0") == (n, reason)


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_default_number_that_is_wrong(value, monkeypatch):
    with pytest.raises(ValueError, match=f"FASTNN_NUM_THREADS must be an integer of at least 1, got '{value}'"):
        default(monkeypatch, FASTNN_NUM_THREADS=value)


def test_number_from_the_environment():
    code = "from fastnn._core import threads; print(threads.get_num_threads())"
    for variables, n in (({"FASTNN_NUM_THREADS": "3"}, "3"), ({"OMP_NUM_THREADS": "4"}, "4")):
        environment = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")} | variables
        process = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
        )
        assert process.stdout.strip() == n


def test_set_number(cut_small_work):
    for n in (1, 7, np.int64(2), 1024):
        threads.set_num_threads(n)
        assert threads.get_num_threads() == n
    for wrong, error, message in (
        (0, ValueError, "num_threads must be between 1 and 1024, got 0"),
        (-3, ValueError, "got -3"),
        (1025, ValueError, "got 1025"),
        (2**70, ValueError, "num_threads must be"),
        (True, TypeError, "num_threads must be an integer, got bool"),
        (2.0, TypeError, "num_threads must be an integer, got float"),
        ("2", TypeError, "num_threads must be an integer, got str"),
        (None, TypeError, "num_threads must be an integer, got NoneType"),
    ):
        with pytest.raises(error, match=message):
            threads.set_num_threads(wrong)
    assert threads.get_num_threads() == 1024


def work():
    """Operations that use threads: elementwise, product, reduction."""
    threads.set_worth(0)
    threads.set_num_threads(2)
    x = np.linspace(-3, 3, 64 * 300, dtype="float32").reshape(64, 300)
    y = F.linear(F.tanh(x), x.T.copy())
    return y.tobytes() + F.mse_loss(y, -y).tobytes()


def same_in_a_fork(expected):
    """Whether a forked child does the same work, in time, on one thread."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, forking with threads is warned of
        child = os.fork()
    if child == 0:
        good = False
        try:
            good = threads.forked() and work() == expected and threads.get_num_threads() == 1
        finally:
            os._exit(0 if good else 1)
    timer = threading.Timer(TIMEOUT, os.kill, (child, 9))
    timer.start()
    _, status = os.waitpid(child, 0)
    timer.cancel()
    return status == 0


def test_fork_after_threads_were_used(cut_small_work):
    expected = work()
    assert not threads.forked()
    assert same_in_a_fork(expected)
    assert work() == expected
    assert not threads.forked()


def test_fork_from_a_thread(cut_small_work):
    expected, found = work(), []
    thread = threading.Thread(target=lambda: found.append(same_in_a_fork(work())))
    thread.start()
    thread.join(2 * TIMEOUT)
    assert found == [True]
    assert work() == expected


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(method, cut_small_work):
    expected = work()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
            assert pool.submit(work).result(3 * TIMEOUT) == expected


def test_python_threads_at_once(cut_small_work):
    """Operations release the GIL: several at a time give what they give alone."""
    expected, found = work(), []
    workers = [threading.Thread(target=lambda: found.append(work())) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(TIMEOUT)
    assert found == [expected] * 4


def test_more_threads_than_processors(cut_small_work):
    x = np.linspace(-1, 1, 10_000)
    expected = F.exp(x)
    threads.set_num_threads(64)
    assert_same_bits(F.exp(x), expected)


@own_threads
@pytest.mark.parametrize("number", [1, 2])
def test_threads_are_given_up_for_a_while_where_regions_take_far_too_long(number):
    """As on a machine whose cores other processes keep busy: with no patience, every region takes too long."""
    x, w = np.ones((64, 256), "float32"), np.ones((256, 256), "float32")
    before, expected = threads.get_num_threads(), F.linear(x, w)
    try:
        threads.set_num_threads(number)
        threads.set_worth(1)
        threads.set_patience(-1)
        assert not threads.congested()
        for _ in range(3):
            assert_same_bits(F.linear(x, w), expected)
            assert threads.congested() == (number > 1)
    finally:
        threads.set_patience()
        threads.set_worth()
        threads.set_num_threads(before)
    assert not threads.congested()


def test_work_is_shared_by_threads_that_slept(cut_small_work):
    """Pauses from none to longer than a thread of the pool stays awake."""
    x = np.linspace(-3, 3, 50_000)
    threads.set_num_threads(1)
    expected = F.exp(x)
    threads.set_num_threads(2)
    for pause in np.random.default_rng(0).uniform(0, 5e-4, 200):
        time.sleep(pause)
        assert_same_bits(F.exp(x), expected)


def test_what_sharing_is_worth_is_measured_at_first_use():
    """In a new process: nothing is measured before large work comes, then a plausible time."""
    code = (
        "import numpy as np, fastnn.functional as F; from fastnn._core import threads;"
        "threads.set_num_threads(2); F.exp(np.ones(10)); assert threads.get_worth() == -1;"
        "F.exp(np.ones(10**6)); assert 1e3 <= threads.get_worth() <= 1e6, threads.get_worth()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@own_threads
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are those of Linux")
def test_without_memory_for_threads_everything_runs_on_one():
    """The stack of a thread does not fit into what is left of the address space."""
    code = """
import resource
import numpy as np
import fastnn.functional as F
from fastnn._core import threads
x = np.linspace(-3, 3, 1000)
expected = F.exp(x)
out = np.empty_like(x)
threads.set_worth(0)
threads.set_num_threads(8)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 2**18, size + 2**18))
F.exp(x, out=out)
assert out.tobytes() == expected.tobytes()
assert len(open("/proc/self/status").read().split("Threads:")[1].split()[0]) == 1
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "FASTNN_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment)

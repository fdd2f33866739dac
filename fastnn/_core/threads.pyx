"""The number of threads, and the decision which work is shared between them."""

import math
import os

from cython.parallel cimport prange

from fastnn._core cimport dispatch

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define FNN_OPENMP _OPENMP
    #else
    #define FNN_OPENMP 0
    #endif
    /* Whether the calling thread keeps its work to itself. */
    static _Thread_local int fnn_alone;
    """
    const int FNN_OPENMP
    int fnn_alone

cdef extern from "fastnn.h" nogil:
    int fnn_forked()
    void fnn_watch_forks()
    double fnn_nanoseconds()

cdef extern from "pool.h" nogil:
    struct fnn_share:
        Task task
        const void *work
        Py_ssize_t n, unit
        int parts, spares, threads
    struct fnn_times:
        double own, whole, share
    int fnn_share_work(const fnn_share *share, fnn_times *times)
    int fnn_take_place(int *taken, int n)
    void fnn_leave_place(int *taken, int place)
    double fnn_pool_latency()

cdef double NOMINAL_RATE = 240e9      # float32 operations per second of the core for which costs are stated (Zen 5)
# The least work per thread, in nanoseconds: WORTH_LATENCIES times the latency between two cores, since operands
# must move between caches, too (benchmarks/bench_threads.py); within bounds.
cdef double WORTH_LATENCIES = 16
cdef double WORTH_LEAST = 4000
cdef double WORTH_MOST = 100000
cdef double PLAUSIBLE = 2500          # a longer latency means that the thread had no core of its own: measure again
cdef double MEASURE = -1              # the value of `worth` before it is measured
cdef double WORTH_SPARES = 60000      # nanoseconds of work from which small pieces balance the load
cdef enum:
    TRIES = 10                        # measurements at most, at intervals of 2, 4, 8, ... ms
    SPARES = 2                        # small pieces per thread
    CALIBRATION_ROUNDS = 200          # about 2 us

cdef int threads = 1
cdef int processors = 1
cdef double worth = MEASURE
cdef double slowness = 0              # measured time / nominal time; 0 before it is measured
cdef const void *measured = NULL      # the kernels it was measured with
cdef double latency = -1              # the minimum so far
cdef double measure_again = 0         # time of the next measurement; 0: none
cdef int tries = 0

# Where other processes keep the cores busy, a thread that has begun a piece may lose its core, and all others then wait
# for milliseconds. So the gain of sharing is added up: the time that the caller alone would have taken, at the rate of
# its own pieces, minus the time that sharing took. After a loss of PATIENCE everything runs on one thread for a rest.
# Each rest is twice as long as the last one; but the first length again if no rest was needed for as long as the next
# one would take, since the busy process may have ended.
cdef double PATIENCE = 2e6            # nanoseconds, as all these
cdef double patience = PATIENCE
cdef double CREDIT = 1e6              # gains of the past that count against losses
cdef double SHORTEST_REST = 5e6
cdef double LONGEST_REST = 640e6
cdef double balance = 0               # gains less losses, at most CREDIT
cdef double rest = SHORTEST_REST      # the next one
cdef double rest_until = 0            # 0: there is none
cdef double rested_until = 0          # the end of the last one


cdef void calibrate() noexcept nogil:
    """Measure the speed of this core with the active kernels, relative to the nominal one, and the cost of sharing."""
    global slowness, measured
    cdef double began, done, best = 0
    for _ in range(3):
        began = fnn_nanoseconds()
        done = dispatch.kernels_of(dispatch.FNN_FLOAT32).multiply_adds(CALIBRATION_ROUNDS)
        best = max(best, 2e9 * done / max(1.0, fnn_nanoseconds() - began))
    slowness = min(max(NOMINAL_RATE / max(1.0, best), 0.5), 16.0)
    measured = dispatch.active
    if worth == MEASURE:
        measure_worth()


cdef void measure_worth() noexcept nogil:
    """Measure the cost of sharing; until the latency is plausible, `worth` has a typical value."""
    global worth, latency, measure_again, tries
    cdef double found = fnn_pool_latency()
    if found > 0 and (latency < 0 or found < latency):
        latency = found
    tries += 1
    measure_again = 0
    worth = min(max(WORTH_LATENCIES * latency, WORTH_LEAST), WORTH_MOST) if latency > 0 else 4 * WORTH_LEAST
    if (latency < 0 or latency > PLAUSIBLE) and tries < TRIES:
        measure_again = fnn_nanoseconds() + 1e6 * (1 << tries)
        worth = 4 * WORTH_LEAST


cdef int parts_for(double nanoseconds) noexcept nogil:
    """The number of parts for work that takes this long on a nominal core; 1: not shared."""
    if threads == 1 or fnn_alone or (16 * nanoseconds < 2 * WORTH_LEAST and worth != 0):  # too little to measure
        return 1
    if measured != dispatch.active:
        calibrate()
    elif measure_again != 0 and fnn_nanoseconds() > measure_again:
        measure_worth()
    nanoseconds *= slowness
    if nanoseconds < 2 * worth:
        return 1
    return threads if nanoseconds >= threads * worth else <int> (nanoseconds / worth)


cdef bint resting() noexcept nogil:
    """Whether everything currently runs on one thread."""
    global rest_until, rested_until
    if rest_until != 0:
        if fnn_nanoseconds() < rest_until:
            return True
        rest_until, rested_until = 0, rest_until
    return False


cdef void account(const fnn_times *times) noexcept nogil:
    """Add the gain or loss of a share to the balance; begin a rest if it lost too much."""
    global balance, rest, rest_until
    cdef double now, gain = 0
    if worth == 0:  # in tests, which share work that is too small to gain
        return
    if times.share > 0:
        gain = times.own / times.share - times.whole
    balance = min(balance + gain, CREDIT)
    if patience < 0 or balance < -patience:
        now = fnn_nanoseconds()
        if now - rested_until > rest:
            rest = SHORTEST_REST
        rest_until = now + rest
        rest = min(2 * rest, LONGEST_REST)
        balance = 0


cdef void parallel_for(Task task, const void *work, Py_ssize_t n, Py_ssize_t unit, double nanoseconds) noexcept nogil:
    cdef fnn_share share
    cdef fnn_times times
    cdef int parts = parts_for(nanoseconds)
    if parts > 1 and n > unit:
        share = fnn_share(task=task, work=work, n=n, unit=unit, parts=parts, spares=0, threads=min(parts, processors))
        if FNN_OPENMP:
            share_by_openmp(&share)
            return
        if nanoseconds * slowness >= WORTH_SPARES:
            share.spares = SPARES
        if not resting() and fnn_share_work(&share, &times):
            account(&times)
            return
    task(work, 0, n, NULL)


cdef void share_by_openmp(const fnn_share *share) noexcept nogil:
    """Process a share with OpenMP's threads instead of those of src_c/pool.c, in a build with FASTNN_OPENMP=1."""
    cdef Py_ssize_t part, units = (share.n + share.unit - 1) // share.unit
    if fnn_forked():
        share.task(share.work, 0, share.n, NULL)
        return
    for part in prange(share.parts, schedule="dynamic", num_threads=share.threads):
        share.task(share.work, units * part // share.parts * share.unit,
                   min(share.n, units * (part + 1) // share.parts * share.unit), NULL)


def set_patience(double nanoseconds=PATIENCE):
    """Set the time that sharing may lose before everything runs on one thread for a while; for tests."""
    global patience, balance, rest, rest_until
    patience, balance, rest, rest_until = nanoseconds, 0, SHORTEST_REST, 0


def congested():
    """True while everything runs on one thread because sharing lost time."""
    return rest_until != 0 and fnn_nanoseconds() < rest_until


cdef double nanoseconds_now() noexcept nogil:
    return fnn_nanoseconds()


cdef int fork_count() noexcept nogil:
    return fnn_forked()


cdef int thread_count() noexcept nogil:
    return 1 if fnn_forked() else threads


cdef int processor_count() noexcept nogil:
    return processors


cdef int take_place(int *taken, int n) noexcept nogil:
    return fnn_take_place(taken, n)


cdef void leave_place(int *taken, int place) noexcept nogil:
    fnn_leave_place(taken, place)


def set_worth(double nanoseconds=MEASURE):
    """Set the least work per thread, in ns; for tests, which set 0 to share even small work."""
    global worth, measured, latency, measure_again, tries
    worth, measured, latency, measure_again, tries = nanoseconds, NULL, -1, 0, 0


def get_worth():
    """The least work per thread, in ns; -1 before it is measured."""
    return worth


def work_alone(bint alone):
    """Have the calling thread keep its work to itself, or share it again: other threads have work of their own."""
    global fnn_alone
    fnn_alone = alone


def openmp_version():
    """OpenMP's version date (201511 is 4.5) in a build that uses its threads, or 0."""
    return FNN_OPENMP


def forked():
    """True in a child made by fork(), where everything runs on one thread."""
    return bool(fnn_forked())


def get_num_threads():
    """Number of threads that large operations use."""
    return 1 if fnn_forked() else threads


def set_num_threads(n):
    """Use up to `n` threads for large operations from now on. Results do not depend on it.

    Raises
    ------
    TypeError, ValueError
        If `n` is not an integer of at least 1.
    """
    global threads
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"num_threads must be an integer, got {type(n).__name__}")
    if not 1 <= n <= 1024:
        raise ValueError(f"num_threads must be between 1 and 1024, got {n}")
    threads = n


def _cgroup_quota(root="/sys/fs/cgroup"):
    """Processors that a container may use (cgroup version 2, then 1), or None."""
    def read(name):
        try:
            with open(os.path.join(root, name)) as file:
                return file.read().split()
        except (OSError, ValueError):
            return []

    quota = read("cpu.max") or read("cpu/cpu.cfs_quota_us") + read("cpu/cpu.cfs_period_us")
    try:
        allowed, period = map(int, quota)
    except ValueError:  # "max", or no such file
        return None
    return max(1, math.ceil(allowed / period)) if allowed > 0 and period > 0 else None


def _physical_cores(available, root="/sys/devices/system/cpu"):
    """Number of different cores among the `available` processors (two hyper-threads are one core)."""
    cores = set()
    for cpu in available:
        try:
            with open(f"{root}/cpu{cpu}/topology/thread_siblings_list") as file:
                cores.add(file.read().strip())
        except OSError:
            cores.add(str(cpu))
    return max(1, len(cores))


def default_num_threads():
    """The default number of threads and the reason for it."""
    for variable in ("FASTNN_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(variable, "").split(",")[0].strip()
        digits = value.lstrip("0")
        if digits.isascii() and digits.isdigit():
            return 1024 if len(digits) > 4 else min(int(digits), 1024), f"{variable}={value}"
        if value and variable == "FASTNN_NUM_THREADS":
            raise ValueError(f"FASTNN_NUM_THREADS must be an integer of at least 1, got {value!r}")
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    cores = _physical_cores(available)
    quota = _cgroup_quota()
    if quota is not None and quota < cores:
        return quota, f"the container's quota of {quota} processors"
    return cores, f"{cores} physical cores available to this process"


def _initialize():
    global threads, processors
    fnn_watch_forks()
    threads, _ = default_num_threads()
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processors = max(1, min(available, _cgroup_quota() or available))


_initialize()

"""Thread count: its default, its setting, and the decision how many threads a piece of work deserves."""

import math
import os
import warnings

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define FNN_OPENMP _OPENMP
    #else
    #define FNN_OPENMP 0
    #endif
    """
    const int FNN_OPENMP

cdef extern from "fastnn.h" nogil:
    int fnn_forked()
    void fnn_watch_forks()
    double fnn_nanoseconds()

cdef int threads = 1
cdef int processors = 1
cdef double worth = WORTH_A_THREAD

# Where other processes keep the cores busy, a thread that waits for its core holds up all the others at the end of a
# region, for milliseconds. Regions that take far longer than estimated (a good estimate is off by LENIENCE at most) are
# borne until so much time is lost; then everything runs on one thread for a while. Regions in time make up for it: a
# single slow one may have had to wake a thread that slept.
cdef double serial_until = 0
cdef double lost = 0
cdef double patience = 10e6      # nanoseconds
cdef double serial_time = 100e6
cdef enum:
    LENIENCE = 8


cdef int parts_for(double nanoseconds) noexcept nogil:
    global serial_until
    if threads == 1 or nanoseconds < 2 * worth or fnn_forked():
        return 1
    if serial_until != 0:
        if fnn_nanoseconds() < serial_until:
            return 1
        serial_until = 0
    if nanoseconds >= threads * worth:
        return threads
    return <int> (nanoseconds / worth)


cdef double region_began() noexcept nogil:
    return fnn_nanoseconds()


cdef void region_ended(double began, double nanoseconds) noexcept nogil:
    global serial_until, lost
    cdef double now = fnn_nanoseconds()
    cdef double excess = now - began - LENIENCE * nanoseconds
    lost = min(lost + excess, patience + 1) if excess > 0 else lost / 2
    if lost > patience and worth > 0:
        serial_until = now + serial_time


def set_patience(double nanoseconds=10e6):
    """How much time parallel regions may lose before threads are given up for a while; for tests."""
    global patience, serial_until, lost
    patience, serial_until, lost = nanoseconds, 0, 0


def congested():
    """True while threads are given up because parallel regions took far too long."""
    return serial_until != 0 and fnn_nanoseconds() < serial_until


cdef int workers_for(int parts) noexcept nogil:
    return min(parts, processors)


cdef int fork_count() noexcept nogil:
    return fnn_forked()


def set_worth(double nanoseconds=WORTH_A_THREAD):
    """Work that deserves a thread of its own, in ns; for tests, which cut small work into parts by setting 0."""
    global worth
    worth = nanoseconds


def openmp_version():
    """OpenMP's version date (201511 is 4.5), or 0 in a serial build."""
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
    if n > 1 and not FNN_OPENMP:
        warnings.warn("fastnn was built without OpenMP and runs on one thread", RuntimeWarning, stacklevel=2)
        n = 1
    threads = n


def _cgroup_quota(root="/sys/fs/cgroup"):
    """Processors that a container may use (cgroup version 2, then 1), or None."""
    def read(name):
        try:
            with open(os.path.join(root, name)) as file:
                return file.read().split()
        except OSError:
            return []

    quota = read("cpu.max") or read("cpu/cpu.cfs_quota_us") + read("cpu/cpu.cfs_period_us")
    if len(quota) == 2 and quota[0] not in ("max", "-1"):
        return max(1, math.ceil(int(quota[0]) / int(quota[1])))
    return None


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
        if value.isdigit() and int(value) >= 1:
            return min(int(value), 1024), f"{variable}={value}"
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
    n, _ = default_num_threads()
    threads = n if FNN_OPENMP else 1
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processors = max(1, min(available, _cgroup_quota() or available))


_initialize()

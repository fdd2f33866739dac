"""How many parts a piece of work is cut into, and by how many threads they are done."""

# More threads pay when the serial time is well above the cost of a parallel region (about 0.6 us, and 0.3 us even
# when it is switched off): benchmarks/bench_threads.py.
cdef enum:
    WORTH_A_THREAD = 6000  # nanoseconds of work for each thread

# The number of parts is what the user set; how many of them run at a time is bounded by the processors there are.
# So a test can cut work into 8 parts on a machine with two cores, and nobody pays for oversubscription.
cdef int parts_for(double nanoseconds) noexcept nogil
cdef int workers_for(int parts) noexcept nogil

# What is done in parts is timed: region_began gives the time, region_ended compares it with the estimate.
cdef double region_began() noexcept nogil
cdef void region_ended(double began, double nanoseconds) noexcept nogil

# How many forks led to this process.
cdef int fork_count() noexcept nogil


cdef inline Py_ssize_t part_start(Py_ssize_t n, int part, int parts, Py_ssize_t unit) noexcept nogil:
    """Where part number `part` of n begins, on a multiple of `unit` (so that two threads share no cache line)."""
    if part >= parts:
        return n
    return (n // unit * part // parts) * unit

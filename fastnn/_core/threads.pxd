"""The interface for work that is shared between threads."""

# Processes elements start .. stop - 1 of `work`, a struct of the caller. `dtype` is NULL: its type selects one of the
# two compiled versions of a task, as in <Task> task[real].
ctypedef void (*Task)(const void *work, Py_ssize_t start, Py_ssize_t stop, void *dtype) noexcept nogil

# task(work, 0, n), shared between threads if its estimated time on one thread, in nanoseconds on a processor of
# NOMINAL_RATE, is worth it. Pieces begin at multiples of `unit`. Results must not depend on which thread processes
# which piece.
cdef void parallel_for(Task task, const void *work, Py_ssize_t n, Py_ssize_t unit, double nanoseconds) noexcept nogil

# The number of forks that led to this process.
cdef int fork_count() noexcept nogil

# Threads that large operations use, and processors that this process may use.
cdef int thread_count() noexcept nogil
cdef int processor_count() noexcept nogil

# Take a free one of n places for a thread, or wait for one; `taken` says which are not free.
cdef int take_place(int *taken, int n) noexcept nogil
cdef void leave_place(int *taken, int place) noexcept nogil

# A monotonic clock.
cdef double nanoseconds_now() noexcept nogil

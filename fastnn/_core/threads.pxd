"""The only place where work is shared between threads."""

# Does elements start .. stop - 1 of `work`, a struct of the caller. `dtype` is NULL: the type alone tells which of the
# two compiled versions a task is, as in <Task> task[real].
ctypedef void (*Task)(const void *work, Py_ssize_t start, Py_ssize_t stop, void *dtype) noexcept nogil

# task(work, 0, n), shared between threads if its estimated time on one thread, in nanoseconds on a processor of
# NOMINAL_RATE, is worth it. Pieces begin at multiples of `unit`. Which thread does which piece must not change a bit.
cdef void parallel_for(Task task, const void *work, Py_ssize_t n, Py_ssize_t unit, double nanoseconds) noexcept nogil

# How many forks led to this process.
cdef int fork_count() noexcept nogil

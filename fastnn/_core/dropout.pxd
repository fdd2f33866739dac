from libc.stdint cimport uint64_t

from fastnn._core.dispatch cimport real

cdef void run_dropout(const real *x, real *y, Py_ssize_t n, double p, uint64_t seed, uint64_t stream,
                      uint64_t start) noexcept nogil

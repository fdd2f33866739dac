from libc.stdint cimport uint64_t

from fastnn._core.dispatch cimport real

cdef void run_noise(int kernel, const real *x, real *y, Py_ssize_t n, uint64_t seed, uint64_t stream, uint64_t start,
                    const double *params) noexcept nogil

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real

cdef void run_gather(const real *x, const int64_t *index, real *y, Py_ssize_t rows, Py_ssize_t n_in,
                     Py_ssize_t n_out) noexcept nogil
cdef void run_scatter(const real *g, const int64_t *index, real *grad_x, Py_ssize_t rows, Py_ssize_t n_in,
                      Py_ssize_t n_out) noexcept nogil

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real

cdef double run_loss(int kernel, const real *x, const real *t, const real *weight, real *values, real *grad,
                     Py_ssize_t n, double scale, const double *params) noexcept nogil
cdef double run_row_loss(int kernel, const real *x, const int64_t *labels, const real *q, const real *weight,
                         real *values, real *grad, Py_ssize_t rows, Py_ssize_t cols, double scale,
                         const double *params) noexcept nogil
cdef double run_sum(const real *x, Py_ssize_t n) noexcept nogil
cdef Py_ssize_t bad_label(const int64_t *labels, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport fnn_adjustment, real

# How an average is taken: settings as doubles.
cdef enum:
    DECAY, START, EVERY

cdef double run_squares(const real *x, Py_ssize_t n) noexcept nogil
cdef double unit_scale(double largest) noexcept nogil
cdef double largest_magnitude(const real *x, Py_ssize_t n) noexcept nogil
cdef double scaled_squares(const real *x, Py_ssize_t n, double scale) noexcept nogil
cdef bint in_range(double squares) noexcept nogil
cdef void run_max_norm(real *weight, Py_ssize_t rows, Py_ssize_t cols, double limit) noexcept nogil
cdef void run_average(real *average, const real *param, Py_ssize_t n, const double *settings,
                      int64_t *seen) noexcept nogil
cdef double run_norm(const real *x, Py_ssize_t n) noexcept nogil
cdef void run_adjust(const real *param, const real *grad, real *out, Py_ssize_t n,
                     const fnn_adjustment *by) noexcept nogil
cdef void run_lerp(real *average, const real *x, Py_ssize_t n, double weight) noexcept nogil

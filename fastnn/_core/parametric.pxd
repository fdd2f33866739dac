from fastnn._core.dispatch cimport real

cdef double run_reduce2(int kernel, const real *x, const real *g, Py_ssize_t n) noexcept nogil
cdef void run_prelu(const real *x, const real *weight, real *y, Py_ssize_t rows, Py_ssize_t cols,
                    bint shared) noexcept nogil
cdef void run_prelu_backward(const real *g, const real *x, const real *weight, real *grad_x, real *grad_weight,
                             Py_ssize_t rows, Py_ssize_t cols, bint shared, bint accumulate) noexcept nogil
cdef void run_temperature_scale(const real *x, const real *temperature, real *y, Py_ssize_t n) noexcept nogil
cdef void run_temperature_scale_backward(const real *g, const real *x, const real *temperature, real *grad_x,
                                         real *grad_temperature, Py_ssize_t n, bint accumulate) noexcept nogil

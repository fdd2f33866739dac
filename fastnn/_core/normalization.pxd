from fastnn._core.dispatch cimport real
from fastnn._core.linear cimport Epilogue

# The kernels of a normalization.
ctypedef struct Norm:
    int forward
    int backward
    int gradients
    Py_ssize_t step  # statistics per row; 0 for statistics of columns

cdef Norm find_norm(str name) except *
cdef void run_norm(const Norm *norm, const real *x, const real *weight, const real *bias, real *pre, real *y,
                   real *statistics, Py_ssize_t rows, Py_ssize_t cols, double eps,
                   const Epilogue *activation) noexcept nogil
cdef void run_norm_backward(const Norm *norm, const real *g, const real *x, const real *weight, const real *statistics,
                            real *grad_x, const real *saved, Py_ssize_t rows, Py_ssize_t cols,
                            const Epilogue *gate) noexcept nogil
cdef void run_norm_gradients(const Norm *norm, const real *g, const real *x, real *statistics, real *grad_weight,
                             real *grad_bias, Py_ssize_t rows, Py_ssize_t cols, bint accumulate) noexcept nogil
cdef void run_statistics(const real *x, const real *running_mean, const real *running_var, real *statistics,
                         Py_ssize_t rows, Py_ssize_t cols, double eps) noexcept nogil
cdef void forget_batch(real *statistics, Py_ssize_t cols) noexcept nogil

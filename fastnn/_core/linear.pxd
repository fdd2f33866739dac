from fastnn._core.dispatch cimport real

# An elementwise kernel that follows a product, applied to each block of rows while it is in the cache.
ctypedef struct Epilogue:
    int kernel  # -1: none
    double[3] params

cdef void run_linear(const real *x, const real *weight, const real *bias, real *pre, real *y, Py_ssize_t rows,
                     Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *activation) noexcept nogil
cdef void run_linear_grad_weight(const real *g, const real *x, real *grad_weight, real *grad_bias, bint accumulate,
                                 Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out) noexcept nogil
cdef void run_linear_grad_x(const real *g, const real *weight, real *grad_x, const real *saved,
                            Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *gate) noexcept nogil

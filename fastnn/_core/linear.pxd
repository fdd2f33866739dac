from fastnn._core.dispatch cimport fnn_product

# An elementwise kernel that follows a product, applied to each block of rows while it is in the cache.
ctypedef struct Epilogue:
    int kernel  # -1: none
    double[3] params

cdef Epilogue NONE  # no kernel follows

cdef void run_linear(int dtype, const void *x, const void *weight, const void *bias, void *pre, void *y,
                     Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out, bint transposed,
                     const Epilogue *activation) noexcept nogil
cdef void run_linear_grad_weight(int dtype, const void *g, const void *x, void *grad_weight, void *grad_bias,
                                 bint accumulate, Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out,
                                 bint transposed) noexcept nogil
cdef void run_linear_grad_x(int dtype, const void *g, const void *weight, void *grad_x, const void *saved,
                            Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out, bint transposed,
                            const Epilogue *gate) noexcept nogil
cdef void run_matmul(int dtype, const fnn_product *q) noexcept nogil

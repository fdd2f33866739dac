from fastnn._core.linear cimport Epilogue

# The kernels of a normalization.
ctypedef struct Norm:
    int forward
    int backward
    int gradients
    Py_ssize_t step  # statistics per row; 0 for statistics of columns
    Py_ssize_t groups  # of columns, each normalized on its own: statistics of all rows of a group follow each other
    Py_ssize_t length  # columns that share one number of weight and bias

cdef Norm find_norm(str name) except *
cdef void run_norm(const Norm *norm, int dtype, const void *x, const void *weight, const void *bias, void *pre, void *y,
                   void *statistics, Py_ssize_t rows, Py_ssize_t cols, double eps,
                   const Epilogue *activation) noexcept nogil
cdef void run_norm_backward(const Norm *norm, int dtype, const void *g, const void *x, const void *weight,
                            const void *statistics, void *grad_x, const void *saved, Py_ssize_t rows, Py_ssize_t cols,
                            const Epilogue *gate) noexcept nogil
cdef void run_norm_gradients(const Norm *norm, int dtype, const void *g, const void *x, void *statistics,
                             void *grad_weight, void *grad_bias, Py_ssize_t rows, Py_ssize_t cols,
                             bint accumulate) noexcept nogil
cdef void run_statistics(int dtype, const void *x, const void *running_mean, const void *running_var, void *statistics,
                         Py_ssize_t rows, Py_ssize_t cols, double eps) noexcept nogil
cdef void forget_batch(int dtype, void *statistics, Py_ssize_t cols) noexcept nogil

# Of arrays.
cdef Py_ssize_t columns(x) noexcept
cdef Py_ssize_t rows_of(x) noexcept
cdef object new_rows(x, Py_ssize_t rows, Py_ssize_t cols)

from fastnn._core.normalization cimport Norm

cdef void expand_affine(const Norm *norm, int dtype, const void **weight, const void **bias, void *expanded,
                        Py_ssize_t cols) noexcept nogil
cdef void run_group_gradients(const Norm *norm, int dtype, const void *g, const void *x, void *statistics,
                              void *grad_weight, void *grad_bias, void *expanded, Py_ssize_t rows, Py_ssize_t cols,
                              bint accumulate) noexcept nogil

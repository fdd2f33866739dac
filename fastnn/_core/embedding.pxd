from fastnn._core.dispatch cimport real

cdef void run_embedding(const real *codes, const real *weight, real *y, Py_ssize_t n, Py_ssize_t cols) noexcept nogil
cdef void run_embedding_backward(const real *g, const real *codes, real *grad_weight, Py_ssize_t n, Py_ssize_t num,
                                 Py_ssize_t cols, Py_ssize_t padding, bint accumulate) noexcept nogil

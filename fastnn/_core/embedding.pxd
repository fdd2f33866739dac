cdef void run_embedding(int dtype, const void *codes, const void *weight, void *y, Py_ssize_t n,
                        Py_ssize_t cols) noexcept nogil
cdef void run_embedding_backward(int dtype, const void *g, const void *codes, void *grad_weight, Py_ssize_t n,
                                 Py_ssize_t num, Py_ssize_t cols, Py_ssize_t padding, bint accumulate) noexcept nogil

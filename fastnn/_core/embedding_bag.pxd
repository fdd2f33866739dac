from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport fnn_bags

cdef void describe_rows(int dtype, const void *codes, const void *weight, void *scales, void *counts, Py_ssize_t n,
                        Py_ssize_t num, Py_ssize_t cols, double max_norm, double norm_type) noexcept nogil
cdef void run_embedding_bag(int dtype, const fnn_bags *of, void *y, Py_ssize_t bags, Py_ssize_t n) noexcept nogil
cdef void run_embedding_bag_backward(int dtype, const fnn_bags *of, const void *g, void *grad_weight, Py_ssize_t bags,
                                     Py_ssize_t n, Py_ssize_t num, bint accumulate) noexcept nogil

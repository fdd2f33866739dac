"""Products with sparse rows."""

from fastnn._core.dispatch cimport fnn_sparse
from fastnn._core.linear cimport Epilogue

cdef void run_sparse_linear(int dtype, const fnn_sparse *x, const void *weight, const void *bias, void *pre, void *y,
                            Py_ssize_t rows, Py_ssize_t n_out, const Epilogue *activation) noexcept nogil
cdef void run_sparse_linear_backward(int dtype, const fnn_sparse *x, const void *g, void *grad_weight, void *grad_bias,
                                     bint accumulate, Py_ssize_t rows, Py_ssize_t n_in,
                                     Py_ssize_t n_out) noexcept nogil
cdef int read_sparse(fnn_sparse *x, sparse, bint double_) except -1

"""Some columns of a matrix: picked, and their gradient put back; copied, or read as labels (src_c/columns.c)."""

from libc.stdint cimport int64_t

ctypedef void (*Pick)(const void *x, const int64_t *index, void *y, Py_ssize_t rows, Py_ssize_t n_in,
                      Py_ssize_t n_out) noexcept nogil
ctypedef void (*Copy)(const void *x, Py_ssize_t x_stride, void *y, Py_ssize_t y_stride, double scale, Py_ssize_t rows,
                      Py_ssize_t cols) noexcept nogil
ctypedef void (*ReadLabels)(const void *x, Py_ssize_t stride, int64_t *labels, Py_ssize_t rows) noexcept nogil

cdef extern from "elements.h":
    const Pick[2] fnn_gather
    const Pick[2] fnn_scatter
    const Copy[2] fnn_copy_columns
    const ReadLabels[2] fnn_read_labels


cdef void run_gather(int dtype, const void *x, const int64_t *index, void *y, Py_ssize_t rows, Py_ssize_t n_in,
                     Py_ssize_t n_out) noexcept nogil:
    """y[r, j] = x[r, index[j]]"""
    fnn_gather[dtype](x, index, y, rows, n_in, n_out)


cdef void run_scatter(int dtype, const void *g, const int64_t *index, void *grad_x, Py_ssize_t rows, Py_ssize_t n_in,
                      Py_ssize_t n_out) noexcept nogil:
    """grad_x[r, index[j]] += g[r, j], from 0"""
    fnn_scatter[dtype](g, index, grad_x, rows, n_in, n_out)


cdef void copy_columns(int dtype, const void *x, Py_ssize_t x_stride, void *y, Py_ssize_t y_stride, double scale,
                       Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """y[r, j] = scale x[r, j]"""
    fnn_copy_columns[dtype](x, x_stride, y, y_stride, scale, rows, cols)


cdef void read_labels(int dtype, const void *x, Py_ssize_t stride, int64_t *labels, Py_ssize_t rows) noexcept nogil:
    """labels[r] = x[r, 0]"""
    fnn_read_labels[dtype](x, stride, labels, rows)

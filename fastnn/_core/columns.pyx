"""Columns of a matrix: picked, and their gradient put back; copied, added up, repeated, or read as labels.

Element loops: src_c/columns.c.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport FNN_FLOAT64
from fastnn._core.threads cimport parallel_for

cdef double COST = 0.1  # nanoseconds an element that is added up

ctypedef void (*Pick)(const void *x, const int64_t *index, void *y, Py_ssize_t rows, Py_ssize_t n_in,
                      Py_ssize_t n_out) noexcept nogil
ctypedef void (*Copy)(const void *x, Py_ssize_t x_stride, void *y, Py_ssize_t y_stride, double scale, Py_ssize_t rows,
                      Py_ssize_t cols) noexcept nogil
ctypedef void (*Expand)(const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
ctypedef void (*ReadLabels)(const void *x, Py_ssize_t stride, int64_t *labels, Py_ssize_t rows) noexcept nogil

cdef extern from "elements.h":
    const Pick[2] fnn_gather
    const Pick[2] fnn_scatter
    const Copy[2] fnn_copy_columns
    const Expand[2] fnn_expand_columns
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


ctypedef struct SumWork:
    int dtype
    const void *x
    void *y
    Py_ssize_t cols


cdef void sum_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const SumWork *w = <const SumWork *> work
    cdef Py_ssize_t r
    cdef double total
    for r in range(start, stop):
        total = dispatch.kernels_of(w.dtype).sum(arrays.at(w.x, r * w.cols, w.dtype), w.cols)
        if w.dtype == FNN_FLOAT64:
            (<double *> w.y)[r] = total
        else:
            (<float *> w.y)[r] = <float> total


cdef void sum_columns(int dtype, const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """y[r] = sum over j of x[r, j]"""
    cdef SumWork work = SumWork(dtype=dtype, x=x, y=y, cols=cols)
    parallel_for(sum_task, &work, rows, 1, rows * cols * COST)


cdef void expand_columns(int dtype, const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """y[r, j] = x[r]"""
    fnn_expand_columns[dtype](x, y, rows, cols)


cdef void expand_rows(int dtype, const void *weight, void *y, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """y[r, j] = weight[j]"""
    cdef Py_ssize_t r
    for r in range(rows):
        memcpy(arrays.at(y, r * cols, dtype), weight, cols * arrays.itemsize(dtype))


cdef void expand_rows_backward(int dtype, const void *g, void *grad_weight, Py_ssize_t rows, Py_ssize_t cols,
                               bint accumulate) noexcept nogil:
    """grad_weight[j] (+)= sum over r of g[r, j]"""
    dispatch.kernels_of(dtype).column_sums(g, cols, grad_weight if accumulate else NULL, grad_weight, rows, cols)

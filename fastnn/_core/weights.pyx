"""Weights of samples and classes: what they add up to in a mean, and one weight for each element of a loss.

Sums are of chunks, in order: they have the same bits as those of the losses.
"""

cimport numpy as cnp
from libc.stdint cimport int64_t

from fastnn._core cimport arrays, dispatch

cnp.import_array()

ctypedef Py_ssize_t (*BadWeight)(const void *weight, Py_ssize_t n) noexcept nogil
ctypedef double (*LabelSum)(const int64_t *labels, const void *weight, const void *by_class, int64_t ignored,
                            Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
ctypedef void (*Present)(const void *target, const void *weight, bint elements, void *y, void *each, Py_ssize_t rows,
                         Py_ssize_t cols) noexcept nogil
ctypedef void (*Spread)(const void *weight, void *each, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
ctypedef void (*WeighColumns)(const void *columns, void *each, Py_ssize_t rows, Py_ssize_t cols,
                             int filled) noexcept nogil

cdef extern from "elements.h" nogil:
    Py_ssize_t fnn_count_label(const int64_t *labels, Py_ssize_t rows, int64_t label)
    const BadWeight[2] fnn_bad_weight
    const LabelSum[2] fnn_label_sum
    const Present[2] fnn_present
    const Spread[2] fnn_spread
    const WeighColumns[2] fnn_weigh_columns


cdef bint are_weights(object weight) noexcept:
    """Whether all numbers of a plain array are 0 or more, and finite."""
    return fnn_bad_weight[arrays.dtype_of(weight)](arrays.data(weight), arrays.size(weight)) < 0


cdef double run_sum(int dtype, const void *x, Py_ssize_t n) noexcept nogil:
    """Sum of n elements, chunk by chunk in double."""
    cdef double total = 0
    cdef Py_ssize_t i = 0
    while i < n:
        total += dispatch.kernels_of(dtype).sum(arrays.at(x, i, dtype), min(n - i, CHUNK))
        i += CHUNK
    return total


cdef double count_elements(int dtype, const void *weight, Py_ssize_t n) noexcept nogil:
    """What n elements or rows count in a mean: each its weight (NULL for 1)."""
    return n if weight == NULL else run_sum(dtype, weight, n)


cdef double count_rows(int dtype, const int64_t *labels, const void *weight, const void *by_class, int64_t ignored,
                       Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """What rows count in a mean: each its weight (NULL for 1) times that of its class, ignored ones nothing."""
    cdef Py_ssize_t left_out
    if by_class == NULL:
        left_out = fnn_count_label(labels, rows, ignored)
        if weight == NULL:
            return rows - left_out
        if left_out == 0:
            return run_sum(dtype, weight, rows)
    return fnn_label_sum[dtype](labels, weight, by_class, ignored, rows, cols)


cdef void spread(int dtype, const void *weight, void *each, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """One weight a row becomes one an element."""
    fnn_spread[dtype](weight, each, rows, cols)


cdef void weigh_columns(int dtype, const void *columns, void *each, Py_ssize_t rows, Py_ssize_t cols,
                        bint filled) noexcept nogil:
    """Weights of columns become those of elements, times what is in `each` if that is filled."""
    fnn_weigh_columns[dtype](columns, each, rows, cols, filled)


cdef void present(int dtype, const void *target, const void *weight, bint elements, void *y, void *each,
                  Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """Targets without NaN, and weights that are 0 where the target was NaN."""
    fnn_present[dtype](target, weight, elements, y, each, rows, cols)

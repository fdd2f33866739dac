"""Conversion of rows of uint8 or float16 to the dtype of the network, as they are copied into a batch."""

cimport numpy as cnp
from libc.stdint cimport int64_t

from fastnn._core cimport arrays

cnp.import_array()

ctypedef void (*Widen)(const void *x, const int64_t *order, void *y, Py_ssize_t rows, Py_ssize_t cols,
                       double scale) noexcept nogil

cdef extern from "elements.h":
    const Widen[2] fnn_widen_uint8
    const Widen[2] fnn_widen_half


cdef int narrow(object x) noexcept:
    """The code of the narrow dtype of an ndarray, if it has one."""
    cdef int kind = cnp.PyArray_TYPE(<cnp.ndarray> x)
    return FROM_UINT8 if kind == cnp.NPY_UINT8 else FROM_FLOAT16 if kind == cnp.NPY_FLOAT16 else NO_WIDENING


cdef void widen_rows(int kind, const char *source, char *out, const int64_t *order, Py_ssize_t start,
                     Py_ssize_t rows, Py_ssize_t cols, double scale, int dtype) noexcept nogil:
    """Copy rows order[start], order[start + 1], ... of `source`, or without an order those from `start` on."""
    if order == NULL:
        source += start * cols * (1 if kind == FROM_UINT8 else 2)
    else:
        order += start
    if kind == FROM_UINT8:
        fnn_widen_uint8[dtype](source, order, out, rows, cols, scale)
    else:
        fnn_widen_half[dtype](source, order, out, rows, cols, scale)


def widen(x, out, double scale):
    """Write x, contiguous and of uint8 or float16, times scale into `out`, of that size and of float32 or float64."""
    cdef int kind = narrow(x)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(<cnp.ndarray> x)
    cdef const char *source = <const char *> arrays.data(x)
    cdef char *target = <char *> arrays.data(out)
    cdef int dtype = arrays.dtype_of(out)
    with nogil:
        widen_rows(kind, source, target, NULL, 0, 1, n, scale, dtype)

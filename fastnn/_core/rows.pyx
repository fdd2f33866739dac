"""Conversion of rows of uint8 or float16 to the dtype of the network, as they are copied into a batch."""

cimport numpy as cnp
from libc.stdint cimport int64_t, uint8_t, uint16_t

from fastnn._core cimport arrays

cnp.import_array()

cdef extern from "elements.h" nogil:
    void fnn_widen_uint8_f32(const uint8_t *x, const int64_t *order, float *y, Py_ssize_t rows, Py_ssize_t cols,
                             double scale)
    void fnn_widen_uint8_f64(const uint8_t *x, const int64_t *order, double *y, Py_ssize_t rows, Py_ssize_t cols,
                             double scale)
    void fnn_widen_half_f32(const uint16_t *x, const int64_t *order, float *y, Py_ssize_t rows, Py_ssize_t cols,
                            double scale)
    void fnn_widen_half_f64(const uint16_t *x, const int64_t *order, double *y, Py_ssize_t rows, Py_ssize_t cols,
                            double scale)


cdef int narrow(object x) noexcept:
    """The code of the narrow dtype of an ndarray, if it has one."""
    cdef int kind = cnp.PyArray_TYPE(<cnp.ndarray> x)
    return FROM_UINT8 if kind == cnp.NPY_UINT8 else FROM_FLOAT16 if kind == cnp.NPY_FLOAT16 else NO_WIDENING


cdef void widen_rows(int kind, const char *source, char *out, const int64_t *order, Py_ssize_t start,
                     Py_ssize_t rows, Py_ssize_t cols, double scale, bint to_double) noexcept nogil:
    """Copy rows order[start], order[start + 1], ... of `source`, or without an order those from `start` on."""
    if order == NULL:
        source += start * cols * (1 if kind == FROM_UINT8 else 2)
    else:
        order += start
    if kind == FROM_UINT8 and to_double:
        fnn_widen_uint8_f64(<const uint8_t *> source, order, <double *> out, rows, cols, scale)
    elif kind == FROM_UINT8:
        fnn_widen_uint8_f32(<const uint8_t *> source, order, <float *> out, rows, cols, scale)
    elif to_double:
        fnn_widen_half_f64(<const uint16_t *> source, order, <double *> out, rows, cols, scale)
    else:
        fnn_widen_half_f32(<const uint16_t *> source, order, <float *> out, rows, cols, scale)


def widen(x, out, double scale):
    """Write x, contiguous and of uint8 or float16, times scale into `out`, of that size and of float32 or float64."""
    cdef int kind = narrow(x)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(<cnp.ndarray> x)
    cdef const char *source = <const char *> arrays.data(x)
    cdef char *target = <char *> arrays.data(out)
    cdef bint to_double = cnp.PyArray_TYPE(<cnp.ndarray> out) == cnp.NPY_FLOAT64
    with nogil:
        widen_rows(kind, source, target, NULL, 0, 1, n, scale, to_double)

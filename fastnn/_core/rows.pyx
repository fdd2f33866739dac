"""Rows of arrays of any real dtype and layout, converted to the dtype of the network as they are copied."""

cimport numpy as cnp
from libc.stdint cimport int64_t

from fastnn._core cimport arrays

cnp.import_array()

cdef extern from "elements.h":
    ctypedef int (*fnn_convert)(const char *x, Py_ssize_t row_stride, Py_ssize_t col_stride, const int64_t *order,
                                void *y, Py_ssize_t rows, Py_ssize_t cols, double scale) noexcept nogil
    const fnn_convert *fnn_converts[2]
    enum:
        FNN_BOOL, FNN_INT8, FNN_UINT8, FNN_INT16, FNN_UINT16, FNN_INT32, FNN_UINT32, FNN_INT64, FNN_UINT64, FNN_HALF
        FNN_SINGLE, FNN_DOUBLE

SOURCES = {
    "bool": FNN_BOOL, "int8": FNN_INT8, "uint8": FNN_UINT8, "int16": FNN_INT16, "uint16": FNN_UINT16,
    "int32": FNN_INT32, "uint32": FNN_UINT32, "int64": FNN_INT64, "uint64": FNN_UINT64, "float16": FNN_HALF,
    "float32": FNN_SINGLE, "float64": FNN_DOUBLE,
}


cdef int source_of(Source *source, x, int dtype) except -1:
    """Describe a matrix to `convert_rows`. Its kind is NO_CONVERSION if it is plain and of this dtype already."""
    cdef cnp.ndarray array = x
    source.kind = NO_CONVERSION
    if not arrays.is_plain(x) or arrays.dtype_of(x) != dtype:
        if x.ndim != 2 or not x.dtype.isnative:
            raise TypeError("rows must be those of a matrix in native byte order")
        source.kind = SOURCES[x.dtype.name]
        source.row_stride, source.col_stride = cnp.PyArray_STRIDE(array, 0), cnp.PyArray_STRIDE(array, 1)
    source.data = <const char *> cnp.PyArray_DATA(array)
    return 0


cdef bint convert_rows(const Source *source, void *out, const int64_t *order, Py_ssize_t start, Py_ssize_t rows,
                       Py_ssize_t cols, double scale, int dtype) noexcept nogil:
    """Copy rows order[start], order[start + 1], ..., or without an order those from `start` on.

    Returns whether a finite number is infinite in the dtype of `out`.
    """
    cdef const char *first = source.data
    if order == NULL:
        first += start * source.row_stride
    else:
        order += start
    return fnn_converts[dtype][source.kind](first, source.row_stride, source.col_stride, order, out, rows, cols, scale)


def widen(x, out, double scale):
    """Convert the matrix x, of any real dtype and layout, to the dtype of `out`, plain and of x's shape.

    Integers and float16 are multiplied with `scale`. Returns whether a finite number of x is infinite in `out`.
    """
    cdef Source source
    cdef int dtype = arrays.dtype_of(out)
    cdef void *target = arrays.data(out)
    cdef Py_ssize_t rows, cols
    cdef bint beyond
    if x.ndim == 1:
        x = x[None]
    if not arrays.is_plain(out) or out.size != x.size:
        raise ValueError("out must be a plain array of x's shape")
    source_of(&source, x, dtype)
    if source.kind == NO_CONVERSION:
        out[...] = x.reshape(out.shape)
        return False
    rows, cols = x.shape
    with nogil:
        beyond = convert_rows(&source, target, NULL, 0, rows, cols, scale, dtype)
    return beyond

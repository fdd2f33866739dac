"""Embedding: rows of a table by their number, and the gradient of the table, whose rows are added up in order."""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport part_start, parts_for, region_began, region_ended, workers_for

cnp.import_array()

cdef enum:
    UNIT = 16  # columns: a cache line of float

cdef double COST = 0.1  # nanoseconds an element: benchmarks/bench_embedding.py


cdef void run_embedding(const real *codes, const real *weight, real *y, Py_ssize_t n, Py_ssize_t cols) noexcept nogil:
    """Row i of y is row codes[i] of the table, which has it (dispatch.bad_code)."""
    cdef int parts = parts_for(n * cols * COST)
    cdef double began
    if parts == 1:
        dispatch.embedding(codes, weight, y, n, cols)
    else:
        began = region_began()
        embedding_parts(codes, weight, y, n, cols, parts)
        region_ended(began, n * cols * COST)


cdef void embedding_parts(const real *codes, const real *weight, real *y, Py_ssize_t n, Py_ssize_t cols,
                          int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t i
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        i = part_start(n, part, parts, 1)
        dispatch.embedding(codes + i, weight, y + i * cols, part_start(n, part + 1, parts, 1) - i, cols)


cdef void run_embedding_backward(const real *g, const real *codes, real *grad_weight, Py_ssize_t n, Py_ssize_t num,
                                 Py_ssize_t cols, Py_ssize_t padding, bint accumulate) noexcept nogil:
    """Add row i of g to row codes[i] of the gradient, for i ascending; threads share the columns."""
    cdef int parts = parts_for(n * cols * COST)
    cdef double began
    if not accumulate:
        memset(grad_weight, 0, num * cols * sizeof(real))
    if parts == 1:
        dispatch.embedding_backward(g, codes, grad_weight, n, cols, cols, padding)
    else:
        began = region_began()
        backward_parts(g, codes, grad_weight, n, cols, padding, parts)
        region_ended(began, n * cols * COST)


cdef void backward_parts(const real *g, const real *codes, real *grad_weight, Py_ssize_t n, Py_ssize_t cols,
                         Py_ssize_t padding, int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t j
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        j = part_start(cols, part, parts, UNIT)
        dispatch.embedding_backward(g + j, codes, grad_weight + j, n, cols,
                                    part_start(cols, part + 1, parts, UNIT) - j, padding)


def bad_code(codes, Py_ssize_t num):
    """The place in the plain array `codes` of the first that is no integer in 0 .. num - 1, or -1."""
    if arrays.is_double(codes):
        return dispatch.bad_code(<double *> arrays.data(codes), arrays.size(codes), num)
    return dispatch.bad_code(<float *> arrays.data(codes), arrays.size(codes), num)


def embedding(codes, weight, out):
    """Fill `out`, shape (*codes.shape, cols), from plain arrays; all codes are good ones."""
    cdef Py_ssize_t n = arrays.size(codes)
    cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    cdef void *pc = arrays.data(codes)
    cdef void *pw = arrays.data(weight)
    cdef void *py = arrays.data(out)
    if arrays.is_double(weight):
        with nogil:
            run_embedding(<double *> pc, <double *> pw, <double *> py, n, cols)
    else:
        with nogil:
            run_embedding(<float *> pc, <float *> pw, <float *> py, n, cols)
    return out


def embedding_backward(g, codes, grad_weight, Py_ssize_t padding):
    """Fill grad_weight from plain arrays; all codes are good ones."""
    cdef Py_ssize_t n = arrays.size(codes)
    cdef Py_ssize_t num = cnp.PyArray_DIM(<cnp.ndarray> grad_weight, 0)
    cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> grad_weight, 1)
    cdef void *pg = arrays.data(g)
    cdef void *pc = arrays.data(codes)
    cdef void *gw = arrays.data(grad_weight)
    if arrays.is_double(grad_weight):
        with nogil:
            run_embedding_backward(<double *> pg, <double *> pc, <double *> gw, n, num, cols, padding, False)
    else:
        with nogil:
            run_embedding_backward(<float *> pg, <float *> pc, <float *> gw, n, num, cols, padding, False)
    return grad_weight

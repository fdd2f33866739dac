"""Embedding: rows of a table by their number, and the gradient of the table, whose rows are added up in order."""

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport Task, parallel_for

cnp.import_array()

cdef extern from "elements.h" nogil:
    bint fnn_copy_codes_f32(const int64_t *codes, float *numbers, Py_ssize_t n, Py_ssize_t num)
    bint fnn_copy_codes_f64(const int64_t *codes, double *numbers, Py_ssize_t n, Py_ssize_t num)

cdef enum:
    UNIT = 16  # columns: a cache line of float
    MOST_CODES = 1 << 24  # which float holds exactly

cdef double COST = 0.1  # nanoseconds an element: benchmarks/bench_embedding.py


ctypedef struct EmbeddingWork:
    const void *codes
    const void *weight
    void *y
    Py_ssize_t cols


cdef void embedding_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    cdef const EmbeddingWork *w = <const EmbeddingWork *> work
    dispatch.embedding(<const real *> w.codes + start, <const real *> w.weight, <real *> w.y + start * w.cols,
                       stop - start, w.cols)


cdef void run_embedding(const real *codes, const real *weight, real *y, Py_ssize_t n, Py_ssize_t cols) noexcept nogil:
    """Row i of y is row codes[i] of the table, which has it (dispatch.bad_code)."""
    cdef EmbeddingWork work = EmbeddingWork(codes=codes, weight=weight, y=y, cols=cols)
    parallel_for(<Task> embedding_task[real], &work, n, 1, n * cols * COST)


ctypedef struct EmbeddingGradWork:
    const void *g
    const void *codes
    void *grad_weight
    Py_ssize_t n, cols, padding


cdef void backward_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Some columns of all rows."""
    cdef const EmbeddingGradWork *w = <const EmbeddingGradWork *> work
    dispatch.embedding_backward(<const real *> w.g + start, <const real *> w.codes, <real *> w.grad_weight + start, w.n,
                                w.cols, stop - start, w.padding)


cdef void run_embedding_backward(const real *g, const real *codes, real *grad_weight, Py_ssize_t n, Py_ssize_t num,
                                 Py_ssize_t cols, Py_ssize_t padding, bint accumulate) noexcept nogil:
    """Add row i of g to row codes[i] of the gradient, for i ascending; threads share the columns."""
    cdef EmbeddingGradWork work = EmbeddingGradWork(g=g, codes=codes, grad_weight=grad_weight, n=n, cols=cols,
                                                    padding=padding)
    if not accumulate:
        memset(grad_weight, 0, num * cols * sizeof(real))
    parallel_for(<Task> backward_task[real], &work, cols, UNIT, n * cols * COST)


def bad_code(codes, Py_ssize_t num):
    """The place in the plain array `codes` of the first that is no integer in 0 .. num - 1, or -1."""
    if arrays.is_double(codes):
        return dispatch.bad_code(<double *> arrays.data(codes), arrays.size(codes), num)
    return dispatch.bad_code(<float *> arrays.data(codes), arrays.size(codes), num)


cdef object own_codes(codes, weight):
    """A copy of good codes (int64, or of the dtype of the table `weight`); None if they are for the slow path."""
    if (dispatch.reference or not arrays.is_matrix(weight)
            or cnp.PyArray_DIM(<cnp.ndarray> weight, 0) > MOST_CODES):
        return None
    cdef Py_ssize_t num = cnp.PyArray_DIM(<cnp.ndarray> weight, 0)
    cdef const int64_t *numbers
    cdef bint good
    if arrays.is_plain(codes) and arrays.same_dtype(codes, weight):
        own = cnp.PyArray_NewCopy(<cnp.ndarray> codes, cnp.NPY_CORDER)
        return own if bad_code(own, num) < 0 else None
    if not arrays.is_labels(codes):
        return None
    own = arrays.room(None, weight, cnp.PyArray_NDIM(<cnp.ndarray> codes), cnp.PyArray_DIMS(<cnp.ndarray> codes))
    numbers = <const int64_t *> arrays.data(codes)
    if arrays.is_double(weight):
        good = fnn_copy_codes_f64(numbers, <double *> arrays.data(own), arrays.size(codes), num)
    else:
        good = fnn_copy_codes_f32(numbers, <float *> arrays.data(own), arrays.size(codes), num)
    return own if good else None


def quick(codes, weight):
    """`embedding` of arrays of up to two dimensions, or None if the arguments are for the slow path."""
    own = own_codes(codes, weight)
    if own is None or cnp.PyArray_NDIM(<cnp.ndarray> own) > 2:
        return None
    cdef int i, ndim = cnp.PyArray_NDIM(<cnp.ndarray> own)
    cdef cnp.npy_intp[3] shape = [0, 0, 0]
    for i in range(ndim):
        shape[i] = cnp.PyArray_DIM(<cnp.ndarray> own, i)
    shape[ndim] = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    return embedding(own, weight, arrays.room(None, weight, ndim + 1, shape))


def quick_backward(g, codes, weight):
    """`embedding_backward` without a row that has no gradient, or None if the arguments are for the slow path."""
    own = own_codes(codes, weight)
    if own is None or not arrays.is_plain(g) or not arrays.same_dtype(g, weight):
        return None
    cdef int ndim = cnp.PyArray_NDIM(<cnp.ndarray> own)
    if (cnp.PyArray_NDIM(<cnp.ndarray> g) != ndim + 1
            or cnp.PyArray_DIM(<cnp.ndarray> g, ndim) != cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
            or not cnp.PyArray_CompareLists(cnp.PyArray_DIMS(<cnp.ndarray> g), cnp.PyArray_DIMS(<cnp.ndarray> own),
                                            ndim)):
        return None
    return embedding_backward(g, own, arrays.empty_like(weight), -1)


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

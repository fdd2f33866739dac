"""Embedding: rows of a table by their number, and the gradient of the table, whose rows are added up in order."""

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.threads cimport parallel_for

cnp.import_array()

ctypedef bint (*CopyCodes)(const int64_t *codes, void *numbers, Py_ssize_t n, Py_ssize_t num) noexcept nogil

cdef extern from "elements.h":
    const CopyCodes[2] fnn_copy_codes

cdef enum:
    UNIT = 16  # columns: a cache line of float
    MOST_CODES = 1 << 24  # which float holds exactly

cdef double COST = 0.1  # nanoseconds an element: benchmarks/bench_embedding.py


ctypedef struct EmbeddingWork:
    int dtype
    const void *codes
    const void *weight
    void *y
    Py_ssize_t cols


cdef void embedding_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const EmbeddingWork *w = <const EmbeddingWork *> work
    dispatch.kernels_of(w.dtype).embedding(arrays.at(w.codes, start, w.dtype), w.weight,
                                           arrays.at(w.y, start * w.cols, w.dtype), stop - start, w.cols)


cdef void run_embedding(int dtype, const void *codes, const void *weight, void *y, Py_ssize_t n,
                        Py_ssize_t cols) noexcept nogil:
    """Row i of y is row codes[i] of the table, which has it (the kernel bad_code)."""
    cdef EmbeddingWork work = EmbeddingWork(dtype=dtype, codes=codes, weight=weight, y=y, cols=cols)
    parallel_for(embedding_task, &work, n, 1, n * cols * COST)


ctypedef struct EmbeddingGradWork:
    int dtype
    const void *g
    const void *codes
    void *grad_weight
    Py_ssize_t n, cols, padding


cdef void backward_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some columns of all rows."""
    cdef const EmbeddingGradWork *w = <const EmbeddingGradWork *> work
    dispatch.kernels_of(w.dtype).embedding_backward(arrays.at(w.g, start, w.dtype), w.codes,
                                                    arrays.at(w.grad_weight, start, w.dtype), w.n, w.cols,
                                                    stop - start, w.padding)


cdef void run_embedding_backward(int dtype, const void *g, const void *codes, void *grad_weight, Py_ssize_t n,
                                 Py_ssize_t num, Py_ssize_t cols, Py_ssize_t padding, bint accumulate) noexcept nogil:
    """Add row i of g to row codes[i] of the gradient, for i ascending; threads share the columns."""
    cdef EmbeddingGradWork work = EmbeddingGradWork(dtype=dtype, g=g, codes=codes, grad_weight=grad_weight, n=n,
                                                    cols=cols, padding=padding)
    if not accumulate:
        memset(grad_weight, 0, num * cols * arrays.itemsize(dtype))
    parallel_for(backward_task, &work, cols, UNIT, n * cols * COST)


def bad_code(codes, Py_ssize_t num):
    """The place in the plain array `codes` of the first that is no integer in 0 .. num - 1, or -1."""
    return dispatch.kernels_of(arrays.dtype_of(codes)).bad_code(arrays.data(codes), arrays.size(codes), num)


cdef object own_codes(codes, weight):
    """A copy of good codes (int64, or of the dtype of the table `weight`); None if they are for the slow path."""
    if (dispatch.reference or not arrays.is_matrix(weight)
            or cnp.PyArray_DIM(<cnp.ndarray> weight, 0) > MOST_CODES):
        return None
    cdef Py_ssize_t num = cnp.PyArray_DIM(<cnp.ndarray> weight, 0)
    cdef const int64_t *numbers
    if arrays.is_plain(codes) and arrays.same_dtype(codes, weight):
        own = cnp.PyArray_NewCopy(<cnp.ndarray> codes, cnp.NPY_CORDER)
        return own if bad_code(own, num) < 0 else None
    if not arrays.is_labels(codes):
        return None
    own = arrays.room(None, weight, cnp.PyArray_NDIM(<cnp.ndarray> codes), cnp.PyArray_DIMS(<cnp.ndarray> codes))
    numbers = <const int64_t *> arrays.data(codes)
    return own if fnn_copy_codes[arrays.dtype_of(own)](numbers, arrays.data(own), arrays.size(codes), num) else None


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
    cdef int dtype = arrays.dtype_of(weight)
    with nogil:
        run_embedding(dtype, pc, pw, py, n, cols)
    return out


def embedding_backward(g, codes, grad_weight, Py_ssize_t padding):
    """Fill grad_weight from plain arrays; all codes are good ones."""
    cdef Py_ssize_t n = arrays.size(codes)
    cdef Py_ssize_t num = cnp.PyArray_DIM(<cnp.ndarray> grad_weight, 0)
    cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> grad_weight, 1)
    cdef void *pg = arrays.data(g)
    cdef void *pc = arrays.data(codes)
    cdef void *gw = arrays.data(grad_weight)
    cdef int dtype = arrays.dtype_of(grad_weight)
    with nogil:
        run_embedding_backward(dtype, pg, pc, gw, n, num, cols, padding, False)
    return grad_weight

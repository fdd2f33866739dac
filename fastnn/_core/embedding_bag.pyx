"""Bags of rows of a table: their sum, mean or largest entries, the gradients, and rows of limited norm."""

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport fnn_bags
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef enum:
    UNIT = 16  # columns: a cache line of float

cdef double COST = 0.3  # nanoseconds an element: benchmarks/bench_embedding.py


cdef void describe_rows(int dtype, const void *codes, const void *weight, void *scales, void *counts, Py_ssize_t n,
                        Py_ssize_t num, Py_ssize_t cols, double max_norm, double norm_type) noexcept nogil:
    """The factors of the rows of a table that limit their norm, and how often each is among the codes (unless NULL)."""
    if scales != NULL:
        dispatch.kernels_of(dtype).row_scales(codes, weight, scales, n, num, cols, max_norm, norm_type)
    if counts != NULL:
        dispatch.kernels_of(dtype).count_codes(codes, counts, n, num)


ctypedef struct BagWork:
    int dtype
    const fnn_bags *of
    const void *g
    void *out
    Py_ssize_t bags


cdef void bag_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some bags."""
    cdef const BagWork *w = <const BagWork *> work
    dispatch.kernels_of(w.dtype).embedding_bag(w.of, w.out, start, stop - start)


cdef void backward_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some columns of all bags."""
    cdef const BagWork *w = <const BagWork *> work
    dispatch.kernels_of(w.dtype).embedding_bag_backward(w.of, w.g, w.out, start, stop - start, w.bags)


cdef void run_embedding_bag(int dtype, const fnn_bags *of, void *y, Py_ssize_t bags, Py_ssize_t n) noexcept nogil:
    """One row of y for each bag; n is the number of codes, all good ones."""
    cdef BagWork work = BagWork(dtype=dtype, of=of, g=NULL, out=y, bags=bags)
    if of.cols != 0:
        parallel_for(bag_task, &work, bags, 1, n * of.cols * COST)


cdef void run_embedding_bag_backward(int dtype, const fnn_bags *of, const void *g, void *grad_weight, Py_ssize_t bags,
                                     Py_ssize_t n, Py_ssize_t num, bint accumulate) noexcept nogil:
    """The gradient of the table, of `num` rows, added up in the order of the codes."""
    cdef BagWork work = BagWork(dtype=dtype, of=of, g=g, out=grad_weight, bags=bags)
    if not accumulate:
        memset(grad_weight, 0, num * of.cols * arrays.itemsize(dtype))
    parallel_for(backward_task, &work, of.cols, UNIT, n * of.cols * COST)


def limit_norms(codes, weight, double max_norm, double norm_type):
    """Scale the rows of a plain table that are among the codes, plain ones of its dtype, to at most this norm."""
    scales = cnp.PyArray_EMPTY(1, cnp.PyArray_DIMS(<cnp.ndarray> weight), cnp.PyArray_TYPE(<cnp.ndarray> weight), 0)
    cdef Py_ssize_t n = arrays.size(codes)
    cdef Py_ssize_t num = cnp.PyArray_DIM(<cnp.ndarray> weight, 0)
    cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    cdef int dtype = arrays.dtype_of(weight)
    cdef void *pc = arrays.data(codes)
    cdef void *pw = arrays.data(weight)
    cdef void *ps = arrays.data(scales)
    with nogil:
        describe_rows(dtype, pc, pw, ps, NULL, n, num, cols, max_norm, norm_type)
        dispatch.kernels_of(dtype).scale_rows(pw, ps, num, cols)


cdef class Bags:
    """Bags of rows of a table, which plain arrays of one dtype describe; all codes are good ones.

    The codes of a bag are those from offsets[bag] to offsets[bag + 1] (int64), or `size` of them without offsets.
    """
    cdef fnn_bags of
    cdef object keep
    cdef Py_ssize_t n, num, bags
    cdef int dtype

    def __init__(self, codes, weight, offsets, Py_ssize_t size, Py_ssize_t bags, str mode, sample, Py_ssize_t padding,
                 bint by_freq=False):
        self.n, self.num, self.bags = arrays.size(codes), cnp.PyArray_DIM(<cnp.ndarray> weight, 0), bags
        self.dtype = arrays.dtype_of(weight)
        self.of.codes, self.of.weight, self.of.sample = arrays.data(codes), arrays.data(weight), arrays.data(sample)
        self.of.offsets = <const int64_t *> arrays.data(offsets)
        self.of.scales = self.of.counts = NULL
        self.of.size, self.of.cols, self.of.padding = size, cnp.PyArray_DIM(<cnp.ndarray> weight, 1), padding
        self.of.mode = ("sum", "mean", "max").index(mode)
        counts = None
        if by_freq:
            counts = cnp.PyArray_EMPTY(1, cnp.PyArray_DIMS(<cnp.ndarray> weight),
                                       cnp.PyArray_TYPE(<cnp.ndarray> weight), 0)
            self.of.counts = arrays.data(counts)
            dispatch.kernels_of(self.dtype).count_codes(self.of.codes, <void *> self.of.counts, self.n, self.num)
        self.keep = (codes, weight, offsets, sample, counts)

    def run(self, out):
        """Fill `out`, shape (bags, cols)."""
        cdef void *py = arrays.data(out)
        with nogil:
            run_embedding_bag(self.dtype, &self.of, py, self.bags, self.n)
        return out

    def backward(self, g, grad_weight):
        """Fill the gradient of the table."""
        cdef void *pg = arrays.data(g)
        cdef void *gw = arrays.data(grad_weight)
        with nogil:
            run_embedding_bag_backward(self.dtype, &self.of, pg, gw, self.bags, self.n, self.num, False)
        return grad_weight

"""Products with sparse rows, and their gradients (src_c/kernels/sparse.h)."""

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.linear cimport NONE
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef enum:
    UNIT = 16  # columns: a cache line of float

cdef double COST = 0.06  # nanoseconds a product: benchmarks/bench_sparse.py

ctypedef struct SparseWork:
    int dtype
    const fnn_sparse *x
    const void *weight
    const void *bias
    const void *g
    void *pre
    void *y
    Py_ssize_t rows, n_out
    const Epilogue *activation


cdef double products(const fnn_sparse *x, Py_ssize_t rows) noexcept nogil:
    """The numbers in so many rows of a batch; with an order about: those of the first one, times the rows."""
    if rows == 0:
        return 0
    if x.order == NULL:
        return x.ends[x.start + rows] - x.ends[x.start]
    return <double> rows * (x.ends[x.order[0] + 1] - x.ends[x.order[0]] + 1)


cdef void rows_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const SparseWork *w = <const SparseWork *> work
    cdef Py_ssize_t n = (stop - start) * w.n_out
    cdef void *pre = arrays.at(w.pre, start * w.n_out, w.dtype)
    dispatch.kernels_of(w.dtype).sparse_linear(w.x, w.weight, w.bias, w.pre, start, stop - start, w.n_out)
    if w.activation.kernel >= 0:
        dispatch.map1(w.activation.kernel, w.dtype)(pre, arrays.at(w.y, start * w.n_out, w.dtype), n,
                                                    w.activation.params)


cdef void run_sparse_linear(int dtype, const fnn_sparse *x, const void *weight, const void *bias, void *pre, void *y,
                            Py_ssize_t rows, Py_ssize_t n_out, const Epilogue *activation) noexcept nogil:
    """pre = x weight + bias; y = activation(pre). pre may be y; without an activation only pre is written."""
    cdef SparseWork work = SparseWork(dtype=dtype, x=x, weight=weight, bias=bias, g=NULL, pre=pre, y=y, rows=rows,
                                      n_out=n_out, activation=activation)
    parallel_for(rows_task, &work, rows, 1, products(x, rows) * n_out * COST)


cdef void columns_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const SparseWork *w = <const SparseWork *> work
    dispatch.kernels_of(w.dtype).sparse_linear_backward(w.x, w.g, w.pre, start, stop - start, w.rows, w.n_out)


cdef void run_sparse_linear_backward(int dtype, const fnn_sparse *x, const void *g, void *grad_weight, void *grad_bias,
                                     bint accumulate, Py_ssize_t rows, Py_ssize_t n_in,
                                     Py_ssize_t n_out) noexcept nogil:
    """grad_weight = x^T g, and grad_bias = column sums of g unless it is NULL; `accumulate` adds to the old values."""
    cdef SparseWork work = SparseWork(dtype=dtype, x=x, weight=NULL, bias=NULL, g=g, pre=grad_weight, y=NULL,
                                      rows=rows, n_out=n_out, activation=NULL)
    if not accumulate:
        memset(grad_weight, 0, n_in * n_out * arrays.itemsize(dtype))
    parallel_for(columns_task, &work, n_out, UNIT, products(x, rows) * n_out * COST)
    if grad_bias != NULL:
        dispatch.kernels_of(dtype).column_sums(g, n_out, grad_bias if accumulate else NULL, grad_bias, rows, n_out)


cdef int read_sparse(fnn_sparse *x, sparse, bint double_) except -1:
    """Take pointers to `SparseRows` (fastnn/_validation/sparse.py), which must outlive their use."""
    cdef const int64_t[::1] columns = sparse.columns
    cdef const int64_t[::1] ends = sparse.ends
    if not arrays.is_plain(sparse.values) or arrays.is_double(sparse.values) != double_:
        raise TypeError("sparse values must be plain and of the program's dtype")
    if columns.shape[0] != sparse.values.shape[0] or ends.shape[0] != sparse.shape[0] + 1:
        raise ValueError("sparse rows must have a column for each value, and an end for each row")
    x.values = arrays.data(sparse.values)
    x.columns = <const int64_t *> arrays.data(sparse.columns)
    x.ends = <const int64_t *> arrays.data(sparse.ends)
    x.order, x.start = NULL, 0
    return 0


def described(sparse, Py_ssize_t start):
    """The rows from `start` on as what programs read as their input: an array with the bytes of a fnn_sparse."""
    cdef cnp.npy_intp[1] shape = [sizeof(fnn_sparse)]
    out = cnp.PyArray_ZEROS(1, shape, cnp.NPY_UINT8, 0)
    cdef fnn_sparse *x = <fnn_sparse *> cnp.PyArray_DATA(<cnp.ndarray> out)
    read_sparse(x, sparse, sparse.values.dtype == "float64")
    x.start = start
    return out


def sparse_linear(sparse, weight, bias, out):
    """Fill `out` with x weight + bias; the matrices are plain and of one dtype, and x has checked `SparseRows`."""
    cdef fnn_sparse x
    cdef Py_ssize_t rows = sparse.shape[0], n_out = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    cdef int dtype = arrays.dtype_of(weight)
    cdef void *pw = arrays.data(weight)
    cdef void *pb = arrays.data(bias)
    cdef void *py = arrays.data(out)
    read_sparse(&x, sparse, arrays.is_double(weight))
    with nogil:
        run_sparse_linear(dtype, &x, pw, pb, py, py, rows, n_out, &NONE)


def sparse_linear_backward(g, sparse, grad_weight, grad_bias):
    """Fill grad_weight with x^T g, and grad_bias, unless it is None, with the column sums of g."""
    cdef fnn_sparse x
    cdef Py_ssize_t rows = sparse.shape[0], n_in = sparse.shape[1]
    cdef Py_ssize_t n_out = cnp.PyArray_DIM(<cnp.ndarray> g, 1)
    cdef int dtype = arrays.dtype_of(g)
    cdef void *pg = arrays.data(g)
    cdef void *pw = arrays.data(grad_weight)
    cdef void *pb = arrays.data(grad_bias)
    read_sparse(&x, sparse, arrays.is_double(g))
    with nogil:
        run_sparse_linear_backward(dtype, &x, pg, pw, pb, False, rows, n_in, n_out)

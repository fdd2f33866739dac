"""Losses: their weighted sum, single values and gradient in one pass over fixed chunks.

The sums of the chunks are added in order whatever the number of threads, so a loss has the same bits everywhere.
"""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport parts_for, region_began, region_ended, workers_for

cnp.import_array()

cdef enum:
    CHUNK = 4096     # elements of an elementwise loss
    ROW_CHUNK = 128  # rows of a row loss

cdef double COST = 0.5       # nanoseconds an element: benchmarks/bench_losses.py
cdef double ROW_COST = 1.0


cdef inline double loss_chunk(int kernel, const real *x, const real *t, const real *weight, real *values, real *grad,
                              Py_ssize_t n, double scale, const double *params, Py_ssize_t chunk) noexcept nogil:
    cdef Py_ssize_t i = chunk * <Py_ssize_t> CHUNK
    return dispatch.loss(kernel, x + i, t + i, arrays.at(weight, i),
                         arrays.writable_at(values, i), arrays.writable_at(grad, i),
                         min(n - i, CHUNK), scale, params)


cdef double run_loss(int kernel, const real *x, const real *t, const real *weight, real *values, real *grad,
                     Py_ssize_t n, double scale, const double *params) noexcept nogil:
    """Sum of weight * loss(x, t) over n elements; also fills `values` and `grad` unless NULL."""
    cdef double total = 0
    cdef double began
    cdef double *sums
    cdef Py_ssize_t chunk, chunks = (n + CHUNK - 1) // CHUNK
    cdef int parts = parts_for(n * COST)
    if parts > 1:
        sums = <double *> malloc(chunks * sizeof(double))
        if sums != NULL:
            began = region_began()
            loss_parts(kernel, x, t, weight, values, grad, n, scale, params, sums, chunks, workers_for(parts))
            region_ended(began, n * COST)
            for chunk in range(chunks):
                total += sums[chunk]
            free(sums)
            return total
    for chunk in range(chunks):
        total += loss_chunk(kernel, x, t, weight, values, grad, n, scale, params, chunk)
    return total


cdef void loss_parts(int kernel, const real *x, const real *t, const real *weight, real *values, real *grad,
                     Py_ssize_t n, double scale, const double *params, double *sums, Py_ssize_t chunks,
                     int workers) noexcept nogil:
    cdef Py_ssize_t chunk
    for chunk in prange(chunks, schedule="static", num_threads=workers):
        sums[chunk] = loss_chunk(kernel, x, t, weight, values, grad, n, scale, params, chunk)


cdef inline double row_loss_chunk(int kernel, const real *x, const int64_t *labels, const real *q, const real *weight,
                                  real *values, real *grad, Py_ssize_t rows, Py_ssize_t cols, double scale,
                                  const double *params, Py_ssize_t chunk) noexcept nogil:
    cdef Py_ssize_t r = chunk * <Py_ssize_t> ROW_CHUNK
    cdef const int64_t *chunk_labels = NULL
    if labels != NULL:
        chunk_labels = labels + r
    return dispatch.row_loss(kernel, x + r * cols, chunk_labels,
                             arrays.at(q, r * cols), arrays.at(weight, r),
                             arrays.writable_at(values, r), arrays.writable_at(grad, r * cols),
                             min(rows - r, ROW_CHUNK), cols, scale, params)


cdef double run_row_loss(int kernel, const real *x, const int64_t *labels, const real *q, const real *weight,
                         real *values, real *grad, Py_ssize_t rows, Py_ssize_t cols, double scale,
                         const double *params) noexcept nogil:
    """Sum of weight * loss over rows; also fills `values` (one a row) and `grad` unless NULL."""
    cdef double total = 0
    cdef double began
    cdef double *sums
    cdef Py_ssize_t chunk, chunks = (rows + ROW_CHUNK - 1) // ROW_CHUNK
    cdef int parts = parts_for(rows * cols * ROW_COST)
    if parts > 1:
        sums = <double *> malloc(chunks * sizeof(double))
        if sums != NULL:
            began = region_began()
            row_loss_parts(kernel, x, labels, q, weight, values, grad, rows, cols, scale, params, sums, chunks,
                           workers_for(parts))
            region_ended(began, rows * cols * ROW_COST)
            for chunk in range(chunks):
                total += sums[chunk]
            free(sums)
            return total
    for chunk in range(chunks):
        total += row_loss_chunk(kernel, x, labels, q, weight, values, grad, rows, cols, scale, params, chunk)
    return total


cdef void row_loss_parts(int kernel, const real *x, const int64_t *labels, const real *q, const real *weight,
                         real *values, real *grad, Py_ssize_t rows, Py_ssize_t cols, double scale,
                         const double *params, double *sums, Py_ssize_t chunks, int workers) noexcept nogil:
    cdef Py_ssize_t chunk
    for chunk in prange(chunks, schedule="static", num_threads=workers):
        sums[chunk] = row_loss_chunk(kernel, x, labels, q, weight, values, grad, rows, cols, scale, params, chunk)


cdef double run_sum(const real *x, Py_ssize_t n) noexcept nogil:
    """Sum of n elements, chunk by chunk in double."""
    cdef double total = 0
    cdef Py_ssize_t i = 0
    while i < n:
        total += dispatch.array_sum(x + i, min(n - i, CHUNK))
        i += CHUNK
    return total


def weight_sum(weight):
    """Sum of a plain array of weights, in the order of the losses; NaN where it is 0."""
    cdef Py_ssize_t n = arrays.size(weight)
    if arrays.is_double(weight):
        return run_sum(<double *> arrays.data(weight), n) or float("nan")
    return run_sum(<float *> arrays.data(weight), n) or float("nan")


cdef Py_ssize_t bad_label(const int64_t *labels, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """The first row whose label is not in 0 .. cols - 1, or -1."""
    cdef Py_ssize_t r
    for r in range(rows):
        if not 0 <= labels[r] < cols:
            return r
    return -1


def first_bad_label(const int64_t[::1] labels, Py_ssize_t cols):
    """The first index whose label is not in 0 .. cols - 1, or -1."""
    return bad_label(&labels[0], labels.shape[0], cols) if labels.shape[0] else -1


cdef class Loss:
    """The elementwise loss kernel `name`."""
    cdef int kernel

    def __init__(self, str name):
        self.kernel = dispatch.kernel_index(name, "loss")

    def run(self, x, t, weight, values, grad, double scale=1.0, double parameter=0.0):
        """Weighted sum of the losses of plain arrays of one dtype and shape; fills `values` and `grad` unless None."""
        cdef double[3] params = [parameter, 0.0, 0.0]
        cdef Py_ssize_t n = arrays.size(x)
        cdef void *px = arrays.data(x)
        cdef void *pt = arrays.data(t)
        cdef void *pw = arrays.data(weight)
        cdef void *pv = arrays.data(values)
        cdef void *pg = arrays.data(grad)
        cdef double total
        if arrays.is_double(x):
            with nogil:
                total = run_loss(self.kernel, <double *> px, <double *> pt, <double *> pw, <double *> pv,
                                 <double *> pg, n, scale, params)
        else:
            with nogil:
                total = run_loss(self.kernel, <float *> px, <float *> pt, <float *> pw, <float *> pv, <float *> pg,
                                 n, scale, params)
        return total


cdef class RowLoss:
    """The row loss kernel `name`."""
    cdef int kernel

    def __init__(self, str name):
        self.kernel = dispatch.kernel_index(name, "row_loss")

    def run(self, x, labels, q, weight, values, grad, double scale=1.0, double parameter=0.0):
        """Weighted sum of the losses of the rows of x; labels (int64) or q is None; weight and values: one a row."""
        cdef double[3] params = [parameter, 0.0, 0.0]
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
        cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> x, 1)
        cdef void *px = arrays.data(x)
        cdef int64_t *pl = <int64_t *> arrays.data(labels)
        cdef void *pq = arrays.data(q)
        cdef void *pw = arrays.data(weight)
        cdef void *pv = arrays.data(values)
        cdef void *pg = arrays.data(grad)
        cdef double total
        if arrays.is_double(x):
            with nogil:
                total = run_row_loss(self.kernel, <double *> px, pl, <double *> pq, <double *> pw, <double *> pv,
                                     <double *> pg, rows, cols, scale, params)
        else:
            with nogil:
                total = run_row_loss(self.kernel, <float *> px, pl, <float *> pq, <float *> pw, <float *> pv,
                                     <float *> pg, rows, cols, scale, params)
        return total

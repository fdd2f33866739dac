"""Losses: their weighted sum, single values and gradient in one pass over fixed chunks.

The sums of the chunks are added in order whatever the number of threads, so a loss has the same bits everywhere.
"""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.math cimport HUGE_VAL, NAN, sqrt
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport parts_for, region_began, region_ended, workers_for

import numpy as np

cnp.import_array()

cdef object float32 = np.float32
cdef object float64 = np.float64

cdef enum:
    CHUNK = 4096     # elements of an elementwise loss
    ROW_CHUNK = 128  # rows of a row loss

cdef double COST = 0.2       # nanoseconds an element: benchmarks/bench_losses.py
cdef double ROW_COST = 0.3


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


cdef double weight_sum(weight):
    """Sum of a plain array of weights, in the order of the losses; NaN where it is 0."""
    cdef Py_ssize_t n = arrays.size(weight)
    if arrays.is_double(weight):
        return run_sum(<double *> arrays.data(weight), n) or NAN
    return run_sum(<float *> arrays.data(weight), n) or NAN


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


cdef bint all_weights(const real *weight, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if not 0 <= weight[i] < HUGE_VAL:
            return False
    return True


cdef bint are_weights(object weight) noexcept:
    """Whether all numbers of a plain array are 0 or more, and finite."""
    if arrays.is_double(weight):
        return all_weights(<double *> arrays.data(weight), arrays.size(weight))
    return all_weights(<float *> arrays.data(weight), arrays.size(weight))


cdef object scalar(double value, object x):
    """`value` as a NumPy scalar of x's dtype."""
    return (float64 if arrays.is_double(x) else float32)(value)


cdef class Loss:
    """The elementwise loss kernel `name`; where `root`, the loss is the root of its mean or sum.

    Arrays are plain and fit one another; only `quick` looks whether they do.
    """
    cdef int kernel
    cdef bint root

    def __init__(self, str name, bint root=False):
        self.kernel = dispatch.kernel_index(name, "loss")
        self.root = root

    cdef bint fits(self, x, t) noexcept:
        """Whether x and its target are plain and go together."""
        return arrays.is_plain(x) and arrays.is_plain_like(t, x)

    cdef int axes(self, x) noexcept:
        """The shape of the losses is that of so many axes of x."""
        return cnp.PyArray_NDIM(<cnp.ndarray> x)

    cdef bint one_each(self, x, y) noexcept:
        """Whether y is a plain array of x's dtype with a number for each loss."""
        return (arrays.is_plain(y) and arrays.same_dtype(y, x) and cnp.PyArray_NDIM(<cnp.ndarray> y) == self.axes(x)
                and cnp.PyArray_CompareLists(cnp.PyArray_DIMS(<cnp.ndarray> x), cnp.PyArray_DIMS(<cnp.ndarray> y),
                                             self.axes(x)))

    cdef object new_losses(self, x):
        return cnp.PyArray_EMPTY(self.axes(x), cnp.PyArray_DIMS(<cnp.ndarray> x), cnp.PyArray_TYPE(<cnp.ndarray> x), 0)

    cpdef double run(self, x, t, weight, values, grad, double scale=1.0, double parameter=0.0) except? -1:
        """Weighted sum of the losses; fills `values`, the single losses, and `grad` unless None."""
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

    cdef double divisor(self, x, weight, str reduction) except? -1:
        """What the sum of the losses is divided by; NaN for the mean of nothing."""
        cdef Py_ssize_t i, n = 1
        if reduction != "mean":
            return 1.0
        if weight is not None:
            return weight_sum(weight)
        for i in range(self.axes(x)):
            n *= cnp.PyArray_DIM(<cnp.ndarray> x, i)
        return <double> n if n else NAN

    cpdef tuple evaluate(self, x, t, weight, str reduction, double factor, bint value, bint gradient,
                         double parameter=0.0):
        """The loss and the gradient of `factor` times the loss, each None unless asked for.

        For "none": the single losses, without the root, and the gradient of their sum.
        """
        cdef double total, divisor = self.divisor(x, weight, reduction)
        cdef bint single = reduction == "none"
        cdef bint root = self.root and not single
        losses = self.new_losses(x) if single and value else None
        grad = arrays.empty_like(x) if gradient else None
        if root and gradient:  # the root is in its derivative, which is taken as 0 where the root is 0
            total = sqrt(self.run(x, t, weight, None, None, 1.0, parameter) / divisor)
            factor = factor / (2.0 * total) if total != 0 else 0.0
        total = self.run(x, t, weight, losses, grad, factor / divisor, parameter)
        if value and not single:
            losses = scalar(sqrt(total / divisor) if root else total / divisor, x)
        elif value and self.axes(x) == 0:
            losses = losses[()]
        return losses, grad

    def quick(self, x, t, weight, reduction, g, bint value, bint gradient, parameter=0.0):
        """What `evaluate` gives, or None if the arguments are for the slow path; g is read for the gradient alone."""
        cdef double factor = 1.0
        if (dispatch.reference or not self.fits(x, t) or type(reduction) is not str or type(parameter) is not float
                or weight is not None and not (self.one_each(x, weight) and are_weights(weight))):
            return None
        if reduction == "none":
            if self.root:
                return None
            if not value:
                if weight is not None or not self.one_each(x, g):
                    return None
                weight = g
        elif reduction != "mean" and reduction != "sum":
            return None
        elif not value:
            if type(g) is float:
                factor = g
            elif arrays.is_plain(g) and arrays.size(g) == 1:
                factor = (<double *> arrays.data(g))[0] if arrays.is_double(g) else (<float *> arrays.data(g))[0]
            else:
                return None
        return self.evaluate(x, t, weight, reduction, factor, value, gradient, parameter)


cdef class RowLoss(Loss):
    """The row loss kernel `name`: its targets are classes (int64) and, if so, `probabilities` of classes like x."""
    cdef bint probabilities

    def __init__(self, str name, bint probabilities=False):
        self.kernel = dispatch.kernel_index(name, "row_loss")
        self.probabilities = probabilities

    cdef bint fits(self, x, t) noexcept:
        if not arrays.is_matrix(x):
            return False
        if not arrays.is_labels(t):
            return self.probabilities and arrays.is_plain_like(t, x)
        return (cnp.PyArray_NDIM(<cnp.ndarray> t) == 1 and arrays.size(t) == cnp.PyArray_DIM(<cnp.ndarray> x, 0)
                and bad_label(<int64_t *> arrays.data(t), arrays.size(t), cnp.PyArray_DIM(<cnp.ndarray> x, 1)) < 0)

    cdef int axes(self, x) noexcept:
        return 1

    cpdef double run(self, x, t, weight, values, grad, double scale=1.0, double parameter=0.0) except? -1:
        cdef double[3] params = [parameter, 0.0, 0.0]
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
        cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> x, 1)
        cdef void *px = arrays.data(x)
        cdef bint classes = cnp.PyArray_TYPE(<cnp.ndarray> t) == cnp.NPY_INT64
        cdef int64_t *pl = <int64_t *> arrays.data(t) if classes else NULL
        cdef void *pq = NULL if classes else arrays.data(t)
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

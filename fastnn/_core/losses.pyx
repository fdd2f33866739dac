"""Losses: their weighted sum, single values and gradient in one pass over fixed chunks.

The sums of the chunks are added in order whatever the number of threads, so a loss has the same bits everywhere.
"""

cimport numpy as cnp
from libc.math cimport HUGE_VAL, NAN, copysign, sqrt
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport FNN_FLOAT64, fnn_loss
from fastnn._core.parameters cimport unit_scale
from fastnn._core.targets cimport bad_label
from fastnn._core.threads cimport parallel_for
from fastnn._core.weights cimport CHUNK, are_weights, count_elements, count_rows, spread

import numpy as np

from fastnn._core.targets import target_kind

cnp.import_array()

ctypedef double (*LargestError)(const void *x, const void *target, const void *weight, Py_ssize_t n) noexcept nogil
ctypedef double (*ScaledErrors)(const void *x, const void *target, const void *weight, Py_ssize_t n,
                                double scale) noexcept nogil

cdef extern from "elements.h" nogil:
    enum:
        FNN_ROW_CHUNK
    const LargestError[2] fnn_largest_error
    const ScaledErrors[2] fnn_scaled_errors

cdef object float32 = np.float32
cdef object float64 = np.float64

cdef enum:
    FEW = 64  # chunks whose sums need no memory of their own

cdef double COST = 0.2       # nanoseconds an element: benchmarks/bench_losses.py
cdef double ROW_COST = 0.3


cdef double run_loss(int kernel, int dtype, const fnn_loss *of, Py_ssize_t n) noexcept nogil:
    """Sum of weight * loss over n elements; also fills what `of` asks for."""
    return run_chunks(kernel, dtype, of, n, CHUNK, n * COST)


cdef double run_row_loss(int kernel, int dtype, const fnn_loss *of, Py_ssize_t rows) noexcept nogil:
    """Sum of weight * loss over rows; also fills what `of` asks for."""
    return run_chunks(kernel, dtype, of, rows, FNN_ROW_CHUNK, rows * of.cols * ROW_COST)


ctypedef struct LossWork:
    int kernel
    int dtype
    const fnn_loss *of
    Py_ssize_t n, size  # elements or rows: of the whole, of a chunk
    double *sums


cdef void chunks_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const LossWork *w = <const LossWork *> work
    cdef dispatch.Loss loss = dispatch.loss(w.kernel, w.dtype)
    cdef Py_ssize_t chunk
    for chunk in range(start, stop):
        w.sums[chunk] = loss(w.of, chunk * w.size, min(w.n - chunk * w.size, w.size))


cdef double run_chunks(int kernel, int dtype, const fnn_loss *of, Py_ssize_t n, Py_ssize_t size,
                       double cost) noexcept nogil:
    cdef double total = 0
    cdef double[FEW] few
    cdef Py_ssize_t chunk, chunks = (n + size - 1) // size
    cdef LossWork work = LossWork(kernel=kernel, dtype=dtype, of=of, n=n, size=size, sums=&few[0])
    if chunks > FEW:
        work.sums = <double *> malloc(chunks * sizeof(double))
    if work.sums != NULL:
        parallel_for(chunks_task, &work, chunks, 1, cost)
        for chunk in range(chunks):
            total += work.sums[chunk]
        if chunks > FEW:
            free(work.sums)
        return total
    for chunk in range(chunks):
        total += dispatch.loss(kernel, dtype)(of, chunk * size, min(n - chunk * size, size))
    return total


cdef double run_root(int kernel, int dtype, const fnn_loss *of, Py_ssize_t n, double divisor) noexcept nogil:
    """The root of the weighted sum of squares over `divisor`, of mse_loss; only the sum is asked of `of`."""
    cdef double scale, small = 2.0**-950 if dtype == FNN_FLOAT64 else 2.0**-100
    cdef double total = run_loss(kernel, dtype, of, n)
    if small * n < total < HUGE_VAL or total != total:
        return sqrt(total / divisor)
    # Squares are out of range: slowly, of differences times a power of two.
    scale = unit_scale(fnn_largest_error[dtype](of.x, of.target, of.weight, n))
    if scale == 0:
        return sqrt(total / divisor)
    total = fnn_scaled_errors[dtype](of.x, of.target, of.weight, n, scale)
    return sqrt(total / divisor) / scale


cdef object scalar(double value, object x):
    """`value` as a NumPy scalar of x's dtype."""
    return (float64 if arrays.is_double(x) else float32)(value)


cdef class Loss:
    """The elementwise loss kernel `name`; where `root`, the loss is the root of its mean or sum.

    Where `pair`, `extra` is a second input, and a gradient is a pair of those with respect to both; `signed` says that
    it may be negative. Arrays are plain and fit one another; only `quick` looks whether they do.
    """
    cdef int kernel
    cdef bint root
    cdef bint pair
    cdef bint signed
    cdef bint vectors  # whether the target is an input, too, with a gradient
    cdef readonly str name

    def __init__(self, str name, bint root=False, bint pair=False, bint signed=False):
        self.kernel = dispatch.kernel_index(name, "loss")
        self.root, self.pair, self.signed, self.name = root, pair, signed, name

    def targets(self, tuple params):
        """The kind of its targets, given the parameters of the kernel."""
        return target_kind(self.name, params)

    cdef bint fits(self, x, t, tuple params) noexcept:
        """Whether x and its target are plain and go together."""
        return arrays.has_axes(x) and arrays.is_plain_like(t, x)

    cdef int axes(self, x) noexcept:
        """The shape of the losses is that of so many axes of x."""
        return cnp.PyArray_NDIM(<cnp.ndarray> x)

    cdef bint one_each(self, x, y) noexcept:
        """Whether y is a plain array of x's dtype with a number for each loss."""
        return (arrays.is_plain(y) and arrays.same_dtype(y, x) and cnp.PyArray_NDIM(<cnp.ndarray> y) == self.axes(x)
                and cnp.PyArray_CompareLists(cnp.PyArray_DIMS(<cnp.ndarray> x), cnp.PyArray_DIMS(<cnp.ndarray> y),
                                             self.axes(x)))

    cdef object weights(self, x, weight):
        """A weight for each loss, from a plain array of them or of one a sample; None if it is no such array."""
        cdef Py_ssize_t rows, cols
        if not arrays.is_plain(weight) or not arrays.same_dtype(weight, x) or not are_weights(weight):
            return None
        if self.one_each(x, weight):
            return weight
        if (self.axes(x) == 0 or cnp.PyArray_NDIM(<cnp.ndarray> weight) != 1
                or cnp.PyArray_DIM(<cnp.ndarray> weight, 0) != cnp.PyArray_DIM(<cnp.ndarray> x, 0)):
            return None
        each, rows = self.new_losses(x), arrays.size(weight)
        cols = arrays.size(each) // max(1, rows)
        spread(arrays.dtype_of(x), arrays.data(weight), arrays.data(each), rows, cols)
        return each

    cdef bint takes_extra(self, extra, x) noexcept:
        """Whether `extra`, which the kernel reads besides, is plain and fits: a second input, none of it negative."""
        return self.pair and arrays.is_plain_like(extra, x) and (self.signed or are_weights(extra))

    cdef object new_losses(self, x):
        return cnp.PyArray_EMPTY(self.axes(x), cnp.PyArray_DIMS(<cnp.ndarray> x), cnp.PyArray_TYPE(<cnp.ndarray> x), 0)

    cdef double call(self, fnn_loss *of, x, t) except? -1:
        """Run the kernel over all of x."""
        cdef Py_ssize_t n = arrays.size(x)
        cdef int dtype = arrays.dtype_of(x)
        of.target = arrays.data(t)
        with nogil:
            return run_loss(self.kernel, dtype, of, n)

    cpdef double run(self, x, t, weight, values, grad, double scale=1.0, tuple params=(), extra=None,
                     grad_extra=None, grad_target=None) except? -1:
        """Weighted sum of the losses; fills `values`, the single losses, and the gradients unless None."""
        cdef fnn_loss of
        cdef int i
        of.x, of.weight, of.extra, of.labels = arrays.data(x), arrays.data(weight), arrays.data(extra), NULL
        of.loss, of.grad, of.grad_extra = arrays.data(values), arrays.data(grad), arrays.data(grad_extra)
        of.grad_target, of.scale = arrays.data(grad_target), scale
        for i in range(3):
            of.params[i] = params[i] if i < len(params) else 0.0
        return self.call(&of, x, t)

    cdef double root_of(self, x, t, weight, double divisor) except? -1:
        """The root of the weighted sum of the losses, which are squares, over `divisor`."""
        cdef fnn_loss of
        cdef Py_ssize_t n = arrays.size(x)
        cdef int dtype = arrays.dtype_of(x)
        memset(&of, 0, sizeof(of))
        of.x, of.target, of.weight = arrays.data(x), arrays.data(t), arrays.data(weight)
        with nogil:
            return run_root(self.kernel, dtype, &of, n, divisor)

    cdef double count(self, x, t, weight, tuple params, extra) except? -1:
        """What all losses count in their mean."""
        cdef Py_ssize_t i, n = 1
        for i in range(self.axes(x)):
            n *= cnp.PyArray_DIM(<cnp.ndarray> x, i)
        return count_elements(arrays.dtype_of(x), arrays.data(weight), n)

    cdef double divisor(self, x, t, weight, str reduction, tuple params, extra) except? -1:
        """What the sum of the losses is divided by; NaN for the mean of nothing."""
        cdef double count
        if reduction == "sum" or reduction == "none":
            return 1.0
        count = self.count(x, t, weight, params, extra)
        if reduction == "batchmean":
            count *= <double> cnp.PyArray_DIM(<cnp.ndarray> x, 0) / max(1, arrays.size(x))
        return count if count != 0 else NAN

    cpdef tuple evaluate(self, x, t, weight, str reduction, double factor, bint value, bint gradient,
                         tuple params=(), extra=None, factors=None):
        """The loss and the gradient of `factor` times the loss, each None unless asked for.

        `factors` multiply single losses as weights do, but do not count in the mean. For "none": the single
        losses, without the root, and the gradient of their sum. A factor of 0 gives a gradient of 0, also where the
        derivative is infinite: kernels have this rule for weights.
        """
        cdef double total = 0, of_mean = 0, divisor = self.divisor(x, t, weight, reduction, params, extra)
        cdef bint single = reduction == "none"
        if factors is not None:
            weight = factors if weight is None else np.asarray(weight * factors)
        cdef bint root = self.root and not single
        losses = self.new_losses(x) if single and value else None
        grad = arrays.empty_like(x) if gradient else None
        grad_extra = arrays.empty_like(x) if gradient and self.pair else None
        grad_target = arrays.empty_like(x) if gradient and self.vectors else None
        if root:  # it is in its derivative, which is taken as 0 where the root is 0
            of_mean = self.root_of(x, t, weight, divisor)
            factor = factor / (2.0 * of_mean) if of_mean != 0 else 0.0
        elif factor == 0:  # of gradients alone
            weight, factor = np.zeros_like(self.new_losses(x)), copysign(1.0, factor)
        if gradient or not root:
            total = self.run(x, t, weight, losses, grad, factor / divisor, params, extra, grad_extra, grad_target)
        if value and not single:
            losses = scalar(of_mean if root else total / divisor, x)
        elif value and self.axes(x) == 0:
            losses = losses[()]
        if gradient and (self.pair or self.vectors):
            return losses, tuple([g for g in (grad, grad_target, grad_extra) if g is not None])
        return losses, grad

    def quick(self, x, t, weight, reduction, g, bint value, bint gradient, tuple params=(), extra=None):
        """What `evaluate` gives, or None if the arguments are for the slow path; g is read for the gradient alone."""
        cdef double factor = 1.0
        if (dispatch.reference or not all_floats(params) or not self.fits(x, t, params)
                or type(reduction) is not str or extra is not None and not self.takes_extra(extra, x)):
            return None
        if weight is not None:
            weight = self.weights(x, weight)
            if weight is None:
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
                factor = arrays.get(arrays.data(g), 0, arrays.dtype_of(g))
            else:
                return None
        return self.evaluate(x, t, weight, reduction, factor, value, gradient, params, extra)


cdef bint all_floats(tuple params) noexcept:
    for value in params:
        if type(value) is not float:
            return False
    return True


cdef class RowLoss(Loss):
    """The row loss kernel `name`: its targets are `classes` (int64), or like x if `like` (probabilities, vectors).

    params[0] is the class that is ignored; `extra` are weights of the classes, which count in the mean if `shared`.
    """
    cdef bint classes
    cdef bint like
    cdef bint shared

    def __init__(self, str name, bint classes=True, bint like=False, bint shared=True):
        self.kernel, self.name = dispatch.kernel_index(name, "row_loss"), name
        self.classes, self.like, self.shared = classes, like, shared

    cdef bint fits(self, x, t, tuple params) noexcept:
        if not arrays.is_matrix(x):
            return False
        if not self.classes or not arrays.is_labels(t):
            # No class is ignored of probabilities.
            return self.like and arrays.is_plain_like(t, x) and (not self.classes or <double> params[0] < 0)
        return (cnp.PyArray_NDIM(<cnp.ndarray> t) == 1 and arrays.size(t) == cnp.PyArray_DIM(<cnp.ndarray> x, 0)
                and bad_label(<int64_t *> arrays.data(t), arrays.size(t), cnp.PyArray_DIM(<cnp.ndarray> x, 1),
                              <int64_t> <double> params[0]) < 0)

    cdef int axes(self, x) noexcept:
        return 1

    cdef bint takes_extra(self, extra, x) noexcept:
        """Weights of classes."""
        return (arrays.is_plain(extra) and arrays.same_dtype(extra, x) and cnp.PyArray_NDIM(<cnp.ndarray> extra) == 1
                and arrays.size(extra) == cnp.PyArray_DIM(<cnp.ndarray> x, 1) and are_weights(extra))

    cdef double call(self, fnn_loss *of, x, t) except? -1:
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
        cdef int dtype = arrays.dtype_of(x)
        of.cols = cnp.PyArray_DIM(<cnp.ndarray> x, 1)
        of.target = NULL
        if cnp.PyArray_TYPE(<cnp.ndarray> t) == cnp.NPY_INT64:
            of.labels = <int64_t *> arrays.data(t)
        else:
            of.target = arrays.data(t)
        with nogil:
            return run_row_loss(self.kernel, dtype, of, rows)

    cdef double count(self, x, t, weight, tuple params, extra) except? -1:
        cdef void *by_class = arrays.data(extra) if self.shared else NULL
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
        cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> x, 1)
        if cnp.PyArray_TYPE(<cnp.ndarray> t) != cnp.NPY_INT64:
            return count_elements(arrays.dtype_of(x), arrays.data(weight), rows)
        return count_rows(arrays.dtype_of(x), <int64_t *> arrays.data(t), arrays.data(weight), by_class,
                          <int64_t> <double> params[0], rows, cols)


cdef class VectorsLoss(Loss):
    """The loss kernel `name` of several vectors a row: x, target and, of three, `extra`; of two, `extra` has signs.

    A gradient is a tuple with those of all vectors. Arrays are plain and fit one another.
    """

    def __init__(self, str name, bint three):
        self.kernel, self.name = dispatch.kernel_index(name, "row_loss"), name
        self.pair, self.vectors = three, True

    cdef int axes(self, x) noexcept:
        return 1

    cdef bint fits(self, x, t, tuple params) noexcept:
        """Everything takes the slow path, which checks it."""
        return False

    cdef double call(self, fnn_loss *of, x, t) except? -1:
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
        cdef int dtype = arrays.dtype_of(x)
        of.cols, of.target = cnp.PyArray_DIM(<cnp.ndarray> x, 1), arrays.data(t)
        with nogil:
            return run_row_loss(self.kernel, dtype, of, rows)

"""Normalization of rows (layer, root mean square) and columns (batch): parts for the threads, blocks for the cache.

Each row or column is summed by one thread, so parts change no bit.
"""

cimport numpy as cnp
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport FNN_COLUMN_STATISTICS, FNN_GRAD_MEAN, FNN_ROW_STATISTICS
from fastnn._core.linear cimport NONE, Epilogue
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef enum:
    UNIT = 64     # columns of a part: a multiple of a cache line
    BLOCK = 4096  # elements of a block, which stays in the L1 cache between two passes

cdef double COST = 0.2  # nanoseconds an element, each way: benchmarks/bench_normalization.py

ROW_STATISTICS, COLUMN_STATISTICS = FNN_ROW_STATISTICS, FNN_COLUMN_STATISTICS


cdef Norm find_norm(str name) except *:
    """The kernels of "layer_norm", "rms_norm" or "batch_norm"."""
    cdef Norm norm
    cdef bint of_columns = name == "batch_norm"
    norm.forward = dispatch.kernel_index(name, "norm")
    norm.backward = dispatch.kernel_index(f"{name}_backward", "norm_backward")
    norm.gradients = dispatch.kernel_index("batch_norm_gradients" if of_columns else "norm_gradients", "gradients")
    norm.step = 0 if of_columns else FNN_ROW_STATISTICS
    norm.groups = norm.length = 1
    return norm


ctypedef struct NormWork:
    const Norm *norm
    int dtype
    const void *x
    const void *weight
    const void *bias
    void *pre
    void *y
    void *statistics
    Py_ssize_t rows, cols
    double eps
    const Epilogue *activation


cdef void norm_groups(const NormWork *w, Py_ssize_t start, Py_ssize_t rows) noexcept nogil:
    """Some rows, each group of columns as a row of its own."""
    cdef Py_ssize_t r, k, i, width = w.cols // w.norm.groups
    for r in range(start, start + rows):
        for k in range(w.norm.groups):
            i = r * w.cols + k * width
            dispatch.norm(w.norm.forward, w.dtype)(
                arrays.at(w.x, i, w.dtype), arrays.at_unless_null(w.weight, k * width, w.dtype),
                arrays.at_unless_null(w.bias, k * width, w.dtype), arrays.at_unless_null(w.pre, i, w.dtype),
                arrays.at_unless_null(w.statistics, (k * w.rows + r) * w.norm.step, w.dtype), 1, width, w.eps)


cdef void norm_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some rows, in blocks; the activation follows while a block is in the cache."""
    cdef const NormWork *w = <const NormWork *> work
    cdef int dtype = w.dtype
    cdef void *pre
    cdef Py_ssize_t height = max(1, BLOCK // w.cols)
    cdef Py_ssize_t rows, i
    while start < stop:
        rows, i = min(height, stop - start), start * w.cols
        pre = arrays.at_unless_null(w.pre, i, dtype)
        if w.norm.groups > 1:
            norm_groups(w, start, rows)
        else:
            dispatch.norm(w.norm.forward, dtype)(
                arrays.at(w.x, i, dtype), w.weight, w.bias, pre,
                arrays.at_unless_null(w.statistics, start * w.norm.step, dtype), rows, w.cols, w.eps)
        if w.activation.kernel >= 0:
            dispatch.map1(w.activation.kernel, dtype)(pre, arrays.at(w.y, i, dtype), rows * w.cols,
                                                      w.activation.params)
        start += rows


cdef void run_norm(const Norm *norm, int dtype, const void *x, const void *weight, const void *bias, void *pre, void *y,
                   void *statistics, Py_ssize_t rows, Py_ssize_t cols, double eps,
                   const Epilogue *activation) noexcept nogil:
    """pre = xhat weight + bias; y = activation(pre). pre may be y; without an activation only pre is written.

    Statistics of rows are written too (unless NULL); those of columns were computed before. pre may be NULL as well.
    """
    cdef NormWork work = NormWork(norm=norm, dtype=dtype, x=x, weight=weight, bias=bias, pre=pre, y=y,
                                  statistics=statistics, rows=rows, cols=cols, eps=eps, activation=activation)
    if cols != 0:
        parallel_for(norm_task, &work, rows, 1, rows * cols * COST)


ctypedef struct NormGradWork:
    const Norm *norm
    int dtype
    const void *g
    const void *x
    const void *weight
    const void *statistics
    void *grad_x
    const void *saved
    Py_ssize_t rows, cols
    const Epilogue *gate


cdef void norm_groups_backward(const NormGradWork *w, Py_ssize_t start, Py_ssize_t rows) noexcept nogil:
    """Some rows, each group of columns as a row of its own."""
    cdef Py_ssize_t r, k, i, width = w.cols // w.norm.groups
    for r in range(start, start + rows):
        for k in range(w.norm.groups):
            i = r * w.cols + k * width
            dispatch.norm_backward(w.norm.backward, w.dtype)(
                arrays.at(w.g, i, w.dtype), arrays.at(w.x, i, w.dtype),
                arrays.at_unless_null(w.weight, k * width, w.dtype),
                arrays.at(w.statistics, (k * w.rows + r) * w.norm.step, w.dtype), arrays.at(w.grad_x, i, w.dtype), 1,
                width)


cdef void norm_backward_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some rows, in blocks."""
    cdef const NormGradWork *w = <const NormGradWork *> work
    cdef int dtype = w.dtype
    cdef void *grad_x
    cdef Py_ssize_t height = max(1, BLOCK // w.cols)
    cdef Py_ssize_t rows, i
    while start < stop:
        rows, i = min(height, stop - start), start * w.cols
        grad_x = arrays.at(w.grad_x, i, dtype)
        if w.norm.groups > 1:
            norm_groups_backward(w, start, rows)
        else:
            dispatch.norm_backward(w.norm.backward, dtype)(
                arrays.at(w.g, i, dtype), arrays.at(w.x, i, dtype), w.weight,
                arrays.at(w.statistics, start * w.norm.step, dtype), grad_x, rows, w.cols)
        if w.gate.kernel >= 0:
            dispatch.map2(w.gate.kernel, dtype)(grad_x, arrays.at(w.saved, i, dtype), grad_x, rows * w.cols,
                                                w.gate.params)
        start += rows


cdef void run_norm_backward(const Norm *norm, int dtype, const void *g, const void *x, const void *weight,
                            const void *statistics, void *grad_x, const void *saved, Py_ssize_t rows, Py_ssize_t cols,
                            const Epilogue *gate) noexcept nogil:
    """grad_x, which may be g, times the derivative of the activation before this layer, computed from `saved`.

    For columns, `run_norm_gradients` must run first: it stores the means needed here in the statistics.
    """
    cdef NormGradWork work = NormGradWork(norm=norm, dtype=dtype, g=g, x=x, weight=weight, statistics=statistics,
                                          grad_x=grad_x, saved=saved, rows=rows, cols=cols, gate=gate)
    if cols != 0:
        parallel_for(norm_backward_task, &work, rows, 1, rows * cols * COST)


ctypedef struct ParameterGradWork:
    const Norm *norm
    int dtype
    const void *g
    const void *x
    void *statistics
    void *grad_weight
    void *grad_bias
    Py_ssize_t rows, cols
    bint accumulate


cdef void gradients_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some columns, those of one group after the other."""
    cdef const ParameterGradWork *w = <const ParameterGradWork *> work
    cdef int dtype = w.dtype
    cdef Py_ssize_t group, end, width = w.cols // w.norm.groups
    while start < stop:
        group = start // width
        end = min(stop, (group + 1) * width)
        dispatch.gradients(w.norm.gradients, dtype)(
            arrays.at(w.g, start, dtype), arrays.at(w.x, start, dtype),
            arrays.at(w.statistics, group * w.rows * w.norm.step if w.norm.step else start, dtype),
            arrays.at_unless_null(w.grad_weight, start, dtype), arrays.at_unless_null(w.grad_bias, start, dtype),
            w.cols, w.rows, end - start, w.accumulate)
        start = end


cdef void run_norm_gradients(const Norm *norm, int dtype, const void *g, const void *x, void *statistics,
                             void *grad_weight, void *grad_bias, Py_ssize_t rows, Py_ssize_t cols,
                             bint accumulate) noexcept nogil:
    """grad_weight = column sums of g xhat, grad_bias of g (unless NULL); with `accumulate` added to the old values."""
    cdef ParameterGradWork work = ParameterGradWork(norm=norm, dtype=dtype, g=g, x=x, statistics=statistics,
                                                     grad_weight=grad_weight, grad_bias=grad_bias, rows=rows, cols=cols,
                                                     accumulate=accumulate)
    parallel_for(gradients_task, &work, cols, UNIT, rows * cols * COST)


ctypedef struct StatisticsWork:
    int dtype
    const void *x
    void *statistics
    Py_ssize_t rows, cols
    double eps


cdef void statistics_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some columns."""
    cdef const StatisticsWork *w = <const StatisticsWork *> work
    dispatch.kernels_of(w.dtype).batch_statistics(
        arrays.at(w.x, start, w.dtype), arrays.at(w.statistics, start, w.dtype), w.cols, w.rows, stop - start, w.eps)


cdef void run_statistics(int dtype, const void *x, const void *running_mean, const void *running_var, void *statistics,
                         Py_ssize_t rows, Py_ssize_t cols, double eps) noexcept nogil:
    """The statistics of columns: from the running mean and variance, or of the batch if these are NULL."""
    cdef StatisticsWork work = StatisticsWork(dtype=dtype, x=x, statistics=statistics, rows=rows, cols=cols, eps=eps)
    if running_mean != NULL:
        dispatch.kernels_of(dtype).running_statistics(running_mean, running_var, statistics, cols, eps)
    else:
        parallel_for(statistics_task, &work, cols, UNIT, rows * cols * COST)


cdef void forget_batch(int dtype, void *statistics, Py_ssize_t cols) noexcept nogil:
    """Set the means of the gradients to 0, for running statistics, which do not depend on x."""
    memset(arrays.at(statistics, FNN_GRAD_MEAN * cols, dtype), 0,
           (FNN_COLUMN_STATISTICS - FNN_GRAD_MEAN) * cols * arrays.itemsize(dtype))


# -- single operations -------------------------------------------------------------------------------------------------

cdef Norm BATCH = find_norm("batch_norm")


cdef Py_ssize_t columns(x) noexcept:
    """The length of the last axis of a plain array."""
    return cnp.PyArray_DIM(<cnp.ndarray> x, cnp.PyArray_NDIM(<cnp.ndarray> x) - 1)


cdef Py_ssize_t rows_of(x) noexcept:
    """The number of rows of a plain array: the product of its other axes."""
    return arrays.size(x) // max(1, columns(x))


cdef bint is_vector(v, x) noexcept:
    """Whether v is None, or a plain array of x's dtype with a number for each column of x."""
    return v is None or (arrays.is_plain(v) and arrays.same_dtype(v, x) and cnp.PyArray_NDIM(<cnp.ndarray> v) == 1
                         and cnp.PyArray_DIM(<cnp.ndarray> v, 0) == columns(x))


cdef bint fits(x, weight, bias, eps) noexcept:
    """Whether the arguments do not need the slow path."""
    return (not dispatch.reference and arrays.is_plain(x) and cnp.PyArray_NDIM(<cnp.ndarray> x) >= 1
            and is_vector(weight, x) and is_vector(bias, x) and type(eps) is float and <double> eps >= 0)


cdef bint writes_apart(out, x, a, b) noexcept:
    """Whether an elementwise result of x can be written to `out`, which shares no memory with the vectors."""
    return out is None or (arrays.takes_output(out, x) and arrays.apart(out, a) and arrays.apart(out, b))


cdef object new_rows(x, Py_ssize_t rows, Py_ssize_t cols):
    cdef cnp.npy_intp[2] shape = [rows, cols]
    return cnp.PyArray_EMPTY(2, shape, cnp.PyArray_TYPE(<cnp.ndarray> x), 0)


cdef object new_vector(x):
    cdef cnp.npy_intp cols = columns(x)
    return cnp.PyArray_EMPTY(1, &cols, cnp.PyArray_TYPE(<cnp.ndarray> x), 0)


cdef void norm_backward_all(const Norm *norm, int dtype, void *g, void *x, void *weight, void *statistics, void *grad_x,
                            void *grad_weight, void *grad_bias, Py_ssize_t rows, Py_ssize_t cols,
                            bint given) noexcept nogil:
    """All gradients from the statistics; with `given` these are running statistics, which do not depend on x."""
    run_norm_gradients(norm, dtype, g, x, statistics, grad_weight, grad_bias, rows, cols, False)
    if given:
        forget_batch(dtype, statistics, cols)
    run_norm_backward(norm, dtype, g, x, weight, statistics, grad_x, NULL, rows, cols, &NONE)


cdef class RowNorm:
    """The normalization `name` of rows, along the last axis."""
    cdef Norm norm

    def __init__(self, str name):
        self.norm = find_norm(name)

    def quick(self, x, weight, bias, eps, out=None):
        """The result, or None if the arguments need the slow path."""
        if not fits(x, weight, bias, eps) or not writes_apart(out, x, weight, bias):
            return None
        if out is None:
            out = arrays.empty_like(x)
        self.run(x, weight, bias, out, eps)
        return out

    cpdef run(self, x, weight, bias, out, double eps):
        """Fill `out` from plain arrays of one dtype; weight and bias may be None."""
        cdef Py_ssize_t cols = columns(x)
        cdef Py_ssize_t rows = rows_of(x)
        cdef void *px = arrays.data(x)
        cdef void *pw = arrays.data(weight)
        cdef void *pb = arrays.data(bias)
        cdef void *py = arrays.data(out)
        cdef int dtype = arrays.dtype_of(x)
        with nogil:
            run_norm(&self.norm, dtype, px, pw, pb, py, py, NULL, rows, cols, eps, &NONE)

    def quick_backward(self, g, x, weight, eps):
        """The gradients of x, weight and bias in new arrays, or None if the arguments need the slow path."""
        if not fits(x, weight, None, eps) or not arrays.is_plain_like(g, x):
            return None
        gradients = arrays.empty_like(x), new_vector(x), new_vector(x)
        self.backward(g, x, weight, *gradients, eps)
        return gradients

    def backward(self, g, x, weight, grad_x, grad_weight, grad_bias, double eps):
        """Fill the gradients, all arrays being plain and of one dtype."""
        cdef Py_ssize_t cols = columns(x)
        cdef Py_ssize_t rows = rows_of(x)
        statistics = new_rows(x, rows, FNN_ROW_STATISTICS)
        cdef void *pg = arrays.data(g)
        cdef void *px = arrays.data(x)
        cdef void *pw = arrays.data(weight)
        cdef void *ps = arrays.data(statistics)
        cdef void *gx = arrays.data(grad_x)
        cdef void *gw = arrays.data(grad_weight)
        cdef void *gb = arrays.data(grad_bias)
        cdef int dtype = arrays.dtype_of(x)
        with nogil:
            run_norm(&self.norm, dtype, px, NULL, NULL, NULL, NULL, ps, rows, cols, eps, &NONE)
            norm_backward_all(&self.norm, dtype, pg, px, pw, ps, gx, gw, gb, rows, cols, False)


def quick_batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps, out=None):
    """`batch_norm`, or None if the arguments need the slow path."""
    if (not fits(x, weight, bias, eps) or type(training) is not bool or training or type(momentum) is not float
            or not 0.0 <= <double> momentum <= 1.0 or running_mean is None or running_var is None
            or not is_vector(running_mean, x) or not is_vector(running_var, x)
            or not writes_apart(out, x, weight, bias) or not writes_apart(out, x, running_mean, running_var)):
        return None
    if out is None:
        out = arrays.empty_like(x)
    batch_norm(x, running_mean, running_var, weight, bias, out, False, momentum, eps)
    return out


cpdef batch_norm(x, running_mean, running_var, weight, bias, out, bint training, double momentum, double eps):
    """Fill `out` from plain arrays of one dtype; with training, the running statistics are updated unless None."""
    cdef Py_ssize_t cols = columns(x)
    cdef Py_ssize_t rows = rows_of(x)
    statistics = new_rows(x, FNN_COLUMN_STATISTICS, cols)
    cdef void *px = arrays.data(x)
    cdef void *pw = arrays.data(weight)
    cdef void *pb = arrays.data(bias)
    cdef void *py = arrays.data(out)
    cdef void *ps = arrays.data(statistics)
    cdef void *pm = arrays.data(running_mean)
    cdef void *pv = arrays.data(running_var)
    cdef int dtype = arrays.dtype_of(x)
    if rows == 0:
        return
    with nogil:
        run_statistics(dtype, px, NULL if training else pm, pv, ps, rows, cols, eps)
        run_norm(&BATCH, dtype, px, pw, pb, py, py, ps, rows, cols, eps, &NONE)
        if training and pm != NULL:
            dispatch.kernels_of(dtype).update_running(ps, pm, pv, rows, cols, momentum)


def batch_norm_backward(g, x, running_mean, running_var, weight, grad_x, grad_weight, grad_bias, double eps):
    """Fill the gradients, all arrays being plain and of one dtype; without running statistics, those of x are used."""
    cdef Py_ssize_t cols = columns(x)
    cdef Py_ssize_t rows = rows_of(x)
    statistics = new_rows(x, FNN_COLUMN_STATISTICS, cols)
    cdef void *pg = arrays.data(g)
    cdef void *px = arrays.data(x)
    cdef void *pw = arrays.data(weight)
    cdef void *ps = arrays.data(statistics)
    cdef void *pm = arrays.data(running_mean)
    cdef void *pv = arrays.data(running_var)
    cdef void *gx = arrays.data(grad_x)
    cdef void *gw = arrays.data(grad_weight)
    cdef void *gb = arrays.data(grad_bias)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_statistics(dtype, px, pm, pv, ps, rows, cols, eps)
        norm_backward_all(&BATCH, dtype, pg, px, pw, ps, gx, gw, gb, rows, cols, pm != NULL)

"""Normalization of rows (layer, root mean square) and columns (batch): parts for the threads, blocks for the cache.

Each row or column is summed by one thread, so parts change no bit.
"""

cimport numpy as cnp
from libc.string cimport memset

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport FNN_COLUMN_STATISTICS, FNN_GRAD_MEAN, FNN_ROW_STATISTICS, real
from fastnn._core.linear cimport Epilogue
from fastnn._core.threads cimport Task, parallel_for

cnp.import_array()

cdef enum:
    UNIT = 64     # columns of a part: a multiple of a cache line
    BLOCK = 4096  # elements of a block, which stays in the L1 cache between two passes

cdef double COST = 0.2  # nanoseconds an element, each way: benchmarks/bench_normalization.py

ROW_STATISTICS, COLUMN_STATISTICS = FNN_ROW_STATISTICS, FNN_COLUMN_STATISTICS

cdef Epilogue NONE
NONE.kernel = -1


cdef Norm find_norm(str name) except *:
    """The kernels of "layer_norm", "rms_norm" or "batch_norm"."""
    cdef Norm norm
    cdef bint of_columns = name == "batch_norm"
    norm.forward = dispatch.kernel_index(name, "norm")
    norm.backward = dispatch.kernel_index(f"{name}_backward", "norm_backward")
    norm.gradients = dispatch.kernel_index("batch_norm_gradients" if of_columns else "norm_gradients", "gradients")
    norm.step = 0 if of_columns else FNN_ROW_STATISTICS
    return norm


ctypedef struct NormWork:
    const Norm *norm
    const void *x
    const void *weight
    const void *bias
    void *pre
    void *y
    void *statistics
    Py_ssize_t cols
    double eps
    const Epilogue *activation


cdef void norm_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Some rows, in blocks; the activation follows while a block is in the cache."""
    cdef const NormWork *w = <const NormWork *> work
    cdef real *pre = <real *> w.pre
    cdef Py_ssize_t height = max(1, BLOCK // w.cols)
    cdef Py_ssize_t rows, i
    while start < stop:
        rows, i = min(height, stop - start), start * w.cols
        dispatch.norm(w.norm.forward, <const real *> w.x + i, <const real *> w.weight, <const real *> w.bias,
                      arrays.writable_at(pre, i), arrays.writable_at(<real *> w.statistics, start * w.norm.step), rows,
                      w.cols, w.eps)
        if w.activation.kernel >= 0:
            dispatch.map1(w.activation.kernel, pre + i, <real *> w.y + i, rows * w.cols, w.activation.params)
        start += rows


cdef void run_norm(const Norm *norm, const real *x, const real *weight, const real *bias, real *pre, real *y,
                   real *statistics, Py_ssize_t rows, Py_ssize_t cols, double eps,
                   const Epilogue *activation) noexcept nogil:
    """pre = xhat weight + bias; y = activation(pre). pre may be y; without an activation only pre is written.

    Statistics of rows are written too (unless NULL); those of columns were computed before. pre may be NULL as well.
    """
    cdef NormWork work = NormWork(norm=norm, x=x, weight=weight, bias=bias, pre=pre, y=y, statistics=statistics,
                                  cols=cols, eps=eps, activation=activation)
    if cols != 0:
        parallel_for(<Task> norm_task[real], &work, rows, 1, rows * cols * COST)


ctypedef struct NormGradWork:
    const Norm *norm
    const void *g
    const void *x
    const void *weight
    const void *statistics
    void *grad_x
    const void *saved
    Py_ssize_t cols
    const Epilogue *gate


cdef void norm_backward_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Some rows, in blocks."""
    cdef const NormGradWork *w = <const NormGradWork *> work
    cdef real *grad_x = <real *> w.grad_x
    cdef Py_ssize_t height = max(1, BLOCK // w.cols)
    cdef Py_ssize_t rows, i
    while start < stop:
        rows, i = min(height, stop - start), start * w.cols
        dispatch.norm_backward(w.norm.backward, <const real *> w.g + i, <const real *> w.x + i,
                               <const real *> w.weight, <const real *> w.statistics + start * w.norm.step, grad_x + i,
                               rows, w.cols)
        if w.gate.kernel >= 0:
            dispatch.map2(w.gate.kernel, grad_x + i, <const real *> w.saved + i, grad_x + i, rows * w.cols,
                          w.gate.params)
        start += rows


cdef void run_norm_backward(const Norm *norm, const real *g, const real *x, const real *weight, const real *statistics,
                            real *grad_x, const real *saved, Py_ssize_t rows, Py_ssize_t cols,
                            const Epilogue *gate) noexcept nogil:
    """grad_x, which may be g, times the derivative of the activation before this layer, computed from `saved`.

    For columns, `run_norm_gradients` must run first: it stores the means needed here in the statistics.
    """
    cdef NormGradWork work = NormGradWork(norm=norm, g=g, x=x, weight=weight, statistics=statistics, grad_x=grad_x,
                                          saved=saved, cols=cols, gate=gate)
    if cols != 0:
        parallel_for(<Task> norm_backward_task[real], &work, rows, 1, rows * cols * COST)


ctypedef struct ParameterGradWork:
    const Norm *norm
    const void *g
    const void *x
    void *statistics
    void *grad_weight
    void *grad_bias
    Py_ssize_t rows, cols
    bint accumulate


cdef void gradients_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Some columns."""
    cdef const ParameterGradWork *w = <const ParameterGradWork *> work
    cdef real *statistics = <real *> w.statistics
    dispatch.gradients(w.norm.gradients, <const real *> w.g + start, <const real *> w.x + start,
                       statistics if w.norm.step else statistics + start,
                       arrays.writable_at(<real *> w.grad_weight, start),
                       arrays.writable_at(<real *> w.grad_bias, start), w.cols, w.rows, stop - start, w.accumulate)


cdef void run_norm_gradients(const Norm *norm, const real *g, const real *x, real *statistics, real *grad_weight,
                             real *grad_bias, Py_ssize_t rows, Py_ssize_t cols, bint accumulate) noexcept nogil:
    """grad_weight = column sums of g xhat, grad_bias of g (unless NULL); with `accumulate` added to the old values."""
    cdef ParameterGradWork work = ParameterGradWork(norm=norm, g=g, x=x, statistics=statistics, grad_weight=grad_weight,
                                                     grad_bias=grad_bias, rows=rows, cols=cols, accumulate=accumulate)
    parallel_for(<Task> gradients_task[real], &work, cols, UNIT, rows * cols * COST)


ctypedef struct StatisticsWork:
    const void *x
    void *statistics
    Py_ssize_t rows, cols
    double eps


cdef void statistics_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Some columns."""
    cdef const StatisticsWork *w = <const StatisticsWork *> work
    dispatch.batch_statistics(<const real *> w.x + start, <real *> w.statistics + start, w.cols, w.rows, stop - start,
                              w.eps)


cdef void run_statistics(const real *x, const real *running_mean, const real *running_var, real *statistics,
                         Py_ssize_t rows, Py_ssize_t cols, double eps) noexcept nogil:
    """The statistics of columns: from the running mean and variance, or of the batch if these are NULL."""
    cdef StatisticsWork work = StatisticsWork(x=x, statistics=statistics, rows=rows, cols=cols, eps=eps)
    if running_mean != NULL:
        dispatch.running_statistics(running_mean, running_var, statistics, cols, eps)
    else:
        parallel_for(<Task> statistics_task[real], &work, cols, UNIT, rows * cols * COST)


cdef void forget_batch(real *statistics, Py_ssize_t cols) noexcept nogil:
    """Set the means of the gradients to 0, for running statistics, which do not depend on x."""
    memset(statistics + FNN_GRAD_MEAN * cols, 0, (FNN_COLUMN_STATISTICS - FNN_GRAD_MEAN) * cols * sizeof(real))


# -- single operations -------------------------------------------------------------------------------------------------

cdef Norm BATCH = find_norm("batch_norm")


cdef inline Py_ssize_t columns(x) noexcept:
    """The length of the last axis of a plain array."""
    return cnp.PyArray_DIM(<cnp.ndarray> x, cnp.PyArray_NDIM(<cnp.ndarray> x) - 1)


cdef inline Py_ssize_t rows_of(x) noexcept:
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


cdef void norm_backward_all(const Norm *norm, void *g, void *x, void *weight, void *statistics, void *grad_x,
                            void *grad_weight, void *grad_bias, Py_ssize_t rows, Py_ssize_t cols, bint given,
                            real dtype) noexcept nogil:
    """All gradients from the statistics; with `given` these are running statistics, which do not depend on x."""
    run_norm_gradients(norm, <const real *> g, <const real *> x, <real *> statistics, <real *> grad_weight,
                       <real *> grad_bias, rows, cols, False)
    if given:
        forget_batch(<real *> statistics, cols)
    run_norm_backward(norm, <const real *> g, <const real *> x, <const real *> weight, <const real *> statistics,
                      <real *> grad_x, <const real *> NULL, rows, cols, &NONE)


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
        if arrays.is_double(x):
            with nogil:
                run_norm(&self.norm, <double *> px, <double *> pw, <double *> pb, <double *> py, <double *> py,
                         <double *> NULL, rows, cols, eps, &NONE)
        else:
            with nogil:
                run_norm(&self.norm, <float *> px, <float *> pw, <float *> pb, <float *> py, <float *> py,
                         <float *> NULL, rows, cols, eps, &NONE)

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
        if arrays.is_double(x):
            with nogil:
                run_norm(&self.norm, <double *> px, <double *> NULL, <double *> NULL, <double *> NULL,
                         <double *> NULL, <double *> ps, rows, cols, eps, &NONE)
                norm_backward_all(&self.norm, pg, px, pw, ps, gx, gw, gb, rows, cols, False, <double> 0)
        else:
            with nogil:
                run_norm(&self.norm, <float *> px, <float *> NULL, <float *> NULL, <float *> NULL,
                         <float *> NULL, <float *> ps, rows, cols, eps, &NONE)
                norm_backward_all(&self.norm, pg, px, pw, ps, gx, gw, gb, rows, cols, False, <float> 0)


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
    if arrays.is_double(x):
        with nogil:
            batch_norm_all(px, pm, pv, pw, pb, py, ps, rows, cols, training, momentum, eps, <double> 0)
    else:
        with nogil:
            batch_norm_all(px, pm, pv, pw, pb, py, ps, rows, cols, training, momentum, eps, <float> 0)


cdef void batch_norm_all(void *x, void *running_mean, void *running_var, void *weight, void *bias, void *y,
                         void *statistics, Py_ssize_t rows, Py_ssize_t cols, bint training, double momentum,
                         double eps, real dtype) noexcept nogil:
    if rows == 0:
        return
    run_statistics(<const real *> x, <const real *> (NULL if training else running_mean), <const real *> running_var,
                   <real *> statistics, rows, cols, eps)
    run_norm(&BATCH, <const real *> x, <const real *> weight, <const real *> bias, <real *> y, <real *> y,
             <real *> statistics, rows, cols, eps, &NONE)
    if training and running_mean != NULL:
        dispatch.update_running(<const real *> statistics, <real *> running_mean, <real *> running_var, rows, cols,
                                momentum)


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
    if arrays.is_double(x):
        with nogil:
            run_statistics(<double *> px, <double *> pm, <double *> pv, <double *> ps, rows, cols, eps)
            norm_backward_all(&BATCH, pg, px, pw, ps, gx, gw, gb, rows, cols, pm != NULL, <double> 0)
    else:
        with nogil:
            run_statistics(<float *> px, <float *> pm, <float *> pv, <float *> ps, rows, cols, eps)
            norm_backward_all(&BATCH, pg, px, pw, ps, gx, gw, gb, rows, cols, pm != NULL, <float> 0)

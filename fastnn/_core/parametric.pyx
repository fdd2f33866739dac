"""Activations with parameters that learn: prelu and temperature_scale, and the sums that are their gradients.

A gradient that sums over columns is one chain over the rows, whichever thread does the column; one that sums over
everything adds fixed chunks in order.
"""

cimport numpy as cnp

from fastnn._core cimport arrays, dispatch
from fastnn._core.activations cimport run_map1, run_map2
from fastnn._core.dispatch cimport Reduce2
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef enum:
    UNIT = 16          # columns: a cache line of float
    CHUNK = 4096       # elements of a sum that one thread adds up; as many times that, that there are no more
    MOST_CHUNKS = 256  # chunks than these

cdef double COST = 0.06        # nanoseconds an element: benchmarks/bench_parametric.py
cdef double DIVISION = 0.2

cdef int LEAKY_RELU = dispatch.kernel_index("leaky_relu", "map1")
cdef int LEAKY_RELU_BACKWARD = dispatch.kernel_index("leaky_relu_backward", "map2")
cdef int TEMPERATURE_SCALE = dispatch.kernel_index("temperature_scale", "map1")
cdef int PRELU_SLOPE = dispatch.kernel_index("prelu_slope", "reduce2")
cdef int DOT = dispatch.kernel_index("dot", "reduce2")


# -- sums over everything ----------------------------------------------------------------------------------------------


cdef inline double chunk_sum(int kernel, int dtype, const void *x, const void *g, Py_ssize_t start,
                             Py_ssize_t stop) noexcept nogil:
    cdef Reduce2 reduce2 = dispatch.reduce2(kernel, dtype)
    cdef double total = 0
    while start < stop:
        total += reduce2(arrays.at(x, start, dtype), arrays.at(g, start, dtype), min(stop - start, CHUNK))
        start += CHUNK
    return total


ctypedef struct ReduceWork:
    int kernel
    int dtype
    const void *x
    const void *g
    Py_ssize_t n, size  # elements: of the whole, of a chunk
    double *sums


cdef void reduce2_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const ReduceWork *w = <const ReduceWork *> work
    cdef Py_ssize_t chunk
    for chunk in range(start, stop):
        w.sums[chunk] = chunk_sum(w.kernel, w.dtype, w.x, w.g, chunk * w.size, min(w.n, (chunk + 1) * w.size))


cdef double run_reduce2(int kernel, int dtype, const void *x, const void *g, Py_ssize_t n) noexcept nogil:
    """A sum over two arrays of n elements, in chunks that depend on n alone."""
    cdef double[MOST_CHUNKS] sums
    cdef double total = 0
    cdef Py_ssize_t size = (n // (<Py_ssize_t> CHUNK * MOST_CHUNKS) + 1) * CHUNK
    cdef Py_ssize_t chunk, chunks = (n + size - 1) // size
    cdef ReduceWork work = ReduceWork(kernel=kernel, dtype=dtype, x=x, g=g, n=n, size=size, sums=&sums[0])
    parallel_for(reduce2_task, &work, chunks, 1, n * COST)
    for chunk in range(chunks):
        total += sums[chunk]
    return total


def dot(x, g):
    """Sum of x * g over two plain arrays of one shape, where g is not 0, in the fixed order of a reduction."""
    return run_reduce2(DOT, arrays.dtype_of(x), arrays.data(x), arrays.data(g), arrays.size(x))


cdef bint fits(str name, x, parameter) noexcept:
    """A plain array, and one parameter for all of it, or for `prelu` one a column."""
    return (not dispatch.reference and arrays.has_axes(x) and arrays.is_plain(parameter)
            and arrays.same_dtype(parameter, x) and cnp.PyArray_NDIM(<cnp.ndarray> parameter) == 1
            and (arrays.size(parameter) == 1 or name == "prelu" and cnp.PyArray_NDIM(<cnp.ndarray> x) >= 1
                 and arrays.size(parameter) == columns(x, False)))


def quick(str name, x, parameter, out):
    """The result of an operation with one parameter, or None if the arguments are for the slow path."""
    if not fits(name, x, parameter) or not arrays.may_write(out, x) or not arrays.apart(out, parameter):
        return None
    if out is None:
        out = arrays.empty_like(x)
    return prelu(x, parameter, out) if name == "prelu" else temperature_scale(x, parameter, out)


def quick_backward(str name, g, x, parameter):
    """Its gradients, or None."""
    if not fits(name, x, parameter) or not arrays.is_plain_like(g, x):
        return None
    gradients = arrays.empty_like(x), arrays.empty_like(parameter)
    if name == "prelu":
        prelu_backward(g, x, parameter, *gradients)
    else:
        temperature_scale_backward(g, x, parameter, *gradients)
    return gradients


def quick_dot(x, g):
    """`dot`, or None if the arguments are for the slow path."""
    return dot(x, g) if not dispatch.reference and arrays.is_plain(g) and arrays.is_plain_like(x, g) else None


cdef void put_gradient(int dtype, void *grad, double value, bint accumulate) noexcept nogil:
    """Store the gradient of a single parameter; with `accumulate` it is added to the old one."""
    cdef double before = arrays.get(grad, 0, dtype) if accumulate else 0
    arrays.put(grad, 0, value, dtype)
    if accumulate:
        arrays.put(grad, 0, before + arrays.get(grad, 0, dtype), dtype)


# -- prelu -------------------------------------------------------------------------------------------------------------


ctypedef struct PreluWork:
    int dtype
    const void *g  # of a gradient only
    const void *x
    const void *weight
    const void *init
    void *y
    Py_ssize_t rows, cols


cdef void prelu_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """`prelu`, or its gradient if there is a g, of some rows."""
    cdef const PreluWork *w = <const PreluWork *> work
    cdef Py_ssize_t i = start * w.cols
    cdef void *x = arrays.at(w.x, i, w.dtype)
    cdef void *y = arrays.at(w.y, i, w.dtype)
    if w.g == NULL:
        dispatch.kernels_of(w.dtype).prelu(x, w.weight, y, stop - start, w.cols)
    else:
        dispatch.kernels_of(w.dtype).prelu_backward(arrays.at(w.g, i, w.dtype), x, w.weight, y, stop - start, w.cols)


cdef void run_prelu(int dtype, const void *x, const void *weight, void *y, Py_ssize_t rows, Py_ssize_t cols,
                    bint shared) noexcept nogil:
    """y = x, or weight x where x <= 0: a weight a column, or one for all (`shared`)."""
    cdef double[3] params
    cdef PreluWork work = PreluWork(dtype=dtype, g=NULL, x=x, weight=weight, init=NULL, y=y, rows=rows, cols=cols)
    if shared:
        params = [arrays.get(weight, 0, dtype), 0.0, 0.0]
        run_map1(LEAKY_RELU, dtype, COST, x, y, rows * cols, params)
        return
    if cols != 0:
        parallel_for(prelu_task, &work, rows, 1, rows * cols * COST)


cdef void slopes_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some columns."""
    cdef const PreluWork *w = <const PreluWork *> work
    dispatch.kernels_of(w.dtype).prelu_slopes(
        arrays.at(w.x, start, w.dtype), arrays.at(w.g, start, w.dtype), w.cols,
        arrays.at_unless_null(w.init, start, w.dtype), arrays.at(w.y, start, w.dtype), w.rows, stop - start)


cdef void run_prelu_backward(int dtype, const void *g, const void *x, const void *weight, void *grad_x,
                             void *grad_weight, Py_ssize_t rows, Py_ssize_t cols, bint shared,
                             bint accumulate) noexcept nogil:
    """Both gradients; grad_x may be g, or NULL if it is not wanted."""
    cdef double[3] params
    cdef PreluWork work = PreluWork(dtype=dtype, g=g, x=x, weight=weight, init=NULL, y=grad_weight, rows=rows,
                                    cols=cols)
    if shared:
        put_gradient(dtype, grad_weight, run_reduce2(PRELU_SLOPE, dtype, x, g, rows * cols), accumulate)
        params = [arrays.get(weight, 0, dtype), 0.0, 0.0]
        if grad_x != NULL:
            run_map2(LEAKY_RELU_BACKWARD, dtype, COST, g, x, grad_x, rows * cols, params)
        return
    if accumulate:
        work.init = grad_weight
    parallel_for(slopes_task, &work, cols, UNIT, rows * cols * COST)
    if grad_x != NULL and cols != 0:
        work.y = grad_x
        parallel_for(prelu_task, &work, rows, 1, rows * cols * COST)


cdef Py_ssize_t columns(x, bint shared) noexcept:
    """The length of a row; everything is one row where all share a weight."""
    cdef int ndim = cnp.PyArray_NDIM(<cnp.ndarray> x)
    return arrays.size(x) if shared else cnp.PyArray_DIM(<cnp.ndarray> x, ndim - 1)


def prelu(x, weight, out):
    """Fill `out` from the plain arrays x (..., cols) and weight (1,) or (cols,)."""
    cdef bint shared = arrays.size(weight) == 1
    cdef Py_ssize_t cols = columns(x, shared)
    cdef Py_ssize_t rows = arrays.size(x) // cols if cols else 0
    cdef void *px = arrays.data(x)
    cdef void *pw = arrays.data(weight)
    cdef void *py = arrays.data(out)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_prelu(dtype, px, pw, py, rows, cols, shared)
    return out


def prelu_backward(g, x, weight, grad_x, grad_weight):
    """Fill grad_x and grad_weight from plain arrays."""
    cdef bint shared = arrays.size(weight) == 1
    cdef Py_ssize_t cols = columns(x, shared)
    cdef Py_ssize_t rows = arrays.size(x) // cols if cols else 0
    cdef void *pg = arrays.data(g)
    cdef void *px = arrays.data(x)
    cdef void *pw = arrays.data(weight)
    cdef void *gx = arrays.data(grad_x)
    cdef void *gw = arrays.data(grad_weight)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_prelu_backward(dtype, pg, px, pw, gx, gw, rows, cols, shared, False)


# -- temperature -------------------------------------------------------------------------------------------------------


cdef void run_temperature_scale(int dtype, const void *x, const void *temperature, void *y,
                                Py_ssize_t n) noexcept nogil:
    cdef double[3] params = [arrays.get(temperature, 0, dtype), 0.0, 0.0]
    run_map1(TEMPERATURE_SCALE, dtype, DIVISION, x, y, n, params)


cdef void run_temperature_scale_backward(int dtype, const void *g, const void *x, const void *temperature, void *grad_x,
                                         void *grad_temperature, Py_ssize_t n, bint accumulate) noexcept nogil:
    """Both gradients; grad_x may be g, or NULL if it is not wanted."""
    cdef double t = arrays.get(temperature, 0, dtype)
    put_gradient(dtype, grad_temperature, -run_reduce2(DOT, dtype, x, g, n) / (t * t), accumulate)
    if grad_x != NULL:
        run_temperature_scale(dtype, g, temperature, grad_x, n)


def temperature_scale(x, temperature, out):
    """Fill `out` from plain arrays."""
    cdef Py_ssize_t n = arrays.size(x)
    cdef void *px = arrays.data(x)
    cdef void *pt = arrays.data(temperature)
    cdef void *py = arrays.data(out)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_temperature_scale(dtype, px, pt, py, n)
    return out


def temperature_scale_backward(g, x, temperature, grad_x, grad_temperature):
    """Fill grad_x and grad_temperature from plain arrays."""
    cdef Py_ssize_t n = arrays.size(x)
    cdef void *pg = arrays.data(g)
    cdef void *px = arrays.data(x)
    cdef void *pt = arrays.data(temperature)
    cdef void *gx = arrays.data(grad_x)
    cdef void *gt = arrays.data(grad_temperature)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_temperature_scale_backward(dtype, pg, px, pt, gx, gt, n, False)

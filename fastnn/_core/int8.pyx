"""Products with a weight of small integers. Threads divide the panels of the weight, or the rows if there are more."""

cimport numpy as cnp
from libc.stdint cimport int8_t

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport FNN_INT8_COLUMNS, FNN_INT8_MOST_IN, fnn_int8
from fastnn._core.threads cimport parallel_for

cnp.import_array()

COLUMNS, MOST_IN = FNN_INT8_COLUMNS, FNN_INT8_MOST_IN

cdef double COST = 0.01  # nanoseconds a multiply-add: benchmarks/bench_int8.py


ctypedef struct Int8Work:
    int dtype
    const fnn_int8 *of


cdef inline Py_ssize_t panels(const fnn_int8 *of) noexcept nogil:
    return (of.n_out + FNN_INT8_COLUMNS - 1) // FNN_INT8_COLUMNS


cdef void panels_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const Int8Work *w = <const Int8Work *> work
    dispatch.kernels_of(w.dtype).linear_int8(w.of, start, stop - start)


cdef void rows_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const Int8Work *w = <const Int8Work *> work
    cdef fnn_int8 of = w.of[0]
    of.x = arrays.at(of.x, start * of.n_in, w.dtype)
    of.y = arrays.at(of.y, start * of.n_out, w.dtype)
    of.rows = stop - start
    dispatch.kernels_of(w.dtype).linear_int8(&of, 0, panels(&of))


cdef void run_linear_int8(int dtype, const fnn_int8 *of) noexcept nogil:
    """y = x w + bias; sums are of integers, so neither parts nor blocks change a bit."""
    cdef Int8Work work = Int8Work(dtype=dtype, of=of)
    cdef double cost = <double> of.rows * of.n_in * of.n_out * COST
    if of.n_out > of.rows:
        parallel_for(panels_task, &work, panels(of), 1, cost)
    else:
        parallel_for(rows_task, &work, of.rows, 1, cost)


def weight_shape(Py_ssize_t n_in, Py_ssize_t n_out):
    """The shape of a weight in panels: for each panel, bytes of its offsets and of groups of 4 rows."""
    return (n_out + FNN_INT8_COLUMNS - 1) // FNN_INT8_COLUMNS, 4 * FNN_INT8_COLUMNS * (1 + (n_in + 3) // 4)


def linear_int8(x, weight, scale, bias, out):
    """Fill `out` with x w + bias; the arrays are plain, and weight and scale those of `nn.int8.packed`."""
    cdef Py_ssize_t n_in = cnp.PyArray_DIM(<cnp.ndarray> x, 1), n_out = cnp.PyArray_DIM(<cnp.ndarray> out, 1)
    cdef fnn_int8 of = fnn_int8(
        x=arrays.data(x), weight=<const int8_t *> arrays.data(weight), scale=<const double *> arrays.data(scale),
        bias=arrays.data(bias), y=arrays.data(out), rows=cnp.PyArray_DIM(<cnp.ndarray> x, 0), n_in=n_in, n_out=n_out)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_linear_int8(dtype, &of)

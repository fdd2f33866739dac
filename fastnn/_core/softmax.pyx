"""Operations on rows: softmax, log-softmax, entropy, gates and their gradients."""

cimport numpy as cnp

from fastnn._core cimport arrays, dispatch
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef double TINY = 2.0**-126  # smaller temperatures overflow as inverses in float32; the slow path checks them
cdef double COST = 0.3  # nanoseconds an element: benchmarks/bench_softmax.py


ctypedef struct RowsWork:
    int kernel
    int dtype
    const void *g  # only for rows2
    const void *x
    void *y
    Py_ssize_t cols, g_cols, y_cols
    const double *params


cdef void rows1_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const RowsWork *w = <const RowsWork *> work
    dispatch.rows1(w.kernel, w.dtype)(arrays.at(w.x, start * w.cols, w.dtype),
                                      arrays.at(w.y, start * w.y_cols, w.dtype), stop - start, w.cols, w.params)


cdef void run_rows1(int kernel, int dtype, const void *x, void *y, Py_ssize_t rows, Py_ssize_t cols,
                    Py_ssize_t y_cols, const double *params) noexcept nogil:
    cdef RowsWork work = RowsWork(kernel=kernel, dtype=dtype, g=NULL, x=x, y=y, cols=cols, g_cols=0, y_cols=y_cols,
                                  params=params)
    if cols == 0 and y_cols == 0:  # for any number of rows
        return
    parallel_for(rows1_task, &work, rows, 1, rows * cols * COST)


cdef void rows2_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const RowsWork *w = <const RowsWork *> work
    dispatch.rows2(w.kernel, w.dtype)(arrays.at(w.g, start * w.g_cols, w.dtype),
                                      arrays.at(w.x, start * w.cols, w.dtype),
                                      arrays.at(w.y, start * w.cols, w.dtype), stop - start, w.cols, w.params)


cdef void run_rows2(int kernel, int dtype, const void *g, const void *y, void *out, Py_ssize_t rows,
                    Py_ssize_t cols, Py_ssize_t g_cols, const double *params) noexcept nogil:
    cdef RowsWork work = RowsWork(kernel=kernel, dtype=dtype, g=g, x=y, y=out, cols=cols, g_cols=g_cols, y_cols=cols,
                                  params=params)
    if cols == 0:
        return
    parallel_for(rows2_task, &work, rows, 1, rows * cols * COST)


cdef class Rows1:
    """The row kernel `name` as a callable (x, out, parameter)."""
    cdef int kernel

    def __init__(self, str name):
        self.kernel = dispatch.kernel_index(name, "rows1")

    def quick(self, x, axis, temperature, out=None):
        """The result for rows along the last axis of a plain array, or None if the arguments need the slow path."""
        if (dispatch.reference or not arrays.is_matrix(x) or not arrays.size(x) or type(temperature) is not float
                or not temperature >= TINY or type(axis) is not int or axis != -1 or not arrays.may_write(out, x)):
            return None
        if out is None:
            out = arrays.empty_like(x)
        self.run(x, out, 1.0 / <double> temperature)
        return out

    def quick_number(self, x, axis, temperature):
        """x"""
        cdef double t = 1.0
        if dispatch.reference or not arrays.is_matrix(x) or not arrays.size(x) or type(axis) is not int or axis != -1:
            return None
        if temperature is not None:
            if type(temperature) is not float or not temperature >= TINY:
                return None
            t = temperature
        out = arrays.room(None, x, 1, cnp.PyArray_DIMS(<cnp.ndarray> x))
        self.run(x, out, 1.0 / t)
        return out

    def quick_share(self, x, Py_ssize_t share, double parameter, out):
        """As `quick`, for a kernel that computes one feature from `share` features."""
        if dispatch.reference or not arrays.is_matrix(x) or cnp.PyArray_DIM(<cnp.ndarray> x, 1) % share:
            return None
        cdef cnp.npy_intp[2] shape = [cnp.PyArray_DIM(<cnp.ndarray> x, 0), cnp.PyArray_DIM(<cnp.ndarray> x, 1) // share]
        if not arrays.is_room(out, x, 2, shape):
            return None
        out = arrays.room(out, x, 2, shape)
        self.run(x, out, parameter)
        return out

    cpdef run(self, x, out, double parameter=0.0, double second=0.0):
        """Fill `out`, whose rows may have another length, from the rows of the plain 2-D array `x`."""
        cdef double[3] params = [parameter, second, 0.0]
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
        cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> x, 1)
        cdef Py_ssize_t out_cols = arrays.size(out) // rows if rows else 0
        cdef void *px = arrays.data(x)
        cdef void *py = arrays.data(out)
        cdef int dtype = arrays.dtype_of(x)
        with nogil:
            run_rows1(self.kernel, dtype, px, py, rows, cols, out_cols, params)


cdef class Rows2:
    """The row kernel `name` of a gradient and an array as a callable."""
    cdef int kernel

    def __init__(self, str name):
        self.kernel = dispatch.kernel_index(name, "rows2")

    def quick(self, g, y, axis, temperature, out=None):
        """The result for rows along the last axis of plain arrays, or None if the arguments need the slow path."""
        if (dispatch.reference or not arrays.is_matrix(y) or not arrays.is_plain_like(g, y) or not arrays.size(y)
                or type(temperature) is not float or not temperature >= TINY or type(axis) is not int or axis != -1
                or not arrays.may_write(out, g) or not arrays.may_write(out, y)):
            return None
        if out is None:
            out = arrays.empty_like(y)
        self.run(g, y, out, 1.0 / <double> temperature)
        return out

    def quick_number(self, g, y, axis, temperature):
        """As `quick`, for a kernel whose gradient has one number per row; a temperature of None is 1."""
        cdef double t = 1.0
        if (dispatch.reference or not arrays.is_matrix(y) or not arrays.size(y) or type(axis) is not int or axis != -1
                or not arrays.is_plain(g) or not arrays.same_dtype(g, y) or cnp.PyArray_NDIM(<cnp.ndarray> g) != 1
                or cnp.PyArray_DIM(<cnp.ndarray> g, 0) != cnp.PyArray_DIM(<cnp.ndarray> y, 0)):
            return None
        if temperature is not None:
            if type(temperature) is not float or not temperature >= TINY:
                return None
            t = temperature
        out = arrays.empty_like(y)
        self.run(g, y, out, 1.0 / t)
        return out

    def quick_share(self, g, x, Py_ssize_t share, double parameter, out):
        """As `quick`, for a kernel that computes one feature from `share` features."""
        if (dispatch.reference or not arrays.is_matrix(x) or not arrays.is_matrix(g) or not arrays.same_dtype(g, x)
                or cnp.PyArray_DIM(<cnp.ndarray> g, 0) != cnp.PyArray_DIM(<cnp.ndarray> x, 0)
                or cnp.PyArray_DIM(<cnp.ndarray> g, 1) * share != cnp.PyArray_DIM(<cnp.ndarray> x, 1)
                or not arrays.is_room(out, x, 2, cnp.PyArray_DIMS(<cnp.ndarray> x)) or not arrays.apart(out, g)):
            return None
        if out is None:
            out = arrays.empty_like(x)
        self.run(g, x, out, parameter)
        return out

    cpdef run(self, g, y, out, double parameter=0.0, double second=0.0):
        """Fill `out` from `g`, whose rows may have another length, and the rows of the plain 2-D array `y`."""
        cdef double[3] params = [parameter, second, 0.0]
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> y, 0)
        cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> y, 1)
        cdef Py_ssize_t g_cols = arrays.size(g) // rows if rows else 0
        cdef void *pg = arrays.data(g)
        cdef void *py = arrays.data(y)
        cdef void *po = arrays.data(out)
        cdef int dtype = arrays.dtype_of(y)
        with nogil:
            run_rows2(self.kernel, dtype, pg, py, po, rows, cols, g_cols, params)

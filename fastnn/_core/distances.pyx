"""Distances and cosines of pairs of rows, norms of rows, bilinear maps, and their gradients; threads share the rows."""

cimport numpy as cnp

from fastnn._core cimport arrays, dispatch
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef double COST = 0.4           # nanoseconds an element: benchmarks/bench_distances.py
cdef double BILINEAR_COST = 0.2


ctypedef struct PairsWork:
    int kernel
    int dtype
    const void *g  # one number a row; only for gradients
    const void *a
    const void *b
    void *out
    Py_ssize_t cols
    const double *params


cdef void pairs_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some rows of a function of pairs of rows, or of its gradient."""
    cdef const PairsWork *w = <const PairsWork *> work
    cdef Py_ssize_t i = start * w.cols
    cdef const void *a = arrays.at(w.a, i, w.dtype)
    cdef const void *b = arrays.at(w.b, i, w.dtype)
    if w.g == NULL:
        dispatch.pairs(w.kernel, w.dtype)(a, b, arrays.at(w.out, start, w.dtype), stop - start, w.cols, w.params)
    else:
        dispatch.pairs_backward(w.kernel, w.dtype)(arrays.at(w.g, start, w.dtype), a, b, arrays.at(w.out, i, w.dtype),
                                                   stop - start, w.cols, w.params)


cdef class Pairs:
    """The function `name` of pairs of rows, of which it makes one number, and its gradient."""
    cdef int forward
    cdef int gradient

    def __init__(self, str name):
        self.forward = dispatch.kernel_index(name, "pairs")
        self.gradient = dispatch.kernel_index(f"{name}_backward", "pairs_backward")

    def run(self, g, a, b, out, double p, double q):
        """Fill `out` from plain arrays of one dtype, a and b being matrices.

        Without g it has one number a row. With g, of one number a row, it is the gradient with respect to a.
        """
        cdef double[3] params = [p, q, 0.0]
        cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> a, 0)
        cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> a, 1)
        cdef PairsWork work = PairsWork(kernel=self.forward if g is None else self.gradient, dtype=arrays.dtype_of(a),
                                        g=arrays.data(g), a=arrays.data(a), b=arrays.data(b), out=arrays.data(out),
                                        cols=cols, params=&params[0])
        with nogil:
            parallel_for(pairs_task, &work, rows, 1, rows * cols * COST)
        return out


ctypedef struct BilinearWork:
    int dtype
    const void *g  # only for gradients
    void *z
    const void *x2
    const void *bias
    void *out
    Py_ssize_t outs, cols


cdef void bilinear_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    """Some rows of a bilinear map, or of its gradient."""
    cdef const BilinearWork *w = <const BilinearWork *> work
    cdef int dtype = w.dtype
    cdef void *z = arrays.at(w.z, start * w.outs * w.cols, dtype)
    cdef const void *x2 = arrays.at(w.x2, start * w.cols, dtype)
    if w.g == NULL:
        dispatch.kernels_of(dtype).bilinear(z, x2, w.bias, arrays.at(w.out, start * w.outs, dtype), stop - start,
                                            w.outs, w.cols)
    else:
        dispatch.kernels_of(dtype).bilinear_backward(arrays.at(w.g, start * w.outs, dtype), z, x2,
                                                     arrays.at(w.out, start * w.cols, dtype), stop - start, w.outs,
                                                     w.cols)


def bilinear(g, z, x2, bias, out, Py_ssize_t outs):
    """Fill `out` from plain arrays of one dtype: z of shape (rows, outs * cols), x2 of shape (rows, cols).

    Without g, of shape (rows, outs), out[r] = z[r] x2[r] + bias; with it, out is the gradient with respect to x2, and z
    becomes its gradient.
    """
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x2, 0)
    cdef Py_ssize_t cols = cnp.PyArray_DIM(<cnp.ndarray> x2, 1)
    cdef BilinearWork work = BilinearWork(dtype=arrays.dtype_of(x2), g=arrays.data(g), z=arrays.data(z),
                                          x2=arrays.data(x2), bias=arrays.data(bias), out=arrays.data(out), outs=outs,
                                          cols=cols)
    with nogil:
        parallel_for(bilinear_task, &work, rows, 1, rows * outs * cols * BILINEAR_COST)
    return out

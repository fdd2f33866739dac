"""Elementwise operations: y = f(x) and grad_x = f'(x or y) g, over flat arrays."""

cimport numpy as cnp

from fastnn._core cimport arrays, dispatch
from fastnn._core.threads cimport parallel_for

import os

FULL = os.environ.get("FASTNN_TRACEBACK", "") == "full"  # as in fastnn/_frames.py

cnp.import_array()

cdef enum:
    UNIT = 64  # elements, so that parts begin on a cache line
    _NOT_ZERO = 1
    _ASCENDING = 2
    _NOT_NEGATIVE = 3

# Nanoseconds an element of kernels that only compare, multiply and add (benchmarks/bench_activations.py: .05 in the
# caches, three times that from memory), and of those that evaluate an exponential, a logarithm or a division.
CHEAP, DEAR = 0.06, 0.2
SIMPLE = {"relu", "leaky_relu", "hardtanh", "relu6", "hardsigmoid", "hardswish", "add", "subtract", "multiply",
          "affine", "threshold", "softshrink", "hardshrink"}
FROM_OUTPUT = ("sigmoid_backward", "tanh_backward", "exp_backward")


def cost_of(str name):
    """Estimated nanoseconds an element of the map kernel `name`, on one thread."""
    forward = name.removesuffix("_backward")
    return CHEAP if forward in SIMPLE or name in FROM_OUTPUT else DEAR


ctypedef struct MapWork:
    int kernel
    int dtype
    const void *g  # only for map2
    const void *x
    void *y
    const double *params


cdef void map1_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const MapWork *m = <const MapWork *> work
    dispatch.map1(m.kernel, m.dtype)(arrays.at(m.x, start, m.dtype), arrays.at(m.y, start, m.dtype), stop - start,
                                     m.params)


cdef void run_map1(int kernel, int dtype, double cost, const void *x, void *y, Py_ssize_t n,
                   const double *params) noexcept nogil:
    cdef MapWork work = MapWork(kernel=kernel, dtype=dtype, g=NULL, x=x, y=y, params=params)
    parallel_for(map1_task, &work, n, UNIT, n * cost)


cdef void map2_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const MapWork *m = <const MapWork *> work
    dispatch.map2(m.kernel, m.dtype)(arrays.at(m.g, start, m.dtype), arrays.at(m.x, start, m.dtype),
                                     arrays.at(m.y, start, m.dtype), stop - start, m.params)


cdef void run_map2(int kernel, int dtype, double cost, const void *g, const void *x, void *y, Py_ssize_t n,
                   const double *params) noexcept nogil:
    cdef MapWork work = MapWork(kernel=kernel, dtype=dtype, g=g, x=x, y=y, params=params)
    parallel_for(map2_task, &work, n, UNIT, n * cost)


# What the two parameters of a kernel must be besides numbers: the first not 0, or less than the second, or at least 0.
NOT_ZERO = _NOT_ZERO
ASCENDING = _ASCENDING
NOT_NEGATIVE = _NOT_NEGATIVE


cdef inline bint allowed(object a, object b, int rule) noexcept:
    """Whether parameters are floats other than NaN, and keep the rule."""
    cdef double x, y
    if type(a) is not float or type(b) is not float:
        return False
    x, y = a, b
    return (x == x and y == y and (rule != _NOT_ZERO or x != 0) and (rule != _ASCENDING or x < y)
            and (rule != _NOT_NEGATIVE or x >= 0))


cdef class Map1:
    """The elementwise kernel `name` as a callable (x, out, *params) -> y.

    Arguments that the fast path does not accept are passed to `slow(x, out, params)`.
    """
    cdef int kernel
    cdef double cost
    cdef int rule
    cdef object slow

    def __init__(self, str name, slow, int rule=0):
        self.kernel = dispatch.kernel_index(name, "map1")
        self.cost = cost_of(name)
        self.slow, self.rule = slow, rule

    def __call__(self, x, out=None, a=0.0, b=0.0):
        if (not arrays.is_plain(x) or out is not None and not arrays.takes_output(out, x) or dispatch.reference
                or not allowed(a, b, self.rule)):
            try:
                return self.slow(self, x, out, (a, b))
            except (TypeError, ValueError) as error:
                raise error if FULL else error.with_traceback(None)
        if out is None:
            out = arrays.empty_like(x)
        self.run(x, out, a, b)
        return out

    cpdef run(self, x, out, double a, double b):
        """Fill `out` from `x`, both plain and of one dtype and shape."""
        cdef double[3] params = [a, b, 0.0]
        cdef Py_ssize_t n = arrays.size(x)
        cdef int dtype = arrays.dtype_of(x)
        cdef void *px = arrays.data(x)
        cdef void *py = arrays.data(out)
        with nogil:
            run_map1(self.kernel, dtype, self.cost, px, py, n, params)


cdef class Map2:
    """The elementwise kernel `name` of two arrays as a callable (grad_output, x, out, *params) -> grad_x."""
    cdef int kernel
    cdef double cost
    cdef int rule
    cdef object slow

    def __init__(self, str name, slow, int rule=0):
        self.kernel = dispatch.kernel_index(name, "map2")
        self.cost = cost_of(name)
        self.slow, self.rule = slow, rule

    def __call__(self, g, x, out=None, a=0.0, b=0.0):
        if (not arrays.is_plain(x) or not arrays.is_plain(g) or not arrays.same_layout(g, x)
                or out is not None and not (arrays.takes_output(out, x) and arrays.takes_output(out, g))
                or dispatch.reference or not allowed(a, b, self.rule)):
            try:
                return self.slow(self, g, x, out, (a, b))
            except (TypeError, ValueError) as error:
                raise error if FULL else error.with_traceback(None)
        if out is None:
            out = arrays.empty_like(x)
        self.run(g, x, out, a, b)
        return out

    cpdef run(self, g, x, out, double a, double b):
        """Fill `out` from `g` and `x`, all plain and of one dtype and shape."""
        cdef double[3] params = [a, b, 0.0]
        cdef Py_ssize_t n = arrays.size(x)
        cdef int dtype = arrays.dtype_of(x)
        cdef void *pg = arrays.data(g)
        cdef void *px = arrays.data(x)
        cdef void *py = arrays.data(out)
        with nogil:
            run_map2(self.kernel, dtype, self.cost, pg, px, py, n, params)

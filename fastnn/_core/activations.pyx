"""Elementwise operations: y = f(x) and grad_x = f'(x or y) g, over flat arrays."""

cimport numpy as cnp
from cython.parallel cimport prange

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport part_start, parts_for, region_began, region_ended, workers_for

cnp.import_array()

cdef enum:
    UNIT = 64  # elements: parts begin on a cache line

# Nanoseconds an element of kernels that only compare, multiply and add (benchmarks/bench_activations.py: .05 in the
# caches, three times that from memory), and of those that evaluate an exponential, a logarithm or a division.
CHEAP, DEAR = 0.06, 0.2
SIMPLE = {"relu", "leaky_relu", "hardtanh", "relu6", "hardsigmoid", "hardswish", "add"}


def cost_of(str name):
    """Estimated nanoseconds an element of the map kernel `name`, on one thread."""
    forward = name.removesuffix("_backward")
    return CHEAP if forward in SIMPLE or name in ("sigmoid_backward", "tanh_backward") else DEAR


cdef void run_map1(int kernel, double cost, const real *x, real *y, Py_ssize_t n, const double *params) noexcept nogil:
    cdef int parts = parts_for(n * cost)
    cdef double began
    if parts == 1:
        dispatch.map1(kernel, x, y, n, params)
    else:
        began = region_began()
        map1_parts(kernel, x, y, n, params, parts)
        region_ended(began, n * cost)


cdef void map1_parts(int kernel, const real *x, real *y, Py_ssize_t n, const double *params,
                     int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t start
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        start = part_start(n, part, parts, UNIT)
        dispatch.map1(kernel, x + start, y + start, part_start(n, part + 1, parts, UNIT) - start, params)


cdef void run_map2(int kernel, double cost, const real *g, const real *x, real *y, Py_ssize_t n,
                   const double *params) noexcept nogil:
    cdef int parts = parts_for(n * cost)
    cdef double began
    if parts == 1:
        dispatch.map2(kernel, g, x, y, n, params)
    else:
        began = region_began()
        map2_parts(kernel, g, x, y, n, params, parts)
        region_ended(began, n * cost)


cdef void map2_parts(int kernel, const real *g, const real *x, real *y, Py_ssize_t n, const double *params,
                     int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t start
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        start = part_start(n, part, parts, UNIT)
        dispatch.map2(kernel, g + start, x + start, y + start, part_start(n, part + 1, parts, UNIT) - start, params)


cdef class Map1:
    """The elementwise kernel `name` as a callable (x, out, *params) -> y.

    `slow(x, out, params)` takes over what the fast path does not accept.
    """
    cdef int kernel
    cdef double cost
    cdef object slow

    def __init__(self, str name, slow):
        self.kernel = dispatch.kernel_index(name, "map1")
        self.cost = cost_of(name)
        self.slow = slow

    def __call__(self, x, out=None, a=0.0, b=0.0):
        if (not arrays.is_plain(x) or out is not None and not arrays.takes_output(out, x) or dispatch.reference
                or type(a) is not float or type(b) is not float):
            return self.slow(self, x, out, (a, b))
        if out is None:
            out = arrays.empty_like(x)
        self.run(x, out, a, b)
        return out

    cpdef run(self, x, out, double a, double b):
        """Fill `out` from `x`, both plain and of one dtype and shape."""
        cdef double[3] params = [a, b, 0.0]
        cdef Py_ssize_t n = arrays.size(x)
        cdef void *px = arrays.data(x)
        cdef void *py = arrays.data(out)
        if arrays.is_double(x):
            with nogil:
                run_map1(self.kernel, self.cost, <double *> px, <double *> py, n, params)
        else:
            with nogil:
                run_map1(self.kernel, self.cost, <float *> px, <float *> py, n, params)


cdef class Map2:
    """The elementwise kernel `name` of two arrays as a callable (grad_output, x, out, *params) -> grad_x."""
    cdef int kernel
    cdef double cost
    cdef object slow

    def __init__(self, str name, slow):
        self.kernel = dispatch.kernel_index(name, "map2")
        self.cost = cost_of(name)
        self.slow = slow

    def __call__(self, g, x, out=None, a=0.0, b=0.0):
        if (not arrays.is_plain(x) or not arrays.is_plain(g) or not arrays.same_layout(g, x)
                or out is not None and not (arrays.takes_output(out, x) and arrays.takes_output(out, g))
                or dispatch.reference or type(a) is not float or type(b) is not float):
            return self.slow(self, g, x, out, (a, b))
        if out is None:
            out = arrays.empty_like(x)
        self.run(g, x, out, a, b)
        return out

    cpdef run(self, g, x, out, double a, double b):
        """Fill `out` from `g` and `x`, all plain and of one dtype and shape."""
        cdef double[3] params = [a, b, 0.0]
        cdef Py_ssize_t n = arrays.size(x)
        cdef void *pg = arrays.data(g)
        cdef void *px = arrays.data(x)
        cdef void *py = arrays.data(out)
        if arrays.is_double(x):
            with nogil:
                run_map2(self.kernel, self.cost, <double *> pg, <double *> px, <double *> py, n, params)
        else:
            with nogil:
                run_map2(self.kernel, self.cost, <float *> pg, <float *> px, <float *> py, n, params)

"""Dropout, alpha dropout, noise and random slopes.

Random numbers depend on the position in a stream, not on the number of threads.
"""

cimport numpy as cnp
from libc.stdint cimport uint64_t

from fastnn._core cimport arrays, dispatch
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef enum:
    UNIT = 64

cdef double COST = 0.5  # nanoseconds an element: benchmarks/bench_dropout.py


ctypedef struct NoiseWork:
    int kernel
    int dtype
    const void *g  # only for noise2
    const void *x
    void *y
    uint64_t seed, stream, start
    const double *params


cdef void noise_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const NoiseWork *w = <const NoiseWork *> work
    dispatch.noise(w.kernel, w.dtype)(arrays.at(w.x, start, w.dtype), arrays.at(w.y, start, w.dtype), stop - start,
                                      w.seed, w.stream, w.start + start, w.params)


cdef void run_noise(int kernel, int dtype, const void *x, void *y, Py_ssize_t n, uint64_t seed, uint64_t stream,
                    uint64_t start, const double *params) noexcept nogil:
    """Compute y[i] from x[i] and word start + i of the stream."""
    cdef NoiseWork work = NoiseWork(kernel=kernel, dtype=dtype, g=NULL, x=x, y=y, seed=seed, stream=stream,
                                    start=start, params=params)
    parallel_for(noise_task, &work, n, UNIT, n * COST)


cdef void noise2_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const NoiseWork *w = <const NoiseWork *> work
    dispatch.noise2(w.kernel, w.dtype)(arrays.at(w.g, start, w.dtype), arrays.at(w.x, start, w.dtype),
                                       arrays.at(w.y, start, w.dtype), stop - start, w.seed, w.stream,
                                       w.start + start, w.params)


cdef void run_noise2(int kernel, int dtype, const void *g, const void *x, void *y, Py_ssize_t n, uint64_t seed,
                     uint64_t stream, uint64_t start, const double *params) noexcept nogil:
    """Compute y[i] from g[i], x[i] and word start + i of the stream."""
    cdef NoiseWork work = NoiseWork(kernel=kernel, dtype=dtype, g=g, x=x, y=y, seed=seed, stream=stream,
                                    start=start, params=params)
    parallel_for(noise2_task, &work, n, UNIT, n * COST)


cdef bint is_word(object value, uint64_t *word):
    """Whether `value` is an int in [0, 2^64), which is stored in `word`."""
    if type(value) is not int:
        return False
    try:
        word[0] = value
    except OverflowError:
        return False
    return True


cdef class Noise:
    """The random kernel `name` as a callable (x, out, parameter, seed, stream, start)."""
    cdef int kernel

    def __init__(self, str name):
        self.kernel = dispatch.kernel_index(name, "noise")

    def quick(self, x, parameter, seed, stream, start, most, out=None):
        """The result, or None if the arguments need the slow path, for example for a parameter above `most`."""
        cdef uint64_t[3] words
        if (dispatch.reference or not arrays.has_axes(x) or type(parameter) is not float
                or not 0.0 <= <double> parameter <= <double> most or not is_word(seed, &words[0])
                or not is_word(stream, &words[1]) or not is_word(start, &words[2]) or not arrays.may_write(out, x)):
            return None
        if out is None:
            out = arrays.empty_like(x)
        return self.run(x, out, parameter, words[0], words[1], words[2])

    cpdef run(self, x, out, double parameter, uint64_t seed, uint64_t stream, uint64_t start, double second=0.0):
        """Fill `out` from `x`, both plain and of one dtype and shape; `second` is another parameter."""
        cdef double[3] params = [parameter, second, 0.0]
        cdef Py_ssize_t n = arrays.size(x)
        cdef void *px = arrays.data(x)
        cdef void *py = arrays.data(out)
        cdef int dtype = arrays.dtype_of(x)
        with nogil:
            run_noise(self.kernel, dtype, px, py, n, seed, stream, start, params)
        return out


cdef int RRELU_BACKWARD = dispatch.kernel_index("rrelu_backward", "noise2")


def rrelu_backward(g, x, out, double lower, double upper, uint64_t seed, uint64_t stream, uint64_t start):
    """Fill `out` from `g` and `x`, all plain and of one dtype and shape, with the slopes of `rrelu`."""
    cdef double[3] params = [lower, upper, 0.0]
    cdef Py_ssize_t n = arrays.size(x)
    cdef void *pg = arrays.data(g)
    cdef void *px = arrays.data(x)
    cdef void *py = arrays.data(out)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_noise2(RRELU_BACKWARD, dtype, pg, px, py, n, seed, stream, start, params)

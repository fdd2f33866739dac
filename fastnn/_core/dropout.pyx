"""Dropout. The mask comes from positions in a random stream, so it is the same for any number of threads."""

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdint cimport uint64_t

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport part_start, parts_for, region_began, region_ended, workers_for

cnp.import_array()

cdef enum:
    UNIT = 64

cdef double COST = 0.5  # nanoseconds an element: benchmarks/bench_dropout.py


cdef void run_dropout(const real *x, real *y, Py_ssize_t n, double p, uint64_t seed, uint64_t stream,
                      uint64_t start) noexcept nogil:
    """y = x / (1 - p) where word start + i of the stream is at least p 2^32, else 0."""
    cdef uint64_t threshold = <uint64_t> (p * 4294967296.0)
    cdef double scale = 1.0 / (1.0 - p) if p < 1.0 else 0.0
    cdef int parts = parts_for(n * COST)
    cdef double began
    if parts == 1:
        dispatch.dropout(x, y, n, seed, stream, start, threshold, scale)
    else:
        began = region_began()
        dropout_parts(x, y, n, seed, stream, start, threshold, scale, parts)
        region_ended(began, n * COST)


cdef void dropout_parts(const real *x, real *y, Py_ssize_t n, uint64_t seed, uint64_t stream, uint64_t start,
                        uint64_t threshold, double scale, int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t i
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        i = part_start(n, part, parts, UNIT)
        dispatch.dropout(x + i, y + i, part_start(n, part + 1, parts, UNIT) - i, seed, stream, start + i, threshold,
                         scale)


cdef bint is_word(object value, uint64_t *word):
    """Whether `value` is an int of 64 bits, which becomes `word`."""
    if type(value) is not int:
        return False
    try:
        word[0] = value
    except OverflowError:
        return False
    return True


def quick_dropout(x, p, seed, stream, start):
    """`dropout` into a new array, or None if the arguments are for the slow path."""
    cdef uint64_t[3] words
    if (dispatch.reference or not arrays.is_plain(x) or type(p) is not float or not 0.0 <= <double> p <= 1.0
            or not is_word(seed, &words[0]) or not is_word(stream, &words[1]) or not is_word(start, &words[2])):
        return None
    return dropout(x, arrays.empty_like(x), p, words[0], words[1], words[2])


cpdef dropout(x, out, double p, uint64_t seed, uint64_t stream, uint64_t start):
    """Fill `out` from `x`, both plain and of one dtype and shape."""
    cdef Py_ssize_t n = arrays.size(x)
    cdef void *px = arrays.data(x)
    cdef void *py = arrays.data(out)
    if arrays.is_double(x):
        with nogil:
            run_dropout(<double *> px, <double *> py, n, p, seed, stream, start)
    else:
        with nogil:
            run_dropout(<float *> px, <float *> py, n, p, seed, stream, start)
    return out

"""Philox streams: the words of any part of a stream, uniform numbers and permutations made from them."""

cimport numpy as cnp
from libc.stdint cimport int64_t, uint32_t, uint64_t

cnp.import_array()

cdef extern from "fastnn.h" nogil:
    void fnn_random_uint32(uint64_t seed, uint64_t stream, uint64_t start, uint32_t *out, Py_ssize_t n)
    void fnn_random_uniform(uint64_t seed, uint64_t stream, uint64_t start, double *out, Py_ssize_t n)
    void fnn_random_permutation(uint64_t seed, uint64_t stream, int64_t *out, Py_ssize_t n)


def philox_uint32(uint64_t seed, uint64_t stream, uint64_t start, Py_ssize_t n):
    """Words start .. start + n - 1 of a stream, as uint32."""
    cdef cnp.npy_intp[1] shape = [n]
    out = cnp.PyArray_EMPTY(1, shape, cnp.NPY_UINT32, 0)
    cdef uint32_t *p = <uint32_t *> cnp.PyArray_DATA(<cnp.ndarray> out)
    with nogil:
        fnn_random_uint32(seed, stream, start, p, n)
    return out


def uniform(uint64_t seed, uint64_t stream, uint64_t start, Py_ssize_t n):
    """Values start .. start + n - 1 of a stream of float64 in [0, 1): 53 bits from two words each."""
    cdef cnp.npy_intp[1] shape = [n]
    out = cnp.PyArray_EMPTY(1, shape, cnp.NPY_FLOAT64, 0)
    cdef double *p = <double *> cnp.PyArray_DATA(<cnp.ndarray> out)
    with nogil:
        fnn_random_uniform(seed, stream, start, p, n)
    return out


cdef void fill_permutation(uint64_t seed, uint64_t stream, int64_t *out, Py_ssize_t n) noexcept nogil:
    fnn_random_permutation(seed, stream, out, n)


def permutation(uint64_t seed, uint64_t stream, Py_ssize_t n):
    """The numbers 0 .. n - 1 in random order, as int64."""
    cdef cnp.npy_intp[1] shape = [n]
    out = cnp.PyArray_EMPTY(1, shape, cnp.NPY_INT64, 0)
    cdef int64_t *p = <int64_t *> cnp.PyArray_DATA(<cnp.ndarray> out)
    with nogil:
        fill_permutation(seed, stream, p, n)
    return out

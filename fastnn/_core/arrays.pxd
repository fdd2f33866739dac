"""The gate for arrays: a few comparisons in C. What does not pass goes up to Python, to be repaired or explained."""

cimport numpy as cnp

from fastnn._core.dispatch cimport real


cdef inline bint is_plain(object x) noexcept:
    """A float32 or float64 ndarray that C can read as it is: contiguous, aligned, native byte order."""
    return (cnp.PyArray_CheckExact(x) and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> x)
            and (cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT32
                 or cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT64))


cdef inline bint same_layout(object x, object y) noexcept:
    """Two plain arrays of one dtype and shape."""
    return (cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.PyArray_TYPE(<cnp.ndarray> y)
            and cnp.PyArray_SAMESHAPE(<cnp.ndarray> x, <cnp.ndarray> y))


cdef inline object empty_like(object x):
    return cnp.PyArray_EMPTY(cnp.PyArray_NDIM(<cnp.ndarray> x), cnp.PyArray_DIMS(<cnp.ndarray> x),
                             cnp.PyArray_TYPE(<cnp.ndarray> x), 0)


cdef inline bint is_double(object x) noexcept:
    return cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT64


cdef inline void *data(object x) noexcept:
    return cnp.PyArray_DATA(<cnp.ndarray> x) if x is not None else NULL


cdef inline Py_ssize_t size(object x) noexcept:
    return cnp.PyArray_SIZE(<cnp.ndarray> x)


cdef inline const real *at(const real *p, Py_ssize_t i) noexcept nogil:
    """p + i, where p may be NULL for an array that is not there."""
    if p == NULL:
        return NULL
    return p + i


cdef inline real *writable_at(real *p, Py_ssize_t i) noexcept nogil:
    if p == NULL:
        return NULL
    return p + i

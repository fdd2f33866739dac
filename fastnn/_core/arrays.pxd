"""Fast checks of arrays in C. Arrays that fail go to the slow path in Python, which converts them or raises."""

cimport numpy as cnp

from fastnn._core.dispatch cimport FNN_FLOAT32, FNN_FLOAT64, real


cdef inline bint is_readable(object x) noexcept:
    """Whether x is an ndarray that C can read: contiguous, aligned, native byte order."""
    return cnp.PyArray_CheckExact(x) and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> x)


cdef inline bint is_plain(object x) noexcept:
    """Whether x is a float32 or float64 ndarray that C can read."""
    return is_readable(x) and (cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT32
                               or cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT64)


cdef inline bint has_axes(object x) noexcept:
    """Whether x is a plain array that is no scalar; results of scalars are NumPy scalars, which the slow path makes."""
    return is_plain(x) and cnp.PyArray_NDIM(<cnp.ndarray> x) != 0


cdef inline bint is_labels(object x) noexcept:
    """Whether x is an int64 ndarray that C can read."""
    return is_readable(x) and cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_INT64


cdef inline bint same_dtype(object x, object y) noexcept:
    return cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.PyArray_TYPE(<cnp.ndarray> y)


cdef inline bint same_layout(object x, object y) noexcept:
    """Whether x and y are plain arrays of one dtype and shape."""
    return same_dtype(x, y) and cnp.PyArray_SAMESHAPE(<cnp.ndarray> x, <cnp.ndarray> y)


cdef inline bint is_plain_like(object x, object y) noexcept:
    """Whether x is a plain array of the dtype and shape of the plain array y."""
    return is_plain(x) and same_layout(x, y)


cdef inline bint is_matrix(object x) noexcept:
    """Whether x is a plain array of two dimensions."""
    return is_plain(x) and cnp.PyArray_NDIM(<cnp.ndarray> x) == 2


cdef inline bint is_writable(object x) noexcept:
    return cnp.PyArray_ISWRITEABLE(<cnp.ndarray> x)


cdef inline bint apart(object x, object y) noexcept:
    """Whether two plain arrays share no memory; True if one is None."""
    if x is None or y is None:
        return True
    cdef char *p = cnp.PyArray_BYTES(<cnp.ndarray> x)
    cdef char *q = cnp.PyArray_BYTES(<cnp.ndarray> y)
    return p + cnp.PyArray_NBYTES(<cnp.ndarray> x) <= q or q + cnp.PyArray_NBYTES(<cnp.ndarray> y) <= p


cdef inline bint takes_output(object out, object x) noexcept:
    """Whether an elementwise result of the plain array x can be written to `out`, which is x or does not overlap it."""
    return is_plain_like(out, x) and is_writable(out) and (data(out) == data(x) or apart(out, x))


cdef inline bint may_write(object out, object x) noexcept:
    """`takes_output`, or whether out is None, for a new array."""
    return out is None or takes_output(out, x)


cdef inline bint is_room(object out, object x, int ndim, const cnp.npy_intp *shape) noexcept:
    """Whether `out` is None, for a new array, or has this shape and x's dtype, and shares no memory with x."""
    return out is None or (is_plain(out) and same_dtype(out, x) and cnp.PyArray_NDIM(<cnp.ndarray> out) == ndim
                           and cnp.PyArray_CompareLists(cnp.PyArray_DIMS(<cnp.ndarray> out), shape, ndim)
                           and is_writable(out) and apart(out, x))


cdef inline object room(object out, object x, int ndim, const cnp.npy_intp *shape):
    """`out`, or for None a new array of x's dtype."""
    return cnp.PyArray_EMPTY(ndim, shape, cnp.PyArray_TYPE(<cnp.ndarray> x), 0) if out is None else out


cdef inline object empty_like(object x):
    return cnp.PyArray_EMPTY(cnp.PyArray_NDIM(<cnp.ndarray> x), cnp.PyArray_DIMS(<cnp.ndarray> x),
                             cnp.PyArray_TYPE(<cnp.ndarray> x), 0)


cdef inline bint is_double(object x) noexcept:
    return cnp.PyArray_TYPE(<cnp.ndarray> x) == cnp.NPY_FLOAT64


cdef inline void *data(object x) noexcept:
    return cnp.PyArray_DATA(<cnp.ndarray> x) if x is not None else NULL


cdef inline Py_ssize_t size(object x) noexcept:
    return cnp.PyArray_SIZE(<cnp.ndarray> x)


cdef inline int dtype_of(object x) noexcept:
    """The number of the dtype of a plain array."""
    return FNN_FLOAT64 if is_double(x) else FNN_FLOAT32


cdef inline void *at(const void *p, Py_ssize_t i, int dtype) noexcept nogil:
    """A pointer to number i of those at p."""
    if dtype == FNN_FLOAT64:  # a branch: a small kernel need not wait for the dtype to know its addresses
        return <void *> (<double *> p + i)
    return <void *> (<float *> p + i)


cdef inline void *at_unless_null(const void *p, Py_ssize_t i, int dtype) noexcept nogil:
    """The same; NULL if p is NULL."""
    return at(p, i, dtype) if p != NULL else NULL


cdef inline double get(const void *p, Py_ssize_t i, int dtype) noexcept nogil:
    """Number i of those at p."""
    return (<const double *> p)[i] if dtype == FNN_FLOAT64 else (<const float *> p)[i]


cdef inline void put(void *p, Py_ssize_t i, double value, int dtype) noexcept nogil:
    """Store number i of those at p, rounded to their dtype."""
    if dtype == FNN_FLOAT64:
        (<double *> p)[i] = value
    else:
        (<float *> p)[i] = <float> value


cdef inline Py_ssize_t itemsize(int dtype) noexcept nogil:
    return 4 << dtype


cdef inline real *writable_at(real *p, Py_ssize_t i) noexcept nogil:
    """p + i; NULL if p is NULL."""
    if p == NULL:
        return NULL
    return p + i

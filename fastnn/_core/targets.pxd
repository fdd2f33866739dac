from libc.stdint cimport int64_t

cdef extern from "elements.h":
    enum:
        FNN_ANY
        FNN_SHARES
        FNN_SIGNS
        FNN_NOT_NEGATIVE
        FNN_POSITIVE

cpdef enum:  # what targets of a loss may be: any number, from 0 to 1, -1 or 1, 0 or more, above 0
    ANY = FNN_ANY
    SHARES = FNN_SHARES
    SIGNS = FNN_SIGNS
    NOT_NEGATIVE = FNN_NOT_NEGATIVE
    POSITIVE = FNN_POSITIVE

cdef Py_ssize_t bad_label(const int64_t *labels, Py_ssize_t rows, Py_ssize_t cols, int64_t ignored) noexcept nogil
cdef Py_ssize_t first_bad(int dtype, const void *target, Py_ssize_t n, int kind) noexcept nogil

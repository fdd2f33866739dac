from libc.stdint cimport int64_t

cdef enum:
    NO_WIDENING, FROM_UINT8, FROM_FLOAT16

cdef int narrow(object x) noexcept
cdef void widen_rows(int kind, const char *source, char *out, const int64_t *order, Py_ssize_t start,
                     Py_ssize_t rows, Py_ssize_t cols, double scale, int dtype) noexcept nogil

from libc.stdint cimport int64_t

cdef enum:
    NO_CONVERSION = -1

# The rows of a matrix that are converted: where they are, how many bytes rows and numbers are apart, and their dtype.
ctypedef struct Source:
    const char *data
    Py_ssize_t row_stride
    Py_ssize_t col_stride
    int kind

cdef int source_of(Source *source, x, int dtype) except -1
cdef bint convert_rows(const Source *source, void *out, const int64_t *order, Py_ssize_t start, Py_ssize_t rows,
                       Py_ssize_t cols, double scale, int dtype) noexcept nogil

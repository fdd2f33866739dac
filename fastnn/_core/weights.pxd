from libc.stdint cimport int64_t

cdef enum:
    CHUNK = 4096  # elements whose losses, or weights, are added up at once

cdef bint are_weights(object weight) noexcept
cdef double run_sum(int dtype, const void *x, Py_ssize_t n) noexcept nogil
cdef double count_elements(int dtype, const void *weight, Py_ssize_t n) noexcept nogil
cdef double count_rows(int dtype, const int64_t *labels, const void *weight, const void *by_class, int64_t ignored,
                       Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void spread(int dtype, const void *weight, void *each, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void weigh_columns(int dtype, const void *columns, void *each, Py_ssize_t rows, Py_ssize_t cols,
                        bint filled) noexcept nogil
cdef void present(int dtype, const void *target, const void *weight, bint elements, void *y, void *each,
                  Py_ssize_t rows, Py_ssize_t cols) noexcept nogil

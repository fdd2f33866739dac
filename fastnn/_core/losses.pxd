from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport fnn_loss

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

cdef Py_ssize_t first_bad(int dtype, const void *target, Py_ssize_t n, int kind) noexcept nogil
cdef double run_loss(int kernel, int dtype, const fnn_loss *of, Py_ssize_t n) noexcept nogil
cdef double run_root(int kernel, int dtype, const fnn_loss *of, Py_ssize_t n, double divisor) noexcept nogil
cdef double run_row_loss(int kernel, int dtype, const fnn_loss *of, Py_ssize_t rows) noexcept nogil
cdef void spread(int dtype, const void *weight, void *each, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void weigh_columns(int dtype, const void *columns, void *each, Py_ssize_t rows, Py_ssize_t cols,
                        bint filled) noexcept nogil
cdef void present(int dtype, const void *target, const void *weight, bint elements, void *y, void *each,
                  Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef double run_sum(int dtype, const void *x, Py_ssize_t n) noexcept nogil
cdef double label_sum(int dtype, const int64_t *labels, const void *weight, const void *by_class, int64_t ignored,
                      Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef Py_ssize_t bad_label(const int64_t *labels, Py_ssize_t rows, Py_ssize_t cols, int64_t ignored) noexcept nogil

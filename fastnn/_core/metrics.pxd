"""What metrics are made of, added up batch by batch."""

from libc.stdint cimport int64_t

cdef extern from "elements.h" nogil:
    ctypedef struct Reading "struct fnn_reading":
        const int64_t *labels
        bint columns
        bint elements
        double threshold
        int64_t ignored

cdef void count_correct(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil
cdef void count_classes(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil
cdef void count_top(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                    Py_ssize_t rows, Py_ssize_t n, double k) noexcept nogil
cdef void count_errors(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                       Py_ssize_t rows, Py_ssize_t n) noexcept nogil

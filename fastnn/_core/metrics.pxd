"""What metrics are made of, added up batch by batch."""

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real

cdef extern from "elements.h" nogil:
    ctypedef struct Reading "struct fnn_reading":
        const int64_t *labels
        bint columns
        double threshold
        int64_t ignored

cdef void count_correct(Reading how, const real *x, const real *target, const real *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil
cdef void count_classes(Reading how, const real *x, const real *target, const real *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil
cdef void count_top(Reading how, const real *x, const real *target, const real *weight, double *counts,
                    Py_ssize_t rows, Py_ssize_t n, double k) noexcept nogil
cdef void count_errors(const real *x, const real *target, const real *weight, double *counts,
                       Py_ssize_t rows, Py_ssize_t n) noexcept nogil

"""What metrics are made of, added up batch by batch."""

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real

# How outputs and targets are read: `labels` class indices, or else `target` rows of n numbers, whose largest counts or,
# with `columns`, each for itself. Rows whose label is `ignored`, or no class, count nowhere.
ctypedef struct Reading:
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

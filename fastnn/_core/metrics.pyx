"""What metrics are made of, added up batch by batch: the loops of src_c/metrics.c, for the dtype of the network.

Formulas and layouts of counts: reference/metrics.py. A weight of NULL is 1 for every row; with `how.elements` there is
one an element.
"""

ctypedef void (*Count)(const Reading *how, const void *x, const void *target, const void *weight, double *counts,
                       Py_ssize_t rows, Py_ssize_t n) noexcept nogil
ctypedef void (*CountTop)(const Reading *how, const void *x, const void *target, const void *weight, double *counts,
                          Py_ssize_t rows, Py_ssize_t n, double k) noexcept nogil
ctypedef void (*CountErrors)(const Reading *how, const void *x, const void *target, const void *weight, double *counts,
                             Py_ssize_t rows, Py_ssize_t n) noexcept nogil

cdef extern from "elements.h":
    const Count[2] fnn_count_correct
    const Count[2] fnn_count_classes
    const CountTop[2] fnn_count_top
    const CountErrors[2] fnn_count_errors


cdef void count_correct(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    """counts: the weight of right predictions, of all."""
    fnn_count_correct[dtype](&how, x, target, weight, counts, rows, n)


cdef void count_classes(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    """counts (3, classes): the weight of right predictions, of all predictions, of all targets."""
    fnn_count_classes[dtype](&how, x, target, weight, counts, rows, n)


cdef void count_top(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                    Py_ssize_t rows, Py_ssize_t n, double k) noexcept nogil:
    """counts: the weight of rows whose class is among the k largest outputs, of all."""
    fnn_count_top[dtype](&how, x, target, weight, counts, rows, n, k)


cdef void count_errors(int dtype, Reading how, const void *x, const void *target, const void *weight, double *counts,
                       Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    """counts: the weight and the number of rows, then five numbers a column (src_c/metrics.c)."""
    fnn_count_errors[dtype](&how, x, target, weight, counts, rows, n)

"""What metrics are made of, added up batch by batch: the loops of src_c/metrics.c, for the dtype of the network.

Formulas and layouts of counts: reference/metrics.py. A weight of NULL is 1 for every row.
"""

from fastnn._core.dispatch cimport real

cdef extern from "elements.h" nogil:
    void fnn_count_correct_f32(const Reading *how, const float *x, const float *target, const float *weight,
                               double *counts, Py_ssize_t rows, Py_ssize_t n)
    void fnn_count_correct_f64(const Reading *how, const double *x, const double *target, const double *weight,
                               double *counts, Py_ssize_t rows, Py_ssize_t n)
    void fnn_count_classes_f32(const Reading *how, const float *x, const float *target, const float *weight,
                               double *counts, Py_ssize_t rows, Py_ssize_t n)
    void fnn_count_classes_f64(const Reading *how, const double *x, const double *target, const double *weight,
                               double *counts, Py_ssize_t rows, Py_ssize_t n)
    void fnn_count_top_f32(const Reading *how, const float *x, const float *target, const float *weight,
                           double *counts, Py_ssize_t rows, Py_ssize_t n, double k)
    void fnn_count_top_f64(const Reading *how, const double *x, const double *target, const double *weight,
                           double *counts, Py_ssize_t rows, Py_ssize_t n, double k)
    void fnn_count_errors_f32(const float *x, const float *target, const float *weight, double *counts,
                              Py_ssize_t rows, Py_ssize_t n)
    void fnn_count_errors_f64(const double *x, const double *target, const double *weight, double *counts,
                              Py_ssize_t rows, Py_ssize_t n)


cdef void count_correct(Reading how, const real *x, const real *target, const real *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    """counts: the weight of right predictions, of all."""
    if real is float:
        fnn_count_correct_f32(&how, x, target, weight, counts, rows, n)
    else:
        fnn_count_correct_f64(&how, x, target, weight, counts, rows, n)


cdef void count_classes(Reading how, const real *x, const real *target, const real *weight, double *counts,
                        Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    """counts (3, classes): the weight of right predictions, of all predictions, of all targets."""
    if real is float:
        fnn_count_classes_f32(&how, x, target, weight, counts, rows, n)
    else:
        fnn_count_classes_f64(&how, x, target, weight, counts, rows, n)


cdef void count_top(Reading how, const real *x, const real *target, const real *weight, double *counts,
                    Py_ssize_t rows, Py_ssize_t n, double k) noexcept nogil:
    """counts: the weight of rows whose class is among the k largest outputs, of all."""
    if real is float:
        fnn_count_top_f32(&how, x, target, weight, counts, rows, n, k)
    else:
        fnn_count_top_f64(&how, x, target, weight, counts, rows, n, k)


cdef void count_errors(const real *x, const real *target, const real *weight, double *counts,
                       Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    """counts: the weight and the number of rows, then four numbers a column (src_c/metrics.c)."""
    if real is float:
        fnn_count_errors_f32(x, target, weight, counts, rows, n)
    else:
        fnn_count_errors_f64(x, target, weight, counts, rows, n)

"""Some columns of a matrix: picked, and their gradient put back (src_c/columns.c)."""

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport real

cdef extern from "elements.h" nogil:
    void fnn_gather_f32(const float *x, const int64_t *index, float *y, Py_ssize_t rows, Py_ssize_t n_in,
                        Py_ssize_t n_out)
    void fnn_gather_f64(const double *x, const int64_t *index, double *y, Py_ssize_t rows, Py_ssize_t n_in,
                        Py_ssize_t n_out)
    void fnn_scatter_f32(const float *g, const int64_t *index, float *grad_x, Py_ssize_t rows, Py_ssize_t n_in,
                         Py_ssize_t n_out)
    void fnn_scatter_f64(const double *g, const int64_t *index, double *grad_x, Py_ssize_t rows, Py_ssize_t n_in,
                         Py_ssize_t n_out)


cdef void run_gather(const real *x, const int64_t *index, real *y, Py_ssize_t rows, Py_ssize_t n_in,
                     Py_ssize_t n_out) noexcept nogil:
    """y[r, j] = x[r, index[j]]"""
    if real is float:
        fnn_gather_f32(x, index, y, rows, n_in, n_out)
    else:
        fnn_gather_f64(x, index, y, rows, n_in, n_out)


cdef void run_scatter(const real *g, const int64_t *index, real *grad_x, Py_ssize_t rows, Py_ssize_t n_in,
                      Py_ssize_t n_out) noexcept nogil:
    """grad_x[r, index[j]] += g[r, j], from 0"""
    if real is float:
        fnn_scatter_f32(g, index, grad_x, rows, n_in, n_out)
    else:
        fnn_scatter_f64(g, index, grad_x, rows, n_in, n_out)

"""Some columns of a matrix: picked, and their gradient put back."""

from libc.stdint cimport int64_t
from libc.string cimport memset

from fastnn._core.dispatch cimport real


cdef void run_gather(const real *x, const int64_t *index, real *y, Py_ssize_t rows, Py_ssize_t n_in,
                     Py_ssize_t n_out) noexcept nogil:
    """y[r, j] = x[r, index[j]]"""
    cdef Py_ssize_t r, j
    for r in range(rows):
        for j in range(n_out):
            y[r * n_out + j] = x[r * n_in + index[j]]


cdef void run_scatter(const real *g, const int64_t *index, real *grad_x, Py_ssize_t rows, Py_ssize_t n_in,
                      Py_ssize_t n_out) noexcept nogil:
    """grad_x[r, index[j]] += g[r, j], from 0"""
    cdef Py_ssize_t r, j
    memset(grad_x, 0, rows * n_in * sizeof(real))
    for r in range(rows):
        for j in range(n_out):
            grad_x[r * n_in + index[j]] += g[r * n_out + j]

from libc.stdint cimport int64_t

from fastnn._core.dispatch cimport fnn_adjustment, real
from fastnn._core.rules cimport fnn_hyper, fnn_rule

# What is updated as a whole: `count` matrices of this shape, one after the other, or a vector if rows is 0.
ctypedef struct Shape:
    Py_ssize_t count
    Py_ssize_t rows
    Py_ssize_t cols

cdef Py_ssize_t scratch_size(int whole, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil
cdef void run_matrix_rule(const fnn_rule *rule, int kernel, const fnn_hyper *hyper, int64_t step, real *param,
                          const real *grad, real *state0, real *state1, const Shape *shape, real *scratch,
                          const fnn_adjustment *adjustment) noexcept nogil

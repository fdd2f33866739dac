"""Layer normalization of each group of columns, of which several may share one number of weight and bias."""

cimport numpy as cnp

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport FNN_ROW_STATISTICS
from fastnn._core.linear cimport NONE
from fastnn._core.normalization cimport (
    Norm, columns, find_norm, new_rows, rows_of, run_norm, run_norm_backward, run_norm_gradients,
)
from fastnn._core.weights cimport spread

cnp.import_array()


cdef void expand_affine(const Norm *norm, int dtype, const void **weight, const void **bias, void *expanded,
                        Py_ssize_t cols) noexcept nogil:
    """Replace weight and bias (unless NULL) by copies with a number for each column, in `expanded` (2 * cols)."""
    cdef const void *both[2]
    cdef int i
    both[0], both[1] = weight[0], bias[0]
    for i in range(2):
        if both[i] != NULL and norm.length > 1:
            spread(dtype, both[i], arrays.at(expanded, i * cols, dtype), cols // norm.length, norm.length)
            both[i] = arrays.at(expanded, i * cols, dtype)
    weight[0], bias[0] = both[0], both[1]


cdef void run_group_gradients(const Norm *norm, int dtype, const void *g, const void *x, void *statistics,
                              void *grad_weight, void *grad_bias, void *expanded, Py_ssize_t rows, Py_ssize_t cols,
                              bint accumulate) noexcept nogil:
    """`run_norm_gradients`, summed over the columns that share a number; `expanded` has room for 2 * cols numbers."""
    cdef Py_ssize_t c, length = norm.length
    cdef void *gradient
    cdef int i
    cdef double total
    if length == 1:
        run_norm_gradients(norm, dtype, g, x, statistics, grad_weight, grad_bias, rows, cols, accumulate)
        return
    run_norm_gradients(norm, dtype, g, x, statistics, expanded, arrays.at(expanded, cols, dtype), rows, cols, False)
    for i in range(2):
        gradient = grad_bias if i else grad_weight
        for c in range(cols // length if gradient != NULL else 0):
            total = dispatch.kernels_of(dtype).sum(arrays.at(expanded, i * cols + c * length, dtype), length)
            arrays.put(gradient, c, total + (arrays.get(gradient, c, dtype) if accumulate else 0.0), dtype)


cdef class GroupNorm:
    """Layer normalization of each of `groups` groups of columns; `length` columns share one number of the weight."""
    cdef Norm norm

    def __init__(self, Py_ssize_t groups, Py_ssize_t length):
        self.norm = find_norm("layer_norm")
        self.norm.groups, self.norm.length = groups, length

    def run(self, x, weight, bias, out, double eps):
        """Fill `out` from plain arrays of one dtype, x being a matrix; weight and bias may be None."""
        cdef Py_ssize_t cols = columns(x)
        cdef Py_ssize_t rows = rows_of(x)
        expanded = new_rows(x, 2, cols)
        cdef const void *pw = arrays.data(weight)
        cdef const void *pb = arrays.data(bias)
        cdef void *pe = arrays.data(expanded)
        cdef void *px = arrays.data(x)
        cdef void *py = arrays.data(out)
        cdef int dtype = arrays.dtype_of(x)
        with nogil:
            expand_affine(&self.norm, dtype, &pw, &pb, pe, cols)
            run_norm(&self.norm, dtype, px, pw, pb, py, py, NULL, rows, cols, eps, &NONE)

    def backward(self, g, x, weight, grad_x, grad_weight, grad_bias, double eps):
        """Fill the gradients, all arrays being plain and of one dtype."""
        cdef Py_ssize_t cols = columns(x)
        cdef Py_ssize_t rows = rows_of(x)
        statistics, expanded = new_rows(x, rows * self.norm.groups, FNN_ROW_STATISTICS), new_rows(x, 4, cols)
        cdef const void *pw = arrays.data(weight)
        cdef const void *none = NULL
        cdef void *pe = arrays.data(expanded)
        cdef void *pg = arrays.data(g)
        cdef void *px = arrays.data(x)
        cdef void *ps = arrays.data(statistics)
        cdef void *gx = arrays.data(grad_x)
        cdef void *gw = arrays.data(grad_weight)
        cdef void *gb = arrays.data(grad_bias)
        cdef int dtype = arrays.dtype_of(x)
        with nogil:
            expand_affine(&self.norm, dtype, &pw, &none, pe, cols)
            run_norm(&self.norm, dtype, px, NULL, NULL, NULL, NULL, ps, rows, cols, eps, &NONE)
            run_group_gradients(&self.norm, dtype, pg, px, ps, gw, gb, arrays.at(pe, 2 * cols, dtype), rows, cols,
                                False)
            run_norm_backward(&self.norm, dtype, pg, px, pw, ps, gx, NULL, rows, cols, &NONE)

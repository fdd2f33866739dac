"""y = activation(x W + b) and its gradients: blocks for the caches, parts for the threads.

Every output element is one chain of FMAs (src_c/kernels/linear.h), so neither blocks nor parts change a bit: a block of
k continues the chains of the block before it from memory.
"""

cimport numpy as cnp
from cython.parallel cimport prange

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport real
from fastnn._core.threads cimport part_start, parts_for, region_began, region_ended, workers_for

cnp.import_array()

cdef enum:
    ROW_BLOCK = 240    # a multiple of every tile height; enough rows to make up for packing a panel of W
    DEPTH_BLOCK = 256  # a panel of W, 256 x 32 floats, and 12 rows of x fill the first cache
    UNIT = 64          # columns: a cache line of float, two of double

cdef double COST = 0.012  # nanoseconds a multiply-add: benchmarks/bench_linear.py


cdef void product_block(const real *a, Py_ssize_t a_row, Py_ssize_t a_col, const real *b, Py_ssize_t b_row,
                        const real *init, Py_ssize_t init_row, real *c, Py_ssize_t c_row,
                        Py_ssize_t rows, Py_ssize_t cols, Py_ssize_t depth) noexcept nogil:
    """c = init + a b for one block of rows; init is NULL, a row (init_row 0) or c itself."""
    cdef Py_ssize_t k = min(depth, DEPTH_BLOCK)
    dispatch.matmul(a, a_row, a_col, b, b_row, init, init_row, c, c_row, rows, cols, k)
    while k < depth:
        dispatch.matmul(a + k * a_col, a_row, a_col, b + k * b_row, b_row, c, c_row, c, c_row, rows, cols,
                        min(depth - k, DEPTH_BLOCK))
        k += DEPTH_BLOCK


cdef void linear_rows(const real *x, const real *weight, const real *bias, real *pre, real *y, Py_ssize_t start,
                      Py_ssize_t stop, Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *activation) noexcept nogil:
    cdef Py_ssize_t r, rows
    r = start
    while r < stop:
        rows = min(stop - r, ROW_BLOCK)
        product_block(x + r * n_in, n_in, 1, weight, n_out, bias, 0, pre + r * n_out, n_out, rows, n_out, n_in)
        if activation.kernel >= 0:
            dispatch.map1(activation.kernel, pre + r * n_out, y + r * n_out, rows * n_out, activation.params)
        r += ROW_BLOCK


cdef void linear_cols(const real *x, const real *weight, const real *bias, real *pre, Py_ssize_t rows, Py_ssize_t start,
                      Py_ssize_t stop, Py_ssize_t n_in, Py_ssize_t n_out) noexcept nogil:
    cdef Py_ssize_t r
    r = 0
    while r < rows:
        product_block(x + r * n_in, n_in, 1, weight + start, n_out, arrays.at(bias, start), 0,
                      pre + r * n_out + start, n_out, min(rows - r, ROW_BLOCK), stop - start, n_in)
        r += ROW_BLOCK


cdef void run_linear(const real *x, const real *weight, const real *bias, real *pre, real *y, Py_ssize_t rows,
                     Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *activation) noexcept nogil:
    """pre = x weight + bias; y = activation(pre). pre may be y; without an activation only pre is written."""
    cdef double cost = <double> rows * n_in * n_out * COST
    cdef double began = 0
    cdef int parts = parts_for(cost)
    if parts > 1:
        began = region_began()
    if parts == 1:
        linear_rows(x, weight, bias, pre, y, 0, rows, n_in, n_out, activation)
    elif rows >= 8 * parts:
        linear_row_parts(x, weight, bias, pre, y, rows, n_in, n_out, activation, parts)
    else:
        linear_col_parts(x, weight, bias, pre, rows, n_in, n_out, parts)
        if activation.kernel >= 0:
            dispatch.map1(activation.kernel, pre, y, rows * n_out, activation.params)
    if parts > 1:
        region_ended(began, cost)


cdef void linear_row_parts(const real *x, const real *weight, const real *bias, real *pre, real *y, Py_ssize_t rows,
                           Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *activation, int parts) noexcept nogil:
    cdef int part
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        linear_rows(x, weight, bias, pre, y, part_start(rows, part, parts, 1), part_start(rows, part + 1, parts, 1),
                    n_in, n_out, activation)


cdef void linear_col_parts(const real *x, const real *weight, const real *bias, real *pre, Py_ssize_t rows,
                           Py_ssize_t n_in, Py_ssize_t n_out, int parts) noexcept nogil:
    cdef int part
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        linear_cols(x, weight, bias, pre, rows, part_start(n_out, part, parts, UNIT),
                    part_start(n_out, part + 1, parts, UNIT), n_in, n_out)


cdef void grad_weight_rows(const real *g, const real *x, real *grad_weight, bint accumulate, Py_ssize_t start,
                           Py_ssize_t stop, Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out) noexcept nogil:
    cdef Py_ssize_t i
    cdef real *block
    i = start
    while i < stop:
        block = grad_weight + i * n_out
        product_block(x + i, 1, n_in, g, n_out, block if accumulate else NULL, n_out, block, n_out,
                      min(stop - i, ROW_BLOCK), n_out, rows)
        i += ROW_BLOCK


cdef void run_linear_grad_weight(const real *g, const real *x, real *grad_weight, real *grad_bias, bint accumulate,
                                 Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out) noexcept nogil:
    """grad_weight = x^T g and grad_bias = column sums of g (unless NULL), added to what is there if `accumulate`."""
    cdef double cost = <double> rows * n_in * n_out * COST
    cdef double began = 0
    cdef int parts = parts_for(cost)
    if parts > 1:
        began = region_began()
    if parts == 1:
        grad_weight_rows(g, x, grad_weight, accumulate, 0, n_in, rows, n_in, n_out)
    else:
        grad_weight_parts(g, x, grad_weight, accumulate, rows, n_in, n_out, parts)
        region_ended(began, cost)
    if grad_bias != NULL:
        dispatch.column_sums(g, n_out, grad_bias if accumulate else NULL, grad_bias, rows, n_out)


cdef void grad_weight_parts(const real *g, const real *x, real *grad_weight, bint accumulate, Py_ssize_t rows,
                            Py_ssize_t n_in, Py_ssize_t n_out, int parts) noexcept nogil:
    cdef int part
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        grad_weight_rows(g, x, grad_weight, accumulate, part_start(n_in, part, parts, 1),
                         part_start(n_in, part + 1, parts, 1), rows, n_in, n_out)


cdef void grad_x_rows(const real *g, const real *weight_t, real *grad_x, const real *saved, Py_ssize_t start,
                      Py_ssize_t stop, Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *gate) noexcept nogil:
    cdef Py_ssize_t r, rows
    cdef real *block
    r = start
    while r < stop:
        rows = min(stop - r, ROW_BLOCK)
        block = grad_x + r * n_in
        product_block(g + r * n_out, n_out, 1, weight_t, n_in, NULL, 0, block, n_in, rows, n_in, n_out)
        if gate.kernel >= 0:
            dispatch.map2(gate.kernel, block, saved + r * n_in, block, rows * n_in, gate.params)
        r += ROW_BLOCK


cdef void run_linear_grad_x(const real *g, const real *weight, real *weight_t, real *grad_x, const real *saved,
                            Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *gate) noexcept nogil:
    """grad_x = g weight^T, then times the derivative of the activation before this layer, which saved `saved`.

    weight_t is room for the transposed weight: lanes run along the columns of the second factor.
    """
    cdef double cost = <double> rows * n_in * n_out * COST
    cdef double began = 0
    cdef int parts = parts_for(cost)
    if parts > 1:
        began = region_began()
    if parts == 1:
        dispatch.transpose(weight, n_out, weight_t, n_in, n_in, n_out)
        grad_x_rows(g, weight_t, grad_x, saved, 0, rows, n_in, n_out, gate)
    else:
        transpose_parts(weight, weight_t, n_in, n_out, parts)
        grad_x_parts(g, weight_t, grad_x, saved, rows, n_in, n_out, gate, parts)
        region_ended(began, cost)


cdef void transpose_parts(const real *weight, real *weight_t, Py_ssize_t n_in, Py_ssize_t n_out,
                          int parts) noexcept nogil:
    cdef int part
    cdef Py_ssize_t start
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        start = part_start(n_in, part, parts, 16)
        dispatch.transpose(weight + start * n_out, n_out, weight_t + start, n_in,
                           part_start(n_in, part + 1, parts, 16) - start, n_out)


cdef void grad_x_parts(const real *g, const real *weight_t, real *grad_x, const real *saved, Py_ssize_t rows,
                       Py_ssize_t n_in, Py_ssize_t n_out, const Epilogue *gate, int parts) noexcept nogil:
    cdef int part
    for part in prange(parts, schedule="static", num_threads=workers_for(parts)):
        grad_x_rows(g, weight_t, grad_x, saved, part_start(rows, part, parts, 1),
                    part_start(rows, part + 1, parts, 1), n_in, n_out, gate)


def quick_linear(x, weight, bias, str activation=None, double a=0.0, double b=0.0):
    """`linear` into a new array, or None if the arrays are not plain matrices that fit and so are for the slow path."""
    if (dispatch.reference or not arrays.is_plain(x) or not arrays.is_plain(weight)
            or cnp.PyArray_NDIM(<cnp.ndarray> x) != 2 or cnp.PyArray_NDIM(<cnp.ndarray> weight) != 2
            or cnp.PyArray_TYPE(<cnp.ndarray> x) != cnp.PyArray_TYPE(<cnp.ndarray> weight)
            or cnp.PyArray_DIM(<cnp.ndarray> x, 1) != cnp.PyArray_DIM(<cnp.ndarray> weight, 0)):
        return None
    if bias is not None and (not arrays.is_plain(bias) or cnp.PyArray_NDIM(<cnp.ndarray> bias) != 1
                             or cnp.PyArray_TYPE(<cnp.ndarray> x) != cnp.PyArray_TYPE(<cnp.ndarray> bias)
                             or cnp.PyArray_DIM(<cnp.ndarray> bias, 0) != cnp.PyArray_DIM(<cnp.ndarray> weight, 1)):
        return None
    cdef cnp.npy_intp[2] shape = [cnp.PyArray_DIM(<cnp.ndarray> x, 0), cnp.PyArray_DIM(<cnp.ndarray> weight, 1)]
    out = cnp.PyArray_EMPTY(2, shape, cnp.PyArray_TYPE(<cnp.ndarray> x), 0)
    return linear(x, weight, bias, out, activation, a, b)


cpdef linear(x, weight, bias, out, str activation=None, double a=0.0, double b=0.0):
    """out = activation(x weight + bias) for plain arrays of one dtype: x (rows, in), weight (in, out), bias or None."""
    cdef Epilogue epilogue
    epilogue.kernel = dispatch.kernel_index(activation, "map1") if activation is not None else -1
    epilogue.params = [a, b, 0.0]
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
    cdef Py_ssize_t n_in = cnp.PyArray_DIM(<cnp.ndarray> weight, 0)
    cdef Py_ssize_t n_out = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    cdef void *px = arrays.data(x)
    cdef void *pw = arrays.data(weight)
    cdef void *pb = arrays.data(bias)
    cdef void *py = arrays.data(out)
    if arrays.is_double(x):
        with nogil:
            run_linear(<double *> px, <double *> pw, <double *> pb, <double *> py, <double *> py, rows, n_in, n_out,
                       &epilogue)
    else:
        with nogil:
            run_linear(<float *> px, <float *> pw, <float *> pb, <float *> py, <float *> py, rows, n_in, n_out,
                       &epilogue)
    return out


def linear_backward(grad_output, x, weight, weight_t, grad_x, grad_weight, grad_bias):
    """Fill the three gradients, all plain and of one dtype; weight_t is room for the transposed weight."""
    cdef Epilogue none
    none.kernel = -1
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
    cdef Py_ssize_t n_in = cnp.PyArray_DIM(<cnp.ndarray> weight, 0)
    cdef Py_ssize_t n_out = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    cdef void *pg = arrays.data(grad_output)
    cdef void *px = arrays.data(x)
    cdef void *pw = arrays.data(weight)
    cdef void *pt = arrays.data(weight_t)
    cdef void *gx = arrays.data(grad_x)
    cdef void *gw = arrays.data(grad_weight)
    cdef void *gb = arrays.data(grad_bias)
    if arrays.is_double(x):
        with nogil:
            run_linear_grad_x(<double *> pg, <double *> pw, <double *> pt, <double *> gx, NULL, rows, n_in, n_out,
                              &none)
            run_linear_grad_weight(<double *> pg, <double *> px, <double *> gw, <double *> gb, False, rows, n_in,
                                   n_out)
    else:
        with nogil:
            run_linear_grad_x(<float *> pg, <float *> pw, <float *> pt, <float *> gx, NULL, rows, n_in, n_out, &none)
            run_linear_grad_weight(<float *> pg, <float *> px, <float *> gw, <float *> gb, False, rows, n_in, n_out)

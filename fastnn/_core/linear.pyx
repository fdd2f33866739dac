"""y = activation(x W + b) and its gradients, in blocks for the caches and parts for the threads.

Every output element is one chain of FMAs (src_c/kernels/linear.h), so neither blocks nor parts change a bit: a block of
k continues the chains of the previous block from memory.
"""

cimport numpy as cnp

from fastnn._core cimport arrays, dispatch
from fastnn._core.dispatch cimport FNN_ROW_BLOCK, fnn_product
from fastnn._core.threads cimport parallel_for

cnp.import_array()

cdef enum:
    UNIT = 64      # columns: a cache line of float, two of double, two panels
    TILES = 24     # rows: a multiple of the height of every tile

NONE.kernel = -1

cdef double COST = 0.012  # nanoseconds a multiply-add: benchmarks/bench_linear.py

# The epilogue of a product, applied to each block while it is in the cache: y = kernel(c), or c = kernel(c, saved).
ctypedef struct After:
    const Epilogue *epilogue
    void *y
    const void *saved


cdef void finish_block(int dtype, const fnn_product *q, const After *after, Py_ssize_t row,
                       Py_ssize_t col) noexcept nogil:
    """Apply the epilogue to the rows and columns of q, which begin at (row, col) of the whole."""
    cdef Py_ssize_t r, i, n = q.cols, runs = q.rows
    cdef void *c
    if q.c_row == n:  # the block is contiguous
        n, runs = n * runs, 1
    for r in range(runs):
        i = (row + r) * q.c_row + col
        c = arrays.at(q.c, r * q.c_row, dtype)
        if after.saved != NULL:
            dispatch.map2(after.epilogue.kernel, dtype)(c, arrays.at(after.saved, i, dtype), c, n,
                                                        after.epilogue.params)
        else:
            dispatch.map1(after.epilogue.kernel, dtype)(c, arrays.at(after.y, i, dtype), n, after.epilogue.params)


cdef void product_part(int dtype, const fnn_product *whole, const After *after, Py_ssize_t row, Py_ssize_t row_stop,
                       Py_ssize_t col, Py_ssize_t col_stop) noexcept nogil:
    """Some rows and columns of a product, in blocks of about equally many rows."""
    cdef fnn_product q = whole[0]
    cdef Py_ssize_t blocks = (row_stop - row + FNN_ROW_BLOCK - 1) // FNN_ROW_BLOCK
    cdef Py_ssize_t height = row_stop - row
    if blocks > 1:
        height = ((height + blocks - 1) // blocks + TILES - 1) // TILES * TILES
    q.cols = col_stop - col
    q.b = arrays.at(whole.b, col * q.b_col, dtype)
    while row < row_stop:
        q.rows = min(height, row_stop - row)
        q.a = arrays.at(whole.a, row * q.a_row, dtype)
        q.init = arrays.at_unless_null(whole.init, row * q.init_row + col, dtype)
        q.c = arrays.at(whole.c, row * q.c_row + col, dtype)
        dispatch.kernels_of(dtype).matmul(&q)
        if after.epilogue.kernel >= 0:
            finish_block(dtype, &q, after, row, col)
        row += height


ctypedef struct ProductWork:
    int dtype
    const fnn_product *whole
    const After *after


cdef void rows_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const ProductWork *w = <const ProductWork *> work
    product_part(w.dtype, w.whole, w.after, start, stop, 0, w.whole.cols)


cdef void columns_task(const void *work, Py_ssize_t start, Py_ssize_t stop, void *_) noexcept nogil:
    cdef const ProductWork *w = <const ProductWork *> work
    product_part(w.dtype, w.whole, w.after, 0, w.whole.rows, start, stop)


cdef void run_product(int dtype, const fnn_product *q, const After *after) noexcept nogil:
    """Run a product. Threads divide the columns if there are more columns than rows, so that b is packed only once."""
    cdef ProductWork work = ProductWork(dtype=dtype, whole=q, after=after)
    cdef double cost = <double> q.rows * q.cols * q.depth * COST
    if q.cols == 0:  # for any number of rows
        return
    if q.cols > q.rows:
        parallel_for(columns_task, &work, q.cols, UNIT, cost)
    else:
        parallel_for(rows_task, &work, q.rows, 1, cost)


cdef void run_linear(int dtype, const void *x, const void *weight, const void *bias, void *pre, void *y,
                     Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out, bint transposed,
                     const Epilogue *activation) noexcept nogil:
    """pre = x weight + bias; y = activation(pre). pre may be y; without an activation only pre is written.

    The weight is stored as (n_in, n_out) or, here and below, with `transposed`, as (n_out, n_in).
    """
    cdef fnn_product q = fnn_product(
        a=x, a_row=n_in, a_col=1, b=weight, b_row=1 if transposed else n_out, b_col=n_in if transposed else 1,
        init=bias, init_row=0, c=pre, c_row=n_out, rows=rows, cols=n_out, depth=n_in)
    cdef After after = After(epilogue=activation, y=y, saved=NULL)
    run_product(dtype, &q, &after)


cdef void run_linear_grad_weight(int dtype, const void *g, const void *x, void *grad_weight, void *grad_bias,
                                 bint accumulate, Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out,
                                 bint transposed) noexcept nogil:
    """grad_weight = x^T g (`transposed`: g^T x), and grad_bias = column sums of g unless it is NULL.

    With `accumulate` they are added to the old values.
    """
    cdef const void *before = NULL
    cdef const void *bias_before = NULL
    if accumulate:
        before, bias_before = grad_weight, grad_bias
    cdef fnn_product q = fnn_product(
        a=x, a_row=1, a_col=n_in, b=g, b_row=n_out, b_col=1, init=before, init_row=n_out,
        c=grad_weight, c_row=n_out, rows=n_in, cols=n_out, depth=rows)
    if transposed or n_out == 1:  # of one column both are the same, and lanes run along the features
        q.a, q.a_col, q.b, q.b_row = g, n_out, x, n_in
        q.init_row, q.c_row, q.rows, q.cols = n_in, n_in, n_out, n_in
    cdef After after = After(epilogue=&NONE, y=NULL, saved=NULL)
    run_product(dtype, &q, &after)
    if grad_bias != NULL:
        dispatch.kernels_of(dtype).column_sums(g, n_out, bias_before, grad_bias, rows, n_out)


cdef void run_linear_grad_x(int dtype, const void *g, const void *weight, void *grad_x, const void *saved,
                            Py_ssize_t rows, Py_ssize_t n_in, Py_ssize_t n_out, bint transposed,
                            const Epilogue *gate) noexcept nogil:
    """grad_x = g weight^T, times the derivative of the activation before this layer, computed from `saved`."""
    cdef fnn_product q = fnn_product(
        a=g, a_row=n_out, a_col=1, b=weight, b_row=n_in if transposed else 1, b_col=1 if transposed else n_out,
        init=NULL, init_row=0, c=grad_x, c_row=n_in, rows=rows, cols=n_in, depth=n_out)
    cdef After after = After(epilogue=gate, y=NULL, saved=saved)
    run_product(dtype, &q, &after)


cdef void run_matmul(int dtype, const fnn_product *q) noexcept nogil:
    """A product by itself."""
    cdef After after = After(epilogue=&NONE, y=NULL, saved=NULL)
    run_product(dtype, q, &after)


cdef bint fits(x, weight) noexcept:
    """Whether x and weight are plain matrices (rows, in) and (in, out) of one dtype."""
    return (arrays.is_matrix(x) and arrays.is_matrix(weight) and arrays.same_dtype(x, weight)
            and cnp.PyArray_DIM(<cnp.ndarray> x, 1) == cnp.PyArray_DIM(<cnp.ndarray> weight, 0))


def quick_linear(x, weight, bias, out, str activation=None, double a=0.0, double b=0.0):
    """`linear`, or None (for the slow path) if the arrays are not plain matrices of matching shapes."""
    if dispatch.reference or not fits(x, weight):
        return None
    if bias is not None and (not arrays.is_plain(bias) or cnp.PyArray_NDIM(<cnp.ndarray> bias) != 1
                             or not arrays.same_dtype(x, bias)
                             or cnp.PyArray_DIM(<cnp.ndarray> bias, 0) != cnp.PyArray_DIM(<cnp.ndarray> weight, 1)):
        return None
    cdef cnp.npy_intp[2] shape = [cnp.PyArray_DIM(<cnp.ndarray> x, 0), cnp.PyArray_DIM(<cnp.ndarray> weight, 1)]
    if not arrays.is_room(out, x, 2, shape) or not arrays.apart(out, weight) or not arrays.apart(out, bias):
        return None
    return linear(x, weight, bias, arrays.room(out, x, 2, shape), activation, a, b)


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
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_linear(dtype, px, pw, pb, py, py, rows, n_in, n_out, False, &epilogue)
    return out


def quick_linear_backward(grad_output, x, weight):
    """`linear_backward` into new arrays, or None if the arguments need the slow path."""
    if (dispatch.reference or not fits(x, weight) or not arrays.is_matrix(grad_output)
            or not arrays.same_dtype(grad_output, x)
            or cnp.PyArray_DIM(<cnp.ndarray> grad_output, 0) != cnp.PyArray_DIM(<cnp.ndarray> x, 0)
            or cnp.PyArray_DIM(<cnp.ndarray> grad_output, 1) != cnp.PyArray_DIM(<cnp.ndarray> weight, 1)):
        return None
    grad_x, grad_weight = arrays.empty_like(x), arrays.empty_like(weight)
    grad_bias = cnp.PyArray_EMPTY(1, &cnp.PyArray_DIMS(<cnp.ndarray> weight)[1], cnp.PyArray_TYPE(<cnp.ndarray> x), 0)
    linear_backward(grad_output, x, weight, grad_x, grad_weight, grad_bias)
    return grad_x, grad_weight, grad_bias


cpdef linear_backward(grad_output, x, weight, grad_x, grad_weight, grad_bias):
    """Fill the three gradients, all plain and of one dtype."""
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> x, 0)
    cdef Py_ssize_t n_in = cnp.PyArray_DIM(<cnp.ndarray> weight, 0)
    cdef Py_ssize_t n_out = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    cdef void *pg = arrays.data(grad_output)
    cdef void *px = arrays.data(x)
    cdef void *pw = arrays.data(weight)
    cdef void *gx = arrays.data(grad_x)
    cdef void *gw = arrays.data(grad_weight)
    cdef void *gb = arrays.data(grad_bias)
    cdef int dtype = arrays.dtype_of(x)
    with nogil:
        run_linear_grad_x(dtype, pg, pw, gx, NULL, rows, n_in, n_out, False, &NONE)
        run_linear_grad_weight(dtype, pg, px, gw, gb, False, rows, n_in, n_out, False)

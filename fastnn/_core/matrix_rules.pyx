"""Rules that work on whole matrices: Adafactor's factored squares, and Muon's orthogonal momentum.

A step of a matrix is first computed in `scratch`, and then applied by the kernel of the rule, p = shrink p - lr u.
Every sum is one chain or has a fixed order, so threads and instruction sets change no bit.
"""

cimport numpy as cnp
from libc.math cimport HUGE_VAL, pow, sqrt
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from fastnn._core cimport arrays, dispatch
from fastnn._core.activations cimport run_map2
from fastnn._core.dispatch cimport fnn_adjustment, fnn_coefficients, fnn_product, real
from fastnn._core.linear cimport run_matmul
from fastnn._core.parameters cimport run_adjust, run_lerp, run_norm
from fastnn._core.rules cimport (
    FNN_ADAFACTOR, FNN_ELEMENTS, FNN_MATCH_RMS_ADAMW, Rule, fnn_hyper, fnn_rule, run_kernel, set_coefficients,
)
from fastnn._core.threads cimport Task, parallel_for

from fastnn._core.rules import RULES

cnp.import_array()

cdef enum:
    UNIT = 64       # columns: a cache line of float
    CHUNK = 4096    # elements of a row that are added at once

# Nanoseconds an element: benchmarks/bench_optimizers.py
cdef double SQUARES_COST = 0.08
cdef double STEP_COST = 0.4
cdef double LERP_COST = 0.08

cdef int FACTORED = dispatch.kernel_index("factored_step", "map2")
cdef int LERP = dispatch.kernel_index("lerp", "map2")


cdef Py_ssize_t scratch_size(int whole, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """Numbers of scratch memory for a parameter of n numbers, in matrices (rows, cols): see the two rules."""
    cdef Py_ssize_t side = min(rows, cols)
    if whole == FNN_ADAFACTOR:
        return 2 * n + max(rows + cols, n if rows == 0 else 0)
    return 3 * n + 3 * side * side


# -- Adafactor ---------------------------------------------------------------------------------------------------------

# A matrix: its gradient, the means of squares of its rows and columns, now and averaged, and its step.
ctypedef struct Factored:
    const void *grad
    void *row_mean
    void *col_mean
    const void *row_var
    const void *col_var
    void *out
    Py_ssize_t rows, cols
    double mean, least  # of the averages of rows; the least square


cdef void row_squares_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Means of the squares of some rows."""
    cdef const Factored *w = <const Factored *> work
    cdef const real *row
    cdef double total
    cdef Py_ssize_t i, j
    for i in range(start, stop):
        row, total, j = <const real *> w.grad + i * w.cols, 0, 0
        while j < w.cols:
            total += dispatch.kernels_of(dispatch.dtype_of(row)).sum_of_squares(row + j, min(w.cols - j, CHUNK))
            j += CHUNK
        (<real *> w.row_mean)[i] = <real> (total / w.cols)


cdef void column_squares_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """Means of the squares of some columns."""
    cdef const Factored *w = <const Factored *> work
    cdef const real *grad = <const real *> w.grad
    cdef real *out = <real *> w.col_mean
    cdef Py_ssize_t j
    dispatch.kernels_of(dispatch.dtype_of(grad)).column_squares(grad + start, w.cols, out + start, w.rows,
                                                                stop - start)
    for j in range(start, stop):
        out[j] = out[j] / <real> w.rows


cdef void factored_step_task(const void *work, Py_ssize_t start, Py_ssize_t stop, real *dtype) noexcept nogil:
    """The steps of some rows."""
    cdef const Factored *w = <const Factored *> work
    cdef const real *grad = <const real *> w.grad
    cdef double[3] params
    cdef Py_ssize_t i
    for i in range(start, stop):
        params = [(<const real *> w.row_var)[i] / w.mean, w.least, 0.0]
        dispatch.map2(FACTORED, dispatch.dtype_of(grad))(
            grad + i * w.cols, w.col_var, <real *> w.out + i * w.cols, w.cols, params)


cdef void factor(const real *grad, real *row_var, real *col_var, real *out, Py_ssize_t rows, Py_ssize_t cols,
                 const fnn_hyper *h, double weight, real *means) noexcept nogil:
    """The step of a matrix; `means` has room for rows + cols numbers."""
    cdef Factored work = Factored(grad=grad, row_mean=means, col_mean=means + rows, row_var=row_var, col_var=col_var,
                                  out=out, rows=rows, cols=cols, mean=0, least=h.eps1 * h.eps1)
    parallel_for(<Task> row_squares_task[real], &work, rows, 1, rows * cols * SQUARES_COST)
    parallel_for(<Task> column_squares_task[real], &work, cols, UNIT, rows * cols * SQUARES_COST)
    run_lerp(row_var, <const real *> means, rows, weight)
    run_lerp(col_var, <const real *> means + rows, cols, weight)
    work.mean = dispatch.kernels_of(dispatch.dtype_of(grad)).sum(row_var, rows) / rows
    if work.mean < h.eps1:
        work.mean = h.eps1
    parallel_for(<Task> factored_step_task[real], &work, rows, 1, rows * cols * STEP_COST)


cdef double adafactor_step(const fnn_hyper *h, int64_t step, const real *param, const real *grad, real *state0,
                           real *state1, real *out, const Shape *shape, real *means) noexcept nogil:
    """Write the step of a parameter to `out`; return the rate.

    state0 has the averages of rows, state1 of columns; of a vector, state0 those of the squares.
    """
    cdef Py_ssize_t k, size = shape.rows * shape.cols, n = shape.count * size if shape.rows else shape.cols
    cdef double weight = pow(<double> step, h.beta2_decay), root = sqrt(<double> n)
    cdef double rate = min(h.lr, 1.0 / sqrt(<double> step))
    cdef double magnitude = run_norm(param, n) / root
    cdef double excess
    cdef double[3] params = [1.0, h.eps1 * h.eps1, 0.0]
    rate *= magnitude if magnitude > h.eps2 else h.eps2
    if shape.rows == 0:
        dispatch.kernels_of(dispatch.dtype_of(grad)).column_squares(grad, n, means, 1, n)
        run_lerp(state0, <const real *> means, n, weight)
        run_map2(FACTORED, dispatch.dtype_of(grad), STEP_COST, grad, state0, out, n, params)
    else:
        for k in range(shape.count):
            factor(grad + k * size, state0 + k * shape.rows, state1 + k * shape.cols, out + k * size, shape.rows,
                   shape.cols, h, weight, means)
    excess = run_norm(<const real *> out, n) / (root * h.d)
    return rate / excess if excess > 1 else rate


# -- Muon --------------------------------------------------------------------------------------------------------------

cdef void scale_into(const real *x, real *out, Py_ssize_t n, double factor) noexcept nogil:
    """out = factor x, which may be out."""
    cdef fnn_adjustment by = fnn_adjustment(scale=factor, max_value=HUGE_VAL, l1=0, l2=0)
    run_adjust(x, x, out, n, &by)


cdef void multiply_add(const real *a, Py_ssize_t a_row, Py_ssize_t a_col, const real *b, Py_ssize_t b_row,
                       Py_ssize_t b_col, bint add, real *c, Py_ssize_t rows, Py_ssize_t cols,
                       Py_ssize_t depth) noexcept nogil:
    """c = a b, added to what is there with `add`."""
    cdef fnn_product q = fnn_product(a=a, a_row=a_row, a_col=a_col, b=b, b_row=b_row, b_col=b_col, init=NULL,
                                     init_row=cols, c=c, c_row=cols, rows=rows, cols=cols, depth=depth)
    if add:
        q.init = c
    run_matmul(dispatch.dtype_of(a), &q)


cdef real *orthogonalize(real *x, real *other, Py_ssize_t rows, Py_ssize_t cols, const fnn_hyper *h,
                         real *squares) noexcept nogil:
    """Newton-Schulz iterations x = a x + (b A + c A A) x with A = x x^T, or x (b A + c A A) with A = x^T x if there are
    more rows than columns. Return where the result is: x or `other`. `squares` has room for three matrices A.
    """
    cdef Py_ssize_t side = min(rows, cols), n = rows * cols
    cdef real *gram = squares
    cdef real *scaled = squares + side * side
    cdef real *update = squares + 2 * side * side
    cdef double norm = run_norm(<const real *> x, n)
    cdef int _
    scale_into(<const real *> x, x, n, 1.0 / (h.eps if norm < h.eps else norm))
    for _ in range(<int> h.ns_steps):
        if rows > cols:
            multiply_add(<const real *> x, 1, cols, <const real *> x, cols, 1, False, gram, side, side, rows)
        else:
            multiply_add(<const real *> x, cols, 1, <const real *> x, 1, cols, False, gram, side, side, cols)
        scale_into(<const real *> gram, scaled, side * side, h.ns_c)
        scale_into(<const real *> gram, update, side * side, h.ns_b)
        multiply_add(<const real *> scaled, side, 1, <const real *> gram, side, 1, True, update, side, side, side)
        scale_into(<const real *> x, other, n, h.ns_a)
        if rows > cols:
            multiply_add(<const real *> x, cols, 1, <const real *> update, side, 1, True, other, rows, cols, side)
        else:
            multiply_add(<const real *> update, side, 1, <const real *> x, cols, 1, True, other, rows, cols, side)
        x, other = other, x
    return x


cdef double muon_rate(const fnn_hyper *h, Py_ssize_t rows, Py_ssize_t cols) noexcept nogil:
    """The rate for a matrix of this shape."""
    cdef double outputs = cols if h.transposed != 0 else rows
    cdef double inputs = rows if h.transposed != 0 else cols
    if <int> h.adjust_lr_fn == FNN_MATCH_RMS_ADAMW:
        return h.lr * 0.2 * sqrt(max(outputs, inputs))
    return h.lr * sqrt(max(1.0, outputs / inputs))


cdef real *muon_step(const fnn_hyper *h, const real *grad, real *momentum_buffer, real *x, const Shape *shape,
                     real *squares) noexcept nogil:
    """Update the momentum, and return the step; x has room for two matrices."""
    cdef Py_ssize_t n = shape.rows * shape.cols
    cdef double[3] params = [h.momentum, 1.0 - h.momentum, 0.0]
    run_lerp(momentum_buffer, grad, n, 1.0 - h.momentum)
    if h.nesterov != 0:
        run_map2(LERP, dispatch.dtype_of(grad), LERP_COST, grad, momentum_buffer, x, n, params)
    else:
        memcpy(x, momentum_buffer, n * sizeof(real))
    return orthogonalize(x, x + n, shape.rows, shape.cols, h, squares)


# -- both --------------------------------------------------------------------------------------------------------------

cdef void run_matrix_rule(const fnn_rule *rule, int kernel, const fnn_hyper *hyper, int64_t step, real *param,
                          const real *grad, real *state0, real *state1, const Shape *shape, real *scratch,
                          const fnn_adjustment *adjustment) noexcept nogil:
    """Update a parameter; its gradient is adjusted first unless `adjustment` is NULL."""
    cdef Py_ssize_t n = shape.count * shape.rows * shape.cols if shape.rows else shape.cols
    cdef fnn_adjustment by = fnn_adjustment(scale=1.0, max_value=HUGE_VAL, l1=0, l2=0)
    cdef fnn_coefficients coefficients
    cdef real *made = scratch + n
    if n == 0:
        return
    if adjustment != NULL or hyper.maximize != 0:
        if adjustment != NULL:
            by = adjustment[0]
        by.scale *= -1.0 if hyper.maximize != 0 else 1.0
        run_adjust(param, grad, scratch, n, &by)
        grad = scratch
    set_coefficients(rule, hyper, step, &coefficients)
    if rule.whole == FNN_ADAFACTOR:
        coefficients.lr = adafactor_step(hyper, step, <const real *> param, grad, state0, state1, made, shape,
                                         scratch + 2 * n)
    else:
        coefficients.lr = muon_rate(hyper, shape.rows, shape.cols)
        made = muon_step(hyper, grad, state0, made, shape, scratch + 3 * n)
    run_kernel(kernel, &coefficients, param, <const real *> made, <real *> NULL, <real *> NULL, <real *> NULL, n, NULL)


def scratch_needed(str rule, Py_ssize_t n, Py_ssize_t rows, Py_ssize_t cols):
    """How many numbers of scratch memory a rule needs for a parameter of n numbers; rows is 0 for a vector."""
    cdef Rule by = RULES[rule]
    return scratch_size(by.rule.whole, n, rows, cols)


def step(str rule, hyper, int64_t step, param, grad, state0, state1, Py_ssize_t rows, Py_ssize_t cols, scratch):
    """Update `param`, matrices (rows, cols), or a vector if rows is 0. All arrays are plain and of one dtype."""
    cdef Rule by = RULES[rule]
    cdef Py_ssize_t n = arrays.size(param)
    cdef Shape shape = Shape(count=n // max(1, rows * cols), rows=rows, cols=cols if rows else n)
    cdef const fnn_hyper *h = <const fnn_hyper *> arrays.data(hyper)
    cdef void *p = arrays.data(param)
    cdef void *g = arrays.data(grad)
    cdef void *s0 = arrays.data(state0)
    cdef void *s1 = arrays.data(state1)
    cdef void *room = arrays.data(scratch)
    if by.rule.whole == FNN_ELEMENTS or arrays.size(scratch) < scratch_size(by.rule.whole, n, rows, cols):
        raise ValueError(f"{rule} with scratch memory of {arrays.size(scratch)} numbers")
    if arrays.is_double(param):
        with nogil:
            run_matrix_rule(by.rule, by.kernel, h, step, <double *> p, <const double *> g, <double *> s0,
                            <double *> s1, &shape, <double *> room, NULL)
    else:
        with nogil:
            run_matrix_rule(by.rule, by.kernel, h, step, <float *> p, <const float *> g, <float *> s0, <float *> s1,
                            &shape, <float *> room, NULL)

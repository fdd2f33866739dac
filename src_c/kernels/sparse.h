/* Products with a sparse matrix of rows: only the numbers that are there are multiplied. Each output element is one chain
 * of FMAs in ascending order, as in linear.h, of which the terms that are 0 are left out: the same bits for finite
 * operands, but for the sign of 0. */
INLINE ptrdiff_t LANE(sparse_row)(const struct fnn_sparse *x, ptrdiff_t i)
{
    return x->order ? (ptrdiff_t)x->order[i] : x->start + i;
}

/* VECS registers of a row of y, the only one partial if IS_TAIL: bias + the sum of value * row of w. */
INLINE void LANE(sparse_tile)(const struct fnn_sparse *x, ptrdiff_t begin, ptrdiff_t end, const REAL *w,
                              ptrdiff_t w_row, const REAL *bias, REAL *y, const int VECS, const int IS_TAIL, TAIL tail)
{
    const REAL *values = x->values;
    VEC acc[8];
#define EACH_VEC(v) UNROLL for (int v = 0; v < VECS; v++)
    EACH_VEC(v) acc[v] = !bias ? K(0) : IS_TAIL ? v_load_tail(bias, tail) : v_load(bias + v * LANES);
    for (ptrdiff_t k = begin; k < end; k++) {
        const REAL *row = w + x->columns[k] * w_row;
        const VEC value = v_splat(values[k]);
        EACH_VEC(v) acc[v] = v_fma(value, IS_TAIL ? v_load_tail(row, tail) : v_load(row + v * LANES), acc[v]);
    }
    EACH_VEC(v)
    if (IS_TAIL)
        v_store_tail(y, acc[v], tail);
    else
        v_store(y + v * LANES, acc[v]);
#undef EACH_VEC
}

/* Rows first .. first + rows - 1 of y = x w + bias, of `cols` columns */
KERNEL_FN void FN(sparse_linear)(const struct fnn_sparse *x, const void *w_, const void *bias_, void *y_,
                                 ptrdiff_t first, ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *w = w_, *bias = bias_;
    REAL *y = (REAL *)y_ + first * cols;
    for (ptrdiff_t r = first; r < first + rows; r++, y += cols) {
        const ptrdiff_t row = LANE(sparse_row)(x, r), begin = x->ends[row], end = x->ends[row + 1];
        ptrdiff_t j = 0;
        for (; j + 8 * LANES <= cols; j += 8 * LANES)
            LANE(sparse_tile)(x, begin, end, w + j, cols, bias ? bias + j : NULL, y + j, 8, 0, v_tail(0));
        for (; j + 2 * LANES <= cols; j += 2 * LANES)
            LANE(sparse_tile)(x, begin, end, w + j, cols, bias ? bias + j : NULL, y + j, 2, 0, v_tail(0));
        for (; j + LANES <= cols; j += LANES)
            LANE(sparse_tile)(x, begin, end, w + j, cols, bias ? bias + j : NULL, y + j, 1, 0, v_tail(0));
        if (j < cols)
            LANE(sparse_tile)(x, begin, end, w + j, cols, bias ? bias + j : NULL, y + j, 1, 1, v_tail(cols - j));
    }
}

INLINE void LANE(sparse_add)(const struct fnn_sparse *x, ptrdiff_t begin, ptrdiff_t end, const REAL *g, REAL *grad,
                             ptrdiff_t grad_row, const int VECS, const int IS_TAIL, TAIL tail)
{
    const REAL *values = x->values;
    VEC gs[4];
#define EACH_VEC(v) UNROLL for (int v = 0; v < VECS; v++)
    EACH_VEC(v) gs[v] = IS_TAIL ? v_load_tail(g, tail) : v_load(g + v * LANES);
    for (ptrdiff_t k = begin; k < end; k++) {
        REAL *row = grad + x->columns[k] * grad_row;
        const VEC value = v_splat(values[k]);
        EACH_VEC(v)
        if (IS_TAIL)
            v_store_tail(row, v_fma(value, gs[v], v_load_tail(row, tail)), tail);
        else
            v_store(row + v * LANES, v_fma(value, gs[v], v_load(row + v * LANES)));
    }
#undef EACH_VEC
}

/* Adds x^T g to columns col .. col + width - 1 of grad, which has `cols` columns, row by row of x */
KERNEL_FN void FN(sparse_linear_backward)(const struct fnn_sparse *x, const void *g_, void *grad_, ptrdiff_t col,
                                          ptrdiff_t width, ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *g = g_;
    REAL *grad = grad_;
    for (ptrdiff_t r = 0; r < rows; r++, g += cols) {
        const ptrdiff_t row = LANE(sparse_row)(x, r), begin = x->ends[row], end = x->ends[row + 1];
        ptrdiff_t j = col;
        for (; j + 4 * LANES <= col + width; j += 4 * LANES)
            LANE(sparse_add)(x, begin, end, g + j, grad + j, cols, 4, 0, v_tail(0));
        for (; j + LANES <= col + width; j += LANES)
            LANE(sparse_add)(x, begin, end, g + j, grad + j, cols, 1, 0, v_tail(0));
        if (j < col + width)
            LANE(sparse_add)(x, begin, end, g + j, grad + j, cols, 1, 1, v_tail(col + width - j));
    }
}

/* Softmax of rows, its logarithm, their gradients, and entropy. Rows are contiguous, one behind the other.
 *
 * The maximum of a row may lose a NaN, but the NaN comes back through the sum of exponentials and fills the row.
 * A row whose largest entry is +inf, or all of whose entries are -inf, is NaN, as in NumPy and PyTorch.
 */
INLINE VEC LANE(row_max)(const REAL *x, ptrdiff_t n)
{
    VEC max = K(-INFINITY);
    for (ptrdiff_t i = 0; i < n; i += LANES)
        max = v_max(LANE(load_n)(x + i, n - i, K(-INFINITY)), max);
    REAL lane[LANES];
    v_store(lane, max);
    for (ptrdiff_t half = LANES / 2; half > 0; half /= 2)
        for (ptrdiff_t i = 0; i < half; i++)
            lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
    return v_splat(lane[0]);
}

/* y = e^((x - max) / T); returns the sum of y. y may be NULL. */
INLINE VEC LANE(row_exp)(const REAL *x, REAL *y, ptrdiff_t n, VEC max, VEC inv_temperature)
{
    SUM sum = LANE(sum_zero)();
    FNN_FOR_PARTIALS(n, i, j, left)
    {
        VEC e = LANE(exp)((LANE(load_n)(x + i, left, K(-INFINITY)) - max) * inv_temperature);
        if (y)
            LANE(store_n)(y + i, e, left);
        if (left < LANES)
            e = v_fill_tail(e, v_tail(left > 0 ? left : 0), K(0));
        sum.part[j] += e;
    }
    return K(LANE(sum_total)(&sum));
}

/* sum a_i b_i of one row */
INLINE double LANE(row_dot)(const REAL *a, const REAL *b, ptrdiff_t n)
{
    SUM sum = LANE(sum_zero)();
    FNN_FOR_PARTIALS(n, i, j, left)
    sum.part[j] = v_fma(LANE(load_n)(a + i, left, K(0)), LANE(load_n)(b + i, left, K(0)), sum.part[j]);
    return LANE(sum_total)(&sum);
}

KERNEL_FN double FN(sum)(const REAL *x, ptrdiff_t n)
{
    SUM sum = LANE(sum_zero)();
    FNN_FOR_PARTIALS(n, i, j, left)
    sum.part[j] += LANE(load_n)(x + i, left, K(0));
    return LANE(sum_total)(&sum);
}

/* sum x_i g_i over the entries whose gradient is not 0, so that -inf logits of probability 0 count for nothing */
KERNEL_FN double FN(dot)(const REAL *x, const REAL *g, ptrdiff_t n)
{
    SUM sum = LANE(sum_zero)();
    FNN_FOR_PARTIALS(n, i, j, left)
    {
        const VEC grad = LANE(load_n)(g + i, left, K(0));
        const VEC product = LANE(load_n)(x + i, left, K(0)) * grad;
        sum.part[j] += v_select(v_eq(grad, K(0)), K(0), product);
    }
    return LANE(sum_total)(&sum);
}

/* y_i = e^(x_i / T) / sum_j e^(x_j / T);  params: 1 / T;  y may be x */
KERNEL_FN void FN(softmax)(const REAL *x, REAL *y, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, x += cols, y += cols) {
        const VEC sum = LANE(row_exp)(x, y, cols, LANE(row_max)(x, cols), inv_temperature);
        for (ptrdiff_t i = 0; i < cols; i += LANES)
            LANE(store_n)(y + i, LANE(load_n)(y + i, cols - i, K(0)) / sum, cols - i);
    }
}

/* y_i (g_i - sum_j g_j y_j) / T;  out may be g or y */
KERNEL_FN void FN(softmax_backward)(const REAL *g, const REAL *y, REAL *out, ptrdiff_t rows, ptrdiff_t cols,
                                    const double *params)
{
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, g += cols, y += cols, out += cols) {
        const VEC mean = K(LANE(row_dot)(g, y, cols));
        for (ptrdiff_t i = 0; i < cols; i += LANES) {
            const VEC gi = LANE(load_n)(g + i, cols - i, K(0)), yi = LANE(load_n)(y + i, cols - i, K(0));
            LANE(store_n)(out + i, yi * (gi - mean) * inv_temperature, cols - i);
        }
    }
}

/* y_i = x_i / T - log sum_j e^(x_j / T) */
KERNEL_FN void FN(log_softmax)(const REAL *x, REAL *y, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, x += cols, y += cols) {
        const VEC max = LANE(row_max)(x, cols);
        const VEC log_sum = LANE(log)(LANE(row_exp)(x, NULL, cols, max, inv_temperature));
        for (ptrdiff_t i = 0; i < cols; i += LANES) {
            const VEC shifted = (LANE(load_n)(x + i, cols - i, K(0)) - max) * inv_temperature;
            LANE(store_n)(y + i, shifted - log_sum, cols - i);
        }
    }
}

/* (g_i - e^y_i sum_j g_j) / T */
KERNEL_FN void FN(log_softmax_backward)(const REAL *g, const REAL *y, REAL *out, ptrdiff_t rows, ptrdiff_t cols,
                                        const double *params)
{
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, g += cols, y += cols, out += cols) {
        const VEC sum = K(FN(sum)(g, cols));
        for (ptrdiff_t i = 0; i < cols; i += LANES) {
            const VEC gi = LANE(load_n)(g + i, cols - i, K(0)), yi = LANE(load_n)(y + i, cols - i, K(0));
            LANE(store_n)(out + i, v_fnma(LANE(exp)(yi), sum, gi) * inv_temperature, cols - i);
        }
    }
}

/* out[r] = -sum_i p_i log p_i with 0 log 0 = 0 */
KERNEL_FN void FN(entropy)(const REAL *p, REAL *out, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    (void)params;
    for (ptrdiff_t r = 0; r < rows; r++, p += cols) {
        SUM sum = LANE(sum_zero)();
        FNN_FOR_PARTIALS(cols, i, j, left)
        {
            const VEC pi = LANE(load_n)(p + i, left, K(0));
            sum.part[j] += v_select(v_eq(pi, K(0)), K(0), pi * LANE(log)(pi));
        }
        out[r] = (REAL)-LANE(sum_total)(&sum);
    }
}

/* -(log p_i + 1) g[r] */
KERNEL_FN void FN(entropy_backward)(const REAL *g, const REAL *p, REAL *out, ptrdiff_t rows, ptrdiff_t cols,
                                    const double *params)
{
    (void)params;
    for (ptrdiff_t r = 0; r < rows; r++, p += cols, out += cols) {
        const VEC minus_g = v_splat(-g[r]);
        for (ptrdiff_t i = 0; i < cols; i += LANES) {
            const VEC pi = LANE(load_n)(p + i, cols - i, K(1));
            LANE(store_n)(out + i, (LANE(log)(pi) + K(1)) * minus_g, cols - i);
        }
    }
}

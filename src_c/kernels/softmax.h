/* Softmax of rows, its logarithm, their gradients, and entropy. Rows are contiguous, one behind the other.
 *
 * The maximum of a row may skip a NaN, but the sum of exponentials is then NaN, and so is the whole row. A row whose
 * largest entry is +inf, or all of whose entries are -inf, is NaN, as in NumPy and PyTorch.
 */
/* y, but finite where share is 0, so that their product is 0 even for an infinite y; NaN stays. */
INLINE VEC LANE(counted)(VEC share, VEC y)
{
    return v_select(v_eq(share, K(0)), FINITE(y), y);
}

INLINE VEC LANE(shared)(VEC share, VEC y)
{
    return share * LANE(counted)(share, y);
}

INLINE VEC LANE(row_max)(const REAL *x, ptrdiff_t n)
{
    SUM max;
    for (ptrdiff_t j = 0; j < PARTIALS / LANES; j++)
        max.part[j] = K(-INFINITY);
    FNN_EACH_REGISTER(n, max.part[j] = v_max(LANE(load_n)(x + i, left, K(-INFINITY)), max.part[j]);)
    VEC largest = max.part[0];
    for (ptrdiff_t j = 1; j < PARTIALS / LANES; j++)
        largest = v_max(max.part[j], largest);
    for (ptrdiff_t lanes = 1; lanes < LANES; lanes *= 2) /* each lane holds the largest of `lanes` lanes */
        largest = v_max(v_zip_low(largest, largest), v_zip_high(largest, largest));
    return largest;
}

/* y = e^((x - max) / T); returns the sum of y. y may be NULL. */
INLINE double LANE(row_exp)(const REAL *x, REAL *y, ptrdiff_t n, VEC max, VEC inv_temperature)
{
    double total = 0;
    FNN_SUM_UP(total, n, SEGMENT, VEC e = LANE(exp)((LANE(load_n)(x + at, left, K(-INFINITY)) - max) * inv_temperature);
               if (y) LANE(store_n)(y + at, e, left); sum.part[j] += LANE(fill_n)(e, left, K(0));)
    return total;
}

/* sum a_i b_i of one row */
INLINE double LANE(row_dot)(const REAL *a, const REAL *b, ptrdiff_t n)
{
    double total = 0;
    FNN_SUM_UP(total, n, SEGMENT,
               sum.part[j] = v_fma(LANE(load_n)(a + at, left, K(0)), LANE(load_n)(b + at, left, K(0)), sum.part[j]);)
    return total;
}

KERNEL_FN double FN(sum)(const void *x_, ptrdiff_t n)
{
    const REAL *x = x_;
    double total = 0;
    FNN_SUM_UP(total, n, SEGMENT, sum.part[j] += LANE(load_n)(x + at, left, K(0));)
    return total;
}

/* sum x_i g_i over the entries whose gradient is not 0, so that -inf logits with probability 0 contribute 0 */
KERNEL_FN double FN(dot)(const void *x_, const void *g_, ptrdiff_t n)
{
    const REAL *x = x_, *g = g_;
    SUM sum = LANE(sum_zero)();
    FNN_EACH_REGISTER(n, const VEC grad = LANE(load_n)(g + i, left, K(0));
                      const VEC product = LANE(load_n)(x + i, left, K(0)) * grad;
                      sum.part[j] += v_select(v_eq(grad, K(0)), K(0), product);)
    return LANE(sum_total)(&sum);
}

/* y_i = e^(x_i / T) / sum_j e^(x_j / T);  params: 1 / T;  y may be x */
KERNEL_FN void FN(softmax)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *x = x_;
    REAL *y = y_;
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, x += cols, y += cols) {
        const VEC inverse = K(1 / LANE(row_exp)(x, y, cols, LANE(row_max)(x, cols), inv_temperature));
        FNN_EACH_REGISTER(cols, LANE(store_n)(y + i, LANE(load_n)(y + i, left, K(0)) * inverse, left);)
    }
}

/* y_i (g_i - sum_j g_j y_j) / T;  out may be g or y. Where y_i is 0 an infinite gradient, such as that of the
 * entropy, contributes 0. */
KERNEL_FN void FN(softmax_backward)(const void *g_, const void *y_, void *out_, ptrdiff_t rows, ptrdiff_t cols,
                                    const double *params)
{
    const REAL *g = g_, *y = y_;
    REAL *out = out_;
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, g += cols, y += cols, out += cols) {
        double total = 0;
        FNN_SUM_UP(total, cols, SEGMENT, const VEC yi = LANE(load_n)(y + at, left, K(0));
                   const VEC gi = LANE(counted)(yi, LANE(load_n)(g + at, left, K(0)));
                   sum.part[j] = v_fma(gi, yi, sum.part[j]);)
        const VEC mean = K(total);
        FNN_EACH_REGISTER(cols, const VEC yi = LANE(load_n)(y + i, left, K(0));
                          const VEC gi = LANE(counted)(yi, LANE(load_n)(g + i, left, K(0)));
                          LANE(store_n)(out + i, yi * (gi - mean) * inv_temperature, left);)
    }
}

/* softmax of -x, and its gradient;  y may be x */
KERNEL_FN void FN(softmin)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *x = x_;
    REAL *y = y_;
    for (ptrdiff_t r = 0; r < rows; r++, x += cols, y += cols) {
        FNN_EACH_REGISTER(cols, LANE(store_n)(y + i, -LANE(load_n)(x + i, left, K(0)), left);)
        FN(softmax)(y, y, 1, cols, params);
    }
}
KERNEL_FN void FN(softmin_backward)(const void *g, const void *y, void *out, ptrdiff_t rows, ptrdiff_t cols,
                                    const double *params)
{
    const double negative[3] = {-params[0]};
    FN(softmax_backward)(g, y, out, rows, cols, negative);
}

/* Rows are processed in groups: the summation of a row overlaps with the next row, and one register computes the
 * logarithms of many sums. For each row: its largest entry, and the sum of e^((x - max) / T); the terms are stored
 * in y unless NULL. */
#define GROUP 16
typedef struct {
    REAL max[GROUP], log_sum[GROUP];
    double sum[GROUP];
} FNN_CAT(group, BITS);

/* The number of rows of a group, which fits into the L1 cache. */
INLINE ptrdiff_t LANE(group_rows)(ptrdiff_t rows, ptrdiff_t cols)
{
    const ptrdiff_t most = cols > 2048 ? 1 : cols > 4096 / GROUP ? 4096 / cols : GROUP;
    return rows < most ? rows : most;
}

INLINE void LANE(group_sums)(const REAL *x, REAL *y, ptrdiff_t rows, ptrdiff_t cols, VEC inv_temperature,
                             FNN_CAT(group, BITS) * group)
{
    for (ptrdiff_t r = 0; r < rows; r++)
        group->max[r] = LANE(row_max)(x + r * cols, cols)[0];
    for (ptrdiff_t r = 0; r < rows; r++)
        group->sum[r] = LANE(row_exp)(x + r * cols, y ? y + r * cols : NULL, cols, K(group->max[r]), inv_temperature);
}

INLINE void LANE(group_logs)(ptrdiff_t rows, FNN_CAT(group, BITS) * group)
{
    REAL sum[GROUP];
    for (ptrdiff_t r = 0; r < rows; r++)
        sum[r] = (REAL)group->sum[r];
    for (ptrdiff_t r = 0; r < rows; r += LANES)
        LANE(store_n)(group->log_sum + r, LANE(log)(LANE(load_n)(sum + r, rows - r, K(1))), rows - r);
}

/* y_i = x_i / T - log sum_j e^(x_j / T) */
KERNEL_FN void FN(log_softmax)(const void *x_, void *y_, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *x = x_;
    REAL *y = y_;
    const VEC inv_temperature = K(params[0]);
    FNN_CAT(group, BITS) group;
    for (ptrdiff_t n; rows > 0; rows -= n) {
        n = LANE(group_rows)(rows, cols);
        LANE(group_sums)(x, NULL, n, cols, inv_temperature, &group);
        LANE(group_logs)(n, &group);
        for (ptrdiff_t r = 0; r < n; r++, x += cols, y += cols) {
            const VEC max = K(group.max[r]), log_sum = K(group.log_sum[r]);
            FNN_EACH_REGISTER(cols, const VEC shifted = (LANE(load_n)(x + i, left, K(0)) - max) * inv_temperature;
                              LANE(store_n)(y + i, shifted - log_sum, left);)
        }
    }
}

/* (g_i - e^y_i sum_j g_j) / T */
KERNEL_FN void FN(log_softmax_backward)(const void *g_, const void *y_, void *out_, ptrdiff_t rows, ptrdiff_t cols,
                                        const double *params)
{
    const REAL *g = g_, *y = y_;
    REAL *out = out_;
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, g += cols, y += cols, out += cols) {
        const VEC sum = K(FN(sum)(g, cols));
        FNN_EACH_REGISTER(cols, const VEC gi = LANE(load_n)(g + i, left, K(0));
                          const VEC yi = LANE(load_n)(y + i, left, K(0));
                          LANE(store_n)(out + i, v_fnma(LANE(exp)(yi), sum, gi) * inv_temperature, left);)
    }
}

/* out[r] = -sum_i p_i log p_i with 0 log 0 = 0 */
KERNEL_FN void FN(entropy)(const void *p_, void *out_, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *p = p_;
    REAL *out = out_;
    (void)params;
    for (ptrdiff_t r = 0; r < rows; r++, p += cols) {
        SUM sum = LANE(sum_zero)();
        FNN_EACH_REGISTER(cols, const VEC pi = LANE(load_n)(p + i, left, K(0));
                          sum.part[j] += v_select(v_eq(pi, K(0)), K(0), pi * LANE(log)(pi));)
        out[r] = (REAL)(0 - LANE(sum_total)(&sum)); /* not -0 */
    }
}

/* -(log p_i + 1) g[r] */
KERNEL_FN void FN(entropy_backward)(const void *g_, const void *p_, void *out_, ptrdiff_t rows, ptrdiff_t cols,
                                    const double *params)
{
    const REAL *g = g_, *p = p_;
    REAL *out = out_;
    (void)params;
    for (ptrdiff_t r = 0; r < rows; r++, p += cols, out += cols) {
        const VEC minus_g = v_splat(-g[r]);
        FNN_EACH_REGISTER(cols, const VEC pi = LANE(load_n)(p + i, left, K(1));
                          LANE(store_n)(out + i, (LANE(log)(pi) + K(1)) * minus_g, left);)
    }
}

/* z = (x - max) / T of one row, its largest entry being 0. Returns the mean of z by softmax; *exp_sum is sum e^z. */
INLINE double LANE(mean_logit)(const REAL *x, ptrdiff_t cols, VEC max, VEC inv_temperature, double *exp_sum)
{
    double total = 0, along = 0;
    FNN_SUM_UP_TWO(total, along, cols, SEGMENT,
                   const VEC z = (LANE(load_n)(x + at, left, K(-INFINITY)) - max) * inv_temperature;
                   const VEC e = LANE(fill_n)(LANE(exp)(z), left, K(0)); sum.part[j] += e;
                   sum2.part[j] = v_fma(e, LANE(counted)(e, z), sum2.part[j]);)
    *exp_sum = total;
    return along / total;
}

/* out[r] = log sum_j e^z_j - sum_i p_i z_i with p = softmax(z), z = x / T;  params: 1 / T */
KERNEL_FN void FN(entropy_with_logits)(const void *x_, void *out_, ptrdiff_t rows, ptrdiff_t cols, const double *params)
{
    const REAL *x = x_;
    REAL *out = out_;
    for (ptrdiff_t r = 0; r < rows; r++, x += cols) {
        double sum;
        const double mean = LANE(mean_logit)(x, cols, LANE(row_max)(x, cols), K(params[0]), &sum);
        out[r] = (REAL)(LANE(log)(K(sum))[0] - mean);
    }
}

/* p_i (sum_j p_j z_j - z_i) g[r] / T, 0 where p_i is 0;  out may be x */
KERNEL_FN void FN(entropy_with_logits_backward)(const void *g_, const void *x_, void *out_, ptrdiff_t rows,
                                                ptrdiff_t cols, const double *params)
{
    const REAL *g = g_, *x = x_;
    REAL *out = out_;
    const VEC inv_temperature = K(params[0]);
    for (ptrdiff_t r = 0; r < rows; r++, x += cols, out += cols) {
        double sum;
        const VEC max = LANE(row_max)(x, cols);
        const VEC mean = K(LANE(mean_logit)(x, cols, max, inv_temperature, &sum));
        const VEC scale = inv_temperature * v_splat((REAL)(g[r] / sum));
        FNN_EACH_REGISTER(cols, const VEC z = (LANE(load_n)(x + i, left, K(-INFINITY)) - max) * inv_temperature;
                          LANE(store_n)(out + i, LANE(shared)(LANE(exp)(z), mean - z) * scale, left);)
    }
}

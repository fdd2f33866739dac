/* Normalization: xhat = (x - mean) / sqrt(variance + eps), y = xhat weight + bias, with mean and variance of a row
 * (layer and root mean square normalization) or of a column (batch normalization). weight and bias may be NULL, for 1
 * and 0.
 *
 * A mean is stored as high + low, where low is the rounding error of high. x - high is exact where x is near the mean,
 * so xhat is accurate even for means in the millions. The variance is computed from the differences to high, corrected
 * by their mean: the two-pass algorithm of Chan, Golub and LeVeque (1983).
 */
#define MOMENTS FNN_CAT(moments, BITS)
typedef struct {
    VEC high, low, scale; /* scale: 1 / sqrt(variance + eps) */
} MOMENTS;

INLINE VEC LANE(xhat)(VEC x, MOMENTS m)
{
    return (x - m.high - m.low) * m.scale;
}

/* The variance of n numbers from the sum and the sum of squares of their differences to a number near their mean. */
INLINE double LANE(variance)(double sum, double squares, double n)
{
    const double mean = sum / n, variance = squares / n - mean * mean;
    return variance < 0 ? 0 : variance; /* NaN stays */
}

/* Mean and variance of n numbers, `step` apart, as statistics[k * stride], in double from the numbers times a power
 * of two (slow; for squares that over- or underflow). With VARIANCE the variance is written too. Statistics stay
 * unchanged if a number is infinite or all are 0. */
INLINE void LANE(scaled_moments)(const REAL *x, ptrdiff_t step, ptrdiff_t n, double eps, const int CENTERED,
                                 REAL *statistics, ptrdiff_t stride, const int VARIANCE)
{
    const double largest = LANE(largest)(x, step, n), least = sqrt(eps);
    const double scale = LANE(unit_scale)(largest > least ? largest : least);
    if (scale == 0)
        return;
    double total = 0, apart = 0, squares = 0;
    for (ptrdiff_t i = 0; CENTERED && i < n; i++)
        total += x[i * step] * scale;
    const REAL high = (REAL)(total / (double)n / scale);
    for (ptrdiff_t i = 0; i < n; i++) {
        const double d = x[i * step] * scale - high * scale;
        apart += d;
        squares += d * d;
    }
    const double variance = LANE(variance)(CENTERED ? apart : 0, squares, (double)n);
    statistics[FNN_HIGH * stride] = high;
    statistics[FNN_LOW * stride] = (REAL)(CENTERED ? apart / (double)n / scale : 0);
    statistics[FNN_SCALE * stride] = (REAL)(scale / sqrt(variance + eps * scale * scale));
    if (VARIANCE)
        statistics[FNN_VARIANCE * stride] = (REAL)(variance / scale / scale);
}

/* -- rows: statistics has high, low and scale of each -------------------------------------------------------------- */

INLINE MOMENTS LANE(row_moments)(const REAL *statistics)
{
    return (MOMENTS){K(statistics[0]), K(statistics[1]), K(statistics[2])};
}

/* Without CENTERED the mean counts as 0. */
INLINE void LANE(row_statistics)(const REAL *x, REAL *statistics, ptrdiff_t cols, double eps, const int CENTERED)
{
    const double n = (double)cols;
    double total = 0, apart = 0, squares = 0;
    if (CENTERED)
        FNN_SUM_UP(total, cols, SEGMENT, sum.part[j] += LANE(load_n)(x + at, left, K(0));)
    const REAL mean = (REAL)(total / n);
    const VEC high = K(mean);
    FNN_SUM_UP_TWO(apart, squares, cols, SEGMENT, const VEC d = LANE(load_n)(x + at, left, high) - high;
                   sum.part[j] += d; sum2.part[j] = v_fma(d, d, sum2.part[j]);)
    if (!CENTERED)
        apart = 0;
    statistics[0] = mean;
    statistics[1] = (REAL)(apart / n);
    statistics[2] = (REAL)(1 / sqrt(LANE(variance)(apart, squares, n) + eps));
    if (LANE(out_of_range)(squares, n, eps))
        LANE(scaled_moments)(x, 1, cols, eps, CENTERED, statistics, 1, 0);
}

INLINE VEC LANE(scaled)(VEC v, const REAL *weight, ptrdiff_t i, ptrdiff_t left)
{
    if (!weight)
        return v;
    return v * LANE(load_n)(weight + i, left, K(0));
}

/* y or statistics is NULL if not requested; y may be x */
INLINE void LANE(norm_rows)(const REAL *x, const REAL *weight, const REAL *bias, REAL *y, REAL *statistics,
                            ptrdiff_t rows, ptrdiff_t cols, double eps, const int CENTERED)
{
    REAL own[FNN_ROW_STATISTICS];
    for (ptrdiff_t r = 0; r < rows; r++, x += cols) {
        REAL *of_row = statistics ? statistics + r * FNN_ROW_STATISTICS : own;
        LANE(row_statistics)(x, of_row, cols, eps, CENTERED);
        if (!y)
            continue;
        const MOMENTS m = LANE(row_moments)(of_row);
        FNN_EACH_REGISTER(cols, VEC v = LANE(scaled)(LANE(xhat)(LANE(load_n)(x + i, left, m.high), m), weight, i, left);
                          if (bias) v += LANE(load_n)(bias + i, left, K(0)); LANE(store_n)(y + r * cols + i, v, left);)
    }
}

/* scale (g w - mean(g w) - xhat mean(g w xhat)), the first mean being 0 without CENTERED;  out may be g or x */
INLINE void LANE(norm_rows_backward)(const REAL *g, const REAL *x, const REAL *weight, const REAL *statistics,
                                     REAL *out, ptrdiff_t rows, ptrdiff_t cols, const int CENTERED)
{
    for (ptrdiff_t r = 0; r < rows; r++, g += cols, x += cols, out += cols) {
        const MOMENTS m = LANE(row_moments)(statistics + r * FNN_ROW_STATISTICS);
        double total = 0, along = 0;
        FNN_SUM_UP_TWO(total, along, cols, SEGMENT,
                       const VEC v = LANE(scaled)(LANE(load_n)(g + at, left, K(0)), weight, at, left);
                       const VEC xhat = LANE(xhat)(LANE(load_n)(x + at, left, m.high), m); sum.part[j] += v;
                       sum2.part[j] = v_fma(v, xhat, sum2.part[j]);)
        const VEC mean = K(CENTERED ? total / (double)cols : 0), slope = K(along / (double)cols);
        FNN_EACH_REGISTER(cols, const VEC v = LANE(scaled)(LANE(load_n)(g + i, left, K(0)), weight, i, left);
                          const VEC xhat = LANE(xhat)(LANE(load_n)(x + i, left, m.high), m);
                          LANE(store_n)(out + i, v_fnma(xhat, slope, v - mean) * m.scale, left);)
    }
}

#define FNN_DEFINE_NORM(name, CENTERED)                                                                      \
    KERNEL_FN void FN(name)(const void *x, const void *weight, const void *bias, void *y, void *statistics,  \
                            ptrdiff_t rows, ptrdiff_t cols, double eps)                                      \
    {                                                                                                        \
        LANE(norm_rows)(x, weight, bias, y, statistics, rows, cols, eps, CENTERED);                          \
    }                                                                                                        \
    KERNEL_FN void FN(name##_backward)(const void *g, const void *x, const void *weight,                     \
                                       const void *statistics, void *out, ptrdiff_t rows, ptrdiff_t cols)    \
    {                                                                                                        \
        LANE(norm_rows_backward)(g, x, weight, statistics, out, rows, cols, CENTERED);                       \
    }
FNN_DEFINE_NORM(layer_norm, 1)
FNN_DEFINE_NORM(rms_norm, 0)

/* -- columns: statistics has a row of each of these, `stride` numbers apart, as the rows of the arrays are --------- */

#define COLUMN_CHUNK     64 /* rows summed in a register before their sum is added in double */
#define COLUMN_REGISTERS 4  /* registers processed at the same time */
#define COLUMNS          (COLUMN_REGISTERS * LANES)
#define EACH_REGISTER(v) UNROLL for (ptrdiff_t v = 0; v < VECS; v++)

INLINE MOMENTS LANE(column_moments)(const REAL *statistics, ptrdiff_t stride, ptrdiff_t left)
{
    return (MOMENTS){LANE(load_n)(statistics + FNN_HIGH * stride, left, K(0)),
                     LANE(load_n)(statistics + FNN_LOW * stride, left, K(0)),
                     LANE(load_n)(statistics + FNN_SCALE * stride, left, K(0))};
}

INLINE void LANE(add_in_double)(double *total, VEC v)
{
    REAL part[sizeof(VEC) / sizeof(REAL)];
    v_store(part, v);
    for (ptrdiff_t i = 0; i < LANES; i++)
        total[i] += part[i];
}

/* Two sums over all rows, in ascending order, for each column of VECS registers; the statements add to sum and sum2
 * for row r and the register that begins at column v * LANES. */
#define FNN_SUM_COLUMNS(total, second, rows, ...)                                                            \
    for (ptrdiff_t start = 0; start < (rows); start += COLUMN_CHUNK) {                                       \
        const ptrdiff_t stop = (rows)-start < COLUMN_CHUNK ? (rows) : start + COLUMN_CHUNK;                  \
        VEC sum[COLUMN_REGISTERS], sum2[COLUMN_REGISTERS];                                                   \
        EACH_REGISTER(v) sum[v] = sum2[v] = K(0);                                                                 \
        for (ptrdiff_t r = start; r < stop; r++)                                                             \
            EACH_REGISTER(v)                                                                                      \
            {                                                                                                \
                const ptrdiff_t at = r * stride + v * LANES, left = count - v * LANES;                       \
                __VA_ARGS__                                                                                  \
            }                                                                                                \
        EACH_REGISTER(v)                                                                                          \
        {                                                                                                    \
            LANE(add_in_double)(total + v * LANES, sum[v]);                                                  \
            LANE(add_in_double)(second + v * LANES, sum2[v]);                                                \
        }                                                                                                    \
    }

/* Call block(..., count, VECS) for all columns, `count` of them from column i on: COLUMN_REGISTERS registers at
 * once, then one at a time. */
#define FNN_EACH_BLOCK(cols, block, ...)                                                                     \
    {                                                                                                        \
        ptrdiff_t i = 0;                                                                                     \
        for (; i + COLUMNS <= (cols); i += COLUMNS)                                                          \
            LANE(block)(__VA_ARGS__, COLUMNS, COLUMN_REGISTERS);                                             \
        for (; i < (cols); i += LANES)                                                                       \
            LANE(block)(__VA_ARGS__, (cols)-i < LANES ? (cols)-i : LANES, 1);                                \
    }

INLINE void LANE(block_statistics)(const REAL *x, REAL *statistics, ptrdiff_t stride, ptrdiff_t rows, double eps,
                                   ptrdiff_t count, const int VECS)
{
    const double n = (double)rows;
    double total[COLUMNS] = {0}, unused[COLUMNS] = {0}, apart[COLUMNS] = {0}, squares[COLUMNS] = {0};
    FNN_SUM_COLUMNS(total, unused, rows, sum[v] += LANE(load_n)(x + at, left, K(0));)
    for (ptrdiff_t c = 0; c < count; c++)
        statistics[FNN_HIGH * stride + c] = (REAL)(total[c] / n);
    VEC high[COLUMN_REGISTERS];
    EACH_REGISTER(v) high[v] = LANE(load_n)(statistics + FNN_HIGH * stride + v * LANES, count - v * LANES, K(0));
    FNN_SUM_COLUMNS(apart, squares, rows, const VEC d = LANE(load_n)(x + at, left, K(0)) - high[v]; sum[v] += d;
                    sum2[v] = v_fma(d, d, sum2[v]);)
    for (ptrdiff_t c = 0; c < count; c++) {
        const double variance = LANE(variance)(apart[c], squares[c], n);
        statistics[FNN_LOW * stride + c] = (REAL)(apart[c] / n);
        statistics[FNN_SCALE * stride + c] = (REAL)(1 / sqrt(variance + eps));
        statistics[FNN_VARIANCE * stride + c] = (REAL)variance;
        if (LANE(out_of_range)(squares[c], n, eps))
            LANE(scaled_moments)(x + c, stride, rows, eps, 1, statistics + c, stride, 1);
    }
}

/* Mean and variance of a batch, for some columns */
KERNEL_FN void FN(batch_statistics)(const void *x_, void *statistics_, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t cols,
                                    double eps)
{
    const REAL *x = x_;
    REAL *statistics = statistics_;
    FNN_EACH_BLOCK(cols, block_statistics, x + i, statistics + i, stride, rows, eps);
}

/* The statistics from the running mean and variance */
KERNEL_FN void FN(running_statistics)(const void *mean_, const void *variance_, void *statistics_, ptrdiff_t cols,
                                      double eps)
{
    const REAL *mean = mean_, *variance = variance_;
    REAL *statistics = statistics_;
    for (ptrdiff_t c = 0; c < cols; c++) {
        statistics[FNN_HIGH * cols + c] = mean[c];
        statistics[FNN_LOW * cols + c] = 0;
        statistics[FNN_SCALE * cols + c] = (REAL)(1 / sqrt(variance[c] + eps));
    }
}

/* Update running mean and variance with those of the batch by `momentum`; the running variance is unbiased */
KERNEL_FN void FN(update_running)(const void *statistics_, void *mean_, void *variance_, ptrdiff_t rows, ptrdiff_t cols,
                                  double momentum)
{
    const REAL *statistics = statistics_;
    REAL *mean = mean_, *variance = variance_;
    const double keep = 1 - momentum, unbiased = (double)rows / (double)(rows - 1);
    for (ptrdiff_t c = 0; c < cols; c++) {
        const double of_batch = (double)statistics[FNN_HIGH * cols + c] + (double)statistics[FNN_LOW * cols + c];
        mean[c] = (REAL)(keep * mean[c] + momentum * of_batch);
        variance[c] = (REAL)(keep * variance[c] + momentum * (statistics[FNN_VARIANCE * cols + c] * unbiased));
    }
}

/* y = (x - mean) (scale weight) + bias;  y may be x. eps is included in the statistics. */
KERNEL_FN void FN(batch_norm)(const void *x_, const void *weight_, const void *bias_, void *y_, void *statistics_,
                              ptrdiff_t rows, ptrdiff_t cols, double eps)
{
    const REAL *x = x_, *weight = weight_, *bias = bias_;
    REAL *y = y_, *statistics = statistics_;
    (void)eps;
    for (ptrdiff_t i = 0; i < cols; i += LANES) {
        const ptrdiff_t left = cols - i;
        const MOMENTS m = LANE(column_moments)(statistics + i, cols, left);
        const VEC scale = LANE(scaled)(m.scale, weight, i, left);
        VEC b = K(0);
        if (bias)
            b = LANE(load_n)(bias + i, left, K(0));
        for (ptrdiff_t r = 0, at = i; r < rows; r++, at += cols)
            LANE(store_n)(y + at, v_fma(LANE(load_n)(x + at, left, K(0)) - m.high - m.low, scale, b), left);
    }
}

/* (g - mean g - xhat mean(g xhat)) (scale weight);  out may be g or x. With running statistics both means are 0;
 * then the result does not depend on x, even if it is NaN. */
KERNEL_FN void FN(batch_norm_backward)(const void *g_, const void *x_, const void *weight_, const void *statistics_,
                                       void *out_, ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *g = g_, *x = x_, *weight = weight_, *statistics = statistics_;
    REAL *out = out_;
    for (ptrdiff_t i = 0; i < cols; i += LANES) {
        const ptrdiff_t left = cols - i;
        const MOMENTS m = LANE(column_moments)(statistics + i, cols, left);
        const VEC scale = LANE(scaled)(m.scale, weight, i, left);
        const VEC mean = LANE(load_n)(statistics + FNN_GRAD_MEAN * cols + i, left, K(0));
        const VEC slope = LANE(load_n)(statistics + FNN_GRAD_SLOPE * cols + i, left, K(0));
        const MASK flat = v_eq(slope, K(0));
        for (ptrdiff_t r = 0, at = i; r < rows; r++, at += cols) {
            const VEC v = LANE(load_n)(g + at, left, K(0)) - mean;
            const VEC xhat = LANE(xhat)(LANE(load_n)(x + at, left, K(0)), m);
            LANE(store_n)(out + at, v_select(flat, v, v_fnma(xhat, slope, v)) * scale, left);
        }
    }
}

/* -- gradients of weight and bias, either way: sum of g xhat, and of g, over the rows ----------------------------- */

INLINE void LANE(put_gradient)(REAL *gradient, const double *total, ptrdiff_t count, int accumulate)
{
    for (ptrdiff_t c = 0; gradient && c < count; c++)
        gradient[c] = (REAL)(accumulate ? gradient[c] + total[c] : total[c]);
}

INLINE void LANE(block_gradients)(const REAL *g, const REAL *x, REAL *statistics, REAL *grad_weight, REAL *grad_bias,
                                  ptrdiff_t stride, ptrdiff_t rows, int accumulate, const int BY_ROWS, ptrdiff_t count,
                                  const int VECS)
{
    double total[COLUMNS] = {0}, along[COLUMNS] = {0};
    MOMENTS moments[COLUMN_REGISTERS];
    if (!BY_ROWS)
        EACH_REGISTER(v) moments[v] = LANE(column_moments)(statistics + v * LANES, stride, count - v * LANES);
    FNN_SUM_COLUMNS(total, along, rows,
                    const MOMENTS m = BY_ROWS ? LANE(row_moments)(statistics + r * FNN_ROW_STATISTICS) : moments[v];
                    const VEC gi = LANE(load_n)(g + at, left, K(0)), xi = LANE(load_n)(x + at, left, m.high);
                    sum[v] += gi; sum2[v] = v_fma(gi, LANE(xhat)(xi, m), sum2[v]);)
    LANE(put_gradient)(grad_weight, along, count, accumulate);
    LANE(put_gradient)(grad_bias, total, count, accumulate);
    for (ptrdiff_t c = 0; !BY_ROWS && c < count; c++) {
        statistics[FNN_GRAD_MEAN * stride + c] = (REAL)(total[c] / (double)rows);
        statistics[FNN_GRAD_SLOPE * stride + c] = (REAL)(along[c] / (double)rows);
    }
}

/* For some columns, with statistics of rows; grad_weight and grad_bias may be NULL */
KERNEL_FN void FN(norm_gradients)(const void *g_, const void *x_, void *statistics_, void *grad_weight_,
                                  void *grad_bias_, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t cols, int accumulate)
{
    const REAL *g = g_, *x = x_;
    REAL *statistics = statistics_, *grad_weight = grad_weight_, *grad_bias = grad_bias_;
    FNN_EACH_BLOCK(cols, block_gradients, g + i, x + i, statistics, grad_weight ? grad_weight + i : NULL,
                   grad_bias ? grad_bias + i : NULL, stride, rows, accumulate, 1);
}

/* For some columns, with statistics of columns; the means of g and g xhat are stored in the statistics as well */
KERNEL_FN void FN(batch_norm_gradients)(const void *g_, const void *x_, void *statistics_, void *grad_weight_,
                                        void *grad_bias_, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t cols,
                                        int accumulate)
{
    const REAL *g = g_, *x = x_;
    REAL *statistics = statistics_, *grad_weight = grad_weight_, *grad_bias = grad_bias_;
    FNN_EACH_BLOCK(cols, block_gradients, g + i, x + i, statistics + i, grad_weight ? grad_weight + i : NULL,
                   grad_bias ? grad_bias + i : NULL, stride, rows, accumulate, 0);
}

/* Operations on parameters and gradients other than the updates of optimizers.h: norm, clipping, penalties,
 * averages. */

typedef double FNN_CAT(wide, BITS) __attribute__((vector_size(sizeof(VEC) / sizeof(REAL) * sizeof(double))));

/* sum x^2, squared and added in double, in which the square of a float does not overflow. 16 partial sums as in
 * loops.h. */
KERNEL_FN double FN(sum_of_squares)(const void *numbers, ptrdiff_t n)
{
    const REAL *x = numbers;
    FNN_CAT(wide, BITS) part[PARTIALS / LANES] = {{0}};
    FNN_EACH_REGISTER(n, const VEC v = LANE(load_n)(x + i, left, K(0));
                      const FNN_CAT(wide, BITS) w = __builtin_convertvector(v, FNN_CAT(wide, BITS)); part[j] += w * w;)
    FNN_HALVES(fnn_double8, part, low, high)
    const fnn_double8 total = low + high;
    return LANE(add_up)(&total);
}

/* clamp(scale g, -max_value, max_value) + l1 sign(p) + l2 p. The term of a coefficient that is 0 is left out, so that 0 *
 * infinity does not give NaN; NaN passes the clamp. */
INLINE VEC LANE(adjust_grad)(VEC g, VEC p, VEC scale, VEC max_value, VEC l1, VEC l2)
{
    g = v_min(max_value, v_max(-max_value, scale * g));
    const VEC sign = v_select(v_gt(v_abs(p), K(0)), v_copysign(K(1), p), p + K(0));
    g = v_select(v_gt(l1, K(0)), v_fma(l1, sign, g), g);
    return v_select(v_gt(l2, K(0)), v_fma(l2, p, g), g);
}

/* The gradient for an update, for n elements; out may be grad. */
KERNEL_FN void FN(adjust_grad)(const void *at_param, const void *at_grad, void *at_out, ptrdiff_t n,
                               const struct fnn_adjustment *by)
{
    const REAL *param = at_param, *grad = at_grad;
    REAL *out = at_out;
    const VEC scale = K(by->scale), max_value = K(by->max_value), l1 = K(by->l1), l2 = K(by->l2);
    for (ptrdiff_t i = 0; i < n; i += LANES) {
        const ptrdiff_t left = n - i;
        LANE(store_n)(out + i, LANE(adjust_grad)(READ(grad), READ(param), scale, max_value, l1, l2), left);
    }
}

/* average + weight (x - average), from the end that is nearer, as torch.lerp;  params: weight, 1 - weight */
INLINE VEC LANE(lerp)(VEC average, VEC x, VEC weight, VEC rest)
{
    const VEC way = x - average;
    return v_select(v_lt(weight, K(0.5)), v_fma(weight, way, average), v_fnma(rest, way, x));
}
FNN_DEFINE_MAP2(lerp, p[0], p[1])

/* sum (scale x)^2 of n numbers, `step` apart, one after the other */
INLINE double LANE(scaled_squares)(const REAL *x, ptrdiff_t step, ptrdiff_t n, double scale)
{
    double total = 0;
    for (ptrdiff_t i = 0; i < n; i++)
        total += (x[i * step] * scale) * (x[i * step] * scale);
    return total;
}

/* The factors that scale columns to the norm max_norm, for squares that over- or underflow. */
INLINE VEC LANE(scaled_factors)(const REAL *weight, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t cols, VEC squares,
                                VEC factors, double limit)
{
    REAL sums[sizeof(VEC) / sizeof(REAL)], factor[sizeof(VEC) / sizeof(REAL)];
    v_store(sums, squares);
    v_store(factor, factors);
    for (ptrdiff_t c = 0; c < cols && c < LANES; c++) {
        if (!(sums[c] == INFINITY || (sums[c] < SMALL && limit * limit < SMALL)))
            continue;
        const double scale = LANE(unit_scale)(LANE(largest)(weight + c, row, rows));
        if (scale == 0)
            continue;
        const double norm = sqrt(LANE(scaled_squares)(weight + c, row, rows, scale)) / scale;
        factor[c] = (REAL)(norm > limit ? limit / norm : 1);
    }
    return v_load(factor);
}

/* `cols` columns in VECS registers, the last one partial if IS_TAIL. */
INLINE void LANE(limit_columns)(REAL *weight, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t cols, double max_norm,
                                const int VECS, const int IS_TAIL, TAIL tail)
{
    VEC sum[4];
    const VEC limit = K(max_norm);
#define EACH_VEC(v) UNROLL for (int v = 0; v < VECS; v++)
    EACH_VEC(v) sum[v] = K(0);
    for (ptrdiff_t r = 0; r < rows; r++)
        EACH_VEC(v)
        {
            const REAL *p = weight + r * row + v * LANES;
            const VEC w = IS_TAIL ? v_load_tail(p, tail) : v_load(p);
            sum[v] = v_fma(w, w, sum[v]);
        }
    EACH_VEC(v)
    {
        const VEC norm = v_sqrt(sum[v]);
        const VEC factors = v_select(v_gt(norm, limit), limit / norm, K(1));
        sum[v] = LANE(scaled_factors)(weight + v * LANES, row, rows, cols - v * LANES, sum[v], factors, max_norm);
    }
    for (ptrdiff_t r = 0; r < rows; r++)
        EACH_VEC(v)
        {
            REAL *p = weight + r * row + v * LANES;
            if (IS_TAIL)
                v_store_tail(p, v_load_tail(p, tail) * sum[v], tail);
            else
                v_store(p, v_load(p) * sum[v]);
        }
#undef EACH_VEC
}

/* Scale every column of the matrix whose 2-norm is above max_norm to that norm. Each norm is one chain over the
 * rows, in ascending order, as in a product (linear.h). */
KERNEL_FN void FN(max_norm)(void *matrix, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t cols, double max_norm)
{
    REAL *weight = matrix;
    ptrdiff_t i = 0;
    for (; i + 4 * LANES <= cols; i += 4 * LANES)
        LANE(limit_columns)(weight + i, row, rows, 4 * LANES, max_norm, 4, 0, v_tail(0));
    for (; i + LANES <= cols; i += LANES)
        LANE(limit_columns)(weight + i, row, rows, LANES, max_norm, 1, 0, v_tail(0));
    if (i < cols)
        LANE(limit_columns)(weight + i, row, rows, cols - i, max_norm, 1, 1, v_tail(cols - i));
}

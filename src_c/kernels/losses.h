/* Losses. Each kernel does in one pass what the caller asks for: the weighted sum of the losses (returned), the single
 * losses (into loss, unless NULL) and the gradient scale * weight * loss' (into grad, unless NULL; it may be x).
 * weight is NULL for 1.
 */

/* Elementwise losses: LANE(name_loss)(x, t, p, &derivative) gives the loss and its derivative with respect to x. */
#define FNN_DEFINE_LOSS(name)                                                                                \
    KERNEL_FN double FN(name)(const REAL *x, const REAL *t, const REAL *weight, REAL *loss, REAL *grad,      \
                              ptrdiff_t n, double scale, const double *params)                               \
    {                                                                                                        \
        const VEC p = K(params[0]), s = K(scale);                                                            \
        double total = 0;                                                                                    \
        FNN_SUM_UP(total, n, LOSS_SEGMENT, VEC derivative;                                                   \
                   const VEC w = weight ? LANE(load_n)(weight + at, left, K(0)) : K(1);                      \
                   VEC value = LANE(name)(LANE(load_n)(x + at, left, K(0)), LANE(load_n)(t + at, left, K(0)), p,\
                                          &derivative);                                                      \
                   value = value * w; if (loss) LANE(store_n)(loss + at, value, left);                       \
                   if (grad) LANE(store_n)(grad + at, derivative * (s * w), left);                           \
                   sum.part[j] += LANE(fill_n)(value, left, K(0));)                                          \
        return total;                                                                                        \
    }

/* |x - t|; derivative its sign, 0 at 0 */
INLINE VEC LANE(l1_loss)(VEC x, VEC t, VEC p, VEC *derivative)
{
    (void)p;
    const VEC e = x - t;
    *derivative = v_select(v_gt(v_abs(e), K(0)), v_copysign(K(1), e), e + K(0)); /* NaN stays, -0 is 0 */
    return v_abs(e);
}
FNN_DEFINE_LOSS(l1_loss)

/* (x - t)^2 */
INLINE VEC LANE(mse_loss)(VEC x, VEC t, VEC p, VEC *derivative)
{
    (void)p;
    const VEC e = x - t;
    *derivative = e + e;
    return e * e;
}
FNN_DEFINE_LOSS(mse_loss)

/* e^2 / 2, or delta (|e| - delta / 2) where |e| > delta */
INLINE VEC LANE(huber_loss)(VEC x, VEC t, VEC delta, VEC *derivative)
{
    const VEC e = x - t, a = v_abs(e);
    const MASK linear = v_gt(a, delta);
    *derivative = v_select(linear, v_copysign(delta, e), e);
    return v_select(linear, delta * (a - K(0.5) * delta), K(0.5) * e * e);
}
FNN_DEFINE_LOSS(huber_loss)

/* e^2 / (2 beta), or |e| - beta / 2 where |e| >= beta */
INLINE VEC LANE(smooth_l1_loss)(VEC x, VEC t, VEC beta, VEC *derivative)
{
    const VEC e = x - t, a = v_abs(e);
    const MASK linear = v_ge(a, beta);
    VEC l1;
    (void)LANE(l1_loss)(x, t, beta, &l1);
    *derivative = v_select(linear, l1, e / beta);
    return v_select(linear, a - K(0.5) * beta, K(0.5) * e * e / beta);
}
FNN_DEFINE_LOSS(smooth_l1_loss)

/* -(t log x + (1 - t) log(1 - x)), logarithms held above -100 as PyTorch's;
 * derivative (x - t) / max(x (1 - x), 1e-12) */
INLINE VEC LANE(binary_cross_entropy)(VEC x, VEC t, VEC p, VEC *derivative)
{
    (void)p;
    const VEC log_x = AT_LEAST(LANE(log)(x), K(-100)), log_1mx = AT_LEAST(LANE(log1p)(-x), K(-100));
    *derivative = (x - t) / AT_LEAST(x * (K(1) - x), K(1e-12));
    return (t - K(1)) * log_1mx - t * log_x;
}
FNN_DEFINE_LOSS(binary_cross_entropy)

/* max(x, 0) - x t + log(1 + e^-|x|); derivative sigmoid(x) - t */
INLINE VEC LANE(binary_cross_entropy_with_logits)(VEC x, VEC t, VEC p, VEC *derivative)
{
    (void)p;
    *derivative = LANE(sigmoid)(x) - t;
    return v_fnma(x, t, AT_LEAST(x, K(0))) + LANE(log1p)(LANE(exp)(-v_abs(x)));
}
FNN_DEFINE_LOSS(binary_cross_entropy_with_logits)

/* Cross-entropy of one row of logits against class probabilities q (rows of targets, or NULL) or a class index:
 *     -sum_i q'_i log softmax(x)_i,   q' = (1 - smoothing) q + smoothing / cols
 * whose gradient is softmax(x) sum_i q'_i - q'. With q' = 0 an entry counts for nothing, even at -inf. */
INLINE VEC LANE(row_target)(const REAL *q, ptrdiff_t i, ptrdiff_t left, VEC keep, VEC spread)
{
    if (!q)
        return spread;
    return v_fma(LANE(load_n)(q + i, left, K(0)), keep, spread);
}

INLINE REAL LANE(cross_entropy_row)(const REAL *x, int64_t label, const REAL *q, REAL *grad, ptrdiff_t cols,
                                    REAL factor, double smoothing, const FNN_CAT(group, BITS) * group, ptrdiff_t row)
{
    const VEC max = K(group->max[row]), log_sum = K(group->log_sum[row]);
    const VEC keep = K(1 - smoothing), spread = K(smoothing / (double)cols);
    double total = 0, mass = 1;
    if (q || smoothing > 0) {
        SUM loss = LANE(sum_zero)(), masses = LANE(sum_zero)();
        FNN_EACH_REGISTER(
            cols, VEC target = LANE(row_target)(q, i, left, keep, spread); target = LANE(fill_n)(target, left, K(0));
            const VEC log_p = LANE(load_n)(x + i, left, K(0)) - max - log_sum;
            loss.part[j] += v_select(v_eq(target, K(0)), K(0) * log_sum, target * log_p); masses.part[j] += target;)
        total = LANE(sum_total)(&loss);
        mass = q ? LANE(sum_total)(&masses) : 1;
    }
    const REAL keep_label = (REAL)(1 - smoothing);
    if (!q && keep_label != 0)
        total += keep_label * (x[label] - group->max[row] - group->log_sum[row]);
    if (grad) {
        const VEC share = K(mass / group->sum[row]), scale = K(factor);
        FNN_EACH_REGISTER(cols, const VEC target = LANE(row_target)(q, i, left, keep, spread);
                          const VEC p = LANE(load_n)(grad + i, left, K(0)) * share;
                          LANE(store_n)(grad + i, (p - target) * scale, left);)
        if (!q)
            grad[label] -= keep_label * factor;
    }
    return (REAL)-total;
}

/* Rows of logits x against class indices (labels) or class probabilities (q), the other NULL;  params: smoothing */
KERNEL_FN double FN(cross_entropy)(const REAL *x, const int64_t *labels, const REAL *q, const REAL *weight, REAL *loss,
                                   REAL *grad, ptrdiff_t rows, ptrdiff_t cols, double scale, const double *params)
{
    FNN_CAT(group, BITS) group;
    double sum = 0;
    for (ptrdiff_t first = 0, n; first < rows; first += n) {
        n = LANE(group_rows)(rows - first, cols);
        LANE(group_sums)(x + first * cols, grad ? grad + first * cols : NULL, n, cols, K(1), &group);
        LANE(group_logs)(n, &group);
        for (ptrdiff_t r = first; r < first + n; r++) {
            const REAL w = weight ? weight[r] : 1;
            const REAL value = w * LANE(cross_entropy_row)(x + r * cols, labels ? labels[r] : 0,
                                                           q ? q + r * cols : NULL, grad ? grad + r * cols : NULL, cols,
                                                           (REAL)scale * w, params[0], &group, r - first);
            if (loss)
                loss[r] = value;
            sum += value;
        }
    }
    return sum;
}

/* -x[r, labels[r]], x being log-probabilities */
KERNEL_FN double FN(nll_loss)(const REAL *x, const int64_t *labels, const REAL *q, const REAL *weight, REAL *loss,
                              REAL *grad, ptrdiff_t rows, ptrdiff_t cols, double scale, const double *params)
{
    (void)q, (void)params;
    double sum = 0;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const REAL w = weight ? weight[r] : 1;
        const REAL value = -w * x[r * cols + labels[r]];
        if (grad) {
            memset(grad + r * cols, 0, (size_t)cols * sizeof *grad);
            grad[r * cols + labels[r]] = -(REAL)scale * w;
        }
        if (loss)
            loss[r] = value;
        sum += value;
    }
    return sum;
}

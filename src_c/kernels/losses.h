/* Losses: macros that make kernels of lane functions and of functions of a row, and the regression losses.
 *
 * Each kernel computes in one pass, for n elements or rows from `first` on, the weighted sum of the losses (returned)
 * and what struct fnn_loss requests: the single losses, and the gradient scale * weight * loss', which may overwrite x.
 */
#define PLACED(type, pointer, at) ((pointer) ? (type *)(pointer) + (at) : NULL)
#define READ_AT(p) LANE(load_n)((p) + at, left, K(0))

/* Elementwise: LANE(name)(x, t, derivative) returns the loss and stores its derivative with respect to x. The
 * parameters of the lane function follow its name: FNN_DEFINE_LOSS(huber_loss, p[0]). EXTRA(one) is the value of
 * of->extra for the element, or `one` if it is NULL; `also` is a statement that uses derivative[1], a second
 * derivative. */
#define EXTRA(one) (extra ? READ_AT(extra) : (one))
#define FNN_DEFINE_LOSS_ALSO(name, also, ...)                                                                \
    KERNEL_FN double FN(name)(const struct fnn_loss *of, ptrdiff_t first, ptrdiff_t n)                       \
    {                                                                                                        \
        const double *params = of->params;                                                                   \
        const VEC p[3] = PARAMS, s = K(of->scale);                                                           \
        const REAL *x = (const REAL *)of->x + first, *t = (const REAL *)of->target + first;                  \
        const REAL *weight = PLACED(const REAL, of->weight, first);                                          \
        const REAL *extra = PLACED(const REAL, of->extra, first);                                            \
        REAL *loss = PLACED(REAL, of->loss, first), *grad = PLACED(REAL, of->grad, first);                   \
        REAL *grad_extra = PLACED(REAL, of->grad_extra, first);                                              \
        double total = 0;                                                                                    \
        (void)p, (void)extra, (void)grad_extra;                                                              \
        FNN_SUM_UP(total, n, LOSS_SEGMENT, VEC derivative[2];                                                \
                   VEC value = LANE(name)(READ_AT(x), READ_AT(t), derivative, ##__VA_ARGS__), scale = s;     \
                   if (weight) {                                                                             \
                       const VEC w = READ_AT(weight);                                                        \
                       scale = s * w, value = LANE(shared)(w, value);                                        \
                       derivative[0] = LANE(counted)(w, derivative[0]);                                      \
                   }                                                                                         \
                   if (loss) LANE(store_n)(loss + at, value, left);                                          \
                   if (grad) LANE(store_n)(grad + at, derivative[0] * scale, left); also                     \
                   sum.part[j] += LANE(fill_n)(value, left, K(0));)                                          \
        return total;                                                                                        \
    }
#define FNN_DEFINE_LOSS(name, ...) FNN_DEFINE_LOSS_ALSO(name, , ##__VA_ARGS__)

/* By rows: LANE(name_row)(&row) returns the loss of a row and writes its gradient unless NULL. */
#define ROW FNN_CAT(row, BITS)
typedef struct {
    const REAL *x, *target, *by_class; /* target or by_class may be NULL */
    REAL *grad;
    ptrdiff_t cols;
    int64_t label;
    REAL factor; /* factor of the gradient */
    const double *params;
    REAL max, log_sum; /* with `logits`: the largest, the logarithm of the sum of all e^(x - max), and that sum */
    double sum;
} ROW;

/* w value, but 0 where w is 0, be the value infinite; NaN stays. LANE(shared) of one number. */
INLINE REAL LANE(weighted)(REAL w, REAL value)
{
    return w * (w == 0 && __builtin_isinf(value) ? (value > 0 ? 1 : -1) : value);
}

/* With `logits` grad holds e^(x - max) when LANE(name_row) is called. A row whose label is params[0] (ignore_index)
 * has loss 0 and gradient 0, whatever x is. Labels were checked before; one that is out of range nevertheless was
 * changed by another thread since, and its loss is NaN. */
#define FNN_DEFINE_ROW_LOSS(name, logits)                                                                    \
    KERNEL_FN double FN(name)(const struct fnn_loss *of, ptrdiff_t first, ptrdiff_t n)                       \
    {                                                                                                        \
        const ptrdiff_t cols = of->cols, begin = first * cols, last = first + n;                             \
        const REAL *x = (const REAL *)of->x + begin, *target = PLACED(const REAL, of->target, begin);        \
        const REAL *weight = (const REAL *)of->weight;                                                       \
        REAL *loss = (REAL *)of->loss, *grad = PLACED(REAL, of->grad, begin);                                \
        FNN_CAT(group, BITS) group;                                                                          \
        double sum = 0;                                                                                      \
        for (ptrdiff_t r = first, rows; r < last;) {                                                         \
            rows = LANE(group_rows)(last - r, cols);                                                         \
            if (logits) {                                                                                    \
                LANE(group_sums)(x, grad, rows, cols, K(1), &group);                                         \
                LANE(group_logs)(rows, &group);                                                              \
            }                                                                                                \
            for (ptrdiff_t i = 0; i < rows; i++, r++) {                                                      \
                const REAL w = weight ? weight[r] : 1;                                                       \
                const int64_t label = of->labels ? fnn_read_index(of->labels + r) : 0;                       \
                REAL value = 0;                                                                              \
                const int ignored = of->labels && label == (int64_t)of->params[0];                           \
                if (!ignored && label >= 0 && label < cols) {                                                \
                    ROW row = {x, target, (const REAL *)of->extra, grad, cols, label, (REAL)of->scale * w,   \
                               of->params, 0, 0, 0};                                                         \
                    if (logits)                                                                              \
                        row.max = group.max[i], row.log_sum = group.log_sum[i], row.sum = group.sum[i];      \
                    value = LANE(name##_row)(&row);                                                          \
                    value = LANE(weighted)(w, value);                                                        \
                } else {                                                                                     \
                    value = ignored ? 0 : (REAL)NAN;                                                         \
                    if (grad)                                                                                \
                        memset(grad, 0, (size_t)cols * sizeof *grad);                                        \
                }                                                                                            \
                if (loss)                                                                                    \
                    loss[r] = value;                                                                         \
                sum += value;                                                                                \
                x += cols;                                                                                   \
                target = PLACED(const REAL, target, cols);                                                   \
                grad = PLACED(REAL, grad, cols);                                                             \
            }                                                                                                \
        }                                                                                                    \
        return sum;                                                                                          \
    }

/* |x - t|; derivative its sign, 0 at 0 */
INLINE VEC LANE(l1_loss)(VEC x, VEC t, VEC *derivative)
{
    const VEC e = x - t;
    *derivative = v_select(v_gt(v_abs(e), K(0)), v_copysign(K(1), e), e + K(0)); /* NaN stays, -0 is 0 */
    return v_abs(e);
}
FNN_DEFINE_LOSS(l1_loss)

/* (x - t)^2 */
INLINE VEC LANE(mse_loss)(VEC x, VEC t, VEC *derivative)
{
    const VEC e = x - t;
    *derivative = e + e;
    return e * e;
}
FNN_DEFINE_LOSS(mse_loss)

/* e^2 / 2, or delta (|e| - delta / 2) where |e| > delta */
INLINE VEC LANE(huber_loss)(VEC x, VEC t, VEC *derivative, VEC delta)
{
    const VEC e = x - t, a = v_abs(e);
    const MASK linear = v_gt(a, delta);
    *derivative = v_select(linear, v_copysign(delta, e), e);
    return v_select(linear, delta * (a - K(0.5) * delta), K(0.5) * e * e);
}
FNN_DEFINE_LOSS(huber_loss, p[0])

/* e^2 / (2 beta), or |e| - beta / 2 where |e| >= beta */
INLINE VEC LANE(smooth_l1_loss)(VEC x, VEC t, VEC *derivative, VEC beta)
{
    const VEC e = x - t, a = v_abs(e);
    const MASK linear = v_ge(a, beta);
    VEC l1;
    (void)LANE(l1_loss)(x, t, &l1);
    *derivative = v_select(linear, l1, e / beta);
    return v_select(linear, a - K(0.5) * beta, K(0.5) * e * e / beta);
}
FNN_DEFINE_LOSS(smooth_l1_loss, p[0])

/* q e, or (q - 1) e where e = t - x < 0; derivative -q or 1 - q, 0 at 0 */
INLINE VEC LANE(quantile_loss)(VEC x, VEC t, VEC *derivative, VEC q)
{
    const VEC e = t - x;
    *derivative = v_select(v_gt(e, K(0)), -q, v_select(v_lt(e, K(0)), K(1) - q, e + K(0)));
    return v_select(v_ge(e, K(0)), q * e, (q - K(1)) * e);
}
FNN_DEFINE_LOSS(quantile_loss, EXTRA(p[0]))

/* log(cosh e), e = x - t: log1p(cosh e - 1) with cosh e - 1 = m^2 / (2 (1 + m)), m = e^|e| - 1, so that small errors keep
 * their digits; from 1 on |e| + log(1 + e^(-2 |e|)) - log 2, which does not overflow. Derivative tanh e. */
INLINE VEC LANE(log_cosh_loss)(VEC x, VEC t, VEC *derivative)
{
    const VEC e = x - t, a = v_abs(e), m = LANE(expm1)(v_min(a, K(1)));
    const VEC small = LANE(log1p)(m * m / (K(2) * (K(1) + m)));
    const VEC large = a + LANE(log1p)(LANE(exp)(K(-2) * a)) - K(LN2);
    *derivative = LANE(tanh)(e) + K(0);
    return v_select(v_lt(a, K(1)), small, large);
}
FNN_DEFINE_LOSS(log_cosh_loss)

/* The cosine where squares over- or underflow: computed from x and t times powers of two. */
INLINE double LANE(scaled_cosine)(const ROW *row)
{
    const double eps = row->params[0];
    const double x_largest = LANE(largest)(row->x, 1, row->cols), t_largest = LANE(largest)(row->target, 1, row->cols);
    const double a = LANE(unit_scale)(x_largest > eps ? x_largest : eps);
    const double b = LANE(unit_scale)(t_largest > eps ? t_largest : eps);
    double xx = 0, tt = 0, xt = 0;
    for (ptrdiff_t i = 0; i < row->cols; i++) {
        const double x = row->x[i] * a, t = row->target[i] * b;
        xx += x * x, tt += t * t, xt += x * t;
    }
    const double x_norm = sqrt(xx), held = x_norm < eps * a ? eps * a : x_norm;
    const double t_norm = sqrt(tt), t_held = t_norm < eps * b ? eps * b : t_norm;
    const double cosine = xt / held / t_held, slope = row->factor * (a / held);
    for (ptrdiff_t i = 0; row->grad && i < row->cols; i++) {
        const double x = row->x[i] * a, t = row->target[i] * b;
        row->grad[i] = (REAL)(slope * ((x_norm == 0 ? 0 : cosine * (x / x_norm)) - t / t_held));
    }
    return cosine;
}

/* x.t / (|x| |t|), norms clamped to at least eps;  params: eps. The gradient is that of its negative, which is
 * (cos x / |x| - t / |t|) / |x|; where |x| is clamped its first term is as in PyTorch, 0 for x = 0. */
INLINE double LANE(cosine)(const ROW *row)
{
    const double eps = row->params[0];
    const double xx = LANE(row_dot)(row->x, row->x, row->cols);
    const double tt = LANE(row_dot)(row->target, row->target, row->cols);
    if (LANE(out_of_range)(xx, 1, eps * eps) || LANE(out_of_range)(tt, 1, eps * eps))
        return LANE(scaled_cosine)(row);
    const double x_norm = __builtin_sqrt(xx), t_norm = __builtin_sqrt(tt);
    const double held = x_norm < eps ? eps : x_norm, scale = 1 / (held * (t_norm < eps ? eps : t_norm));
    const double cosine = LANE(row_dot)(row->x, row->target, row->cols) * scale;
    if (row->grad) {
        const VEC pull = K(x_norm == 0 ? 0 : row->factor * cosine / (held * x_norm)), push = K(-row->factor * scale);
        FNN_EACH_REGISTER(row->cols, const VEC x = LANE(load_n)(row->x + i, left, K(0));
                          const VEC t = LANE(load_n)(row->target + i, left, K(0));
                          LANE(store_n)(row->grad + i, v_fma(pull, x, push * t), left);)
    }
    return cosine;
}

/* 1 - cosine */
INLINE REAL LANE(cosine_loss_row)(const ROW *row)
{
    return (REAL)(1 - LANE(cosine)(row));
}
FNN_DEFINE_ROW_LOSS(cosine_loss, 0)

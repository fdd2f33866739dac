/* Losses of what networks compute of two samples, which are alike or not. A clamped term passes its gradient on
 * at the clamp itself, as PyTorch's clamp_min does. */

/* max(0, gap), and 1 where the gap is not below 0, else 0; NaN stays */
INLINE VEC LANE(clamped)(VEC gap, VEC *slope)
{
    *slope = v_select(v_ge(gap, K(0)), K(1), v_select(v_lt(gap, K(0)), K(0), gap));
    return AT_LEAST(gap, K(0));
}

/* x where t is 1, else max(0, margin - x); targets are -1 and 1 */
INLINE VEC LANE(hinge_embedding_loss)(VEC x, VEC t, VEC *derivative, VEC margin)
{
    VEC slope;
    const VEC far = LANE(clamped)(margin - x, &slope), one = v_select(v_eq(x, x), K(1), x);
    const MASK alike = v_eq(t, K(1));
    const VEC of_target = K(0) * t; /* NaN stays */
    *derivative = v_select(alike, one, K(0) - slope) + of_target;
    return v_select(alike, x, far) + of_target;
}
FNN_DEFINE_LOSS(hinge_embedding_loss, p[0])

/* max(0, margin - t (x - other)), t being -1 or 1; derivatives -t and t where it is not clamped */
INLINE VEC LANE(margin_ranking_loss)(VEC x, VEC t, VEC *derivative, VEC other, VEC margin)
{
    VEC slope;
    const VEC loss = LANE(clamped)(v_fnma(t, x - other, margin), &slope);
    derivative[0] = K(0) - t * slope;
    derivative[1] = t * slope;
    return loss;
}
#define STORE_BY_OTHER                                                                                       \
    if (weight)                                                                                              \
        derivative[1] = LANE(counted)(scale, derivative[1]);                                                 \
    if (grad_extra)                                                                                          \
        LANE(store_n)(grad_extra + at, derivative[1] * scale, left);
FNN_DEFINE_LOSS_ALSO(margin_ranking_loss, STORE_BY_OTHER, EXTRA(K(0)), p[0])

/* By rows of several vectors: LANE(name_vectors)(&row) returns the loss of a row and writes its gradients unless NULL. */
#define VECTORS FNN_CAT(vectors, BITS)
typedef struct {
    const REAL *x, *other, *third; /* vectors; third is NULL of losses of two */
    REAL *grad, *grad_other, *grad_third;
    ptrdiff_t cols;
    REAL sign;     /* of losses of two: what the row's target is */
    double factor; /* of the gradients */
    const double *params;
} VECTORS;

/* of->target are the second vectors; of->extra the third ones, or where `signs` holds a target for each row. */
#define FNN_DEFINE_VECTORS_LOSS(name, signs)                                                                 \
    KERNEL_FN double FN(name)(const struct fnn_loss *of, ptrdiff_t first, ptrdiff_t n)                       \
    {                                                                                                        \
        const REAL *weight = (const REAL *)of->weight, *extra = (const REAL *)of->extra;                     \
        double sum = 0;                                                                                      \
        for (ptrdiff_t r = first; r < first + n; r++) {                                                      \
            const ptrdiff_t begin = r * of->cols;                                                            \
            const REAL w = weight ? weight[r] : 1;                                                           \
            const VECTORS row = {(const REAL *)of->x + begin,                                                \
                                 (const REAL *)of->target + begin,                                           \
                                 signs ? NULL : extra + begin,                                               \
                                 PLACED(REAL, of->grad, begin),                                              \
                                 PLACED(REAL, of->grad_target, begin),                                       \
                                 PLACED(REAL, of->grad_extra, begin),                                        \
                                 of->cols,                                                                   \
                                 signs ? extra[r] : 0,                                                       \
                                 of->scale * w,                                                              \
                                 of->params};                                                                \
            const REAL value = LANE(weighted)(w, LANE(name##_vectors)(&row));                                \
            if (of->loss)                                                                                    \
                ((REAL *)of->loss)[r] = value;                                                               \
            sum += value;                                                                                    \
        }                                                                                                    \
        return sum;                                                                                          \
    }

/* x.y over the norms of x and y, each with 1e-12 under its root; their squares, of x and y times powers of two that keep
 * them in range (`scale`, else 1) */
#define COSINE_EPS 1e-12
typedef struct {
    double cosine, xx, yy, scale[2];
} FNN_CAT(cosine, BITS);

INLINE FNN_CAT(cosine, BITS) LANE(cosine_of)(const REAL *x, const REAL *y, ptrdiff_t n)
{
    FNN_CAT(cosine, BITS) c = {LANE(row_dot)(x, y, n), LANE(row_dot)(x, x, n), LANE(row_dot)(y, y, n), {1, 1}};
    if (!(c.xx < INFINITY) || !(c.yy < INFINITY)) {
        const double a = LANE(unit_scale)(LANE(largest)(x, 1, n)), b = LANE(unit_scale)(LANE(largest)(y, 1, n));
        c.scale[0] = a > 0 && a < 1 ? a : 1, c.scale[1] = b > 0 && b < 1 ? b : 1;
        c.cosine = c.xx = c.yy = 0;
        for (ptrdiff_t i = 0; i < n; i++) {
            const double u = x[i] * c.scale[0], v = y[i] * c.scale[1];
            c.cosine += u * v, c.xx += u * u, c.yy += v * v;
        }
    }
    c.xx += COSINE_EPS * c.scale[0] * c.scale[0], c.yy += COSINE_EPS * c.scale[1] * c.scale[1];
    c.cosine /= __builtin_sqrt(c.xx) * __builtin_sqrt(c.yy);
    return c;
}

/* grad = factor times the derivative of the cosine with respect to x (at = 0) or y: (the other / its norm - cosine times the
 * one / its norm) / the norm of the one */
INLINE void LANE(cosine_gradient)(const FNN_CAT(cosine, BITS) * c, const REAL *x, const REAL *y, REAL *grad,
                                  ptrdiff_t n, double factor, int at)
{
    const double squares = at ? c->yy : c->xx, norms = __builtin_sqrt(c->xx) * __builtin_sqrt(c->yy);
    const VEC push = K(factor * c->scale[at] / norms), pull = K(factor * c->scale[at] * (c->cosine / squares));
    const VEC one = K(c->scale[at]), other = K(c->scale[!at]);
    FNN_EACH_REGISTER(n, const VEC u = LANE(load_n)((at ? y : x) + i, left, K(0)) * one;
                      const VEC v = LANE(load_n)((at ? x : y) + i, left, K(0)) * other;
                      LANE(store_n)(grad + i, v_fnma(pull, u, push * v), left);)
}

/* 1 - cos(x, other) for a target of 1, max(0, cos(x, other) - margin) for -1;  params: margin */
INLINE REAL LANE(cosine_embedding_loss_vectors)(const VECTORS *row)
{
    const FNN_CAT(cosine, BITS) c = LANE(cosine_of)(row->x, row->other, row->cols);
    const double gap = c.cosine - row->params[0], of_target = 0 * (double)row->sign; /* NaN stays */
    const double loss = row->sign == 1 ? 1 - c.cosine : gap < 0 ? 0 : gap;
    const double slope = row->sign == 1 ? -1 : gap < 0 ? 0 : 1;
    if (row->grad) {
        LANE(cosine_gradient)(&c, row->x, row->other, row->grad, row->cols, row->factor * (slope + of_target), 0);
        LANE(cosine_gradient)(&c, row->x, row->other, row->grad_other, row->cols, row->factor * (slope + of_target), 1);
    }
    return (REAL)(loss + of_target);
}
FNN_DEFINE_VECTORS_LOSS(cosine_embedding_loss, 1)

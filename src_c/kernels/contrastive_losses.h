/* Losses of samples beside others: triplets. */

/* The p-norm of x - y + eps; for an infinite p `ties` entries have that magnitude. */
#define DISTANCE FNN_CAT(distance, BITS)
typedef struct {
    double norm, ties, p, eps;
} DISTANCE;
#define DIFFERENCE(x, y, at) (LANE(load_n)((x) + (at), left, K(0)) - LANE(load_n)((y) + (at), left, K(0)) + eps)

/* The largest |x - y + eps|, or NaN if there is one. */
INLINE void LANE(largest_difference)(const REAL *x, const REAL *y, ptrdiff_t n, DISTANCE *d)
{
    d->norm = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const REAL difference = x[i] - y[i];
        const double e = fabs((double)(REAL)(difference + (REAL)d->eps));
        d->ties = e > d->norm ? 1 : d->ties + (e == d->norm);
        d->norm = e > d->norm || e != e ? e : d->norm;
    }
}

INLINE DISTANCE LANE(distance_of)(const REAL *x, const REAL *y, ptrdiff_t n, double p, double eps_)
{
    DISTANCE d = {0, 0, p, eps_};
    const VEC eps = K(eps_), power = K(p);
    double total = 0;
    if (p == 1 || p == 2) {
        FNN_SUM_UP(total, n, LOSS_SEGMENT, const VEC e = DIFFERENCE(x, y, at); VEC term = e * e;
                   if (p == 1) term = v_abs(e); sum.part[j] += LANE(fill_n)(term, left, K(0));)
        d.norm = p == 1 ? total : __builtin_sqrt(total);
        if (p == 1 || !LANE(out_of_range)(total, (double)n, 0) || total != total)
            return d;
    }
    LANE(largest_difference)(x, y, n, &d);
    if (p == (double)INFINITY || !(d.norm > 0 && d.norm < (double)INFINITY))
        return d;
    const VEC largest = K(d.norm); /* powers of ratios to it neither over- nor underflow */
    total = 0;
    FNN_SUM_UP(total, n, LOSS_SEGMENT, const VEC e = v_abs(DIFFERENCE(x, y, at)) / largest; VEC term = e * e;
               if (p != 2) term = LANE(power)(e, power); sum.part[j] += LANE(fill_n)(term, left, K(0));)
    d.norm *= p == 2 ? __builtin_sqrt(total) : pow(total, 1 / p);
    return d;
}

/* grad += factor times the derivative of the norm with respect to x, and grad_other -= the same. */
INLINE void LANE(distance_gradient)(const DISTANCE *d, const REAL *x, const REAL *y, REAL *grad, REAL *grad_other,
                                    ptrdiff_t n, double factor)
{
    const double p = d->p;
    const VEC eps = K(d->eps), norm = K(d->norm), power = K(p - 1), step = K(factor), share = K(factor / d->ties);
    if (d->norm == 0 || factor == 0)
        return;
    FNN_EACH_REGISTER(n, const VEC e = DIFFERENCE(x, y, i); VEC slope, sign; (void)LANE(l1_loss)(e, K(0), &sign);
                      if (p == 1) slope = sign * step; else if (p == 2) slope = e / norm * step;
                      else if (p == (double)INFINITY) slope = v_select(v_eq(v_abs(e), norm), sign * share, K(0) * sign);
                      else slope = v_select(v_eq(e, K(0)), e, sign * LANE(power)(v_abs(e) / norm, power) * step);
                      LANE(store_n)(grad + i, LANE(load_n)(grad + i, left, K(0)) + slope, left);
                      LANE(store_n)(grad_other + i, LANE(load_n)(grad_other + i, left, K(0)) - slope, left);)
}

/* max(0, margin + d(x, other) - d(x, third)), d the p-norm of the difference, to which eps is added; with `swap` the smaller
 * one of d(x, third) and d(other, third), or both by halves;  params: margin, p (negative: swap), eps */
INLINE REAL LANE(triplet_margin_loss_vectors)(const VECTORS *row)
{
    const double p = fabs(row->params[1]), eps = row->params[2];
    const int swap = row->params[1] < 0;
    const DISTANCE near = LANE(distance_of)(row->x, row->other, row->cols, p, eps);
    const DISTANCE far = LANE(distance_of)(row->x, row->third, row->cols, p, eps);
    DISTANCE swapped = far;
    double share = 1; /* of d(x, third) */
    if (swap) {
        swapped = LANE(distance_of)(row->other, row->third, row->cols, p, eps);
        share = far.norm < swapped.norm ? 1 : far.norm > swapped.norm ? 0 : 0.5;
    }
    const double least = share == 0 || swapped.norm != swapped.norm ? swapped.norm : far.norm;
    const double gap = row->params[0] + near.norm - least;
    if (row->grad) {
        const size_t bytes = (size_t)row->cols * sizeof(REAL);
        const double factor = row->factor * (gap < 0 ? 0 : gap >= 0 ? 1 : gap); /* NaN stays */
        memset(row->grad, 0, bytes), memset(row->grad_other, 0, bytes), memset(row->grad_third, 0, bytes);
        LANE(distance_gradient)(&near, row->x, row->other, row->grad, row->grad_other, row->cols, factor);
        LANE(distance_gradient)(&far, row->x, row->third, row->grad, row->grad_third, row->cols, -share * factor);
        if (swap)
            LANE(distance_gradient)(&swapped, row->other, row->third, row->grad_other, row->grad_third, row->cols,
                                    (share - 1) * factor);
    }
    return (REAL)(gap < 0 ? 0 : gap);
}
FNN_DEFINE_VECTORS_LOSS(triplet_margin_loss, 0)

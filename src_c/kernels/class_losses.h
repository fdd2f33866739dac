/* Losses of rows of logits or log-probabilities with class indices; by_class has the weights of the classes, NULL
 * for 1. params[0] is ignore_index. */
INLINE REAL LANE(class_weight)(const ROW *row)
{
    return row->by_class ? row->by_class[row->label] : 1;
}

/* Cross-entropy of logits against class probabilities q or a class index: -sum_i q'_i log softmax(x)_i,   q' =
 * by_class ((1 - smoothing) q + smoothing / cols) whose gradient is softmax(x) sum_i q'_i - q'. An entry with q' = 0
 * contributes 0, even where x is -inf. */
INLINE VEC LANE(row_target)(const ROW *row, ptrdiff_t i, ptrdiff_t left, VEC keep, VEC spread)
{
    VEC target = spread;
    if (row->target)
        target = v_fma(LANE(load_n)(row->target + i, left, K(0)), keep, spread);
    if (row->by_class)
        target = target * LANE(load_n)(row->by_class + i, left, K(0));
    return target;
}

INLINE REAL LANE(cross_entropy_row)(const ROW *row)
{
    const double smoothing = row->params[1];
    const VEC max = K(row->max), log_sum = K(row->log_sum);
    const VEC keep = K(1 - smoothing), spread = K(smoothing / (double)row->cols);
    const REAL keep_label = row->target ? 0 : (REAL)(1 - smoothing) * LANE(class_weight)(row);
    double total = 0, mass = 0;
    if (row->target || smoothing > 0) {
        SUM loss = LANE(sum_zero)(), masses = LANE(sum_zero)();
        FNN_EACH_REGISTER(row->cols, VEC target = LANE(row_target)(row, i, left, keep, spread);
                          target = LANE(fill_n)(target, left, K(0));
                          const VEC log_p = LANE(load_n)(row->x + i, left, K(0)) - max - log_sum;
                          loss.part[j] += v_select(v_eq(target, K(0)), K(0) * log_sum, target * log_p);
                          masses.part[j] += target;)
        total = LANE(sum_total)(&loss);
        mass = LANE(sum_total)(&masses);
    }
    mass = row->target || row->by_class ? mass + keep_label : 1;
    if (keep_label != 0)
        total += keep_label * (row->x[row->label] - row->max - row->log_sum);
    else
        total += 0 * row->log_sum; /* NaN stays */
    if (row->grad) {
        const VEC share = K(mass / row->sum), scale = K(row->factor);
        FNN_EACH_REGISTER(row->cols, const VEC target = LANE(row_target)(row, i, left, keep, spread);
                          const VEC p = LANE(load_n)(row->grad + i, left, K(0)) * share;
                          LANE(store_n)(row->grad + i, (p - target) * scale, left);)
        if (!row->target)
            row->grad[row->label] -= keep_label * row->factor;
    }
    return (REAL)-total;
}
FNN_DEFINE_ROW_LOSS(cross_entropy, 1)

/* -x[label], x being log-probabilities */
INLINE REAL LANE(nll_loss_row)(const ROW *row)
{
    const REAL share = LANE(class_weight)(row);
    if (row->grad) {
        memset(row->grad, 0, (size_t)row->cols * sizeof *row->grad);
        row->grad[row->label] = -row->factor * share;
    }
    return LANE(weighted)(-share, row->x[row->label]);
}
FNN_DEFINE_ROW_LOSS(nll_loss, 0)

/* -m^gamma log p, p = softmax(x)[label] and m = 1 - p;  params: ignored, gamma. The derivative with respect to log p
 * is -m^gamma (1 + gamma p (-log p / m)), where -log p / m is 1, its limit, at m = 0. */
INLINE REAL LANE(softmax_focal_loss_row)(const ROW *row)
{
    const REAL gamma = (REAL)row->params[1], share = LANE(class_weight)(row);
    const REAL log_p = row->x[row->label] - row->max - row->log_sum;
    const REAL p = LANE(exp)(K(log_p))[0], m = 0 - LANE(expm1)(K(log_p))[0];
    const REAL power = LANE(power)(K(m), K(gamma))[0];
    if (row->grad) {
        const REAL ratio = m > 0 ? -log_p / m : 1;
        const REAL slope = row->factor * share * power * (1 + gamma * (p > 0 ? p * ratio : 0));
        const VEC scale = K(slope / row->sum);
        FNN_EACH_REGISTER(row->cols, const VEC e = LANE(load_n)(row->grad + i, left, K(0));
                          LANE(store_n)(row->grad + i, e * scale, left);)
        row->grad[row->label] = -slope * m;
    }
    return LANE(weighted)(-share * power, log_p);
}
FNN_DEFINE_ROW_LOSS(softmax_focal_loss, 1)

/* The sum of max(0, gap + x_i) over n entries, or of the squares. The gradients times factor are written to grad
 * unless NULL; their sum is added to slope. */
INLINE double LANE(margin_sum)(const REAL *x, REAL *grad, ptrdiff_t n, VEC gap, int squared, VEC factor, double *slope)
{
    double total = 0, slopes = 0;
    VEC g;
    FNN_SUM_UP(total, n, LOSS_SEGMENT,
               sum.part[j] += LANE(fill_n)(LANE(margin_loss)(gap + READ_AT(x), &g, squared), left, K(0));)
    if (grad)
        FNN_SUM_UP(slopes, n, LOSS_SEGMENT, (void)LANE(margin_loss)(gap + READ_AT(x), &g, squared);
                   g = LANE(shared)(factor, g); LANE(store_n)(grad + at, g, left);
                   sum.part[j] += LANE(fill_n)(g, left, K(0));)
    *slope += slopes;
    return total;
}

/* sum_i max(0, margin - x[label] + x_i)^p / cols over i != label;  params: ignored, p, margin */
INLINE REAL LANE(multi_margin_loss_row)(const ROW *row)
{
    const ptrdiff_t label = (ptrdiff_t)row->label, behind = label + 1;
    const double share = LANE(class_weight)(row) / (double)row->cols;
    const VEC gap = K((REAL)row->params[2] - row->x[label]), factor = K(row->factor * share);
    const int squared = row->params[1] == 2;
    double total, slope = 0;
    total = LANE(margin_sum)(row->x, row->grad, label, gap, squared, factor, &slope);
    total += LANE(margin_sum)(row->x + behind, PLACED(REAL, row->grad, behind), row->cols - behind, gap, squared,
                              factor, &slope);
    if (row->grad)
        row->grad[label] = (REAL)(0 - slope);
    return share == 0 ? LANE(weighted)(0, (REAL)total) : (REAL)(total * share);
}
FNN_DEFINE_ROW_LOSS(multi_margin_loss, 0)

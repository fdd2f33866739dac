/* Losses of rows each of whose columns may be set: several labels a row, or the elements of a mask. */

/* 1 - (2 x.t + smooth) / (sum x + sum t + smooth + eps);  params: smooth, eps. Derivative (share - 2 t) / (that sum), share
 * being what is subtracted from 1. */
INLINE REAL LANE(dice_loss_row)(const ROW *row)
{
    const double smooth = row->params[0];
    const double both = FN(sum)(row->x, row->cols) + FN(sum)(row->target, row->cols) + smooth + row->params[1];
    const double share = (2 * LANE(row_dot)(row->x, row->target, row->cols) + smooth) / both;
    if (row->grad) {
        const VEC factor = K(row->factor), level = K(share / both), pull = K(2 / both);
        FNN_EACH_REGISTER(row->cols, const VEC slope = v_fnma(pull, LANE(load_n)(row->target + i, left, K(0)), level);
                          LANE(store_n)(row->grad + i, LANE(shared)(factor, slope), left);)
    }
    return (REAL)(1 - share);
}
FNN_DEFINE_ROW_LOSS(dice_loss, 0)

/* The mean over the columns of by_class times the binary cross-entropy of logits */
INLINE REAL LANE(multilabel_soft_margin_loss_row)(const ROW *row)
{
    const VEC factor = K(row->factor / (REAL)row->cols);
    double total = 0;
    FNN_SUM_UP(
        total, row->cols, LOSS_SEGMENT, VEC slope;
        VEC value = LANE(binary_cross_entropy_with_logits)(READ_AT(row->x), READ_AT(row->target), &slope);
        if (row->by_class) {
            const VEC w = READ_AT(row->by_class);
            value = LANE(shared)(w, value), slope = slope * w;
        } if (row->grad) LANE(store_n)(row->grad + at, slope * factor, left);
        sum.part[j] += LANE(fill_n)(value, left, K(0));)
    return (REAL)(total / (double)row->cols);
}
FNN_DEFINE_ROW_LOSS(multilabel_soft_margin_loss, 0)

/* The sum of max(0, 1 - x_j + x_i) over labels j and columns i that are none, over the number of columns. target has how
 * often each column is a label. A term of 0 has no gradient. */
INLINE REAL LANE(multilabel_margin_loss_row)(const ROW *row)
{
    const double share = 1 / (double)row->cols;
    double loss = 0;
    if (row->grad)
        memset(row->grad, 0, (size_t)row->cols * sizeof *row->grad);
    for (ptrdiff_t label = 0; label < row->cols; label++) {
        const REAL times = row->target[label];
        if (times == 0)
            continue;
        const VEC gap = K(1 - row->x[label]), factor = K(row->factor * times * share);
        double total = 0, slopes = 0;
        FNN_SUM_UP_TWO(
            total, slopes, row->cols, LOSS_SEGMENT, VEC slope;
            const MASK none = v_eq(LANE(load_n)(row->target + at, left, K(1)), K(0));
            const VEC value = LANE(margin_loss)(gap + READ_AT(row->x), &slope, 0);
            sum.part[j] += LANE(fill_n)(v_select(none, value, K(0)), left, K(0)); if (row->grad) {
                const VEC step = v_select(none, LANE(shared)(factor, slope), K(0));
                LANE(store_n)(row->grad + at, READ_AT(row->grad) + step, left);
                sum2.part[j] += LANE(fill_n)(step, left, K(0));
            })
        loss += times * total;
        if (row->grad)
            row->grad[label] -= (REAL)slopes;
    }
    return (REAL)(loss * share);
}
FNN_DEFINE_ROW_LOSS(multilabel_margin_loss, 0)

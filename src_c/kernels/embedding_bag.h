/* Bags of rows of a table: their sum, mean or largest entries, and the gradients.
 *
 * `scales` and `counts` have one value for each row of the table, or are NULL: a factor of the row, with which a row
 * counts whose norm is limited, and how often it occurs in the batch, by which its gradient is divided.
 */
INLINE ptrdiff_t LANE(bag_start)(const struct fnn_bags *of, ptrdiff_t bag)
{
    return of->offsets ? (ptrdiff_t)of->offsets[bag] : bag * of->size;
}

/* The numbers of a row from column j on, times its factor */
INLINE VEC LANE(table_row)(const struct fnn_bags *of, ptrdiff_t code, ptrdiff_t j, ptrdiff_t left)
{
    const VEC v = LANE(load_n)((const REAL *)of->weight + code * of->cols + j, left, K(0));
    if (!of->scales)
        return v;
    return v * K(((const REAL *)of->scales)[code]);
}

/* How many entries of a bag count: those that are not `padding` */
INLINE ptrdiff_t LANE(bag_entries)(const struct fnn_bags *of, ptrdiff_t bag)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t i = LANE(bag_start)(of, bag); i < LANE(bag_start)(of, bag + 1); i++)
        n += (ptrdiff_t)((const REAL *)of->codes)[i] != of->padding;
    return n;
}

/* The largest entry of each column, the first NaN where there is one, and, as a number, its place in the codes */
INLINE VEC LANE(bag_largest)(const struct fnn_bags *of, ptrdiff_t bag, ptrdiff_t j, ptrdiff_t left, VEC *place)
{
    const ptrdiff_t start = LANE(bag_start)(of, bag), stop = LANE(bag_start)(of, bag + 1);
    VEC largest = K(0);
    int first = 1;
    *place = K(-1);
    for (ptrdiff_t i = start; i < stop; i++) {
        const ptrdiff_t code = (ptrdiff_t)((const REAL *)of->codes)[i];
        if (code == of->padding)
            continue;
        const VEC v = LANE(table_row)(of, code, j, left);
        /* larger, or the first NaN: not v <= largest, unless largest is NaN */
        const VEC next = v_select(v_ge(largest, v), largest, v), kept = v_select(v_eq(largest, largest), next, largest);
        const VEC at = v_select(v_ge(largest, v), *place, K(i - start));
        *place = first ? K(i - start) : v_select(v_eq(largest, largest), at, *place);
        largest = first ? v : kept;
        first = 0;
    }
    return largest;
}

KERNEL_FN void FN(embedding_bag)(const struct fnn_bags *of, void *y_, ptrdiff_t first, ptrdiff_t bags)
{
    const REAL *codes = of->codes, *sample = of->sample;
    REAL *y = (REAL *)y_ + first * of->cols;
    for (ptrdiff_t bag = first; bag < first + bags; bag++, y += of->cols) {
        const ptrdiff_t start = LANE(bag_start)(of, bag), stop = LANE(bag_start)(of, bag + 1);
        const ptrdiff_t entries = of->mode == FNN_BAG_MEAN ? LANE(bag_entries)(of, bag) : 1;
        const VEC divisor = K(entries ? entries : 1);
        for (ptrdiff_t j = 0; j < of->cols; j += LANES) {
            const ptrdiff_t left = of->cols - j;
            VEC total = K(0), place;
            if (of->mode == FNN_BAG_MAX)
                total = LANE(bag_largest)(of, bag, j, left, &place);
            for (ptrdiff_t i = start; of->mode != FNN_BAG_MAX && i < stop; i++) {
                const ptrdiff_t code = (ptrdiff_t)codes[i];
                if (code == of->padding)
                    continue;
                const VEC v = LANE(table_row)(of, code, j, left);
                if (sample)
                    total += v * K(sample[i]);
                else if (of->size == 1)
                    total = v;
                else
                    total += v;
            }
            if (of->mode == FNN_BAG_MEAN)
                total /= divisor;
            LANE(store_n)(y + j, total, left);
        }
    }
}

/* grad_weight[codes[i]] += factor g[bag of i], in the order of i, for `width` columns from g on; the factor is the
 * weight of the sample, or 1 / entries for a mean, divided by how often the row occurs. For the largest, only where
 * entry i is. */
KERNEL_FN void FN(embedding_bag_backward)(const struct fnn_bags *of, const void *g_, void *grad_weight_,
                                          ptrdiff_t first, ptrdiff_t width, ptrdiff_t bags)
{
    const REAL *codes = of->codes, *sample = of->sample, *counts = of->counts;
    const REAL *g = g_;
    REAL *grad_weight = grad_weight_;
    for (ptrdiff_t bag = 0; bag < bags; bag++, g += of->cols) {
        const ptrdiff_t start = LANE(bag_start)(of, bag), stop = LANE(bag_start)(of, bag + 1);
        const ptrdiff_t entries = of->mode == FNN_BAG_MEAN ? LANE(bag_entries)(of, bag) : 1;
        for (ptrdiff_t j = first; j < first + width; j += LANES) {
            const ptrdiff_t left = first + width - j;
            VEC place = K(0);
            if (of->mode == FNN_BAG_MAX)
                (void)LANE(bag_largest)(of, bag, j, of->cols - j, &place);
            for (ptrdiff_t i = start; i < stop; i++) {
                const ptrdiff_t code = (ptrdiff_t)codes[i];
                if (code == of->padding)
                    continue;
                const REAL factor = (sample ? sample[i] : 1) / (counts ? counts[code] : 1) / (REAL)entries;
                REAL *sum = grad_weight + code * of->cols + j;
                VEC v = LANE(load_n)(g + j, left, K(0)) * K(factor);
                if (of->mode == FNN_BAG_MAX)
                    v = v_select(v_eq(place, K(i - start)), v, K(0));
                LANE(store_n)(sum, LANE(load_n)(sum, left, K(0)) + v, left);
            }
        }
    }
}

/* counts[j] = how often j is among the codes */
KERNEL_FN void FN(count_codes)(const void *codes_, void *counts_, ptrdiff_t n, ptrdiff_t num)
{
    const REAL *codes = codes_;
    REAL *counts = counts_;
    memset(counts, 0, (size_t)num * sizeof *counts);
    for (ptrdiff_t i = 0; i < n; i++)
        counts[(ptrdiff_t)codes[i]] += 1;
}

/* scales[j] = max_norm / (norm + 1e-7) where the p-norm of row j, which is among the codes, is above max_norm; else 1 */
KERNEL_FN void FN(row_scales)(const void *codes_, const void *weight_, void *scales_, ptrdiff_t n, ptrdiff_t num,
                              ptrdiff_t cols, double max_norm, double p)
{
    const REAL *codes = codes_, *weight = weight_;
    REAL *scales = scales_;
    memset(scales, 0, (size_t)num * sizeof *scales);
    for (ptrdiff_t i = 0; i < n; i++) {
        const ptrdiff_t code = (ptrdiff_t)codes[i];
        if (scales[code] != 0)
            continue;
        const APART row = {weight + code * cols, NULL, 0, cols};
        const NORM_OF norm = LANE(norm)(&row, p, 0);
        const double length = norm.value / norm.scale;
        scales[code] = length > max_norm ? (REAL)(max_norm / (length + 1e-7)) : 1;
    }
    for (ptrdiff_t j = 0; j < num; j++)
        scales[j] = scales[j] == 0 ? 1 : scales[j];
}

/* Multiply the rows of a table by their scales. */
KERNEL_FN void FN(scale_rows)(void *weight_, const void *scales_, ptrdiff_t num, ptrdiff_t cols)
{
    REAL *weight = weight_;
    const REAL *scales = scales_;
    for (ptrdiff_t row = 0; row < num; row++, weight += cols) {
        const VEC scale = K(scales[row]);
        if (scales[row] != 1)
            FNN_EACH_REGISTER(cols, LANE(store_n)(weight + i, LANE(load_n)(weight + i, left, K(0)) * scale, left);)
    }
}

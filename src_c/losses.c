/* What losses check and add up beside their kernels (kernels/losses.h): targets, labels, weights. */
#ifndef REAL
#include <math.h>

#include "elements.h"

/* The first row whose label is not in 0 .. classes - 1, nor `ignored`; or -1. */
ptrdiff_t fnn_bad_label(const int64_t *labels, ptrdiff_t rows, ptrdiff_t classes, int64_t ignored)
{
    for (ptrdiff_t r = 0; r < rows; r++) {
        const int64_t label = fnn_read_index(labels + r);
        if ((uint64_t)label >= (uint64_t)classes && label != ignored)
            return r;
    }
    return -1;
}

/* How many rows have this label. */
ptrdiff_t fnn_count_label(const int64_t *labels, ptrdiff_t rows, int64_t label)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t r = 0; r < rows; r++)
        n += fnn_read_index(labels + r) == label;
    return n;
}

/* Returns the first i < n for which `wrong` holds, or -1. Blocks are tested without a branch an element, so that the
 * compiler makes vector code of them; only a block that has one is searched. */
#define FNN_CHECK_BLOCK 64
#define FNN_RETURN_FIRST(n, wrong)                                                                           \
    for (ptrdiff_t start = 0; start < (n); start += FNN_CHECK_BLOCK) {                                       \
        const ptrdiff_t stop = (n) - start < FNN_CHECK_BLOCK ? (n) : start + FNN_CHECK_BLOCK;                \
        INT any = 0;                                                                                         \
        for (ptrdiff_t i = start; i < stop; i++)                                                             \
            any |= (wrong);                                                                                  \
        for (ptrdiff_t i = start; any && i < stop; i++)                                                      \
            if (wrong)                                                                                       \
                return i;                                                                                    \
    }                                                                                                        \
    return -1;

#define FNN_SOURCE "losses.c"
#include "both_dtypes.h"
#else

/* The place of the first of n targets that is not of its kind, or -1. NaN passes: its loss is NaN. */
ptrdiff_t FN(bad_target)(const REAL *target, ptrdiff_t n, int kind)
{
    if (kind == FNN_SIGNS) {
        FNN_RETURN_FIRST(n, (target[i] > 1) | ((target[i] < 1) & (target[i] != -1)))
    } else if (kind == FNN_SHARES) {
        FNN_RETURN_FIRST(n, (target[i] > 1) | (target[i] < 0))
    }
    return -1;
}

/* The place of the first of n weights that is below 0, infinite or NaN; or -1. */
ptrdiff_t FN(bad_weight)(const REAL *weight, ptrdiff_t n)
{
    FNN_RETURN_FIRST(n, !(weight[i] >= 0) | !(weight[i] < INFINITY))
}

/* What rows count in a mean: each its weight (NULL: 1) times that of its class (NULL: 1), ignored rows nothing. Chunks of
 * rows are added up, then their sums: the order of the losses. A label that is no class by now makes it NaN. */
double FN(label_sum)(const int64_t *labels, const REAL *weight, const REAL *by_class, int64_t ignored, ptrdiff_t rows,
                     ptrdiff_t cols)
{
    double total = 0;
    for (ptrdiff_t start = 0; start < rows; start += FNN_ROW_CHUNK) {
        const ptrdiff_t stop = rows - start < FNN_ROW_CHUNK ? rows : start + FNN_ROW_CHUNK;
        double part = 0;
        for (ptrdiff_t r = start; r < stop; r++) {
            const int64_t label = fnn_read_index(labels + r);
            if (label == ignored)
                continue;
            double share = weight == NULL ? 1 : weight[r];
            if (by_class != NULL)
                share *= 0 <= label && label < cols ? by_class[label] : NAN;
            part += share;
        }
        total += part;
    }
    return total;
}

/* each[r, j] = weight[r]: one weight a row becomes one an element */
void FN(spread)(const REAL *weight, REAL *each, ptrdiff_t rows, ptrdiff_t cols)
{
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < cols; j++)
            each[r * cols + j] = weight[r];
}

/* The largest |x - target| where the weight is not 0, NaN aside. */
double FN(largest_error)(const REAL *x, const REAL *target, const REAL *weight, ptrdiff_t n)
{
    double largest = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double error = fabs((double)x[i] - target[i]);
        if (error > largest && (weight == NULL || weight[i] != 0))
            largest = error;
    }
    return largest;
}

/* Sum of weight (scale (x - target))^2, one after the other: it is for the rare case that squares are out of range. */
double FN(scaled_errors)(const REAL *x, const REAL *target, const REAL *weight, ptrdiff_t n, double scale)
{
    double total = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        if (weight != NULL && weight[i] == 0)
            continue;
        const double error = ((double)x[i] - target[i]) * scale;
        total += weight == NULL ? error * error : weight[i] * (error * error);
    }
    return total;
}

#endif

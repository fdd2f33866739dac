/* Weights of samples and classes: what they add up to in a mean, and one weight for each element of a loss. */
#ifndef REAL
#include <math.h>

#include "elements.h"
#include "search.h"

/* How many rows have this label. */
ptrdiff_t fnn_count_label(const int64_t *labels, ptrdiff_t rows, int64_t label)
{
    ptrdiff_t n = 0;
#pragma GCC unroll 4
    for (ptrdiff_t r = 0; r < rows; r++)
        n += fnn_read_index(labels + r) == label;
    return n;
}

/* What is wrong with a weight, or with each of a vector of them (a mask then). */
#define NO_WEIGHT(x) (((x >= 0) & (x < INFINITY)) == 0)

#define FNN_SOURCE "weights.c"
#include "both_dtypes.h"
FNN_BOTH(bad_weight)
FNN_BOTH(label_sum)
FNN_BOTH(spread)
FNN_BOTH(weigh_columns)
FNN_BOTH(present)
#else

/* The place of the first of n weights that is below 0, infinite or NaN; or -1. */
static ptrdiff_t FN(bad_weight)(const void *weight_, ptrdiff_t n)
{
    const REAL *weight = weight_;
    RETURN_FIRST(weight, n, NO_WEIGHT)
}

/* What rows count in a mean: each its weight (NULL: 1) times that of its class (NULL: 1), ignored rows nothing. Chunks of
 * rows are added up, then their sums: the order of the losses. A label that is no class by now makes it NaN. */
static double FN(label_sum)(const int64_t *labels, const void *weight_, const void *by_class_, int64_t ignored,
                            ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *weight = weight_, *by_class = by_class_;
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
static void FN(spread)(const void *weight_, void *each_, ptrdiff_t rows, ptrdiff_t cols)
{
    const REAL *weight = weight_;
    REAL *each = each_;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < cols; j++)
            each[r * cols + j] = weight[r];
}

/* each[r, j] = columns[j], times what is there if it is `filled`. */
static void FN(weigh_columns)(const void *columns_, void *each_, ptrdiff_t rows, ptrdiff_t cols, int filled)
{
    const REAL *columns = columns_;
    REAL *each = each_;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < cols; j++)
            each[r * cols + j] = filled ? each[r * cols + j] * columns[j] : columns[j];
}

/* Of targets that are NaN, which are missing, the weight becomes 0 and the target 1, which every loss takes. The weight is
 * one for each element, one for each row, or 1 where it is NULL. */
static void FN(present)(const void *target_, const void *weight_, int elements, void *y_, void *each_, ptrdiff_t rows,
                        ptrdiff_t cols)
{
    const REAL *target = target_, *weight = weight_;
    REAL *y = y_, *each = each_;
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = r * cols; j < r * cols + cols; j++) {
            const REAL w = weight == NULL ? 1 : weight[elements ? j : r];
            each[j] = target[j] == target[j] ? w : 0;
            y[j] = target[j] == target[j] ? target[j] : 1;
        }
}

#endif

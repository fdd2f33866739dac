/* What losses check and add up beside their kernels (kernels/losses.h): targets, labels, weights. */
#ifndef REAL
#include <math.h>
#include <string.h>

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
#pragma GCC unroll 4
    for (ptrdiff_t r = 0; r < rows; r++)
        n += fnn_read_index(labels + r) == label;
    return n;
}

/* What is wrong with a number, or with each of a vector of them (a mask then). NaN passes as a target: its loss is NaN. */
#define NO_SHARE(x) ((x > 1) | (x < 0))
#define NO_SIGN(x) ((x > 1) | ((x < 1) & (x != -1)))
#define NEGATIVE(x) ((x) < 0)
#define NOT_POSITIVE(x) ((x) <= 0)
#define NO_WEIGHT(x) (((x >= 0) & (x < INFINITY)) == 0)

enum { CHECKED = 64 }; /* numbers that are tested without a branch */

/* Returns the first i < n for which wrong(x[i]) holds, or -1. Of float, only a block in which there is one is searched; SSE2
 * has no comparison of two doubles that gives a mask of integers, so there blocks would take longer. */
#define RETURN_FIRST(x, n, wrong)                                                                            \
    {                                                                                                        \
        ptrdiff_t i = 0;                                                                                     \
        for (ptrdiff_t stop = CHECKED; sizeof *x == sizeof(float) && stop <= (n); stop += CHECKED) {         \
            FN(mask) any = {0};                                                                              \
            for (ptrdiff_t j = stop - CHECKED; j < stop; j += sizeof any / sizeof *x) {                      \
                FN(vector) v;                                                                                \
                memcpy(&v, x + j, sizeof v);                                                                 \
                any |= wrong(v);                                                                             \
            }                                                                                                \
            uint64_t half[2];                                                                                \
            memcpy(half, &any, sizeof any);                                                                  \
            if (half[0] | half[1])                                                                           \
                break;                                                                                       \
            i = stop;                                                                                        \
        }                                                                                                    \
        for (; i < (n); i++)                                                                                 \
            if (wrong(x[i]))                                                                                 \
                return i;                                                                                    \
        return -1;                                                                                           \
    }

#define FNN_SOURCE "losses.c"
#include "both_dtypes.h"
FNN_BOTH(bad_target)
FNN_BOTH(bad_weight)
FNN_BOTH(label_sum)
FNN_BOTH(spread)
FNN_BOTH(weigh_columns)
FNN_BOTH(multi_hot)
FNN_BOTH(present)
FNN_BOTH(largest_error)
FNN_BOTH(scaled_errors)
#else

typedef REAL FN(vector) __attribute__((vector_size(16)));
typedef INT FN(mask) __attribute__((vector_size(16)));

/* The place of the first of n targets that is not of its kind, or -1. */
static ptrdiff_t FN(bad_target)(const void *target_, ptrdiff_t n, int kind)
{
    const REAL *target = target_;
    if (kind == FNN_SHARES)
        RETURN_FIRST(target, n, NO_SHARE)
    if (kind == FNN_SIGNS)
        RETURN_FIRST(target, n, NO_SIGN)
    if (kind == FNN_NOT_NEGATIVE)
        RETURN_FIRST(target, n, NEGATIVE)
    if (kind == FNN_POSITIVE)
        RETURN_FIRST(target, n, NOT_POSITIVE)
    return -1;
}

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

/* How often each class is among the labels of a row, which end at the first negative one. Returns the place of the first
 * label that is no class, or -1. */
static ptrdiff_t FN(multi_hot)(const int64_t *labels, ptrdiff_t width, void *counts_, ptrdiff_t rows, ptrdiff_t classes)
{
    REAL *counts = counts_;
    memset(counts, 0, (size_t)(rows * classes) * sizeof *counts);
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < width; j++) {
            const int64_t label = fnn_read_index(labels + r * width + j);
            if (label < 0)
                break;
            if (label >= classes)
                return r * width + j;
            counts[r * classes + label] += 1;
        }
    return -1;
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

/* The largest |x - target| where the weight is not 0, NaN aside. */
static double FN(largest_error)(const void *x_, const void *target_, const void *weight_, ptrdiff_t n)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
    double largest = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double error = fabs((double)x[i] - target[i]);
        if (error > largest && (weight == NULL || weight[i] != 0))
            largest = error;
    }
    return largest;
}

/* Sum of weight (scale (x - target))^2, one after the other: it is for the rare case that squares are out of range. */
static double FN(scaled_errors)(const void *x_, const void *target_, const void *weight_, ptrdiff_t n, double scale)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
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

/* What metrics are made of, added up batch by batch: rows in order, in double. Formulas and layouts of `counts`:
 * fastnn/reference/metrics.py. */
#ifndef REAL
#include <math.h>

#include "elements.h"

#define FNN_SOURCE "metrics.c"
#include "both_dtypes.h"
FNN_BOTH(count_correct)
FNN_BOTH(count_classes)
FNN_BOTH(count_top)
FNN_BOTH(count_errors)
#else

/* The place of the largest of n numbers, the first where there are several; of NaN, if there is one, as in NumPy. */
static ptrdiff_t FN(argmax)(const REAL *x, ptrdiff_t n)
{
    REAL largest = n > 0 ? x[0] : 0;
    ptrdiff_t best = 0;
    for (ptrdiff_t j = 1; j < n; j++)
        if (!(x[j] <= largest) && largest == largest) {
            largest = x[j];
            best = j;
        }
    return best;
}

/* The class of row r, -1 if it is none or ignored. */
static ptrdiff_t FN(class_of)(const struct fnn_reading *how, const REAL *target, ptrdiff_t r, ptrdiff_t n)
{
    if (how->labels == NULL)
        return FN(argmax)(target + r * n, n);
    const int64_t label = fnn_read_index(how->labels + r);
    return 0 <= label && label < n && label != how->ignored ? (ptrdiff_t)label : -1;
}

/* counts: the weight of right predictions, of all */
static void FN(count_correct)(const struct fnn_reading *how, const void *x_, const void *target_, const void *weight_,
                              double *counts, ptrdiff_t rows, ptrdiff_t n)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const double w = weight == NULL ? 1 : weight[r];
        if (how->columns && how->elements && weight != NULL) {
            for (ptrdiff_t j = r * n; j < r * n + n; j++) {
                counts[0] += weight[j] * ((x[j] > how->threshold) == (target[j] > 0.5));
                counts[1] += weight[j];
            }
            continue;
        }
        if (how->columns) {
            ptrdiff_t right = 0;
            for (ptrdiff_t j = r * n; j < r * n + n; j++)
                right += (x[j] > how->threshold) == (target[j] > 0.5);
            counts[0] += w * right;
            counts[1] += w * n;
            continue;
        }
        const ptrdiff_t t = FN(class_of)(how, target, r, n);
        if (t < 0)
            continue;
        counts[1] += w;
        counts[0] += w * (FN(argmax)(x + r * n, n) == t);
    }
}

/* Each of n columns by itself: a prediction of 1 above the threshold, a target of 1 above 0.5. */
static void FN(count_columns)(const struct fnn_reading *how, const REAL *x, const REAL *target, const REAL *weight,
                              double *restrict right, double *restrict called, double *restrict true_, ptrdiff_t rows,
                              ptrdiff_t n)
{
    const double threshold = how->threshold;
    for (ptrdiff_t r = 0; r < rows; r++) {
        for (ptrdiff_t j = 0; j < n; j++) {
            const double w = weight == NULL ? 1 : weight[how->elements ? r * n + j : r], nothing = w * 0;
            const double c = x[r * n + j] > threshold ? w : nothing;
            const double t = target[r * n + j] > 0.5 ? w : nothing;
            called[j] += c;
            true_[j] += t;
            right[j] += target[r * n + j] > 0.5 ? c : nothing;
        }
    }
}

/* counts (3, classes): the weight of right predictions, of all predictions, of all targets. A single column has two
 * classes, 0 and 1. */
static void FN(count_classes)(const struct fnn_reading *how, const void *x_, const void *target_, const void *weight_,
                              double *counts, ptrdiff_t rows, ptrdiff_t n)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
    const int single = how->columns && n == 1;
    const ptrdiff_t classes = n == 1 ? 2 : n;
    double *right = counts, *called = counts + classes, *true_ = counts + 2 * classes;
    if (how->columns && !single) {
        FN(count_columns)(how, x, target, weight, right, called, true_, rows, n);
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
        const double w = weight == NULL ? 1 : weight[r];
        const ptrdiff_t c = single ? x[r] > how->threshold : FN(argmax)(x + r * n, n);
        const ptrdiff_t t = single ? target[r] > 0.5 : FN(class_of)(how, target, r, n);
        if (t < 0)
            continue;
        called[c] += w;
        true_[t] += w;
        if (c == t)
            right[c] += w;
    }
}

/* NaN is larger than all, as a sort has it. */
static REAL FN(sort_key)(REAL x)
{
    return x == x ? x : (REAL)INFINITY;
}

/* counts: the weight of rows whose class is among the k largest outputs, of all. Of equal outputs, later ones rank first. */
static void FN(count_top)(const struct fnn_reading *how, const void *x_, const void *target_, const void *weight_,
                          double *counts, ptrdiff_t rows, ptrdiff_t n, double k)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const ptrdiff_t t = FN(class_of)(how, target, r, n);
        if (t < 0)
            continue;
        const REAL *row = x + r * n;
        const REAL own = FN(sort_key)(row[t]);
        ptrdiff_t rank = 0;
        for (ptrdiff_t j = 0; j < t; j++)
            rank += FN(sort_key)(row[j]) > own;
        for (ptrdiff_t j = t + 1; j < n; j++)
            rank += FN(sort_key)(row[j]) >= own;
        const double w = weight == NULL ? 1 : weight[r];
        counts[0] += w * (rank < k);
        counts[1] += w;
    }
}

/* The columns of a row that have weights of their own. */
static void FN(count_elements)(const REAL *x, const REAL *target, const REAL *weight, double *counts, ptrdiff_t n)
{
    double *restrict each = counts + 2;
    for (ptrdiff_t j = 0; j < n; j++) {
        const double w = weight[j], t = target[j], error = x[j] - t, distance = t - each[2 * n + j];
        if (w == 0)
            continue;
        counts[0] += w / (double)n;
        each[4 * n + j] += w;
        each[j] += w * fabs(error);
        each[n + j] += w * error * error;
        each[2 * n + j] += distance * (w / each[4 * n + j]);
        each[3 * n + j] += w * distance * (t - each[2 * n + j]);
    }
    counts[1] += 1;
}

/* counts: the weight and the number of rows, then for each of n columns the sum of absolute errors, of squared errors, of
 * the targets the mean and the sum of squared distances from it (Welford's update, in the weighted form of West 1979), and
 * the weight of the column. */
static void FN(count_errors)(const struct fnn_reading *how, const void *x_, const void *target_, const void *weight_,
                             double *counts, ptrdiff_t rows, ptrdiff_t n)
{
    const REAL *x = x_, *target = target_, *weight = weight_;
    double *restrict absolute = counts + 2, *restrict squared = counts + 2 + n;
    double *restrict mean = counts + 2 + 2 * n, *restrict distances = counts + 2 + 3 * n;
    if (how->elements && weight != NULL) {
        for (ptrdiff_t r = 0; r < rows; r++)
            FN(count_elements)(x + r * n, target + r * n, weight + r * n, counts, n);
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
        const double w = weight == NULL ? 1 : weight[r];
        counts[0] += w;
        counts[1] += 1;
        if (w == 0)
            continue;
        const double share = w / counts[0];
        for (ptrdiff_t j = 0; j < n; j++) {
            const double t = target[r * n + j], error = x[r * n + j] - t, distance = t - mean[j];
            absolute[j] += w * fabs(error);
            squared[j] += w * error * error;
            mean[j] += distance * share;
            distances[j] += w * distance * (t - mean[j]);
        }
    }
    for (ptrdiff_t j = 0; j < n; j++)
        counts[2 + 4 * n + j] = counts[0];
}

#endif

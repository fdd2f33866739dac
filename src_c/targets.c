/* Targets of losses: whether they are such as a loss takes, and class indices as counts of classes. */
#ifndef REAL
#include "elements.h"
#include "search.h"

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

/* What is wrong with a target, or with each of a vector of them (a mask then). NaN passes: its loss is NaN. */
#define NO_SHARE(x) ((x > 1) | (x < 0))
#define NO_SIGN(x) ((x > 1) | ((x < 1) & (x != -1)))
#define NEGATIVE(x) ((x) < 0)
#define NOT_POSITIVE(x) ((x) <= 0)

#define FNN_SOURCE "targets.c"
#include "both_dtypes.h"
FNN_BOTH(bad_target)
FNN_BOTH(multi_hot)
#else

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

#endif
